/** Reads pools whole, at one block: which there are, their prices and liquidity, all their initialised ticks, what they hold. */
import type { Address, ViewAnswer } from '../../lib/types.ts';
import { addressOf, intOf, uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import type { PoolIdentity } from '../pool.ts';
import { signedWord, VIEW } from './abi.ts';
import { Ladder, type Window } from './ladder.ts';
import { type Balances, UniswapV3Pool } from './pool.ts';
import type { Curve } from './swap.ts';
import { MAX_TICK, MIN_TICK } from './tick-math.ts';

const WORD = 256;
/** Pools with a finer spacing than this have too many bitmap words (6,932 at a spacing of 1) to read all of them. */
const WHOLE_FROM_SPACING = 10;
/** Words read to either side of the price otherwise: 32,768 ticks at a spacing of 1, a factor of 26 in price. */
const WINDOW_WORDS = 128;
/** The widest spacing that a factory admits (`UniswapV3Factory.enableFeeAmount`). */
const MAX_SPACING = 16_383;

/** The pools of these pairs at these fees. Throws a MirrorError where the factory does not answer. */
export function* findPools(
  factory: Address,
  pairs: readonly (readonly [Address, Address])[],
  fees: Iterable<number>,
): Reading<readonly PoolIdentity[]> {
  const wanted = pairs.flatMap(([token0, token1]) => [...fees].map((feePips) => ({ token0, token1, feePips })));
  const answers = yield wanted.map(({ token0, token1, feePips }) => VIEW.getPool(factory, token0, token1, feePips));
  const found: PoolIdentity[] = [];
  for (const [index, pair] of wanted.entries()) {
    const address = addressOf(answers[index]);
    if (address === undefined) throw new MirrorError(`${factory} does not answer getPool: it is no Uniswap v3 factory`);
    if (BigInt(address) !== 0n) found.push({ address, ...pair });
  }
  return found;
}

type Head = { readonly identity: PoolIdentity; readonly spacing: number; readonly curve: Curve; readonly balances: Balances };

const READS_PER_POOL = 5;

/** The pools whole. A pool whose tokens do not tell its balances is left out: nothing can be exchanged there. */
export function* readPools(identities: readonly PoolIdentity[]): Reading<readonly UniswapV3Pool[]> {
  const answers = yield identities.flatMap(({ address, token0, token1 }) => [
    VIEW.slot0(address),
    VIEW.liquidity(address),
    VIEW.tickSpacing(address),
    VIEW.balanceOf(token0, address),
    VIEW.balanceOf(token1, address),
  ]);
  const heads = identities.flatMap(
    (identity, index) => headOf(identity, answers.slice(index * READS_PER_POOL, (index + 1) * READS_PER_POOL)) ?? [],
  );
  const ladders = yield* readLadders(heads);
  return heads.map(({ identity, curve, balances }, index) => new UniswapV3Pool(identity, curve, ladders[index]!, balances));
}

function headOf(identity: PoolIdentity, answers: readonly ViewAnswer[]): Head | undefined {
  const sqrtPriceX96 = uintOf(answers[0]);
  const tick = intOf(answers[0], 1);
  const liquidity = uintOf(answers[1]);
  const spacing = Number(intOf(answers[2]) ?? 0n);
  if (sqrtPriceX96 === undefined || tick === undefined || liquidity === undefined || spacing <= 0 || spacing > MAX_SPACING) {
    throw new MirrorError(`${identity.address} does not answer as a Uniswap v3 pool`);
  }
  const balance0Raw = uintOf(answers[3]);
  const balance1Raw = uintOf(answers[4]);
  if (balance0Raw === undefined || balance1Raw === undefined) return undefined;
  return { identity, spacing, curve: { sqrtPriceX96, tick: Number(tick), liquidity }, balances: { balance0Raw, balance1Raw } };
}

type Word = { readonly pool: number; readonly position: number };

function* readLadders(heads: readonly Head[]): Reading<readonly Ladder[]> {
  const ranges = heads.map(wordsOf);
  const words = ranges.flatMap(({ first, last }, pool) =>
    Array.from({ length: Math.max(0, last - first + 1) }, (_, index): Word => ({ pool, position: first + index })),
  );
  const bitmaps = yield words.map(({ pool, position }) => VIEW.tickBitmap(heads[pool]!.identity.address, signedWord(position)));
  const ticks = words.flatMap(({ pool, position }, index) => {
    const { identity, spacing } = heads[pool]!;
    const bitmap = uintOf(bitmaps[index]);
    if (bitmap === undefined) throw new MirrorError(`${identity.address} does not answer tickBitmap(${position})`);
    return bitsOf(bitmap).map((bit) => ({ pool, tick: (position * WORD + bit) * spacing }));
  });
  const answers = yield ticks.map(({ pool, tick }) => VIEW.ticks(heads[pool]!.identity.address, signedWord(tick)));
  const read = heads.map(() => ({ ticks: [] as number[], nets: [] as bigint[], grosses: [] as bigint[] }));
  for (const [index, { pool, tick }] of ticks.entries()) {
    const gross = uintOf(answers[index]);
    const net = intOf(answers[index], 1);
    if (gross === undefined || net === undefined) throw new MirrorError(`${heads[pool]!.identity.address} does not answer ticks(${tick})`);
    read[pool]!.ticks.push(tick);
    read[pool]!.nets.push(net);
    read[pool]!.grosses.push(gross);
  }
  return read.map(({ ticks, nets, grosses }, pool) => new Ladder(heads[pool]!.spacing, ranges[pool]!.window, ticks, nets, grosses));
}

/** The bitmap words to read, and the window of ticks that they cover where they are not all. */
function wordsOf({ spacing, curve, balances }: Head): { first: number; last: number; window: Window | undefined } {
  // Liquidity is never minted for nothing, so a pool that holds nothing has no ticks, and that is all there is to know.
  if (balances.balance0Raw === 0n && balances.balance1Raw === 0n) return { first: 0, last: -1, window: undefined };
  const wordOf = (tick: number) => Math.floor(Math.floor(tick / spacing) / WORD);
  const first = wordOf(MIN_TICK);
  const last = wordOf(MAX_TICK);
  if (spacing >= WHOLE_FROM_SPACING) return { first, last, window: undefined };
  const middle = wordOf(curve.tick ?? 0);
  const from = Math.max(first, middle - WINDOW_WORDS);
  const to = Math.min(last, middle + WINDOW_WORDS);
  const low = Math.max(from * WORD * spacing, MIN_TICK);
  const high = Math.min((to * WORD + WORD - 1) * spacing, MAX_TICK);
  return { first: from, last: to, window: { low, high } };
}

function bitsOf(bitmap: bigint): readonly number[] {
  const bits: number[] = [];
  for (let rest = bitmap, bit = 0; rest !== 0n; rest >>= 1n, bit++) if (rest & 1n) bits.push(bit);
  return bits;
}
