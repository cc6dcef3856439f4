/**
 * Derives the figures of rivals' bids from the auctions: `node scripts/bids/derive.ts <svr_auctions.csv> [--write]`. The prior of `BID_SHARE=auto` from one
 * half of them, and what the comparison draws rivals from out of the other half. Neither half's rows are part of this repository.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Auction, readAuctions } from './auctions.ts';
import { DECADES, sharesAt } from './estimate.ts';
import { type Figures, HELD_OUT_FILE, heldOutModule, PRIOR_FILE, priorModule } from './modules.ts';

/** Rivals are drawn between these. */
const FINE_DECADES = Array.from({ length: 21 }, (_, index) => 1 + index / 4);

const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: 'boolean', default: false } } });
const [file] = positionals;
if (file === undefined) {
  console.error('usage: node scripts/bids/derive.ts <svr_auctions.csv> [--write]');
  process.exit(2);
}
const { fitted, heldOut, unusable } = readAuctions(file);
console.log(`${fitted.length} auctions to fit, ${heldOut.length} held out, ${unusable} without a refund or a surplus`);

const prior = figures(fitted, DECADES);
for (const { decade, sharesBps } of prior) console.log(`10^${decade}: ${sharesBps.join(' ')}`);
if (values.write) {
  write(PRIOR_FILE, priorModule(prior, fitted.length));
  write(HELD_OUT_FILE, heldOutModule(heldOut, figures(heldOut, FINE_DECADES)));
}

function figures(auctions: readonly Auction[], decades: readonly number[]): Figures {
  return decades.map((decade) => ({ decade, sharesBps: sharesAt(decade, auctions).map(bps) }));
}

function bps(share: number): number {
  return Math.round(share * 10_000);
}

function write(path: string, text: string): void {
  writeFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), text);
  console.log(`wrote ${path}`);
}
