/** Takeover and close in one transaction, through the Executor on the real contracts, over seeds of falls and rallies. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgePerp } from '../../../scripts/devnet/lens/perp.ts';
import type { PerpMarketSpec } from '../../../scripts/devnet/perp-v2/deploy.ts';
import { move, undone } from './crash.ts';
import { decideEach, openDesk, run, TREASURY } from './desk.ts';
import { type Followed, follow, later } from './followed.ts';
import { PerpWorld, populate } from './world.ts';

/** Thin enough for a close to cost more than the discount. */
const MARKETS: readonly PerpMarketSpec[] = [
  { symbol: 'ETH', feed: 'ETH / USD', usd: 2_000, depthUsd: 900_000 },
  { symbol: 'SOL', feed: 'SOL / USD', usd: 50, depthUsd: 90_000 },
];
const TRADERS = 100;
const DEPOSIT_RAW = 50_000_000_000n;
const BLIND: Address = '0x00000000000000000000000000000000b11d0000';
const SEEDS: readonly (readonly [seed: number, factor: number])[] = [
  [1, 0.92],
  [2, 1.09],
  [3, 0.9],
];

/** As the planner is told to count (desk.ts). */
const MIN_PROFIT_USD = 0.5;
const GAS_USD = 0.056;
/** Of those left alone, how many are tried all the same. */
const TRIED = 3;
/** Gas is counted a little otherwise. */
const CLEARLY_USD = 1;
/** By this seed so many that are planned, and so many that are not, are looked at by the lens as well. */
const LENS_SEED = 1;
const LOOKED_AT = 8;
const losing: boolean[] = [];

let world: PerpWorld;
let executor: Address;

beforeAll(async () => {
  world = await PerpWorld.open({ traders: TRADERS, markets: MARKETS });
  executor = await openDesk(world, DEPOSIT_RAW);
  await world.deposit(BLIND, DEPOSIT_RAW);
  await world.mine();
});
afterAll(async () => {
  await world?.stop();
});

async function crash(seed: number, factor: number): Promise<Followed> {
  await populate(world, seed, [6, 9.6]);
  for (const { symbol, usd } of MARKETS) await move(world, symbol, usd, factor);
  return follow(world, executor);
}

/** Liquidates whatever it can, as much as it can, and closes it at once. Returns what its account is worth more by. */
async function blindly(followed: Followed): Promise<number> {
  const house = world.contract('clearingHouse');
  const before = await blindWorth();
  for (const { address, places } of followed.protocol.state.accounts)
    for (const base of places.keys()) {
      await world.send(BLIND, { at: house.at, abi: house.abi }, 'liquidate', [address, base]);
      await world.close(BLIND, base);
    }
  await world.mine();
  return (await blindWorth()) - before;
}

async function blindWorth(): Promise<number> {
  return Number(await world.read<bigint>(world.contract('clearingHouse'), 'getAccountValue', [BLIND])) / 1e18;
}

test.each(SEEDS)('seed %i, moved by %f: what pays is taken over for what was planned, what would lose is left', async (seed, factor) => {
  await undone(world, async () => {
    const followed = await crash(seed, factor);
    if (seed === LENS_SEED) await lensAgrees(followed);
    const blind = await undone(world, () => blindly(followed));
    const before = await worth();
    let planned = 0n;
    let done = 0;
    for (let plan = decideEach(followed, executor).plans[0]; plan !== undefined; plan = decideEach(followed, executor).plans[0]) {
      const ran = await run(world, plan);
      if (!ran.ok) throw new Error(`${plan.option}: ${ran.reason}`);
      // A dollar a credit, 2,000 dollars a native token: 1e12 credits a raw unit. Account values are rounded down before and after.
      const expectedRaw = (plan.grossWei * 2_000n) / 10n ** 12n;
      expect(Number(ran.settlement.grossRaw - expectedRaw)).toBeGreaterThanOrEqual(-1);
      expect(Number(ran.settlement.grossRaw - expectedRaw)).toBeLessThanOrEqual(1);
      expect(plan.gasUnits > (ran.gasUsed * 9n) / 10n).toBe(true);
      planned += expectedRaw;
      done++;
      await followed.follower.advance();
    }
    const profit = (await worth()) - before;
    expect(Number(profit - planned)).toBeGreaterThanOrEqual(-done);
    expect(profit).toBeGreaterThan(0n);
    expect(await positions()).toEqual([]);
    losing.push(blind < 0);
    const { plans, skips } = decideEach(followed, executor);
    expect(plans).toEqual([]);
    for (const { candidate, skip } of skips.slice(0, TRIED)) {
      const said = skip.reason === 'no-option' ? followed.protocol.refusal(candidate.slot, later(followed, 12))?.reason : skip.reason;
      expect(['below-min-profit', 'insurance-fund-short']).toContain(said);
      for (const share of [1n, 3n, 20n]) expect(await netOf(followed, candidate.slot, share)).toBeLessThan(MIN_PROFIT_USD);
    }
    expect(done).toBeGreaterThan(0);
  });
});

test('who liquidates and closes blindly loses', () => {
  expect(losing).toContain(true);
});

/** Whoever pays by the lens, which carries out both legs, is planned for as much or more. */
async function lensAgrees(followed: Followed): Promise<void> {
  const plans = decideEach(followed, executor).plans;
  const planned = new Map(plans.map(({ candidate, profitUsd8 }) => [candidate.account, Number(profitUsd8) / 1e8]));
  const others = followed.protocol.state.accounts.map(({ address }) => address).filter((address) => !planned.has(address));
  const { rpcUrl } = world.anvil;
  const lens = { rpcUrl, perp: world.perp, etherFeed: world.feeds['ETH / USD']!.proxy, minProfitUsd: MIN_PROFIT_USD + CLEARLY_USD };
  const traders = [...[...planned.keys()].slice(0, LOOKED_AT), ...others.slice(0, LOOKED_AT)];
  const verdicts = await judgePerp({ ...lens, blockNumber: followed.follower.head.number, traders });
  const paying = verdicts.flatMap(({ account, profitUsd }) => (profitUsd === null ? [] : [{ account, profitUsd }]));
  expect(paying.length).toBeGreaterThan(0);
  for (const { account, profitUsd } of paying)
    expect(planned.get(account.toLowerCase() as Address) ?? 0).toBeGreaterThan(profitUsd - CLEARLY_USD);
}

/** Of our Executor and the treasury, in raw units: what is in the vault, and what was taken out. */
async function worth(): Promise<bigint> {
  const vault = world.contract('vault');
  const inside = await world.read<bigint>(vault, 'getAccountValue', [executor]);
  const held = await Promise.all([executor, TREASURY].map((holder) => world.balanceOf(holder)));
  return held.reduce((sum, balance) => sum + balance, inside);
}

function positions(): Promise<readonly Address[]> {
  return world.read(world.contract('accountBalance'), 'getBaseTokens', [executor]);
}

/** What somebody gets by taking over one in `share` of an account's first position, and closing it, less gas. */
async function netOf(followed: Followed, slot: number, share: bigint): Promise<number> {
  const { address, places } = followed.protocol.state.accounts[slot]!;
  const [place] = places.values();
  if (place === undefined) return 0;
  return undone(world, async () => {
    // What is not closed counts as lost: its mark price is no price that anybody pays.
    const free = () => world.read<bigint>(world.contract('vault'), 'getFreeCollateralByRatio', [BLIND, 1_000_000]);
    const before = await free();
    await world.send(BLIND, world.contract('clearingHouse'), 'liquidate', [address, place.market.base, place.sizeWad / share], 'liquidate');
    await world.close(BLIND, place.market.base);
    await world.mine();
    return Number((await free()) - before) / 1e6 - GAS_USD;
  });
}
