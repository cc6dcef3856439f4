/** Prices that might come: feeds moved by a share of their answers. */
import type { FeedAnswer, FeedId, Moment } from '../oracles/types.ts';

/** A price move in parts of a million of the price: -200,000 is a fall by a fifth. */
export type Shock = { readonly asset: string; readonly movePpm: number };
/** What each feed's answer is multiplied by, in parts of a million. */
export type Moves = ReadonlyMap<FeedId, bigint>;

export const PPM = 1_000_000n;
const SHOCK = /^([^=\s]{1,64})=([+-]?\d{1,4}(?:\.\d{1,4})?)%$/;
const TOO_MUCH = 10_000_000;

/**
 * The worst falls of ether within 24 hours in the crashes of May, June and November 2022 and of August 2024, with what bitcoin lost in the same hours, to a tenth of a
 * percent. Printed by scripts/stress/derive.ts from the hourly closes of ETH and BTC against USDT on Binance, 2022 to 2025, which stay within 1.3% of the rounds of
 * Chainlink's feeds on Ethereum between April 2023 and January 2024. These four are the worst months of the four years.
 */
export const PRESETS: Readonly<Record<string, readonly Shock[]>> = {
  '2022-05': [
    { asset: 'WETH', movePpm: -247_000 },
    { asset: 'WBTC', movePpm: -148_000 },
  ],
  '2022-06': [
    { asset: 'WETH', movePpm: -218_000 },
    { asset: 'WBTC', movePpm: -189_000 },
  ],
  '2022-11': [
    { asset: 'WETH', movePpm: -248_000 },
    { asset: 'WBTC', movePpm: -160_000 },
  ],
  '2024-08': [
    { asset: 'WETH', movePpm: -238_000 },
    { asset: 'WBTC', movePpm: -184_000 },
  ],
};

/** `WETH=-20%`, `0x…=+5.5%`; undefined where it is neither. A price cannot fall by everything. */
export function parseShock(text: string): Shock | undefined {
  const [, asset, percent] = SHOCK.exec(text) ?? [];
  const movePpm = Math.round(Number(percent) * 10_000);
  return asset === undefined || !(movePpm > -1_000_000 && movePpm <= TOO_MUCH) ? undefined : { asset, movePpm };
}

/** Both moves, one after the other. */
export function combined(first: Moves, second: Moves): Moves {
  const moves = new Map(first);
  for (const [feed, factor] of second) moves.set(feed, ((moves.get(feed) ?? PPM) * factor) / PPM);
  return moves;
}

/** `part` of `parts` of the way. */
export function scaled(moves: Moves, part: number, parts: number): Moves {
  return new Map(Array.from(moves, ([feed, factor]) => [feed, PPM + ((factor - PPM) * BigInt(part)) / BigInt(parts)]));
}

/** What the feeds answer then. A feed without an answer stays without one. */
export function answersUnder(moves: Moves, at: Moment): ReadonlyMap<FeedId, FeedAnswer> {
  const answers = new Map<FeedId, FeedAnswer>();
  for (const [feed, factor] of moves) {
    const known = at.answer(feed);
    if (known !== undefined) answers.set(feed, { ...known, answer: (known.answer * factor) / PPM, updatedAt: at.timestamp });
  }
  return answers;
}
