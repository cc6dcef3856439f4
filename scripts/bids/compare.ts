/** `BID_SHARE=auto`, learning as it goes, beside every fixed share and the best shares by size in hindsight, against rivals that the prior has not seen. */
import { type Belief, bestShareBps, learn, priorBelief } from '../../src/strategy/bids/belief.ts';
import { HELD_OUT, type SizeClass } from './held-out.ts';

/** One auction as we meet it: what it is about, and the share that has to be beaten. */
export type Meeting = { readonly surplusUsd: number; readonly rivalBps: number };
/** `market`: sizes as often as they came; `even`: every class of size as often as any other. */
export type Sizes = 'market' | 'even';

/** 0.50, 0.51 … 0.99. */
export const FIXED_BPS: readonly number[] = Array.from({ length: 50 }, (_, index) => 5_000 + index * 100);
/** The hindsight's classes of size, USD: those by which the auctions' winners differ most. */
export const HINDSIGHT_FROM_USD: readonly number[] = [0, 10_000, 100_000];
const HINDSIGHT_BPS: readonly number[] = Array.from({ length: 399 }, (_, index) => 25 * (index + 1));
const BPS = 10_000;

/** Seeded: a class, a size in it, and a rival of that class; all three by the quantiles of the auctions held out. */
export function drawMeetings(seed: number, count: number, sizes: Sizes): readonly Meeting[] {
  const random = mulberry32(seed);
  const weight = ({ auctions }: SizeClass) => (sizes === 'market' ? auctions : 1);
  const upTo = HELD_OUT.map((_, index) => HELD_OUT.slice(0, index + 1).reduce((sum, each) => sum + weight(each), 0));
  return Array.from({ length: count }, () => {
    const ticket = random() * upTo.at(-1)!;
    const drawn = HELD_OUT[upTo.findIndex((bound) => ticket < bound)]!;
    return { surplusUsd: quantile(drawn.sizesUsd, random()), rivalBps: quantile(drawn.sharesBps, random()) };
  });
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
export function bestInHindsight(meetings: readonly Meeting[]): (meeting: Meeting) => number {
  const shares = HINDSIGHT_FROM_USD.map((_, index) => {
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

function classOf({ surplusUsd }: Meeting): number {
  return HINDSIGHT_FROM_USD.findLastIndex((fromUsd) => surplusUsd >= fromUsd);
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
