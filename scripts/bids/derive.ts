/**
 * Derives the figures of rivals' bids from the auctions: `node scripts/bids/derive.ts <svr_auctions.csv> [--write]`. The prior of `BID_SHARE=auto` from one
 * half of them, and what the comparison draws rivals from out of the other half. Neither half's rows are part of this repository.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readAuctions } from './auctions.ts';
import { crossValidated, DECADES, LEVELS, quantilesAt, type Widths } from './estimate.ts';
import { HELD_OUT_FILE, heldOutModule, PRIOR_FILE, priorModule } from './modules.ts';

const SPREADS = [0.15, 0.25, 0.4, 0.6, 0.8];
const TRENDS = [0.4, 0.7, 1];
/** The smoothest widths that are as good as the best, but for so much. */
const TOLERANCE = 1.001;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: 'boolean', default: false } } });
const [file] = positionals;
if (file === undefined) {
  console.error('usage: node scripts/bids/derive.ts <svr_auctions.csv> [--write]');
  process.exit(2);
}
const { fitted, heldOut, unusable } = readAuctions(file);
console.log(`${fitted.length} auctions to fit, ${heldOut.length} held out, ${unusable} without a refund or a surplus`);

const tried = SPREADS.flatMap((spread) => TRENDS.map((trend) => ({ spread, trend })))
  .map((widths) => ({ widths, loss: crossValidated(fitted, widths) }))
  .toSorted((a, b) => a.loss - b.loss);
for (const { widths, loss } of tried) console.log(`spread ${widths.spread} trend ${widths.trend}: pinball loss ${loss.toFixed(6)}`);
const good = tried.filter(({ loss }) => loss <= tried[0]!.loss * TOLERANCE);
const { widths } = good.reduce((a, b) => (b.widths.spread > a.widths.spread ? b : a));
console.log(`chosen: spread ${widths.spread}, trend ${widths.trend}`);

const prior = DECADES.map((decade) => ({ decade, sharesBps: quantilesAt(decade, fitted, widths).map(bps) }));
for (const { decade, sharesBps } of prior) console.log(`10^${decade}: ${sharesBps.join(' ')}`);
if (values.write) {
  write(PRIOR_FILE, priorModule(prior, LEVELS, { auctions: fitted.length, ...(widths satisfies Widths) }));
  write(HELD_OUT_FILE, heldOutModule(heldOut));
}

function bps(share: number): number {
  return Math.round(share * 10_000);
}

function write(path: string, text: string): void {
  writeFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), text);
  console.log(`wrote ${path}`);
}
