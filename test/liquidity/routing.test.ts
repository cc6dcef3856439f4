/** The split that the router finds, against every split on a fine grid, on the same pools. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../src/lib/types.ts';
import type { Pool } from '../../src/liquidity/pool.ts';
import type { Fill, NoFill } from '../../src/liquidity/types.ts';
import { type PoolShape, poolBetween, poolShape, routerOver, TOKENS } from '../support/random-pools.ts';

const [SOURCE, LEFT, RIGHT, SINK] = TOKENS as [Address, Address, Address, Address];
const UNIT = 10n ** 18n;
const POINTS = 9;
const ZOOMS = 7;
const ONE = 2 ** 40;

/** Pairs with a pool each, no more than three of whose parts are free to choose. */
const LAYOUTS: Readonly<Record<string, readonly (readonly [Address, Address])[]>> = {
  'one pool': [[SOURCE, SINK]],
  'pools beside one another': [
    [SOURCE, SINK],
    [SOURCE, SINK],
    [SOURCE, SINK],
  ],
  'a bridge beside direct pools': [
    [SOURCE, SINK],
    [SOURCE, SINK],
    [SOURCE, LEFT],
    [LEFT, SINK],
  ],
  'two pools for each hop': [
    [SOURCE, LEFT],
    [SOURCE, LEFT],
    [LEFT, SINK],
    [LEFT, SINK],
  ],
  'three hops alone': [
    [SOURCE, LEFT],
    [LEFT, RIGHT],
    [LEFT, RIGHT],
    [RIGHT, SINK],
  ],
  'paths that share their hops': [
    [SOURCE, SINK],
    [SOURCE, LEFT],
    [SOURCE, RIGHT],
    [LEFT, RIGHT],
    [LEFT, SINK],
    [RIGHT, SINK],
  ],
};

const world = fc.record({
  layout: fc.constantFrom(...Object.keys(LAYOUTS)),
  ticks: fc.array(fc.integer({ min: -40_000, max: 40_000 }), { minLength: 4, maxLength: 4 }),
  shapes: fc.array(poolShape, { minLength: 6, maxLength: 6 }),
  /** Of the first pool's size. */
  share: fc.integer({ min: 0, max: 400 }).map((n) => 10 ** (n / 100 - 4.3)),
});

function poolsOf({ layout, ticks, shapes }: { layout: string; ticks: readonly number[]; shapes: readonly PoolShape[] }) {
  const prices = new Map(TOKENS.slice(0, 4).map((token, index) => [token, ticks[index]!]));
  return LAYOUTS[layout]!.map(([one, other], place) => poolBetween(one, other, prices, shapes[place]!, place));
}

/** Most that a grid finds, narrowed around its best point again and again. Sells in one order of the tokens, each token's holding over its pools by `parts`. */
function onGrid(pools: readonly Pool[], order: readonly Address[], amountRaw: bigint): bigint {
  const places = new Map(order.map((token, index) => [token, index]));
  const outgoing = order.slice(0, -1).map((token) =>
    pools
      .filter(({ identity: { token0, token1 } }) => token0 === token || token1 === token)
      .map((pool) => ({ pool, to: pool.identity.token0 === token ? pool.identity.token1 : pool.identity.token0, token }))
      .filter(({ to }) => (places.get(to) ?? -1) > places.get(token)!),
  );
  const dimensions = outgoing.reduce((sum, { length }) => sum + Math.max(0, length - 1), 0);
  const valueAt = (parts: readonly number[]): bigint => {
    const held = new Map([[order[0]!, amountRaw]]);
    let next = 0;
    for (const [index, ways] of outgoing.entries()) {
      let left = held.get(order[index]!) ?? 0n;
      for (const [way, { pool, to, token }] of ways.entries()) {
        const sold = way === ways.length - 1 ? left : (left * BigInt(Math.round(parts[next++]! * ONE))) / BigInt(ONE);
        left -= sold;
        if (sold === 0n) continue;
        const hop = pool.sell(token < to, sold);
        if (hop !== undefined) held.set(to, (held.get(to) ?? 0n) + hop.amountOutRaw);
      }
    }
    return held.get(order.at(-1)!) ?? 0n;
  };
  let centre = new Array<number>(dimensions).fill(0.5);
  let best = valueAt(centre);
  for (let zoom = 0, width = 0.5; zoom < ZOOMS; zoom++, width /= 2.5) {
    const around = centre;
    for (let point = 0; point < POINTS ** dimensions; point++) {
      let rest = point;
      const parts = around.map((at) => {
        const step = (rest % POINTS) / (POINTS - 1);
        rest = Math.floor(rest / POINTS);
        return Math.min(1, Math.max(0, at - width + 2 * width * step));
      });
      const value = valueAt(parts);
      if (value > best) [best, centre] = [value, parts];
    }
  }
  return best;
}

function filled(fill: Fill | NoFill): Fill {
  if (!fill.ok) throw new Error(fill.reason);
  return fill;
}

describe('an exchange', () => {
  test('gives what the best split on a fine grid gives, within 0.01%', () => {
    const seen = { split: 0, threeHops: 0 };
    fc.assert(
      fc.property(world, ({ share, ...rest }) => {
        const pools = poolsOf(rest);
        const router = routerOver(pools, [LEFT, RIGHT], SINK);
        const amount = BigInt(Math.round(rest.shapes[0]!.size * share * 1e6)) * (UNIT / 10n ** 6n) + 1n;
        const fill = filled(router.quoteIn(SOURCE, SINK, amount, router.depth()));
        const orders = [
          [SOURCE, LEFT, RIGHT, SINK],
          [SOURCE, RIGHT, LEFT, SINK],
        ];
        const best = orders.map((order) => onGrid(pools, order, amount)).reduce((a, b) => (a > b ? a : b));
        expect({ ...rest, amount, short: fill.amountOutRaw * 10_000n < best * 9_999n }).toMatchObject({ short: false });
        if (fill.pools.length > fill.path.length - 1) seen.split++;
        if (fill.path.length > 3) seen.threeHops++;
      }),
      { seed: 7, numRuns: 40, endOnFailure: true },
    );
    expect(seen.split).toBeGreaterThan(10);
    expect(seen.threeHops).toBeGreaterThan(3);
  });

  test('of what a sale gives costs what the sale took, within 0.01%, and both move the pools to where they say', () => {
    fc.assert(
      fc.property(world, ({ share, ...rest }) => {
        const router = routerOver(poolsOf(rest), [LEFT, RIGHT], SINK);
        const amount = BigInt(Math.round(rest.shapes[0]!.size * share * 1e6)) * (UNIT / 10n ** 6n) + 10n ** 12n;
        const depth = router.depth();
        const sale = filled(router.quoteIn(SOURCE, SINK, amount, depth));
        const purchase = filled(router.quoteOut(SOURCE, SINK, sale.amountOutRaw, depth));
        expect(sale.amountInRaw).toBe(amount);
        expect(purchase.amountOutRaw).toBe(sale.amountOutRaw);
        expect({ ...rest, dear: purchase.amountInRaw * 10_000n > amount * 10_001n + 10_000n }).toMatchObject({ dear: false });
        // The same again is dearer at the depth that is left: had a hop been quoted at another state, this would throw.
        const again = router.quoteIn(SOURCE, SINK, amount, depth.after(sale));
        expect(!again.ok || again.amountOutRaw < sale.amountOutRaw).toBe(true);
        depth.after(purchase);
      }),
      { seed: 8, numRuns: 200, endOnFailure: true },
    );
  });

  test('is not split for less than the gas of a further swap', () => {
    const shapes = [0, 1].map(() => ({ kind: 'v2', fee: 3000, offset: 0, size: 10_000, positions: [] }) as const);
    const pools = shapes.map((shape, place) => poolBetween(SOURCE, SINK, new Map(TOKENS.map((token) => [token, 0])), shape, place));
    const router = routerOver(pools, [], SINK);
    const swapsAt = (baseFeeWei: bigint, amount: bigint) =>
      filled(router.quoteIn(SOURCE, SINK, amount, router.depth({ baseFeeWei }))).pools.length;
    // A half to each pool saves amount² / 2 / 10,000 of the impact: 0.005 for 10. A swap at 10 gwei costs about 0.0009, at 100 gwei 0.009.
    expect([swapsAt(10n ** 10n, 10n * UNIT), swapsAt(10n ** 11n, 10n * UNIT), swapsAt(10n ** 11n, 100n * UNIT)]).toEqual([2, 1, 2]);
  });
});
