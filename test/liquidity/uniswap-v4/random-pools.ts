/** Pools with random positions on a real PoolManager: usual and odd fees and spacings, native and plain tokens. */
import fc from 'fast-check';
import type { Address } from '../../../src/lib/types.ts';
import { sqrtPriceAtTick } from '../../../src/liquidity/concentrated/tick-math.ts';
import { NONE, type PoolKey } from '../../../src/liquidity/uniswap-v4/key.ts';
import type { UniswapV4World } from '../../support/uniswap-v4.ts';

export const TERMS: readonly { readonly feePips: number; readonly spacing: number }[] = [
  { feePips: 100, spacing: 1 },
  { feePips: 500, spacing: 100 },
  { feePips: 3_000, spacing: 60 },
  { feePips: 10_000, spacing: 200 },
  { feePips: 0, spacing: 61 },
  { feePips: 77_777, spacing: 1_234 },
];

/** Pools of each of the terms between the tokens and the native one, in turns. Every second one has a protocol fee. */
export async function randomPools(v4: UniswapV4World, tokens: readonly Address[], seed: number): Promise<readonly PoolKey[]> {
  const pairs = [
    [tokens[0]!, tokens[1]!],
    [NONE, tokens[0]!],
    [NONE, tokens[2]!],
    [tokens[1]!, tokens[2]!],
  ] as const;
  const keys = TERMS.map((terms, at): PoolKey => {
    const [currency0, currency1] = pairs[at % pairs.length]!;
    return { currency0, currency1, ...terms };
  });
  for (const [at, key] of keys.entries()) {
    const { spacing } = key;
    const shape = fc.record({
      tick: fc.integer({ min: -20_000, max: 20_000 }),
      positions: fc.array(
        fc.record({
          from: fc.integer({ min: -60, max: 20 }),
          width: fc.integer({ min: 1, max: 90 }),
          liquidity: fc.bigInt(10n ** 15n, 10n ** 24n),
        }),
        { minLength: 3, maxLength: 9 },
      ),
    });
    const { tick, positions } = fc.sample(shape, { seed: seed + at, numRuns: 1 })[0]!;
    v4.initialize(key, sqrtPriceAtTick(tick) + 12_345n);
    const base = Math.floor(tick / spacing) * spacing;
    const edge = Math.floor(500_000 / spacing) * spacing;
    if (at % 3 !== 2) v4.modify(key, -edge, edge, 10n ** 19n);
    for (const { from, width, liquidity } of positions) v4.modify(key, base + from * spacing, base + (from + width) * spacing, liquidity);
    if (at % 2 === 1) v4.setProtocolFee(key, (at * 37) | ((1_000 - at * 90) << 12));
  }
  await v4.world.chain.mine();
  return keys;
}

/** Of any size, the number of digits evenly spread. */
export function magnitude(bits: number): fc.Arbitrary<bigint> {
  return fc.integer({ min: 1, max: bits }).chain((size) => fc.bigInt(1n << BigInt(size - 1), (1n << BigInt(size)) - 1n));
}
