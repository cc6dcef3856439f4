import { INVENTORY } from '../risk/types.ts';
import type { AttemptLine } from './report.ts';

/** How well liquidations that were tried came off. Shares are in basis points; undefined where there is nothing to take a share of. Pure, from the ledger alone. */
export type Efficiency = {
  /** Positions that were tried, each once for every time that it became liquidatable, and how many of them were won. */
  readonly tried: number;
  readonly won: number;
  /** Profit won, of that and what the lost ones were expected to bring. */
  readonly captureRateBps: number | undefined;
  /** Blocks from the one that made it liquidatable to ours, of those won. */
  readonly blocksToLiquidate: { readonly p50: number; readonly p90: number; readonly most: number } | undefined;
  /** What was realised less than planned, of what was planned, gas and bids included; below zero where it was more. */
  readonly slippageBps: number | undefined;
  /** Reverted, of all that was mined. */
  readonly revertRateBps: number | undefined;
  /** Bids, of gross profit less gas. */
  readonly bidShareBps: number | undefined;
  /** Gas, of gross profit. */
  readonly gasShareBps: number | undefined;
  /** Debt of the lost ones that was to be repaid, and was left to others. */
  readonly residualDebtUsd8: bigint;
  /** What the lost ones were expected to bring, by what became of the last try. */
  readonly missedProfitUsd8: Readonly<Record<string, bigint>>;
};

const BPS = 10_000n;

export function efficiencyOf(lines: readonly AttemptLine[]): Efficiency {
  const attempts = lines.filter(({ protocol }) => protocol !== INVENTORY);
  const chances = [
    ...Map.groupBy(attempts, ({ protocol, market, account, sinceBlock }) => `${protocol}/${market}/${account}/${sinceBlock}`).values(),
  ];
  const settled = chances.filter((chance) => chance.every(({ outcome }) => outcome !== 'open'));
  const won = settled.flatMap((chance) => chance.find(({ outcome }) => outcome === 'included') ?? []);
  const lost = settled.filter((chance) => chance.every(({ outcome }) => outcome !== 'included'));
  const included = attempts.filter(({ outcome }) => outcome === 'included');
  const mined = attempts.filter(({ outcome }) => outcome === 'included' || outcome === 'reverted');
  const missed: Record<string, bigint> = {};
  for (const chance of lost) {
    const cause = causeOf(chance.at(-1)!);
    missed[cause] = (missed[cause] ?? 0n) + most(chance.map(({ expectedProfitUsd8 }) => expectedProfitUsd8));
  }
  const wonUsd8 = sum(included.map(({ profitUsd8 = 0n }) => profitUsd8));
  const plannedUsd8 = sum(included.map(({ expectedProfitUsd8 }) => expectedProfitUsd8));
  const grossWei = sum(included.map(({ grossWei: gross = 0n }) => gross));
  const gasWei = sum(included.map(({ gasWei: gas = 0n }) => gas));
  return {
    tried: settled.length,
    won: won.length,
    captureRateBps: shareBps(wonUsd8, wonUsd8 + sum(Object.values(missed))),
    blocksToLiquidate: spread(won.flatMap(({ blocksAfterUpdate }) => blocksAfterUpdate ?? [])),
    slippageBps: shareBps(plannedUsd8 - wonUsd8, plannedUsd8),
    revertRateBps: shareBps(BigInt(mined.length - included.length), BigInt(mined.length)),
    bidShareBps: shareBps(sum(included.map(({ bidWei = 0n }) => bidWei)), grossWei - gasWei),
    gasShareBps: shareBps(gasWei, grossWei),
    residualDebtUsd8: sum(lost.map((chance) => most(chance.map(({ repayUsd8 }) => repayUsd8)))),
    missedProfitUsd8: missed,
  };
}

/** Without the figures that make every reason one of its own. */
function causeOf({ outcome, reason }: AttemptLine): string {
  return reason === undefined ? outcome : `${outcome}: ${reason.replaceAll(/0x[0-9a-f]+|\d+/gi, '…')}`;
}

function spread(blocks: readonly number[]): Efficiency['blocksToLiquidate'] {
  if (blocks.length === 0) return undefined;
  const sorted = blocks.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
  return { p50: at(0.5), p90: at(0.9), most: sorted.at(-1)! };
}

function shareBps(part: bigint, whole: bigint): number | undefined {
  return whole <= 0n ? undefined : Number((part * BPS) / whole);
}

function most(values: readonly bigint[]): bigint {
  return values.reduce((greatest, value) => (value > greatest ? value : greatest));
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
