/** What a position's sum says of it at a moment, in floats: docs/watchlist.md has the proof of how far they are from what is true. */
import { ROUNDING } from '../protocols/bounds.ts';
import { COEFFICIENT, CONSTANT, type Entries, HEADER, LADDER, TERM } from './entries.ts';

/** By what part all factors may move against the position at once; above 0 only where it is healthy for certain. */
export function slackOf(entries: Entries, header: number, factors: Float64Array): number {
  const { doubles, integers } = entries;
  let net = 0;
  let gross = 0;
  for (let term = header + HEADER, end = entries.after(header); term < end; term += TERM) {
    const value = doubles[term + COEFFICIENT]! * factors[integers[2 * term + LADDER]! >> 1]!;
    net += value;
    gross += Math.abs(value);
  }
  const constant = doubles[header + CONSTANT]!;
  return (net + constant - ROUNDING * (gross + Math.abs(constant))) / gross;
}

/** Whether even the most that its sum can be, each coefficient being off by as much as `width` and the constant as far as it may, is below 0. */
export function isLost(entries: Entries, header: number, factors: Float64Array, width: number): boolean {
  const { doubles, integers } = entries;
  let above = Math.abs(doubles[header + CONSTANT]!);
  let below = 0;
  for (let term = header + HEADER, end = entries.after(header); term < end; term += TERM) {
    const coefficient = doubles[term + COEFFICIENT]!;
    const factor = factors[integers[2 * term + LADDER]! >> 1]!;
    if (coefficient >= 0) above += (coefficient + width) * factor;
    else below += Math.max(0, -coefficient - width) * factor;
  }
  return above - below + ROUNDING * (above + below) < 0;
}
