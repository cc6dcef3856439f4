/** Aave v3 liquidations won in Chainlink SVR auctions on Ethereum: one row is one winner's transaction. */
import { readFileSync } from 'node:fs';

/** What an auction was about, in USD, and what its winner paid for it. */
export type Auction = {
  /** Gross profit less gas: what the bid is a share of. */
  readonly surplusUsd: number;
  /** The winner's whole payment as a share of that; above 1 it lost money. */
  readonly share: number;
};
export type Halves = { readonly fitted: readonly Auction[]; readonly heldOut: readonly Auction[]; readonly unusable: number };

/** The feed's owner is refunded this part of the winning bid; the builder keeps the rest. */
const REFUNDED = 0.9;
/**
 * NOTE: a tenth of the winners pay by priority fee, and then the gas column holds the bid once more (its ratio to refund / 0.9 is 1.00 for almost all
 * of them). From here on the gas is taken to hold it.
 */
const GAS_HOLDS_BID = 0.99;
const COLUMNS = ['block', 'gross_usd', 'bid_eth', 'gas_eth', 'eth_usd'] as const;

/** Reads `block,…,gross_usd,bid_eth,gas_eth,eth_usd,…`; rows without a refund, or whose gas takes the whole gross, are counted and left out. */
export function readAuctions(file: string): Halves {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const names = header.trim().split(',');
  const places = COLUMNS.map((name) => names.indexOf(name));
  if (places.includes(-1)) throw new Error(`${file}: expected the columns ${COLUMNS.join(', ')}`);
  const fitted: Auction[] = [];
  const heldOut: Auction[] = [];
  let unusable = 0;
  for (const line of lines) {
    const fields = line.trim().split(',');
    const [block, gross, refund, gas, price] = places.map((place) => Number.parseFloat(fields[place] ?? '')) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const paidUsd = (refund * price) / REFUNDED;
    const gasUsd = gas * price >= GAS_HOLDS_BID * paidUsd ? Math.max(0, gas * price - paidUsd) : gas * price;
    const surplusUsd = gross - gasUsd;
    if (!(surplusUsd > 0 && paidUsd > 0)) unusable++;
    else (isHeldOut(block) ? heldOut : fitted).push({ surplusUsd, share: paidUsd / surplusUsd });
  }
  return { fitted, heldOut, unusable };
}

/** The split: by the lowest bit of FNV-1a (32 bits) of the decimal block number, so that auctions of one block stay together. */
function isHeldOut(block: number): boolean {
  let hash = 0x811c9dc5;
  for (const character of String(block)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return (hash & 1) === 1;
}
