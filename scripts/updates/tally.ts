import type { DemoSummary } from '../demo/summary.ts';

/** Of what paid, in percent, that has to land in its update's own block. */
const SAME_BLOCK_PERCENT = 99;

export type Tally = {
  readonly ok: boolean;
  readonly updates: number;
  readonly blocks: number;
  readonly liquidatable: number;
  readonly profitable: number;
  readonly sameBlock: number;
  readonly nextBlock: number;
  readonly later: number;
  readonly reverted: number;
  readonly ledgerEqualsChain: boolean;
  readonly ways: Readonly<Record<string, { readonly profitable: number; readonly sameBlock: number; readonly nextBlock: number }>>;
  /** What did not all land in its update's own block. */
  readonly late: readonly { readonly title: string; readonly block: number; readonly profitable: number; readonly sameBlock: number }[];
  readonly shortfalls: readonly string[];
};

/** The same position counts with each update that leaves it worth liquidating. */
export function tally({ updates, liquidatable, reverted, ledgerEqualsChain, shortfalls }: DemoSummary): Tally {
  const ways: Record<string, { profitable: number; sameBlock: number; nextBlock: number }> = {};
  for (const update of updates) {
    const way = /^\d+ (.*),/.exec(update.title)?.[1] ?? update.title;
    ways[way] ??= { profitable: 0, sameBlock: 0, nextBlock: 0 };
    ways[way].profitable += update.profitable;
    ways[way].sameBlock += update.liquidatedSameBlock;
    ways[way].nextBlock += update.liquidatedNextBlock;
  }
  const sum = (of: 'profitable' | 'sameBlock' | 'nextBlock') => Object.values(ways).reduce((total, way) => total + way[of], 0);
  const [profitable, sameBlock, nextBlock] = [sum('profitable'), sum('sameBlock'), sum('nextBlock')];
  const later = profitable - sameBlock - nextBlock;
  const late = updates
    .filter((update) => update.liquidatedSameBlock < update.profitable)
    .map(({ title, block, profitable: paid, liquidatedSameBlock }) => ({ title, block, profitable: paid, sameBlock: liquidatedSameBlock }));
  const enough = sameBlock * 100 >= profitable * SAME_BLOCK_PERCENT;
  return {
    ok: profitable > 0 && enough && later === 0 && reverted === 0 && ledgerEqualsChain,
    updates: updates.reduce((count, { transactions }) => count + transactions, 0),
    blocks: updates.length,
    ...{ liquidatable, profitable, sameBlock, nextBlock, later, reverted, ledgerEqualsChain, ways, late, shortfalls },
  };
}

export function printTally(figures: Tally, out: NodeJS.WritableStream): void {
  const rows = [
    ['updates', 'worth it', 'in its block', 'in the next'],
    ...Object.entries(figures.ways).map(([way, one]) => [way, one.profitable, one.sameBlock, one.nextBlock].map(String)),
    ['all', figures.profitable, figures.sameBlock, figures.nextBlock].map(String),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const table = rows.map(
    (row) => `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')}`,
  );
  const lines = [
    '',
    ...table,
    '',
    `  ${figures.updates} updates in ${figures.blocks} blocks; ${figures.liquidatable} positions liquidatable by the chain's own views`,
    `  ${figures.reverted} of our transactions mined in vain; the ledger ${figures.ledgerEqualsChain ? 'equals the chain to the wei' : 'DIFFERS from the chain'}`,
    ...figures.late.map((one) => `  late   ${one.title}, block ${one.block}: ${one.sameBlock} of ${one.profitable} in its own block`),
    ...figures.shortfalls.map((line) => `  short  ${line}`),
    `  ${figures.ok ? 'ok' : 'NOT ok'}`,
    '',
  ];
  out.write(`${lines.join('\n')}\n`);
}
