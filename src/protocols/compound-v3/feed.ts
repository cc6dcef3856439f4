/**
 * What Comet takes a price from: a Chainlink proxy, or a contract of Compound's own over one or two of them (ScalingPriceFeed, MultiplicativePriceFeed,
 * ReverseMultiplicativePriceFeed), taken apart so that a pending update moves it. What was taken apart counts only while it agrees with what Comet itself
 * is answered at the mirrored block.
 */
import type { Address, Head } from '../../lib/types.ts';
import { addressOf, intOf, uintOf, viewCall } from '../../lib/words.ts';
import type { Reading } from '../../mirror/types.ts';
import { resolveSource } from '../../oracles/resolve.ts';
import { formulaSource, type LiveSource, opaqueSource } from '../../oracles/sources.ts';
import { together } from '../../oracles/together.ts';
import type { Moment } from '../../oracles/types.ts';
import { calls } from './reads.ts';

export type CometFeed = {
  readonly address: Address;
  /** `Comet.getPrice` at the mirrored block; undefined where that reverts. */
  answer: bigint | undefined;
  /** How the answer comes about, where that is known. */
  readonly decoded: LiveSource | undefined;
};

const probes = ['priceFeedA', 'priceFeedB', 'combinedScale', 'priceFeedScale', 'priceFeedAScale', 'priceFeedBScale'].map((name) =>
  viewCall(`function ${name}()`),
);
const underlyingOf = viewCall('function underlyingPriceFeed()');
/** One of Compound's over another of them, over a feed. */
const MAX_DEPTH = 3;

/** Undefined for a feed of another kind. */
export function* decodeFeed(comet: Address, address: Address, block: Head, depth = 1): Reading<LiveSource | undefined> {
  const plain = yield* resolveSource(address, block);
  if (plain.kind !== 'opaque') return plain;
  if (depth === MAX_DEPTH) return undefined;
  const answers = yield [underlyingOf(address), calls.decimals(address), ...probes.map((probe) => probe(address))];
  const [underlying, , a, b] = answers.map((answer) => addressOf(answer));
  const [decimals, combined, scale, scaleA, scaleB] = [uintOf(answers[1]), ...answers.slice(4).map((answer) => intOf(answer))];
  const part = (of: Address) => partOf(comet, of, block, depth + 1);
  if (a !== undefined && b !== undefined && scale !== undefined) {
    const parts = yield* together([part(a), part(b)]);
    const crossed = (price: (a: bigint, b: bigint) => bigint) =>
      formulaSource({ kind: 'cross', address, parts, words: [], answer: ([one, other]) => positive(one!, other!, price) });
    if (combined) return crossed((one, other) => (one * other * scale) / combined);
    if (scaleA && scaleB) return crossed((one, other) => (one * scaleB * scale) / other / scaleA);
    return undefined;
  }
  if (underlying === undefined || decimals === undefined) return undefined;
  const [answer] = yield [calls.decimals(underlying)];
  const below = uintOf(answer);
  if (below === undefined || below > 36n || decimals > 36n) return undefined;
  const [up, down] = [10n ** decimals, 10n ** below];
  const scaled = (price: bigint) => (up > down ? price * (up / down) : price / (down / up));
  return formulaSource({ kind: 'ratio', address, parts: [yield* part(underlying)], words: [], answer: ([price]) => scaled(price!) });
}

/** What cannot be taken apart further is read, through Comet, which wants it positive. */
function* partOf(comet: Address, address: Address, block: Head, depth: number): Reading<LiveSource> {
  return (yield* decodeFeed(comet, address, block, depth)) ?? opaqueSource(address, calls.price(comet, address));
}

/** MultiplicativePriceFeed and its reverse answer 0 where one of the two is not positive. */
function positive(one: bigint, other: bigint, price: (one: bigint, other: bigint) => bigint): bigint {
  return one > 0n && other > 0n ? price(one, other) : 0n;
}

/**
 * Comet.getPrice at a moment; undefined where it would revert.
 *
 * @param now the mirrored block, whose answer is known
 */
export function priceAt(feed: CometFeed, at: Moment, now: Moment): bigint | undefined {
  const decoded = believed(feed, now);
  if (decoded === undefined) return feed.answer;
  const price = decoded.price(at);
  return price.ok ? price.price : undefined;
}

/** What was taken apart has to agree with the known answer, or that answer stands. */
export function believed({ answer, decoded }: CometFeed, now: Moment): LiveSource | undefined {
  const price = decoded?.price(now);
  return answer !== undefined && price?.ok && price.price === answer ? decoded : undefined;
}
