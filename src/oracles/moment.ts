/** Moments: the block that judges. Its time and base fee follow from the chain's own headers, never from this machine's clock. */
import type { Head } from '../lib/types.ts';
import type { FeedBook } from './feeds.ts';
import type { FeedAnswer, FeedId, Moment } from './types.ts';

/** EIP-1559: BASE_FEE_MAX_CHANGE_DENOMINATOR and ELASTICITY_MULTIPLIER. */
const CHANGE_DENOMINATOR = 8n;
const ELASTICITY = 2n;
/** Gaps looked at: enough to outvote a few missed slots, few enough to follow a chain that changes its pace. */
const GAPS = 32;

type Answers = Pick<FeedBook, 'answer'>;

/** The mirrored block itself: what the chain's own views answer. */
export function momentOf(head: Head, feeds: Answers): Moment {
  return { number: head.number, timestamp: head.timestamp, baseFeeWei: head.baseFeeWei, answer: (feed) => feeds.answer(feed) };
}

/**
 * The next block.
 *
 * @param recent the last headers in ascending order, the head last; the more (up to 33) the surer the predicted timestamp
 */
export function nextMoment(recent: readonly Head[], feeds: Answers): Moment {
  const head = headOf(recent);
  return {
    number: head.number + 1,
    timestamp: nextTimestamp(recent),
    baseFeeWei: nextBaseFeeWei(head),
    answer: (feed) => feeds.answer(feed),
  };
}

/** With answers that a pending update will have written by then; they win over the mirrored ones. */
export function withPending(moment: Moment, pending: ReadonlyMap<FeedId, FeedAnswer>): Moment {
  return { ...moment, answer: (feed) => pending.get(feed) ?? moment.answer(feed) };
}

/** The head's timestamp plus the median gap of the last blocks; a single known block is followed by the smallest gap there is. */
export function nextTimestamp(recent: readonly Head[]): number {
  const head = headOf(recent);
  const gaps: number[] = [];
  for (let i = Math.max(1, recent.length - GAPS); i < recent.length; i++) gaps.push(recent[i]!.timestamp - recent[i - 1]!.timestamp);
  gaps.sort((a, b) => a - b);
  return head.timestamp + (gaps[gaps.length >> 1] ?? 1);
}

/** EIP-1559, exactly: the base fee of the block after `head`. */
export function nextBaseFeeWei(head: Head): bigint {
  const target = head.gasLimit / ELASTICITY;
  const { baseFeeWei, gasUsed } = head;
  if (gasUsed === target || target === 0n) return baseFeeWei;
  if (gasUsed > target) {
    const rise = (baseFeeWei * (gasUsed - target)) / target / CHANGE_DENOMINATOR;
    return baseFeeWei + (rise > 1n ? rise : 1n);
  }
  return baseFeeWei - (baseFeeWei * (target - gasUsed)) / target / CHANGE_DENOMINATOR;
}

function headOf(recent: readonly Head[]): Head {
  const head = recent.at(-1);
  if (head === undefined) throw new RangeError('a moment needs the head');
  return head;
}
