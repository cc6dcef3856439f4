/** Positions that are left in the Executor at a perp venue, on the real contracts: closed by the keeper, or by its deadline an alert and the kill switch. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Address, Hex } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CHAIN_ID } from '../../scripts/devnet/anvil.ts';
import { devKey } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { executorAbi } from '../../src/generated/executor.ts';
import { CAPITAL, capitalText } from '../../src/ledger/capital.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { Address as Lower } from '../../src/lib/types.ts';
import { move } from '../protocols/perp-v2/crash.ts';
import { openDesk, TREASURY } from '../protocols/perp-v2/desk.ts';
import { PerpWorld } from '../protocols/perp-v2/world.ts';
import { startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const USDC = 10n ** 6n;
const MARKET = { symbol: 'ETH', feed: 'ETH / USD', usd: 2_000, depthUsd: 400_000 };
/** Deep enough for a takeover to pay. */
const DEEP = { symbol: 'BTC', feed: 'BTC / USD', usd: 40_000, depthUsd: 10_000_000 };
/** A sync anchors at the finalised block, 64 deep on this chain. */
const FINALISED = 70;
const DEADLINE_BLOCKS = 10;
const MOST_BLOCKS = 25;
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const TRADER: Address = '0x000000000000000000000000000000007ade0000';

let world: PerpWorld;
let keeper: TestKeeper | undefined;
let folder: string;
let ordinary: Address;
let executor: Address;
let snapshot: string;

beforeAll(async () => {
  world = await PerpWorld.open({ traders: 0, markets: [MARKET, DEEP] });
  ordinary = await openDesk(world, 0n);
  executor = await openDesk(world, 10_000n * USDC);
  await rpc(world.anvil.rpcUrl, 'anvil_setBalance', [executor, `0x${(10n ** 20n).toString(16)}`]);
});
afterAll(async () => {
  await world?.stop();
});
beforeEach(async () => {
  snapshot = await rpc<string>(world.anvil.rpcUrl, 'evm_snapshot');
  folder = mkdtempSync(join(tmpdir(), 'bailiff-hedge-'));
  writeFileSync(join(folder, 'deployments.json'), JSON.stringify(deployments()));
});
afterEach(async () => {
  await keeper?.stop();
  keeper = undefined;
  rmSync(folder, { recursive: true, force: true });
  await rpc(world.anvil.rpcUrl, 'evm_revert', [snapshot]);
});

function deployments(): object {
  const { settlement, collateral, clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock } = world.perp;
  return {
    ...{ chainId: CHAIN_ID, name: 'perps', wrappedNative: collateral, multicall3: world.multicall3 },
    'perp-v2': [{ name: 'perp', clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock }],
    usdFeeds: { [collateral!]: world.feeds['ETH / USD']!.proxy, [settlement]: world.feeds['USDC / USD']!.proxy },
  };
}

function environment(more: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {
    ...{ RPC_URLS: `${world.anvil.rpcUrl}/?apikey=fake-key-of-the-endpoint`, MODE: 'live', KEEPER_PRIVATE_KEY: devKey('deployer') },
    ...{ EXECUTOR_ADDRESS: ordinary, PERP_EXECUTOR_ADDRESS: executor, DEPLOYMENTS_FILE: join(folder, 'deployments.json') },
    ...{ PROTOCOLS: 'perp-v2', PUBLIC_MEMPOOL: 'only', MIN_PROFIT_USD: '1', HTTP_TOKEN: 'fake-token-of-the-api' },
    ...{ DATA_DIR: join(folder, 'data'), HTTP_PORT: '0', ...more },
  };
}

async function start(more: Readonly<Record<string, string>> = {}): Promise<TestKeeper> {
  const started = startTestKeeper(environment(more), folder);
  keeper = started;
  await started.until(({ event }) => event === 'keeper.started', 'the start');
  await started.until(({ event }) => event === 'block.processed', 'the first block');
  return started;
}

/** A keeper in a process of its own, which is killed the moment it says this. */
async function killedAt(event: string, more: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'run'], { cwd: folder, env: environment(more), stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(child, 'exit');
  try {
    let sealed = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes(`"event":"${event}"`)) break;
      if (line.includes('"event":"block.processed"') && sealed++ < MOST_BLOCKS) await rpc(world.anvil.rpcUrl, 'evm_mine');
    }
  } finally {
    child.kill('SIGKILL');
  }
  await gone;
}

async function seal(): Promise<void> {
  await rpc(world.anvil.rpcUrl, 'evm_mine');
  const number = Number(await rpc<Hex>(world.anvil.rpcUrl, 'eth_blockNumber'));
  await keeper?.until(({ event, block }) => event === 'block.processed' && block === number, `block ${number}`);
}

async function sealUntil(done: () => boolean): Promise<void> {
  for (let block = 0; block < MOST_BLOCKS && !done(); block++) await seal();
}

/** A position that no life of this keeper opened. */
async function leave(usd: number, side: 'long' | 'short' = 'long'): Promise<void> {
  await world.trade(executor, world.market('ETH').base, side, usd);
  expect((await world.mine()).get(side)).toEqual({ done: 1, reverted: 0 });
  for (let i = 0; i < FINALISED; i++) await rpc(world.anvil.rpcUrl, 'evm_mine');
}

function size(symbol = 'ETH'): Promise<bigint> {
  return world.read(world.contract('accountBalance'), 'getTakerPositionSize', [executor, world.market(symbol).base]);
}

async function limitTicks(ticks: number, symbol = 'ETH'): Promise<void> {
  const { base } = world.market(symbol);
  await world.send(world.chain.deployer.address, world.contract('exchange'), 'setMaxTickCrossedWithinBlock', [base, ticks]);
  await world.mine();
}

function alerts(lines = keeper!.lines): readonly unknown[] {
  return lines.filter(({ event }) => event === 'alert.raised').map(({ about }) => about);
}

function count(event: string): number {
  return keeper!.lines.filter((line) => line.event === event).length;
}

/** A trader who can be taken over after this fall, where the market lets a third of the position be closed in one block: too little to pay by itself. */
async function crash(usd: number, ticks: number): Promise<void> {
  await world.deposit(TRADER, BigInt(Math.round(usd * 112_500)));
  await world.trade(TRADER, world.market('BTC').base, 'long', usd);
  expect((await world.mine()).get('long')).toEqual({ done: 1, reverted: 0 });
  for (let i = 0; i < FINALISED; i++) await rpc(world.anvil.rpcUrl, 'evm_mine');
  await move(world, 'BTC', DEEP.usd, 0.93);
  await limitTicks(ticks, 'BTC');
  // As on a rollup: a leg costs some cents.
  await rpc(world.anvil.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', ['0x989680']);
  await rpc(world.anvil.rpcUrl, 'evm_mine');
}

async function allowLoss(amountRaw: bigint): Promise<void> {
  const { address } = world.chain.deployer;
  await world.send(address, { at: executor, abi: executorAbi }, 'allowLoss', [world.perp.settlement, amountRaw]);
  expect((await world.mine()).get('allowLoss')).toEqual({ done: 1, reverted: 0 });
}

const TWO_LEGS = { MIN_PROFIT_USD: '60' };
const LEFT = 25n * USDC;

/** Of what is in the vault so much is no deposit, by the ledger, but what earlier orders left. */
async function leftBefore(leftRaw: bigint): Promise<void> {
  mkdirSync(join(folder, 'data'), { recursive: true });
  const ledger = await openLedger(join(folder, 'data'));
  const seen = { block: 1, amountRaw: 10_000n * USDC };
  const account = { deployment: 'perp-v2/perp', executor: lower(executor), token: lower(world.perp.settlement) };
  await ledger.put(
    CAPITAL + account.deployment,
    capitalText({
      ...account,
      first: { ...seen, amountRaw: seen.amountRaw - leftRaw },
      last: seen,
      depositedRaw: 0n,
      withdrawnRaw: 0n,
      leftRaw,
    }),
  );
  await ledger.close();
}

function lower(address: Address): Lower {
  return address.toLowerCase() as Lower;
}

describe('a takeover in two legs', () => {
  test('is made where one transaction would not pay and the owner allows it, and its profit is paid out with the last order', async () => {
    await allowLoss(60_000n * USDC);
    await crash(36_000, 2);
    await leftBefore(LEFT);
    const running = await start(TWO_LEGS);
    await sealUntil(() => count('hedge.closed') > 0);
    expect([count('hedge.opened'), count('hedge.closed'), count('attempt.reverted'), count('keeper.killed')]).toEqual([1, 1, 0, 0]);
    // Up with the takeover, at the price of each block, and back to nothing with the close.
    expect(count('hedge.inventory')).toBeGreaterThan(1);
    expect(running.lines.findLast(({ event }) => event === 'hedge.inventory')).toMatchObject({ valueUsd: '0.00', hedges: 0 });
    expect(alerts()).toEqual([]);
    expect(await size('BTC')).toBe(0n);
    const [paid, kept] = await Promise.all([
      world.balanceOf(TREASURY),
      world.read<bigint>(world.contract('vault'), 'getAccountValue', [executor]),
    ]);
    expect(paid - LEFT).toBeGreaterThan(40n * USDC);
    expect(Math.abs(Number(kept + LEFT - 10_000n * USDC))).toBeLessThan(10);
    const made = running.lines
      .filter(({ event }) => event === 'attempt.included')
      .reduce((sum, { profitUsd, gasUsd }) => sum + Number(profitUsd) + Number(gasUsd), 0);
    // The books hold what each leg realised: together that is what was paid, beside what was left before.
    expect(Math.abs(made - Number(paid - LEFT) / 1e6)).toBeLessThan(0.01);
  });

  test('whose keeper is killed between the legs, in a market that is shut then, is followed by the next one to its end', async () => {
    await allowLoss(60_000n * USDC);
    await crash(36_000, 2);
    await killedAt('attempt.sent', TWO_LEGS);
    await rpc(world.anvil.rpcUrl, 'evm_mine');
    expect(await size('BTC')).toBeGreaterThan(0n);
    await limitTicks(0, 'BTC');
    await start(TWO_LEGS);
    for (let block = 0; block < DEADLINE_BLOCKS; block++) await seal();
    // It knows what it holds: only that it is late is news.
    expect([alerts(), count('keeper.killed'), count('attempt.sent')]).toEqual([['position-overdue'], 1, 0]);
    await limitTicks(1_000, 'BTC');
    await sealUntil(() => count('hedge.closed') > 0);
    expect([await size('BTC'), count('hedge.opened')]).toEqual([0n, 0]);
  });
});

describe.each(['long', 'short'] as const)('a %s position that was left behind', (side) => {
  test('is told of and closed, and the book is balanced', async () => {
    await leave(3_000, side);
    const running = await start();
    expect(alerts()).toEqual(['position-found']);
    for (let block = 0; block < 3; block++) await seal();
    expect(await size()).toBe(0n);
    await running.until(({ event }) => event === 'hedge.closed', 'the end of the hedge');
    const [included] = running.lines.filter(({ event }) => event === 'attempt.included');
    // Its price has not moved: what closing it costs is the fee, the pool's slope and gas.
    expect(Number(included!['profitUsd'])).toBeLessThan(0);
    expect(Number(included!['profitUsd'])).toBeGreaterThan(-30);
    expect([count('keeper.killed'), count('attempt.reverted')]).toEqual([0, 0]);
  });
});

test('where the market takes a little each block, the rest follows; by the deadline there is an alert, the kill switch, and it goes on', async () => {
  await leave(3_000);
  await limitTicks(1);
  const whole = await size();
  const running = await start();
  const sizes: bigint[] = [];
  for (let block = 0; block < DEADLINE_BLOCKS + 4; block++) {
    await seal();
    sizes.push(await size());
  }
  expect(sizes.some((one) => one > 0n && one < whole)).toBe(true);
  if (sizes.at(-1) !== 0n) {
    expect(alerts()).toEqual(['position-found', 'position-overdue']);
    expect(count('keeper.killed')).toBe(1);
  }
  await limitTicks(1_000);
  for (let block = 0; block < 4; block++) await seal();
  expect(await size()).toBe(0n);
  await running.until(({ event }) => event === 'hedge.closed', 'the end of the hedge');
});

test('where the market is shut there is an alert and the kill switch at the deadline; a restart stays killed and flattens once it opens', async () => {
  await leave(3_000, 'short');
  await limitTicks(0);
  const running = await start();
  const killed = () => running.lines.findIndex(({ event }) => event === 'keeper.killed');
  for (let block = 1; block < DEADLINE_BLOCKS; block++) await seal();
  expect(killed()).toBe(-1);
  await seal();
  expect(killed()).toBeGreaterThan(-1);
  expect(alerts()).toEqual(['position-found', 'position-overdue']);
  expect(count('attempt.sent')).toBe(0);
  await keeper!.stop();
  await limitTicks(1_000);
  const again = await start();
  expect(again.lines.find(({ event }) => event === 'keeper.started')!['switch']).toBe('killed');
  for (let block = 0; block < 3; block++) await seal();
  expect(await size()).toBe(0n);
  expect(alerts(again.lines)).toEqual([]);
});

test('more than MAX_INVENTORY_USD is flattened at once, with everything else stopped', async () => {
  await leave(3_000);
  const running = await start({ MAX_INVENTORY_USD: '2000' });
  expect(alerts()).toEqual(['position-found', 'position-overdue']);
  expect(running.lines.some(({ event }) => event === 'keeper.killed')).toBe(true);
  for (let block = 0; block < 3; block++) await seal();
  expect(await size()).toBe(0n);
});
