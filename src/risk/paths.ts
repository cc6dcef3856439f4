/** What may happen to pools until a transaction is included, drawn from what has happened to them. Pure, and the same for the same seed. */
import type { Address } from '../lib/types.ts';
import type { PriceMoves } from './price-moves.ts';

/** The move of each pool, by address, on one path: of its price's logarithm. */
export type Path = ReadonlyMap<Address, number>;

/** With fewer blocks in mind normal moves stand in for those that are missing. */
const ENOUGH_BLOCKS = 64;

/**
 * Each path is one of the blocks in mind: all pools move as they did then, by as many of today's standard deviations. Every block is taken about as often as
 * every other, in an order that is drawn.
 *
 * @param seconds until inclusion
 */
export function drawPaths(moves: PriceMoves, pools: readonly Address[], seconds: number, count: number, seed: number): readonly Path[] {
  const random = randomFrom(seed);
  const blocks = Math.max(moves.blocks, ENOUGH_BLOCKS);
  const order = shuffled(blocks, random);
  const deviations = pools.map((pool) => moves.deviation(pool, seconds));
  return Array.from({ length: count }, (_, path) => {
    const block = order[path % blocks]!;
    return new Map(pools.map((pool, index) => [pool, deviations[index]! * (moves.units(pool, block) ?? normal(random))]));
  });
}

/** A seed for whatever has a name: FNV-1a. */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

type Random = () => number;

/** Uniform in [0, 1): mulberry32. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box and Muller's. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function shuffled(length: number, random: Random): readonly number[] {
  const order = Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
