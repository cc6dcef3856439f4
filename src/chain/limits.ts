import { RpcError } from './errors.ts';

/** What a node's refusal says about the range that it would answer; absent where its words tell nothing. */
export type Hint = {
  /** The most blocks at once. */
  readonly widest?: number;
};

const NUMBER = '(0x[0-9a-f]+|[0-9][0-9,_]*)(k?)';
/** `this block range should work: [0x1, 0x5dc]`, `retry with the range 1-1500`. */
const ADVICE = new RegExp(`\\b(?:try|retry|work|use|suggested)\\b[^\\d]*?\\[?\\s*${NUMBER}\\s*(?:,|-|\\.\\.|to)\\s*${NUMBER}`);
/** `limited to a 10,000 range`, `maximum block range: 5000`, `up to a 10k block range`. */
const WIDEST = [
  `(?:limited to|up to|at most|max(?:imum)?|over|exceeds?)(?: (?:a|the|is|of|allowed|block|range|limit))*:? ${NUMBER}[ -]*(?:blocks?\\b|range)`,
  `max(?:imum)?(?: allowed)?(?: block)? range(?: is| of)?:? ?${NUMBER}`,
  `range\\b[^\\d]{0,60}\\b(?:max(?:imum)?|limit(?:ed)?|allowed|than|to)\\b[^\\d]{0,20}?${NUMBER}`,
].map((pattern) => new RegExp(pattern));

/** @param from the first block of the range that was refused, `to` its last: what names no smaller range is no hint. */
export function hintIn(words: string, from: number, to: number): Hint {
  const text = words.toLowerCase();
  const fits = (widest: number) => widest >= 1 && widest <= to - from;
  const [, first, firstThousands, last, lastThousands] = ADVICE.exec(text) ?? [];
  if (first !== undefined && numberOf(first, firstThousands) === from) {
    const widest = numberOf(last!, lastThousands) - from + 1;
    if (fits(widest)) return { widest };
  }
  for (const pattern of WIDEST) {
    const [, digits, thousands] = pattern.exec(text) ?? [];
    const widest = digits === undefined ? 0 : numberOf(digits, thousands);
    if (fits(widest)) return { widest };
  }
  return {};
}

function numberOf(digits: string, thousands: string | undefined): number {
  return Number(digits.replaceAll(/[,_]/g, '')) * (thousands === 'k' ? 1_000 : 1);
}

/** Nodes word a limit in many ways, or just take too long; `rejected` may be one that our list of words does not know. */
export function isTooWide(error: unknown): error is RpcError {
  return error instanceof RpcError && ['too-much', 'rejected', 'timeout'].includes(error.kind);
}

/** The endpoint cannot now: later, or with less at once, it may. */
export function isPassing(error: unknown): error is RpcError {
  return error instanceof RpcError && ['rate-limited', 'timeout', 'unreachable', 'bad-answer'].includes(error.kind);
}
