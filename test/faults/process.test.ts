import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Prng } from '../../scripts/devnet/prng.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { audit } from '../../scripts/soak/audit.ts';
import { type Child, startRun } from '../../scripts/soak/child.ts';
import { Market } from '../../scripts/soak/market.ts';
import { openStage, type Stage } from '../../scripts/soak/stage.ts';
import { readLedger } from '../../src/ledger/reader.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** Ten seconds by its own clock; a busy machine takes its time to tell. */
const LONGEST_END_MS = 20_000;

let stage: Stage;
let market: Market;
let child: Child | undefined;

beforeAll(async () => {
  stage = await openStage({ positions: 80, seed: 9, publicMempool: 'never' });
  market = new Market(stage.devnet, new Prng(9));
});

afterEach(async () => {
  await child?.end('SIGKILL');
  child = undefined;
});

afterAll(async () => {
  await stage?.close();
});

async function started(): Promise<Child> {
  child = startRun({ environment: stage.environment, cwd: stage.folder });
  await processed(child, Number(await rpc<string>(stage.scene.rpcUrl, 'eth_blockNumber')));
  return child;
}

async function processed(keeper: Child, block: number): Promise<void> {
  const line = await keeper.until(({ event, block: of }) => event === 'block.processed' && Number(of) >= block, `block ${block}`);
  if (line === undefined) throw new Error(`it ended: ${(await keeper.ended).stderr}`);
}

async function seal(keeper: Child): Promise<number> {
  const { number } = await stage.devnet.builder.seal();
  await processed(keeper, number);
  return number;
}

/** Until a price has fallen enough for a bundle; answers with the block of the fall. */
async function underWay(keeper: Child): Promise<number> {
  for (let falls = 0; falls < 5; falls++) {
    const from = keeper.lines.length;
    await market.fall(0.015);
    const block = await seal(keeper);
    if (keeper.lines.slice(from).some(({ event }) => event === 'bundle.sent')) return block;
  }
  throw new Error('nothing was sent');
}

async function transactions() {
  const ledger = await readLedger(stage.scene.dataDir);
  return ledger.transactions({}).finally(() => ledger.close());
}

/** A command of its own process: exit code and what it printed. */
async function bailiff(...command: string[]): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const { PATH } = process.env;
  const env = { PATH, NODE_NO_WARNINGS: '1', ...stage.environment };
  const running = spawn(process.execPath, [CLI, ...command], { env, cwd: stage.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  running.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => running.once('close', resolve));
  return { code, stdout: stdout.trim(), stderr: stderr.trim() };
}

describe('SIGTERM while a bundle is under way', () => {
  it('sends nothing more, settles it when its block comes, and exits 0', async () => {
    const keeper = await started();
    const update = await underWay(keeper);
    const ending = keeper.end('SIGTERM');
    // Worth a bundle of its own, were it not for the signal.
    await market.fall(0.03);
    await stage.devnet.builder.seal();
    expect(await ending).toMatchObject({ code: 0, stderr: '' });
    const sent = (await transactions()).filter(({ targetBlock }) => targetBlock > update);
    // Of those that share a nonce one is mined.
    const settled = sent.filter(({ outcome }) => outcome !== 'replaced').map(({ outcome, mined }) => [outcome, mined?.block]);
    expect(settled).toEqual(settled.map(() => ['included', update + 1]));
    expect(settled.length).toBeGreaterThan(0);
    expect(keeper.lines.at(-1)?.event).toBe('keeper.stopped');
    expect(await audit(stage.scene)).toEqual([]);
  });

  it('exits 0 in ten seconds though no block comes, and the next start settles it', async () => {
    const keeper = await started();
    const update = await underWay(keeper);
    const asked = performance.now();
    expect(await keeper.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    expect(performance.now() - asked).toBeLessThan(LONGEST_END_MS);
    expect((await transactions()).find(({ targetBlock }) => targetBlock === update + 1)?.outcome).toBeUndefined();
    await stage.devnet.builder.seal();
    await started();
    expect((await transactions()).find(({ targetBlock }) => targetBlock === update + 1)).toMatchObject({ outcome: 'included' });
    expect(await audit(stage.scene)).toEqual([]);
  });
});

it('a second keeper on the same folder exits 2 with one line, and the first goes on', async () => {
  const keeper = await started();
  const { code, stdout, stderr } = await bailiff('run');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr.split('\n')).toHaveLength(1);
  expect(stderr).toMatch(/^error: DATA_DIR .*another keeper runs on it/);
  await seal(keeper);
});

describe('the switch', () => {
  it('paused, it finds and plans and sends nothing; resumed, it sends', async () => {
    const keeper = await started();
    await settle(keeper);
    expect(await bailiff('pause')).toMatchObject({ code: 0, stdout: 'paused' });
    const before = await transactions();
    const from = keeper.lines.length;
    await market.fall(0.03);
    await seal(keeper);
    const lines = keeper.lines.slice(from);
    expect(lines.some(({ event }) => event === 'candidate.found')).toBe(true);
    expect(lines.some((line) => line.event === 'plan.skipped' && line['reason'] === 'paused')).toBe(true);
    expect(await transactions()).toEqual(before);
    expect(await bailiff('resume')).toMatchObject({ code: 0, stdout: 'running' });
    const block = await seal(keeper);
    expect((await transactions()).map(({ targetBlock }) => targetBlock)).toContain(block + 1);
    await settle(keeper);
    expect(await audit(stage.scene)).toEqual([]);
  });

  it('killed, it stays so over a restart, until resumed with --after-kill', async () => {
    const first = await started();
    await settle(first);
    expect(await bailiff('kill')).toMatchObject({ code: 0, stdout: 'killed' });
    await first.end('SIGKILL');
    const keeper = await started();
    expect(keeper.lines.find(({ event }) => event === 'keeper.started')).toMatchObject({ switch: 'killed' });
    const before = await transactions();
    await market.fall(0.03);
    await seal(keeper);
    expect(keeper.lines.some((line) => line.event === 'plan.skipped' && line['reason'] === 'killed')).toBe(true);
    const refused = await bailiff('resume');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('resume --after-kill');
    await seal(keeper);
    expect(await transactions()).toEqual(before);
    expect(await bailiff('resume', '--after-kill')).toMatchObject({ code: 0, stdout: 'running' });
    const block = await seal(keeper);
    expect((await transactions()).map(({ targetBlock }) => targetBlock)).toContain(block + 1);
    await settle(keeper);
    expect(await audit(stage.scene)).toEqual([]);
  });
});

/** Blocks until nothing is under way. */
async function settle(keeper: Child): Promise<void> {
  for (let blocks = 0; blocks < 10; blocks++) {
    if ((await transactions()).every(({ outcome }) => outcome !== undefined)) return;
    await seal(keeper);
  }
  throw new Error('something is always under way');
}
