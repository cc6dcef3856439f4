import { loadConfig } from '../../config/load.ts';
import type { Efficiency } from '../../ledger/efficiency.ts';
import { FIRST_BLOCK, HEAD_BLOCK } from '../../ledger/facts.ts';
import { readLedger, type Scope } from '../../ledger/reader.ts';
import { type Report, reportOf } from '../../ledger/report.ts';
import type { Stated } from '../../ledger/stated.ts';
import type { Address } from '../../lib/types.ts';
import { usdText } from '../../lib/usd.ts';
import { attemptJson, efficiencyJson, outside, statedJson, totalsJson } from '../../server/json.ts';
import type { Since } from '../arguments.ts';
import { cents, type OutputOptions, print, table, warn } from '../output.ts';

export async function report(options: OutputOptions & { readonly since?: Since }): Promise<void> {
  const { dataDir, warnings } = await loadConfig('store');
  for (const warning of warnings) await warn(warning);
  const read = await readReport(dataDir, options.since ?? {});
  await print(options, reportJson(read), () => reportText(read));
}

async function readReport(dataDir: string, scope: Scope): Promise<Report> {
  const reader = await readLedger(dataDir);
  try {
    const [transactions, first, last] = [await reader.transactions(scope), await reader.get(FIRST_BLOCK), await reader.get(HEAD_BLOCK)];
    const from = scope.sinceBlock ?? (scope.sinceMs === undefined && first !== undefined ? Number(first) : undefined);
    const span = { ...(from !== undefined && { from }), ...(last !== undefined && { to: Number(last) }) };
    const risks = await reader.statedRisks(transactions);
    return reportOf(transactions, await reader.relayNotes(transactions), risks, span, await reader.capital(), await reader.inventory());
  } finally {
    await reader.close();
  }
}

export function reportJson({ totals, attempts, efficiency, stated, capital, inventory, ...rest }: Report) {
  return {
    ...rest,
    capital: capital.map((one) => outside(one)),
    inventory: inventory.map(inventoryJson),
    totals: totalsJson(totals),
    efficiency: efficiencyJson(efficiency),
    stated: statedJson(stated),
    attempts: attempts.map(attemptJson),
  };
}

function reportText(report: Report): string {
  const { from, to, totals, blocksAfterUpdate, misses, efficiency, stated, relays, capital, inventory, attempts } = report;
  const counts = (record: Readonly<Record<string, number>>) =>
    Object.entries(record)
      .map(([name, count]) => `${count} x ${name}`)
      .join(', ') || 'none';
  const rows = attempts.map((attempt) => [
    String(attempt.block ?? attempt.targetBlock),
    attempt.outcome,
    `${attempt.protocol}/${attempt.market}`,
    attempt.account,
    String(attempt.blocksAfterUpdate ?? '-'),
    attempt.profitUsd8 === undefined ? '-' : cents(attempt.profitUsd8),
    attempt.reason ?? '',
  ]);
  return [
    `blocks ${from.block} to ${to.block}`,
    `net profit   $${cents(totals.profitUsd8)}   over ${totals.transactionsMined} mined transactions`,
    `gas          $${cents(totals.gasUsd8)}`,
    `bids         $${cents(totals.bidUsd8)}`,
    `attempts     ${totals.attempts}: ${totals.included} included, ${totals.reverted} reverted, ${totals.missed} missed, ${totals.replaced} replaced, ${totals.expired} expired, ${totals.open} open`,
    `delay        ${counts(Object.fromEntries(Object.entries(blocksAfterUpdate).map(([blocks, count]) => [`${blocks} blocks after the update`, count])))}`,
    `misses       ${counts(misses)}`,
    ...efficiencyText(efficiency),
    ...statedText(stated),
    ...relays.map(
      ({ relay, sent, accepted, refused, landed }) =>
        `relay        ${relay}: ${sent} sent, ${accepted} accepted, ${refused} refused, ${landed} landed`,
    ),
    ...capital.map(
      ({ deployment, first, last, depositedRaw, withdrawnRaw, leftRaw }) =>
        `capital      ${deployment}: ${first.amountRaw} raw at block ${first.block}, ${depositedRaw} deposited, ${withdrawnRaw} withdrawn, ${leftRaw} left by our transactions, ${last.amountRaw} at block ${last.block}`,
    ),
    ...inventory.map(
      ({ token, phase, heldRaw, valueUsd8, since }) =>
        `inventory    ${token}: ${heldRaw} raw, $${cents(valueUsd8)}, ${phase} since block ${since.block}`,
    ),
    ...(rows.length === 0
      ? []
      : ['', table(['block', 'outcome', 'market', 'account', 'delay', 'profit $', 'reason'], rows, ['block', 'delay', 'profit $'])]),
  ].join('\n');
}

function inventoryJson({ token, phase, heldRaw, valueUsd8, entryUsd8, since }: Report['inventory'][number]) {
  const usd = { valueUsd: usdText(valueUsd8), entryUsd: usdText(entryUsd8) };
  return outside({ token: token as Address, phase, heldRaw, ...usd, sinceBlock: since.block });
}

function efficiencyText({ tried, won, blocksToLiquidate, residualDebtUsd8, missedProfitUsd8, ...shares }: Efficiency): readonly string[] {
  const percent = (bps: number | undefined) => (bps === undefined ? '-' : `${(bps / 100).toFixed(2)}%`);
  const { captureRateBps, slippageBps, revertRateBps, bidShareBps, gasShareBps } = shares;
  const delay = blocksToLiquidate && `; blocks to liquidate ${blocksToLiquidate.p50} at the median, ${blocksToLiquidate.most} at most`;
  return [
    `won          ${won} of ${tried} tried, ${percent(captureRateBps)} of the profit${delay ?? ''}`,
    `shares       bids ${percent(bidShareBps)}, gas ${percent(gasShareBps)}, slippage against the plan ${percent(slippageBps)}, reverted ${percent(revertRateBps)}`,
    ...(residualDebtUsd8 === 0n ? [] : [`left         $${cents(residualDebtUsd8)} of debt to others`]),
    ...Object.entries(missedProfitUsd8).map(([cause, usd8]) => `missed       $${cents(usd8)}   ${cause}`),
  ];
}

function statedText(stated: Stated): readonly string[] {
  if (stated.settled === 0) return [];
  const { expectedProfitUsd8, profitUsd8, expectedIncluded, included, expectedReverted, reverted, belowWorst } = stated;
  return [
    `stated       of ${stated.settled}: $${cents(expectedProfitUsd8)} expected, $${cents(profitUsd8)} made; ${expectedIncluded} expected to be included, ${included} were; ${expectedReverted} to revert, ${reverted} did`,
    `             ${belowWorst} of ${included} included left less than their 5% worst`,
  ];
}
