/** A running keeper at Synthetix v3 perps: stale prices written with the call, windows, margin alone; rewards kept where they count, or exchanged at a pool. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address, Hex } from 'viem';
import { parseAbiItem, parseEventLogs } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHAIN_ID } from '../../scripts/devnet/anvil.ts';
import { devKey } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { PYTH_FEE_WEI } from '../../scripts/devnet/synthetix/deploy.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { addressOfId } from '../../src/protocols/synthetix-v3-perps/state.ts';
import { openDesk, TREASURY } from '../protocols/synthetix-v3-perps/desk.ts';
import { openPool } from '../protocols/synthetix-v3-perps/pool.ts';
import { BTC, ETH, S_ETH, SNX_USD, SynthetixWorld, usd8, wad } from '../protocols/synthetix-v3-perps/world.ts';
import { startTestKeeper, type TestKeeper } from '../support/keeper.ts';
import { HermesDouble, type Said } from '../support/pyth.ts';

const LEAN = 1n;
/** More than one window lets go. */
const WHALE = 2n;
const DEBTOR = 3n;
/** Healthy for longest. */
const LATE = 4n;
/** A sync anchors at the finalised block, 64 deep on this chain. */
const FINALISED = 70;
const ATTEMPT = parseAbiItem('event AccountLiquidationAttempt(uint128 indexed accountId, uint256 reward, bool fullLiquidation)');

let world: SynthetixWorld;
let hermes: HermesDouble;
let keeper: TestKeeper;
let folder: string;
let first: number;
let feesBefore = 0n;
let price = 1_810;
let pool: Awaited<ReturnType<typeof openPool>>;
let ordinary: Address;

beforeAll(async () => {
  world = await SynthetixWorld.open();
  // What a call counts for is worth the gas of one, window by window.
  world.call(world.snx.keeperCosts, 'MockGasPriceNode', 'setCosts', [wad(0.1), wad(1), wad(6)]);
  pool = await openPool(world, 2_000);
  ordinary = await openDesk(world, 'sells');
  const executor = await openDesk(world, 'keeps');
  await world.create([LEAN, WHALE, DEBTOR, LATE]);
  await world.deposit([
    { account: LEAN, collateral: SNX_USD, amount: wad(850) },
    { account: WHALE, collateral: SNX_USD, amount: wad(4_100) },
    { account: LATE, collateral: SNX_USD, amount: wad(2_400) },
    { account: DEBTOR, collateral: S_ETH, amount: wad(0.45) },
  ]);
  await world.trade([
    { account: LEAN, market: ETH, size: wad(4) },
    { account: WHALE, market: ETH, size: wad(20) },
    { account: LATE, market: ETH, size: wad(6) },
    { account: DEBTOR, market: BTC, size: wad(0.1) },
  ]);
  await world.setPrices({ btc: 32_500 });
  await world.trade([{ account: DEBTOR, market: BTC, size: -wad(0.1) }]);
  await world.setPrices({ eth: price });
  for (let i = 0; i < FINALISED; i++) await rpc(world.anvil.rpcUrl, 'evm_mine');
  first = await blockNumber();
  feesBefore = await feesPaid();
  hermes = await HermesDouble.start();
  await say();
  folder = mkdtempSync(join(tmpdir(), 'bailiff-synthetix-'));
  writeFileSync(join(folder, 'deployments.json'), JSON.stringify(deployments()));
  await start({ PERP_EXECUTOR_ADDRESS: executor }, 'kept');
});

async function start(more: Readonly<Record<string, string>>, data: string): Promise<void> {
  keeper = startTestKeeper(
    {
      RPC_URLS: `${world.anvil.rpcUrl}/?apikey=fake-key-of-the-endpoint`,
      MODE: 'live',
      KEEPER_PRIVATE_KEY: devKey('deployer'),
      EXECUTOR_ADDRESS: ordinary,
      DEPLOYMENTS_FILE: join(folder, 'deployments.json'),
      PROTOCOLS: 'synthetix-v3-perps',
      PUBLIC_MEMPOOL: 'only',
      MIN_PROFIT_USD: '1',
      PYTH_URL: `${hermes.url}/?key=fake-key-of-the-prices`,
      HTTP_TOKEN: 'fake-token-of-the-api',
      DATA_DIR: join(folder, data),
      HTTP_PORT: '0',
      ...more,
    },
    folder,
  );
  await keeper.until(({ event }) => event === 'keeper.started', 'the start');
}

afterAll(async () => {
  await keeper?.stop();
  hermes?.stop();
  await world?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function deployments(): object {
  const { perpsMarket, fromBlock, usd } = world.snx;
  return {
    ...{ chainId: CHAIN_ID, name: 'perps', wrappedNative: world.weth, multicall3: world.multicall3 },
    'synthetix-v3-perps': [{ name: 'snx', perpsMarket, fromBlock }],
    'uniswap-v3': [pool],
    usdFeeds: { [world.weth]: world.ethFeed.proxy, [usd]: world.usdFeed.proxy },
  };
}

async function blockNumber(): Promise<number> {
  return Number(await rpc<Hex>(world.anvil.rpcUrl, 'eth_blockNumber'));
}

/** The price service has a price of just now. */
async function say(): Promise<void> {
  const source = { blobOf: ({ price: priceRaw, publishTime }: Said) => world.blobOf(Number(priceRaw) / 1e8, publishTime) };
  await hermes.say(source, { price: usd8(price), publishTime: await world.now() });
}

/** A block, the keeper's answer to it, and the price service's behind it. */
async function seal(): Promise<void> {
  await say();
  const asked = hermes.answered();
  await rpc(world.anvil.rpcUrl, 'evm_mine');
  const number = await blockNumber();
  await keeper.until(({ event, block }) => event === 'block.processed' && block === number, `block ${number}`);
  await asked;
}

async function sealUntil(done: () => Promise<boolean>, most: number): Promise<void> {
  for (let block = 0; block < most && !(await done()); block++) await seal();
  expect(await done()).toBe(true);
}

/** What the protocol said that it paid, by account. */
async function rewards(): Promise<ReadonlyMap<bigint, readonly bigint[]>> {
  const filter = { address: world.snx.perpsMarket, fromBlock: `0x${first.toString(16)}` };
  const logs = parseEventLogs({ abi: [ATTEMPT], logs: await rpc<never[]>(world.anvil.rpcUrl, 'eth_getLogs', [filter]) });
  const by = new Map<bigint, readonly bigint[]>();
  for (const { args } of logs) by.set(args.accountId, [...(by.get(args.accountId) ?? []), args.reward]);
  return by;
}

const feesPaid = async () => BigInt(await rpc<Hex>(world.anvil.rpcUrl, 'eth_getBalance', [world.snx.pyth, 'latest'])) - feesBefore;
const closed = async (account: bigint) =>
  (await world.read<readonly bigint[]>('PerpsAccountModule', 'getAccountOpenPositions', [account])).length === 0;
const inTreasury = (token: Address) => world.read<bigint>('SynthDouble', 'balanceOf', [TREASURY], token);
const included = () => keeper.lines.filter(({ event }) => event === 'attempt.included');

test('a price that is too old is asked for and written with the call; what a window leaves goes later; every reward reaches the treasury', async () => {
  await sealUntil(async () => (await closed(LEAN)) && (await closed(WHALE)), 24);
  const by = await rewards();
  expect(by.get(LEAN)?.length).toBeGreaterThan(0);
  // 20 ETH, 7.2 a window, of which the other has a part.
  expect(by.get(WHALE)?.length).toBeGreaterThan(2);
  expect(by.get(DEBTOR)).toBe(undefined);
  expect(keeper.lines.some(({ event, reason }) => event === 'plan.skipped' && reason === 'window-used')).toBe(true);
  // Nobody but the keeper has written a price since: the contract's own rule is 60 seconds.
  expect(await feesPaid()).toBeGreaterThanOrEqual(2n * PYTH_FEE_WEI);
  expect(await inTreasury(world.snx.usd)).toBe([...by.values()].flat().reduce((sum, reward) => sum + reward, 0n));
});

test('debts that collateral no longer covers are liquidated at a price that nobody has written', async () => {
  price = 1_700;
  await sealUntil(async () => (await world.read<bigint>('PerpsAccountModule', 'debt', [DEBTOR])) === 0n, 10);
  const by = await rewards();
  expect(by.get(DEBTOR)?.length).toBe(1);
  expect(await inTreasury(world.snx.usd)).toBe([...by.values()].flat().reduce((sum, reward) => sum + reward, 0n));
  await seal();
  expect(new Set(included().map(({ account }) => String(account).toLowerCase()))).toEqual(new Set([LEAN, WHALE, DEBTOR].map(addressOfId)));
  expect(keeper.lines.filter(({ event }) => ['attempt.reverted', 'audit.mismatch', 'market.suspended'].includes(event))).toEqual([]);
  for (const { protocol, market } of included()) expect([protocol, market]).toEqual(['synthetix-v3-perps', 'snx']);
  // The books add up to what the chain gave, gas and fees of updates and all.
  const reader = await readLedger(join(folder, 'kept'));
  const transactions = await reader.transactions({}).finally(() => reader.close());
  const booked = transactions.flatMap(({ attempts }) =>
    attempts.flatMap(({ result }) => (result?.outcome === 'included' ? [result.profitUsd8] : [])),
  );
  expect(booked.length).toBe(included().length);
  const net = transactions.reduce((sum, { mined }) => sum + (mined?.netUsd8 ?? 0n), 0n);
  expect(net).toBeGreaterThan(0n);
  expect(Math.abs(Number(booked.reduce((sum, profit) => sum + profit, 0n) - net))).toBeLessThan(50_000);
});

test('without an Executor that keeps it the reward is sold at the pool in the same transaction, for wrapped native', async () => {
  await keeper.stop();
  await start({}, 'sold');
  price = 1_610;
  const [usdBefore, wethBefore] = [await inTreasury(world.snx.usd), await inTreasury(world.weth)];
  await sealUntil(() => closed(LATE), 10);
  await seal();
  const paid = (await rewards()).get(LATE) ?? [];
  expect(paid.length).toBe(1);
  expect(await inTreasury(world.snx.usd)).toBe(usdBefore);
  // Two thousand dollars an ether, and 0.05% for the pool.
  const sold = Number((await inTreasury(world.weth)) - wethBefore) / 1e18;
  expect(sold).toBeGreaterThan((Number(paid[0]) / 1e18 / 2_000) * 0.998);
  expect(sold).toBeLessThan((Number(paid[0]) / 1e18 / 2_000) * 0.9995);
  expect(included().map(({ account }) => String(account).toLowerCase())).toEqual([addressOfId(LATE)]);
});
