/** Reads pools whole, at one block, out of the manager's storage. */
import type { Address } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { TickCurve } from '../concentrated/tick-curve.ts';
import { readLadders, type TickSource } from '../concentrated/ticks.ts';
import { VIEW } from './abi.ts';
import { type Listing, slotsOf } from './key.ts';
import { UniswapV4Pool } from './pool.ts';
import { type Slot0, unpackSlot0, unpackTick } from './state.ts';
import type { Manager } from './steps.ts';

/** Of a pair's pools, those with the most liquidity in range are followed: anybody makes as many as he likes. */
export const MOST_POOLS_OF_A_PAIR = 12;

type Head = { readonly listing: Listing; readonly slot0: Slot0; readonly liquidity: bigint };

/** Those of the listed pools that have a price. Throws a MirrorError where the manager does not answer. */
export function* readPools(manager: Manager, listings: readonly Listing[]): Reading<readonly UniswapV4Pool[]> {
  const heads = mostLiquid(yield* readHeads(manager.address, listings));
  const ladders = yield* readLadders(heads.map((head) => ticksOf(manager.address, head)));
  const held = yield* readHeld(manager, heads);
  return heads.map(({ listing, slot0: { sqrtPriceX96, tick, fees }, liquidity }, index) => {
    const ticks = new TickCurve({ sqrtPriceX96, tick, liquidity }, ladders[index]!, fees);
    const { token0, token1 } = listing.identity;
    return new UniswapV4Pool(manager, listing, ticks, [held.get(token0) ?? 0n, held.get(token1) ?? 0n]);
  });
}

function* readHeads(manager: Address, listings: readonly Listing[]): Reading<readonly Head[]> {
  const prices = yield listings.map(({ identity }) => VIEW.extsload(manager, slotsOf(identity.address).slot0));
  const made = listings.flatMap((listing, index) => {
    const word = uintOf(prices[index]);
    if (word === undefined) throw new MirrorError(`${manager} does not answer extsload: it is no Uniswap v4 PoolManager`);
    const slot0 = unpackSlot0(word);
    return slot0.sqrtPriceX96 === 0n ? [] : [{ listing, slot0 }];
  });
  const liquidities = yield made.map(({ listing }) => VIEW.extsload(manager, slotsOf(listing.identity.address).liquidity));
  return made.map((head, index) => {
    const liquidity = uintOf(liquidities[index]);
    if (liquidity === undefined) throw new MirrorError(`${manager} does not tell the liquidity of pool ${head.listing.identity.address}`);
    return { ...head, liquidity };
  });
}

function mostLiquid(heads: readonly Head[]): readonly Head[] {
  const sorted = heads.toSorted((a, b) => (a.liquidity > b.liquidity ? -1 : a.liquidity < b.liquidity ? 1 : 0));
  const pairs = Map.groupBy(sorted, ({ listing: { identity } }) => identity.token0 + identity.token1);
  return [...pairs.values()].flatMap((of) => of.slice(0, MOST_POOLS_OF_A_PAIR));
}

function ticksOf(manager: Address, { listing: { key, identity }, slot0 }: Head): TickSource {
  const slots = slotsOf(identity.address);
  return {
    ...{ name: identity.address, spacing: key.spacing, tick: slot0.tick, bare: false },
    bitmap: (word) => VIEW.extsload(manager, slots.bitmap(word)),
    ticks: (tick) => VIEW.extsload(manager, slots.tick(tick)),
    readTick: (answer) => {
      const word = uintOf(answer);
      return word === undefined ? undefined : unpackTick(word);
    },
  };
}

/** What the manager has of each token. Of the wrapped native one it need not have what its pools of native tokens have. */
function* readHeld(manager: Manager, heads: readonly Head[]): Reading<ReadonlyMap<Address, bigint>> {
  const tokens = [...new Set(heads.flatMap(({ listing: { identity } }) => [identity.token0, identity.token1]))];
  const answers = yield tokens.map((token) => VIEW.balanceOf(token, manager.address));
  return new Map(tokens.map((token, index) => [token, uintOf(answers[index]) ?? 0n]));
}
