import type { DemoSummary } from './summary.ts';

/** The summary for people. */
export function printSummary(summary: DemoSummary, out: NodeJS.WritableStream): void {
  const rows: (readonly string[])[] = [
    ['update', 'block', 'liquidatable', 'profitable', 'liquidated in its block', 'in the next'],
    ...summary.updates.map((update) => [
      update.title,
      String(update.block),
      String(update.liquidatable),
      update.untried === 0 ? String(update.profitable) : `${update.profitable} of ${update.liquidatable - update.untried} tried`,
      String(update.liquidatedSameBlock),
      String(update.liquidatedNextBlock),
    ]),
  ];
  const table = aligned(rows);
  const { lagMs } = summary;
  const left = crowded(summary).length === 0 ? '' : ', or left for later in blocks that were full';
  const delays = Object.entries(summary.blocksAfterUpdate).map(([blocks, count]) => `${count} after ${blocks}`);
  const skipped = Object.entries(summary.skipped).map(([reason, count]) => `${reason} ${count}`);
  const lines = [
    '',
    ...table,
    '',
    ...protocols(summary),
    '',
    ...takeovers(summary),
    `  positions    ${summary.liquidatable} liquidatable by the chain's own views, ${summary.profitable} of them worth it by the lens, ${summary.liquidated} liquidated`,
    `  left alone   ${skipped.join(', ') || 'none'}`,
    `  blocks       ${delays.join(', ') || 'none'}`,
    ...crowded(summary),
    `  speed        a block decided ${lagMs.p50.toFixed(0)} ms after it came (p50), ${lagMs.p99.toFixed(0)} ms (p99); ${lagMs.late} of ${lagMs.blocks} took longer than a slot`,
    `  money        profit ${dollars(summary.profitUsd)} USD after gas ${dollars(summary.gasUsd)} and bids ${dollars(summary.bidUsd)}`,
    `  ledger       ${summary.ledgerEqualsChain ? 'equals the chain to the wei' : 'DIFFERS from the chain'}`,
    ...summary.shortfalls.map((line) => `  short        ${line}`),
    `  ${summary.ok ? `ok: all that paid was won in the block of its update or in the next${left}` : 'NOT ok'}`,
    '',
  ];
  out.write(`${lines.join('\n')}\n`);
}

function crowded({ updates }: DemoSummary): string[] {
  const crowdedOut = updates.reduce((sum, update) => sum + update.crowdedOut, 0);
  return crowdedOut === 0 ? [] : [`  crowded out  ${crowdedOut}, each by name, in blocks that were full`];
}

function protocols({ protocols }: DemoSummary): string[] {
  return aligned([
    ['protocol', 'liquidatable', 'profitable', 'liquidated', 'profit USD'],
    ...Object.entries(protocols).map(([name, one]) => [
      ...[name, String(one.liquidatable), String(one.profitable), String(one.liquidated), dollars(one.profitUsd)],
    ]),
  ]);
}

function takeovers({ takeovers: all }: DemoSummary): string[] {
  if (all.length === 0) return [];
  const rows = all.map(({ account, block, takenUsd, discountUsd, closedUsd, madeUsd }) => [
    ...[account.slice(0, 10), String(block), takenUsd, discountUsd, closedUsd ?? 'later', madeUsd ?? '-'],
  ]);
  return [...aligned([['perp position', 'block', 'taken over USD', 'discount', 'closed for USD', 'made'], ...rows]), ''];
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map(
    (row) => `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')}`,
  );
}

function dollars(text: string): string {
  const [whole = '0', fraction = ''] = text.split('.');
  return `${whole}.${fraction.padEnd(2, '0').slice(0, 2)}`;
}
