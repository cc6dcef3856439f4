/** The figures at which the rules change, hit exactly: prices and liquidation share one block, and the pool has the last word. */
import type { Address } from 'viem';
import { encodeAbiParameters } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transmit } from '../../../scripts/devnet/oracle/transmit.ts';
import { uintOf } from '../../../src/lib/words.ts';
import { calls } from '../../../src/protocols/aave-v3/reads.ts';
import type { Option, Verdict } from '../../../src/protocols/types.ts';
import { amountsOf, LiquidationWorld, type Outcome, saidOf } from './liquidator.ts';

const ALICE: Address = '0x00000000000000000000000000000000000a11c3';
const WEI = 10n ** 18n;
const USD8 = 10n ** 8n;
/** DAI is worth a dollar to the cent here: 1e10 wei of it are one unit of the base currency. */
const DAI_USD8 = USD8;
const WEI_PER_BASE = 10n ** 10n;
const MAX_UINT256 = 2n ** 256n - 1n;

let world: LiquidationWorld;

beforeAll(async () => {
  world = await LiquidationWorld.open({ positions: 0, seed: 1 });
  const { tokens } = world.fixture.market;
  await world.sender.enrich(ALICE);
  // Without interest what is supplied and borrowed stays what it is.
  const noInterest = encodeAbiParameters([{ type: 'uint16' }, { type: 'uint32' }, { type: 'uint32' }, { type: 'uint32' }], [9000, 0, 0, 0]);
  for (const symbol of ['WETH', 'DAI', 'USDC']) await world.sender.admin('setReserveInterestRateData', [tokens[symbol], noInterest]);
  expect((await world.sender.mine()).done.get('setReserveInterestRateData')).toBe(3);
  await world.follower.advance();
}, 120_000);
afterAll(async () => {
  await world?.fixture.stop();
});

/** One WETH and some USDC against DAI; amounts are the pool's to the wei, give or take the few that rounding adds. */
type Position = { usdc?: bigint; owedBase: bigint };
type Seen = {
  verdict: Verdict;
  option: Option | undefined;
  /** At the judged block, by the pool: collateral, debt and health before the liquidation. */
  pool: { collateralBase: bigint; debtBase: bigint; healthFactorWad: bigint };
  /** What a call of this amount in that very block does. */
  take(amountRaw: bigint): Promise<Outcome>;
  /** The pool's own figures right after a call of this amount. */
  left(amountRaw: bigint): Promise<{ collateralBase: bigint; debtBase: bigint }>;
};

async function poolSays() {
  const head = await world.follower.headAt();
  const [answer] = await world.follower.call([calls.userAccountData(world.follower.market.state.addresses.pool, ALICE)], head);
  return { collateralBase: uintOf(answer, 0)!, debtBase: uintOf(answer, 1)!, healthFactorWad: uintOf(answer, 5)! };
}

async function at({ usdc = 0n, owedBase }: Position, etherUsd8: bigint, act: (seen: Seen) => Promise<void>): Promise<void> {
  const { tokens, feeds } = world.fixture.market;
  const prices = { 'ETH / USD': etherUsd8, 'DAI / USD': DAI_USD8, 'USDC / USD': USD8 };
  const pair = { collateralAsset: tokens['WETH']!, debtAsset: tokens['DAI']! };
  const transmitAll = async () => {
    for (const [name, price] of Object.entries(prices)) await transmit(world.sender.url, feeds[name]!, price);
  };
  await world.undone(async () => {
    await world.sender.pool(ALICE, 'supply', [tokens['WETH'], WEI + 2n, ALICE, 0]);
    if (usdc > 0n) await world.sender.pool(ALICE, 'supply', [tokens['USDC'], usdc * 10n ** 6n + 1n, ALICE, 0]);
    await world.sender.pool(ALICE, 'borrow', [tokens['DAI'], owedBase * WEI_PER_BASE - 5n, 2n, 0, ALICE]);
    expect((await world.sender.mine()).done.get('borrow')).toBe(1);
    await world.follower.advance();
    const { market } = world.follower;
    const moment = world.next(prices);
    const slot = market.slotOf(ALICE)!;
    const within = <T>(then: () => Promise<T>) =>
      world.sender.undone(async () => {
        await transmitAll();
        return then();
      });
    await act({
      verdict: market.judge(slot, moment),
      option: market.options(slot, moment).find(({ collateralAsset }) => collateralAsset === pair.collateralAsset.toLowerCase()),
      pool: await within(async () => {
        await world.sender.mine();
        return poolSays();
      }),
      take: (amountRaw) =>
        within(async () => {
          await world.attempt(pair, ALICE, amountRaw);
          return world.outcome();
        }),
      left: (amountRaw) =>
        within(async () => {
          await world.attempt(pair, ALICE, amountRaw);
          expect(await world.outcome()).not.toBe('reverts');
          return poolSays();
        }),
    });
  });
}

const most = (option: Option) => option.regimes.at(-1)!.maxRaw;
/** About half of the debt, by the rule, against all of it. */
const half = (owedBase: bigint) => (owedBase / 2n) * WEI_PER_BASE;

describe('a health factor of exactly one', () => {
  // Threshold 83%: 2,500 * 0.83 = 2,075.
  const position = { owedBase: 2_075n * USD8 };

  test('is healthy, to us and to the pool', () =>
    at(position, 2_500n * USD8, async ({ verdict, option, pool, take }) => {
      expect(pool).toEqual({ collateralBase: 2_500n * USD8, debtBase: 2_075n * USD8, healthFactorWad: WEI });
      expect(verdict).toEqual({ kind: 'healthy', healthFactorWad: WEI });
      expect(option).toBeUndefined();
      expect(await take(half(position.owedBase))).toBe('reverts');
    }));

  test('is liquidatable one unit of price below', () =>
    at(position, 2_500n * USD8 - 1n, async ({ verdict, option, pool, take }) => {
      expect(pool.healthFactorWad).toBeLessThan(WEI);
      expect(verdict).toEqual({ kind: 'liquidatable', healthFactorWad: pool.healthFactorWad });
      expect(amountsOf(await take(most(option!)))).toEqual(saidOf(option!, most(option!)));
    }));
});

describe('a health factor of exactly 0.95', () => {
  // 2,660 * 0.83 = 2,324 * 0.95.
  const position = { owedBase: 2_324n * USD8 };

  test('opens the whole debt', async () => {
    await at(position, 2_660n * USD8, async ({ verdict, option, pool, take }) => {
      expect(verdict).toEqual({ kind: 'liquidatable', healthFactorWad: (95n * WEI) / 100n });
      expect(pool.healthFactorWad).toBe((95n * WEI) / 100n);
      expect(most(option!)).toBeGreaterThanOrEqual(position.owedBase * WEI_PER_BASE - 5n);
      expect(amountsOf(await take(MAX_UINT256))).toEqual(saidOf(option!, most(option!)));
    });
  });

  test('leaves half of it one unit of price above', () =>
    at(position, 2_660n * USD8 + 1n, async ({ option, pool, take }) => {
      expect(pool.healthFactorWad).toBeGreaterThan((95n * WEI) / 100n);
      expect(most(option!)).toBe(half(position.owedBase));
      expect(amountsOf(await take(MAX_UINT256))).toEqual(saidOf(option!, most(option!)));
    }));
});

describe('a debt of $2,000', () => {
  // A health factor of 0.975 at 2,350.
  test.each([
    [0n, true],
    [1n, true],
    [-1n, false],
  ])('%s units of the base currency more: halved is %s', (more, halved) =>
    at({ owedBase: 2_000n * USD8 + more }, 2_350n * USD8, async ({ option, pool, take }) => {
      expect(pool.debtBase).toBe(2_000n * USD8 + more);
      const wholeRaw = pool.debtBase * WEI_PER_BASE - 5n;
      if (halved) expect(most(option!)).toBeLessThan(wholeRaw / 2n + WEI_PER_BASE);
      else expect(most(option!)).toBeGreaterThanOrEqual(wholeRaw);
      expect(amountsOf(await take(MAX_UINT256))).toEqual(saidOf(option!, most(option!)));
    }),
  );
});

describe('a collateral of $2,000', () => {
  // With 1,000 USDC beside it: 1,660 + 780 against 2,500 is 0.976.
  test.each([
    [0n, true],
    [1n, true],
    [-1n, false],
  ])('%s units of the base currency more: halved is %s', (more, halved) =>
    at({ usdc: 1_000n, owedBase: 2_500n * USD8 }, 2_000n * USD8 + more, async ({ option, pool, take }) => {
      expect(pool.collateralBase).toBe(3_000n * USD8 + more);
      expect(pool.healthFactorWad).toBeGreaterThan((95n * WEI) / 100n);
      // Half would leave collateral of less than $1,000; all of the debt takes all of the collateral.
      expect(most(option!) < half(2_500n * USD8)).toBe(halved);
      expect(amountsOf(await take(most(option!)))).toEqual(saidOf(option!, most(option!)));
      expect(amountsOf(await take(MAX_UINT256))).toEqual(halved ? 'reverts' : saidOf(option!, most(option!)));
    }),
  );
});

describe('leftovers of $1,000', () => {
  test('collateral may remain at exactly that, and one unit less may not', () =>
    at({ usdc: 4_000n, owedBase: 5_400n * USD8 }, 2_300n * USD8, async ({ option, pool, take, left }) => {
      const { maxRaw } = option!.regimes[0]!;
      const after = await left(maxRaw);
      // The burn itself rounds up, after the rule was checked.
      const remains = after.collateralBase - (pool.collateralBase - 2_300n * USD8);
      expect([1_000n * USD8, 1_000n * USD8 - 1n]).toContain(remains);
      expect(after.debtBase).toBeGreaterThan(1_000n * USD8);
      expect(await take(maxRaw + 2n * WEI_PER_BASE)).toBe('reverts');
    }));

  test('a debt may remain at exactly that, and one unit less may not', () =>
    at({ owedBase: 2_324n * USD8 }, 2_660n * USD8, async ({ option, take, left }) => {
      const { maxRaw } = option!.regimes[0]!;
      expect((await left(maxRaw)).debtBase).toBe(1_000n * USD8);
      expect(await take(maxRaw + 1n)).toBe('reverts');
    }));
});
