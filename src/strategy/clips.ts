/** What pools take of a token at once, and a child order that sells so much of it. Pure. */
import { BPS } from '../lib/math.ts';
import type { Address } from '../lib/types.ts';
import { weiToUsd8Floor } from '../lib/usd.ts';
import type { Depth, Exchange, Fill } from '../liquidity/types.ts';
import type { Margin } from '../protocols/types.ts';
import { INVENTORY } from '../risk/types.ts';
import { unbidGasWeiOf } from './evaluate.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Plan } from './types.ts';

/** What a child order may lose against the price before any impact; and where a stop sells as fast as it can. */
export const CLIP_LOSS_BPS = 50n;
export const STOP_LOSS_CLIP_BPS = 500n;
/** Gas is no more of a child order than this, where there is so much to sell. */
const GAS_SHARE_BPS = 100n;
/** Pools may move so far against it before it reverts. */
const SLACK_BPS = 100n;
const STOP_SLACK_BPS = 300n;
/** Of the amount, to which it is measured. */
const HALVINGS = 7;
/** No slot of a protocol's. */
const NO_SLOT = -1;

/** The largest part of an amount that is sold at no more than this loss, and no less than what pays its gas; undefined where nobody takes any. */
export function clipOf(venue: Exchange, token: Address, heldRaw: bigint, lossBps: bigint, depth: Depth, terms: Terms): Fill | undefined {
  const spot = venue.spot(token, terms.numeraire, depth);
  if (!spot || heldRaw <= 0n) return undefined;
  const quote = (amountRaw: bigint): Fill | undefined => {
    const fill = amountRaw > 0n ? venue.quoteIn(token, terms.numeraire, amountRaw, depth) : undefined;
    return fill?.ok ? fill : undefined;
  };
  const leastPer = spot * (1 - Number(lossBps) / Number(BPS));
  const isCheap = (fill: Fill | undefined) => fill !== undefined && Number(fill.amountOutRaw) >= Number(fill.amountInRaw) * leastPer;
  const whole = quote(heldRaw);
  if (isCheap(whole)) return whole;
  let [fits, exceeds] = [0n, heldRaw];
  let best: Fill | undefined;
  // A part may be very small: the first one that fits is looked for by powers of two, and then made more exact.
  for (let part = heldRaw / 2n, found = 0; part > 0n && found < HALVINGS; ) {
    const fill = quote(part);
    if (isCheap(fill)) {
      best = fill;
      fits = part;
      found++;
    } else {
      exceeds = part;
      if (best !== undefined) found++;
    }
    part = best === undefined ? exceeds / 2n : (fits + exceeds) / 2n;
    if (part === fits) break;
  }
  const gasWei = childGasWei(best ?? whole, terms);
  const payingRaw = BigInt(Math.ceil(Number((gasWei * BPS) / GAS_SHARE_BPS) / spot));
  if (payingRaw <= fits) return best;
  return payingRaw >= heldRaw ? whole : quote(payingRaw);
}

/** Of a child order; about as much where its swap is not known. */
export function childGasWei(fill: Fill | undefined, terms: Terms): bigint {
  return unbidGasWeiOf(TRANSACTION_GAS + GROUP_GAS + (fill?.gasUnits ?? GROUP_GAS), terms);
}

export type ChildOrder = {
  readonly token: Address;
  readonly symbol: string;
  readonly amountRaw: bigint;
  /** At the loss that a stop accepts. */
  readonly urgent: boolean;
  readonly sinceBlock: number;
  /** The Executor that has it, and what else it has: nothing of that may be on the way. */
  readonly inventory: Address;
  readonly held: readonly Address[];
};

/** Undefined where nobody takes so much. */
export function childPlan(order: ChildOrder, venue: Exchange, depth: Depth, terms: Terms): { plan: Plan; after: Depth } | undefined {
  const { token, amountRaw, inventory, held } = order;
  // NOTE: between two swaps a token is sold by the Executor's balance of it.
  const crosses = (fill: Fill) => fill.path.slice(1, -1).some((between) => held.includes(between));
  let [by, fill] = [venue, venue.quoteIn(token, terms.numeraire, amountRaw, depth)];
  if (fill.ok && crosses(fill) && venue.direct !== undefined)
    [by, fill] = [venue.direct, venue.direct.quoteIn(token, terms.numeraire, amountRaw, depth)];
  if (!fill.ok || crosses(fill)) return undefined;
  const { amountOutRaw } = fill;
  const gasUnits = TRANSACTION_GAS + GROUP_GAS + fill.gasUnits;
  const plan: Plan = {
    candidate: {
      ...{ protocol: INVENTORY, market: order.symbol, aliases: [], deployment: INVENTORY, slot: NO_SLOT, account: token },
      ...{ healthFactorWad: 0n, sinceBlock: order.sinceBlock },
    },
    ...{ option: order.urgent ? 'child order, stopped' : 'child order', debtAsset: token, collateralAsset: terms.numeraire },
    ...{ repayRaw: amountRaw, seizedRaw: amountOutRaw, route: fill.label, pools: fill.pools, flash: 'none', flashFeeRaw: 0n },
    steps: by.steps(fill, 'planned', inventory),
    margin: aloneIn(inventory, terms),
    leg: { kind: 'second', leastRaw: (amountOutRaw * (BPS - (order.urgent ? STOP_SLACK_BPS : SLACK_BPS))) / BPS },
    sweep: fill.path.slice(1, -1),
    ...{ grossWei: amountOutRaw, gasUnits, gasWei: unbidGasWeiOf(gasUnits, terms), bidWei: 0n, profitWei: 0n, profitUsd8: 0n },
    repayUsd8: (amountOutRaw * terms.numeraireUsd8) / 10n ** 18n,
  };
  return { plan, after: depth.after(fill) };
}

/** How far below the oracle's price `spot` is, wei for a raw unit. */
export function discountOf(
  spot: number,
  { priceUsd8, decimals }: { readonly priceUsd8: bigint; readonly decimals: number },
  terms: Terms,
): bigint {
  const wholeUsd8 = weiToUsd8Floor(BigInt(Math.round(spot * 10 ** decimals)), terms.numeraireUsd8);
  return ((priceUsd8 - wholeUsd8) * BPS) / priceUsd8;
}

/** A plan that goes by itself in this Executor, is counted in wrapped native, and bids nothing. */
export function aloneIn(executor: Address, { numeraire, numeraireUsd8 }: Terms): Margin {
  return { executor, credit: numeraire, creditUsd8: numeraireUsd8, settlement: numeraire, unitWad: 1n, release: () => [] };
}
