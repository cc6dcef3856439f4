import type { Depth, FlashSource } from '../liquidity/types.ts';
import type { Option, Regime } from '../protocols/types.ts';
import { repaidRaw } from './evaluate.ts';
import type { Market } from './prospect.ts';
import type { Terms } from './terms.ts';

/**
 * The lenders worth trying: the cheapest of those that can lend for the largest amount, and those that are cheaper still and can lend less. One at the least,
 * which may be none at all where no loan is needed.
 */
export function lendersFor(
  option: Option,
  regimes: readonly Regime[],
  { flashes, venue }: Market,
  depth: Depth,
  terms: Terms,
): readonly (FlashSource | undefined)[] {
  if (option.financing.kind !== 'loan') return [undefined];
  if (flashes.length < 2) return [flashes[0]];
  const [leastRaw, mostRaw] = [repaidRaw(option, regimes[0]!.minRaw), repaidRaw(option, regimes.at(-1)!.maxRaw)];
  const price = venue.spot(option.debtAsset, terms.numeraire, depth) ?? 0;
  const offers = flashes.flatMap((flash) => {
    // Fees are linear in the amount, so one amount says what every one costs.
    for (const amountRaw of [mostRaw, mostRaw / 2n, mostRaw / 8n, leastRaw]) {
      const offer = amountRaw > 0n ? flash.feeRaw(option.debtAsset, amountRaw, []) : undefined;
      if (offer === undefined) continue;
      const feeWei = (Number(offer.feeRaw) * price * Number(mostRaw)) / Number(amountRaw);
      return [{ flash, whole: amountRaw === mostRaw, costWei: feeWei + Number(offer.gasUnits * terms.gasPriceWei) }];
    }
    return [];
  });
  offers.sort((a, b) => a.costWei - b.costWei);
  const cheapest = offers.findIndex(({ whole }) => whole);
  const chosen = offers.slice(0, cheapest < 0 ? offers.length : cheapest + 1).map(({ flash }) => flash);
  return chosen.length > 0 ? chosen : [flashes[0]];
}
