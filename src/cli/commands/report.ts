import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { FIRST_BLOCK, HEAD_BLOCK } from '../../ledger/facts.ts';
import { readLedger, type Scope } from '../../ledger/reader.ts';
import { type Report, reportOf } from '../../ledger/report.ts';
import { attemptJson, totalsJson } from '../../server/json.ts';
import { cents, type OutputOptions, print, table, warn } from '../output.ts';

export function addReport(program: Command): void {
  program
    .command('report')
    .description('realised profit and loss, delays and misses, from the ledger alone')
    .option('--since <when>', 'a block number, a time back such as 90m, 24h or 7d, or a date such as 2026-01-31', parseSince)
    .option('--json', 'one JSON document on stdout')
    .action(async (options: OutputOptions & { since?: Scope }) => {
      const { dataDir, warnings } = await loadConfig('store');
      for (const warning of warnings) await warn(warning);
      const report = await readReport(dataDir, options.since ?? {});
      await print(options, reportJson(report), () => reportText(report));
    });
}

async function readReport(dataDir: string, scope: Scope): Promise<Report> {
  const reader = await readLedger(dataDir);
  try {
    const [transactions, first, last] = [await reader.transactions(scope), await reader.get(FIRST_BLOCK), await reader.get(HEAD_BLOCK)];
    const from = scope.sinceBlock ?? (scope.sinceMs === undefined && first !== undefined ? Number(first) : undefined);
    return reportOf(transactions, { ...(from !== undefined && { from }), ...(last !== undefined && { to: Number(last) }) });
  } finally {
    await reader.close();
  }
}

export function reportJson({ from, to, totals, blocksAfterUpdate, misses, attempts }: Report) {
  return { from, to, totals: totalsJson(totals), blocksAfterUpdate, misses, attempts: attempts.map(attemptJson) };
}

function reportText(report: Report): string {
  const { from, to, totals, blocksAfterUpdate, misses, attempts } = report;
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
    ...(rows.length === 0
      ? []
      : ['', table(['block', 'outcome', 'market', 'account', 'delay', 'profit $', 'reason'], rows, ['block', 'delay', 'profit $'])]),
  ].join('\n');
}

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Times are of this machine's clock, by which the ledger notes what it does; the chain's may lie years off. */
function parseSince(text: string): Scope {
  if (/^\d{1,15}$/.test(text)) return { sinceBlock: Number(text) };
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return { sinceMs: Date.now() - Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS] };
  const date = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z?)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date))
    throw new InvalidArgumentError('It is neither a block number, nor a time back (90m, 24h, 7d), nor a date (2026-01-31).');
  return { sinceMs: date };
}
