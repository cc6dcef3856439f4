/** A running keeper at a perp venue: it finds the deployment by DEPLOYMENTS_FILE, takes over what pays, closes it in the same transaction, and accounts for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address, Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHAIN_ID } from '../../scripts/devnet/anvil.ts';
import { devKey } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { move } from '../protocols/perp-v2/crash.ts';
import { openDesk, TREASURY } from '../protocols/perp-v2/desk.ts';
import { PerpWorld } from '../protocols/perp-v2/world.ts';
import { startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const USDC = 10n ** 6n;
const MARKET = { symbol: 'ETH', feed: 'ETH / USD', usd: 2_000, depthUsd: 4_000_000 };
const FALL = 0.93;
const TRADERS = ['0x000000000000000000000000000000007ade0000', '0x000000000000000000000000000000007ade0001'] as const;
/** A sync anchors at the finalised block, 64 deep on this chain. */
const FINALISED = 70;

let world: PerpWorld;
let keeper: TestKeeper;
let folder: string;
let executor: Address;

beforeAll(async () => {
  world = await PerpWorld.open({ traders: 2, markets: [MARKET] });
  // Of ordinary liquidations; nothing is done with it here.
  const ordinary = await openDesk(world, 0n);
  executor = await openDesk(world, 10_000n * USDC);
  const { base } = world.market('ETH');
  for (const trader of TRADERS) {
    await world.deposit(trader, 900n * USDC);
    await world.trade(trader, base, 'long', 8_000);
  }
  expect((await world.mine()).get('long')).toEqual({ done: 2, reverted: 0 });
  for (let i = 0; i < FINALISED; i++) await rpc(world.anvil.rpcUrl, 'evm_mine');
  folder = mkdtempSync(join(tmpdir(), 'bailiff-perp-'));
  writeFileSync(join(folder, 'deployments.json'), JSON.stringify(deployments()));
  keeper = startTestKeeper(
    {
      RPC_URLS: `${world.anvil.rpcUrl}/?apikey=fake-key-of-the-endpoint`,
      MODE: 'live',
      KEEPER_PRIVATE_KEY: devKey('deployer'),
      EXECUTOR_ADDRESS: ordinary,
      PERP_EXECUTOR_ADDRESS: executor,
      DEPLOYMENTS_FILE: join(folder, 'deployments.json'),
      PROTOCOLS: 'perp-v2',
      PUBLIC_MEMPOOL: 'only',
      MIN_PROFIT_USD: '1',
      HTTP_TOKEN: 'fake-token-of-the-api',
      DATA_DIR: join(folder, 'data'),
      HTTP_PORT: '0',
    },
    folder,
  );
  await keeper.until(({ event }) => event === 'keeper.started', 'the start');
});
afterAll(async () => {
  await keeper?.stop();
  await world?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function deployments(): object {
  const { settlement, collateral, clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock } = world.perp;
  return {
    ...{ chainId: CHAIN_ID, name: 'perps', wrappedNative: collateral, multicall3: world.multicall3 },
    'perp-v2': [{ name: 'perp', clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock }],
    usdFeeds: { [collateral!]: world.feeds['ETH / USD']!.proxy, [settlement]: world.feeds['USDC / USD']!.proxy },
  };
}

async function seal(): Promise<void> {
  await rpc(world.anvil.rpcUrl, 'evm_mine');
  const number = Number(await rpc<Hex>(world.anvil.rpcUrl, 'eth_blockNumber'));
  await keeper.until(({ event, block }) => event === 'block.processed' && block === number, `block ${number}`);
}

test('what falls below its margin is taken over and closed at a profit, which reaches the treasury and the report', async () => {
  await move(world, 'ETH', MARKET.usd, FALL);
  const number = Number(await rpc<Hex>(world.anvil.rpcUrl, 'eth_blockNumber'));
  await keeper.until(({ event, block }) => event === 'block.processed' && block === number, 'the fall');
  for (let block = 0; block < 6; block++) await seal();
  const included = keeper.lines.filter(({ event }) => event === 'attempt.included');
  expect(new Set(included.map(({ account }) => String(account).toLowerCase()))).toEqual(new Set(TRADERS));
  for (const { protocol, market } of included) expect([protocol, market]).toEqual(['perp-v2', 'perp']);
  expect(keeper.lines.filter(({ event }) => ['attempt.reverted', 'audit.mismatch', 'market.suspended'].includes(event))).toEqual([]);
  expect(await world.read(world.contract('accountBalance'), 'getBaseTokens', [executor])).toEqual([]);
  const [paid, kept] = await Promise.all([
    world.balanceOf(TREASURY),
    world.read<bigint>(world.contract('vault'), 'getAccountValue', [executor]),
  ]);
  expect(paid).toBeGreaterThan(10n * USDC);
  // What it deposited is all there, but for less than a unit a takeover.
  expect(Number(kept - 10_000n * USDC)).toBeGreaterThanOrEqual(-included.length);
  const reader = await readLedger(join(folder, 'data'));
  const [transactions, [capital]] = await Promise.all([reader.transactions({}), reader.capital()]).finally(() => reader.close());
  // The margin is in the report: nothing was put in or taken out but what rounding took.
  expect(capital).toMatchObject({ deployment: 'perp-v2/perp', executor, first: { amountRaw: 10_000n * USDC }, last: { amountRaw: kept } });
  expect([capital!.depositedRaw, capital!.withdrawnRaw, capital!.leftRaw]).toEqual([0n, 0n, kept - 10_000n * USDC]);
  const mined = transactions.flatMap(({ attempts }) => attempts.flatMap(({ result }) => (result?.outcome === 'included' ? [result] : [])));
  expect(mined.length).toBe(included.length);
  for (const { profitUsd8 } of mined) expect(profitUsd8).toBeGreaterThan(0n);
  // What the chain gave: the books add up to it, gas and all.
  const [booked, net] = [sum(mined.map(({ profitUsd8 }) => profitUsd8)), sum(transactions.map(({ mined: one }) => one?.netUsd8 ?? 0n))];
  expect(Math.abs(Number(booked - net))).toBeLessThan(5_000);
});

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
