import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, encodeFunctionData, getAddress, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Devnet, startDevnet } from '../../scripts/devnet/devnet.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { deployShape, doctorShape, explainShape, scanShape } from '../../src/cli/shapes.ts';
import { executorAbi } from '../../src/generated/executor.ts';
import { bailiff, documentOf, type Environment, start, temporaryDir } from './cli.ts';

let devnet: Devnet;
let folder: string;
let environment: Environment;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-cli-chain-'));
  const deploymentsFile = join(folder, 'deployments.json');
  devnet = await startDevnet({ positions: 30, seed: 3, slotMs: 400, deploymentsFile });
  environment = {
    RPC_URLS: `${devnet.rpcUrl}/?apikey=fake-key-of-the-endpoint`,
    DEPLOYMENTS_FILE: deploymentsFile,
    KEEPER_PRIVATE_KEY: devnet.accounts.keeper.privateKey,
    HTTP_PORT: '0',
  };
});
afterAll(async () => {
  await devnet?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function view(
  executor: Address,
  functionName: 'owner' | 'treasury' | 'isOperator' | 'wrappedNative',
  args: readonly Address[] = [],
): Promise<bigint> {
  const data = encodeFunctionData({ abi: executorAbi, functionName, args } as Parameters<typeof encodeFunctionData>[0]);
  return BigInt(await rpc<Hex>(devnet.rpcUrl, 'eth_call', [{ to: executor, data }, 'latest']));
}

const deployed = async (args: readonly string[] = [], env: Environment = {}) =>
  deployShape.parse(documentOf(await bailiff(['deploy', '--json', ...args], { ...environment, ...env })));

describe('deploy', () => {
  test('the keeper’s key owns it, lanes are its operators, and it is there when the command ends', async () => {
    const lanes = devnet.accounts.lanes.slice(0, 2);
    const document = await deployed([], {
      LANE_PRIVATE_KEYS: lanes.map((lane) => lane.privateKey).join(),
      MODE: 'live',
      PUBLIC_MEMPOOL: 'never',
    });
    const keeper = devnet.accounts.keeper.address;
    expect(document).toMatchObject({ owner: keeper, treasury: keeper, operators: lanes.map((lane) => lane.address), chainId: 7777 });
    const executor = document.executor as Address;
    expect(await view(executor, 'owner')).toBe(BigInt(keeper));
    expect(await view(executor, 'treasury')).toBe(BigInt(keeper));
    expect(await view(executor, 'wrappedNative')).toBe(BigInt(devnet.deployments.wrappedNative));
    for (const lane of lanes) expect(await view(executor, 'isOperator', [lane.address])).toBe(1n);
    const receipt = await rpc<{ blockNumber: Hex; contractAddress: Address }>(devnet.rpcUrl, 'eth_getTransactionReceipt', [
      document.txHash,
    ]);
    expect([Number(receipt.blockNumber), getAddress(receipt.contractAddress)]).toEqual([document.block, executor]);
  });

  test('another owner leaves the keeper an operator, and the treasury may be somebody else', async () => {
    const [owner, treasury] = [getAddress(`0x${'a1'.repeat(20)}`), getAddress(`0x${'b2'.repeat(20)}`)];
    const document = await deployed(['--owner', owner], { TREASURY_ADDRESS: treasury });
    expect(document).toMatchObject({ owner, treasury, operators: [devnet.accounts.keeper.address] });
    expect(await view(document.executor as Address, 'owner')).toBe(BigInt(owner));
    expect(await view(document.executor as Address, 'treasury')).toBe(BigInt(treasury));
    expect(await view(document.executor as Address, 'isOperator', [devnet.accounts.keeper.address])).toBe(1n);
  });

  test.each<[string, () => Environment, RegExp, number]>([
    ['a key without gas', () => ({ KEEPER_PRIVATE_KEY: generatePrivateKey() }), /holds 0, deploying takes up to .*send it gas/, 1],
    ['another CHAIN_ID', () => ({ CHAIN_ID: '1', DEPLOYMENTS_FILE: changed({ chainId: 1 }) }), /is on chain 7777, not on chain 1/, 1],
    ['a book of another chain', () => ({ DEPLOYMENTS_FILE: changed({ chainId: 5 }) }), /is of chain 5, the endpoint serves chain 7777/, 2],
    ['no book at all', () => ({ DEPLOYMENTS_FILE: '' }), /DEPLOYMENTS_FILE is needed/, 2],
    [
      'a wrapped native token that is none',
      () => ({ DEPLOYMENTS_FILE: changed({ wrappedNative: `0x${'12'.repeat(20)}` }) }),
      /no contract at 0x1212/,
      1,
    ],
    ['an endpoint that is down', () => ({ RPC_URLS: 'http://127.0.0.1:1' }), /no endpoint of RPC_URLS is usable: 127\.0\.0\.1:1/, 1],
  ])('%s is one clear line, and nothing is sent', async (_, over, message, code) => {
    const before = await nonce();
    const ended = await bailiff(['deploy', '--json'], { ...environment, ...over() });
    expect(ended.stderr).toMatch(/^error: [^\n]+\n$/);
    expect(ended.stderr).toMatch(message);
    expect([ended.code, ended.stdout, await nonce()]).toEqual([code, '', before]);
  });

  const nonce = () => rpc<Hex>(devnet.rpcUrl, 'eth_getTransactionCount', [devnet.accounts.keeper.address, 'pending']);
});

/** The devnet's book with other contents, in a file of its own. */
function changed(over: object): string {
  const file = join(temporaryDir(), 'deployments.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(environment['DEPLOYMENTS_FILE']!, 'utf8')), ...over }));
  return file;
}

describe('doctor', () => {
  const examined = async (env: Environment) => {
    const ended = await bailiff(['doctor', '--json', '--wait', '10'], { ...environment, ...env });
    const document = doctorShape.parse(documentOf(ended));
    expect(ended.code).toBe(document.ok ? 0 : 1);
    return document;
  };
  const bad = (document: Awaited<ReturnType<typeof examined>>) => document.checks.filter(({ ok }) => !ok);

  test('all is well where all is', async () => {
    const { executor } = await deployed();
    const document = await examined({ EXECUTOR_ADDRESS: executor, MODE: 'live', RELAY_URLS: devnet.builderUrl });
    expect(bad(document)).toEqual([]);
    expect(document.checks.map(({ name }) => name)).toEqual(expect.arrayContaining(['DATA_DIR', 'multicall3', 'executor', 'gas']));
    expect(document.checks.find(({ name }) => name === 'aave-v3/core prices')?.detail).toMatch(/^\d+ feed, .*all decoded$/);
    expect(document.checks.find(({ name }) => name.startsWith('relay '))?.detail).toContain('takes the signature');
  });

  test('everything that is wrong is said at once, each with what to do, and no URL is shown', async () => {
    const { executor } = await deployed(['--owner', `0x${'a1'.repeat(20)}`], {});
    const stranger = generatePrivateKey();
    const document = await examined({
      RPC_URLS: `http://127.0.0.1:1/a-secret-path-of-a-key,${devnet.rpcUrl}`,
      KEEPER_PRIVATE_KEY: stranger,
      EXECUTOR_ADDRESS: executor,
      MODE: 'live',
      RELAY_URLS: 'http://127.0.0.1:1',
      DEPLOYMENTS_FILE: changed({ bridgeTokens: [`0x${'12'.repeat(20)}`] }),
    });
    const found = Object.fromEntries(bad(document).map(({ name, detail, mend }) => [name, `${detail} / ${mend}`]));
    expect(Object.keys(found)).toEqual(['endpoint 1 (http://127.0.0.1:1)', 'bridge token', 'executor', 'gas', 'relay 127.0.0.1:1']);
    expect(found['executor']).toContain(privateKeyToAddress(stranger).toLowerCase());
    expect(bad(document).every(({ mend }) => mend !== '')).toBe(true);
    expect(JSON.stringify(document)).not.toContain('a-secret-path');
  });

  test('a lane that is no operator, or has no gas', async () => {
    const { executor } = await deployed();
    const lane = generatePrivateKey();
    const document = await examined({ EXECUTOR_ADDRESS: executor, LANE_PRIVATE_KEYS: lane });
    const found = Object.fromEntries(bad(document).map(({ name, detail }) => [name, detail]));
    expect(Object.keys(found)).toEqual(['executor', 'gas of lane 1']);
    expect(found['executor']).toMatch(new RegExp(`^LANE_PRIVATE_KEYS: ${privateKeyToAddress(lane)} is no operator.*setOperator`, 'i'));
    expect(found['gas of lane 1']).toContain('holds 0');
  });

  test('an endpoint of another chain, and one whose head stands still', async () => {
    const elsewhere = await examined({ CHAIN_ID: '5', DEPLOYMENTS_FILE: changed({ chainId: 5 }) });
    expect(bad(elsewhere)[0]).toMatchObject({ name: expect.stringContaining('endpoint 1'), detail: 'serves chain 7777, expected 5' });
    await devnet.builder.hold();
    const still = doctorShape.parse(documentOf(await bailiff(['doctor', '--json', '--wait', '1'], environment)));
    await devnet.builder.resume();
    expect(bad(still)[0]?.detail).toContain('stood still');
  });
});

describe('scan and explain', () => {
  test('every borrower is listed, worst first, health as the chain has it', async () => {
    const ended = await bailiff(['scan', '--json'], environment);
    const { block, positions } = scanShape.parse(documentOf(ended));
    expect(positions.length).toBeGreaterThanOrEqual(30);
    const healths = positions.map(({ healthFactorWad }) => BigInt(healthFactorWad!));
    expect(healths).toEqual([...healths].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    expect(block.number).toBeGreaterThan(0);
    // Log lines belong to stderr.
    expect(ended.stderr).toContain('sync.done');
  });

  test('one account is explained, in both forms; a stranger has nothing', async () => {
    const [worst] = scanShape.parse(documentOf(await bailiff(['scan', '--json', '--limit', '1'], environment))).positions;
    const document = explainShape.parse(documentOf(await bailiff(['explain', worst!.account, '--json'], environment)));
    expect(document.positions).toMatchObject([{ account: worst!.account, market: 'core' }]);
    expect((await bailiff(['explain', worst!.account], environment)).stdout).toContain(worst!.account);
    const nobody = explainShape.parse(documentOf(await bailiff(['explain', `0x${'77'.repeat(20)}`, '--json'], environment)));
    expect(nobody.positions).toEqual([]);
  });
});

describe('run', () => {
  const started = (line: string) => line.includes('"keeper.started"');
  const eventsOf = (stdout: string) =>
    stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);

  test('it is commanded from beside, refuses a second on its folder, and ends cleanly with nothing but log lines on stdout', async () => {
    const env = { ...environment, DATA_DIR: join(temporaryDir(), 'data') };
    const keeper = start(['run'], env);
    const { dashboard } = JSON.parse(await keeper.line(started)) as { dashboard: string };
    await expect.poll(async () => (await fetch(`${dashboard}/readyz`)).status).toBe(200);

    const second = await bailiff(['run'], env);
    expect(second).toMatchObject({ code: 2 });
    expect(second.stderr).toMatch(/^error: DATA_DIR[^\n]+another keeper[^\n]+\n$/);

    for (const command of ['pause', 'resume', 'kill']) expect(await bailiff([command], env)).toMatchObject({ code: 0, stderr: '' });
    expect((await bailiff(['resume'], env)).code).toBe(1);
    expect((await bailiff(['report', '--json'], env)).code).toBe(0);

    keeper.process.kill('SIGTERM');
    const ended = await keeper.ended;
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(eventsOf(ended.stdout)).toEqual(expect.arrayContaining(['keeper.paused', 'keeper.resumed', 'keeper.killed', 'keeper.stopped']));

    const again = start(['run', '--json'], env);
    await expect.poll(async () => (await bailiff(['resume', '--after-kill'], env)).code, { timeout: 30_000 }).toBe(0);
    again.process.kill('SIGINT');
    const last = await again.ended;
    expect([last.code, JSON.parse(last.stdout)]).toEqual([0, { stopped: 'SIGINT' }]);
  });

  test('interrupted while it starts, it exits 143', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const connected = new Promise((resolve) => silent.once('connection', resolve));
    const keeper = start(['run'], { ...environment, RPC_URLS: `http://127.0.0.1:${port}`, DATA_DIR: temporaryDir() });
    await connected;
    keeper.process.kill('SIGTERM');
    expect((await keeper.ended).code).toBe(143);
    silent.close();
  });
});
