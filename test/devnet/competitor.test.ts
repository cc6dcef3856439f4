import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { type Address, type Hex, parseAbi } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { poolAbi } from '../../scripts/devnet/aave/positions.ts';
import { deploymentsOf, writeDeployments } from '../../scripts/devnet/deployments.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';

const erc20 = parseAbi(['function balanceOf(address) view returns (uint256)']);
type Line = { event: string; account: Address; hash?: Hex };

let fixture: Fixture;
let folder: string;
let child: ChildProcess;
let lines: Interface;

beforeAll(async () => {
  fixture = await createFixture({ positions: 40, seed: 3 });
  folder = await mkdtemp(join(tmpdir(), 'competitor-'));
  const file = join(folder, 'deployments.json');
  await writeDeployments(file, deploymentsOf(fixture.market));
  child = spawn(process.execPath, ['scripts/devnet/competitor.ts', '--rpc', fixture.anvil.rpcUrl, '--deployments', file, '--seed', '4'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  lines = createInterface({ input: child.stdout! });
}, 60_000);

afterAll(async () => {
  child?.kill('SIGKILL');
  await fixture?.stop();
  if (folder) await rm(folder, { recursive: true });
});

function next(event: string): Promise<Line> {
  return new Promise((resolve) => {
    const listen = (text: string) => {
      const line: Line = JSON.parse(text);
      if (line.event !== event) return;
      lines.off('line', listen);
      resolve(line);
    };
    lines.on('line', listen);
  });
}

/** Mines until the promise settles: the rival sends when it sees a block, and is mined by the next. */
async function mineUntil<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = promise.finally(() => {
    settled = true;
  });
  while (!settled) {
    await rpc(fixture.anvil.rpcUrl, 'evm_mine');
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 300))]);
  }
  return done;
}

it('liquidates in public, for its own profit, and ends when it is told to', async () => {
  const { chain, market } = fixture;
  const rival = devAccount('competitor').address;
  await mineUntil(next('competitor.started'));
  const wethOf = () => chain.read<bigint>(market.tokens['WETH']!, erc20, 'balanceOf', [rival]);
  const debtOf = async (account: Address) =>
    (await chain.read<readonly bigint[]>(market.aave.pool, poolAbi, 'getUserAccountData', [account]))[1]!;
  const before = new Map(
    await Promise.all(market.borrowers.map(async ({ address }) => [address.toLowerCase(), await debtOf(address)] as const)),
  );

  const sent = next('competitor.sent');
  await fixture.setPrice('ETH / USD', 2_600_00000000n);
  const { account, hash } = await mineUntil(sent);
  await rpc(fixture.anvil.rpcUrl, 'evm_mine');
  const receipt = await rpc<{ status: Hex; gasUsed: Hex; effectiveGasPrice: Hex }>(fixture.anvil.rpcUrl, 'eth_getTransactionReceipt', [
    hash,
  ]);
  expect(receipt.status).toBe('0x1');
  expect(await debtOf(account)).toBeLessThan(before.get(account.toLowerCase())!);
  expect(await wethOf()).toBeGreaterThan(BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice));

  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
}, 60_000);
