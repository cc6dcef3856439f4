/** What was stated of plans' risk before they were sent, beside what became of them. */
import type { AttemptLine } from './report.ts';

/** Of one plan, as it was told when it was made. Shares in basis points. */
export type StatedRisk = {
  readonly includedBps: number;
  readonly revertedBps: number;
  readonly expectedProfitUsd8: bigint;
  readonly worstProfitUsd8: bigint;
};

/** Over all attempts whose risk was stated. */
export type Stated = {
  readonly attempts: number;
  readonly settled: number;
  /** Before and after the fact; of those settled. */
  readonly expectedProfitUsd8: bigint;
  readonly profitUsd8: bigint;
  readonly expectedIncluded: number;
  readonly included: number;
  readonly expectedReverted: number;
  readonly reverted: number;
  /** Included ones that left less than their stated 5% worst. */
  readonly belowWorst: number;
};

const BPS = 10_000;

export function statedOf(attempts: readonly AttemptLine[]): Stated {
  const stated = attempts.flatMap((one) => (one.risk === undefined ? [] : [{ ...one, risk: one.risk }]));
  const settled = stated.filter(({ outcome }) => outcome !== 'open');
  const included = settled.filter(({ outcome }) => outcome === 'included');
  const share = (figure: (risk: StatedRisk) => number) => Math.round(settled.reduce((sum, { risk }) => sum + figure(risk), 0) / BPS);
  return {
    attempts: stated.length,
    settled: settled.length,
    expectedProfitUsd8: settled.reduce((sum, { risk }) => sum + risk.expectedProfitUsd8, 0n),
    profitUsd8: settled.reduce((sum, { profitUsd8 = 0n }) => sum + profitUsd8, 0n),
    expectedIncluded: share(({ includedBps }) => includedBps),
    included: included.length,
    expectedReverted: share(({ revertedBps }) => revertedBps),
    reverted: settled.filter(({ outcome }) => outcome === 'reverted').length,
    belowWorst: included.filter(({ profitUsd8 = 0n, risk }) => profitUsd8 < risk.worstProfitUsd8).length,
  };
}

/** What a plan's record says of its risk; undefined where it says nothing, or is none of ours. */
export function statedIn(detail: string): StatedRisk | undefined {
  const figures = parsed(detail);
  const [includedBps, revertedBps] = [wholeIn(figures, 'includedBps'), wholeIn(figures, 'revertedBps')];
  const [expectedProfitUsd8, worstProfitUsd8] = [usd8In(figures, 'expectedProfitUsd'), usd8In(figures, 'worstProfitUsd')];
  if (includedBps === undefined || revertedBps === undefined || expectedProfitUsd8 === undefined || worstProfitUsd8 === undefined)
    return undefined;
  return { includedBps, revertedBps, expectedProfitUsd8, worstProfitUsd8 };
}

function parsed(detail: string): Readonly<Record<string, unknown>> {
  try {
    const figures: unknown = JSON.parse(detail);
    return typeof figures === 'object' && figures !== null ? (figures as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function wholeIn(figures: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const text = figures[name];
  return typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function usd8In(figures: Readonly<Record<string, unknown>>, name: string): bigint | undefined {
  const [, sign, whole, part] = /^(-?)(\d{1,20})\.(\d{2,8})$/.exec(String(figures[name])) ?? [];
  if (whole === undefined || part === undefined) return undefined;
  const usd8 = BigInt(whole + part.padEnd(8, '0'));
  return sign === '-' ? -usd8 : usd8;
}
