/** Random pools on a real chain: fee tiers, prices from the ordinary to the extreme, overlapping positions. The same seed gives the same pools. */
import fc from 'fast-check';
import type { Address } from '../../../src/lib/types.ts';
import { sqrtPriceAtTick } from '../../../src/liquidity/concentrated/tick-math.ts';
import { SPACING, type UniswapWorld } from '../../support/uniswap.ts';

export type RandomPool = {
  readonly address: Address;
  readonly token0: Address;
  readonly token1: Address;
  readonly fee: number;
  readonly positions: readonly { lower: number; upper: number; liquidity: bigint }[];
};

const MAX_TICK = 887_272;
const FEES = [100, 500, 3000, 10000] as const;

/** Log-uniform in [1, 2^bits). */
export function magnitude(bits: number): fc.Arbitrary<bigint> {
  return fc.tuple(fc.integer({ min: 1, max: bits }), fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n })).map(([size, raw]) => {
    const low = 1n << BigInt(size - 1);
    return low + (raw % low);
  });
}

const spec = fc.record({
  tick: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -90_000, max: 90_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -860_000, max: 860_000 }) },
  ),
  priceOffset: magnitude(40),
  positions: fc.array(
    fc.record({
      below: fc.integer({ min: -40, max: 900 }),
      above: fc.integer({ min: -40, max: 900 }),
      liquidity: magnitude(90),
      whole: fc.integer({ min: 0, max: 6 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 9 },
  ),
});

export async function randomPools(world: UniswapWorld, tokens: readonly Address[], seed: number): Promise<RandomPool[]> {
  const pairs = tokens.flatMap((token0, index) => tokens.slice(index + 1).map((token1) => ({ token0, token1 })));
  const slots = pairs.flatMap((pair) => FEES.map((fee) => ({ ...pair, fee })));
  const specs = fc.sample(spec, { seed, numRuns: slots.length });
  const pools: RandomPool[] = [];
  for (const [index, { token0, token1, fee }] of slots.entries()) {
    const { tick, priceOffset, positions } = specs[index]!;
    const spacing = SPACING[fee]!;
    const low = sqrtPriceAtTick(tick);
    const address = await world.pool(token0, token1, fee, low + (priceOffset % (sqrtPriceAtTick(tick + 1) - low)));
    const edge = Math.floor(MAX_TICK / spacing) * spacing;
    const base = Math.floor(tick / spacing);
    const clamp = (value: number) => Math.max(-edge, Math.min(edge, value * spacing));
    const minted = positions.map(({ below, above, liquidity, whole }) => {
      const ends = whole ? [-edge, edge] : [clamp(base - below), clamp(base + above)];
      const lower = Math.min(ends[0]!, edge - spacing, ends[1]!);
      const upper = Math.max(ends[0]!, ends[1]!, lower + spacing);
      return { lower, upper, liquidity };
    });
    for (const { lower, upper, liquidity } of minted) world.act('mint', [address, lower, upper, liquidity]);
    pools.push({ address, token0, token1, fee, positions: minted });
  }
  await world.chain.mine();
  return pools;
}

const DENSE_POSITIONS = 60;
const START_TICK = 17;

/** A pool a fee tier whose every tick for some way around the price is initialised, with liquidity of all sizes that there are on busy pools. */
export async function densePools(world: UniswapWorld, token0: Address, token1: Address, seed: number): Promise<RandomPool[]> {
  const sizes = fc.sample(fc.tuple(magnitude(70), fc.integer({ min: 0, max: 3 })), { seed, numRuns: FEES.length * DENSE_POSITIONS });
  const pools: RandomPool[] = [];
  for (const [place, fee] of FEES.entries()) {
    const spacing = SPACING[fee]!;
    const address = await world.pool(token0, token1, fee, sqrtPriceAtTick(START_TICK) + 98_765_432_123_456_789n);
    const positions = sizes.slice(place * DENSE_POSITIONS, (place + 1) * DENSE_POSITIONS).map(([liquidity, shift], width) => ({
      lower: -(width + 1) * spacing,
      upper: Math.ceil(START_TICK / spacing) * spacing + (width + 1 + shift) * spacing,
      liquidity: liquidity + (1n << 60n),
    }));
    const whole = { lower: -(MAX_TICK - (MAX_TICK % spacing)), upper: MAX_TICK - (MAX_TICK % spacing), liquidity: 1n << 66n };
    for (const { lower, upper, liquidity } of [whole, ...positions]) world.act('mint', [address, lower, upper, liquidity]);
    pools.push({ address, token0, token1, fee, positions: [whole, ...positions] });
  }
  await world.chain.mine();
  return pools;
}
