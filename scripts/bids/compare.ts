/** `BID_SHARE=auto`, learning as it goes, beside every fixed share and the best shares by size in hindsight, against rivals that the prior has not seen. */
import { type Belief, bestShareBps, learn, priorBelief } from '../../src/strategy/bids/belief.ts';
import { SIZES, UNSEEN_RIVALS } from './held-out.ts';

/** One auction as we meet it: what it is about, and the share that has to be beaten. */
export type Meeting = { readonly surplusUsd: number; readonly rivalBps: number };
/** `market`: sizes as often as they came; `even`: from $1,000 to $1,000,000, all equally often on a scale of powers. */
export type Sizes = 'market' | 'even';

/** 0.50, 0.51 … 0.99. */
export const FIXED_BPS: readonly number[] = Array.from({ length: 50 }, (_, index) => 5_000 + index * 100);
/** The hindsight's classes of size, USD: those of the figures that everybody knows, and half decades. */
export const THREE_CLASSES: readonly number[] = [0, 10_000, 100_000];
export const HALF_DECADES: readonly number[] = [0, 1_000, 3_162, 10_000, 31_623, 100_000, 316_228];
const HINDSIGHT_BPS: readonly number[] = Array.from({ length: 399 }, (_, index) => 25 * (index + 1));
const BPS = 10_000;

const EVEN = { from: 3, to: 6 };

/** Seeded: a size, and a rival of that size; both as in the auctions held out. */
export function drawMeetings(seed: number, count: number, sizes: Sizes): readonly Meeting[] {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => {
    const surplusUsd = sizes === 'market' ? sizeAt(random(), random()) : 10 ** (EVEN.from + (EVEN.to - EVEN.from) * random());
    return { surplusUsd, rivalBps: rivalAt(surplusUsd, random()) };
  });
}

function sizeAt(chance: number, within: number): number {
  const upTo = SIZES.map((_, index) => SIZES.slice(0, index + 1).reduce((sum, { auctions }) => sum + auctions, 0));
  return quantile(SIZES[upTo.findIndex((bound) => chance * upTo.at(-1)! < bound)]!.sizesUsd, within);
}

/** The share below which the best rival at a size stays with this chance. */
function rivalAt(surplusUsd: number, chance: number): number {
  const [first, second] = UNSEEN_RIVALS;
  const place = (Math.log10(surplusUsd) - first!.decade) / (second!.decade - first!.decade);
  const at = Math.min(Math.max(place, 0), UNSEEN_RIVALS.length - 1);
  const low = Math.min(Math.floor(at), UNSEEN_RIVALS.length - 2);
  // The levels of the figures are as far apart as these ends are from the outermost.
  const [below, above] = [low, low + 1].map((index) => quantile([0, ...UNSEEN_RIVALS[index]!.sharesBps, BPS], chance)) as [number, number];
  return below + (above - below) * (at - low);
}

/** Seeded: auctions themselves, drawn with replacement. */
export function resample(seed: number, count: number, auctions: readonly Meeting[]): readonly Meeting[] {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => auctions[Math.floor(random() * auctions.length)]!);
}

export function earnedBy(meetings: readonly Meeting[], shareBps: (meeting: Meeting) => number): number {
  return meetings.reduce((sum, meeting) => sum + earned(meeting, shareBps(meeting)), 0);
}

/** @param learning false: the prior alone, to tell what our own outcomes add */
export function earnedByAuto(meetings: readonly Meeting[], learning = true): number {
  let belief: Belief = priorBelief();
  let sum = 0;
  for (const meeting of meetings) {
    const { surplusUsd } = meeting;
    const shareBps = bestShareBps(belief, surplusUsd);
    sum += earned(meeting, shareBps);
    if (learning) belief = learn(belief, { surplusUsd, shareBps, won: shareBps > meeting.rivalBps });
  }
  return sum;
}

/** The best fixed share of each class of size, knowing every rival's bid of these auctions. */
export function bestInHindsight(meetings: readonly Meeting[], classesFromUsd: readonly number[]): (meeting: Meeting) => number {
  const classOf = ({ surplusUsd }: Meeting) => classesFromUsd.findLastIndex((fromUsd) => surplusUsd >= fromUsd);
  const shares = classesFromUsd.map((_, index) => {
    const within = meetings.filter((meeting) => classOf(meeting) === index);
    return best(HINDSIGHT_BPS, (shareBps) => earnedBy(within, () => shareBps));
  });
  return (meeting) => shares[classOf(meeting)]!;
}

export function best<T>(choices: readonly T[], worth: (choice: T) => number): T {
  return choices.map((choice) => ({ choice, worth: worth(choice) })).reduce((a, b) => (b.worth > a.worth ? b : a)).choice;
}

function earned({ surplusUsd, rivalBps }: Meeting, shareBps: number): number {
  return shareBps > rivalBps ? (surplusUsd * (BPS - shareBps)) / BPS : 0;
}

function quantile(quantiles: readonly number[], at: number): number {
  const place = at * (quantiles.length - 1);
  const low = Math.min(Math.floor(place), quantiles.length - 2);
  return quantiles[low]! + (quantiles[low + 1]! - quantiles[low]!) * (place - low);
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
