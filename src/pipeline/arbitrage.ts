/** Pools as traders leave them who sell wherever a pool pays more than the oracle's price. Pure. */
import type { Address } from '../lib/types.ts';
import { rawToUsd8Floor } from '../lib/usd.ts';
import type { Depth, Exchange } from '../liquidity/types.ts';
import type { Moment, UsdPrices } from '../oracles/types.ts';

/** Sold to learn what a pool pays: enough to be no rounding, too little to move it. */
const PROBE_USD8 = 10_00000000n;
/** What is sold at once moves no price by more. */
const GENTLE_PPM = 1_000n;
const PPM = 1_000_000n;
/** A price that falls by nine tenths takes about two and a half thousand bits. */
const MOST_BITS = 10_000;

type Priced = { readonly token: Address; readonly priceUsd8: bigint; readonly decimals: number };

/** @param moved tokens whose price has moved: their pools are those to bring in line */
export function arbitraged(venue: Exchange, usd: UsdPrices, tokens: readonly Address[], moved: ReadonlySet<Address>, at: Moment): Depth {
  const priced = tokens.flatMap((token): readonly Priced[] => {
    const price = usd.usd8(token, at);
    return price === undefined || price.priceUsd8 <= 0n ? [] : [{ token, ...price }];
  });
  let after = venue.depth(at);
  for (const sold of priced)
    for (const bought of priced)
      if (sold !== bought && (moved.has(sold.token) || moved.has(bought.token))) after = sellDown(venue, sold, bought, after);
  return after;
}

/**
 * Sells as long as the pools pay more than it is worth, their fee counted: bit by bit, since each bit takes the way that pays best then, and a large one would
 * leave the way that it took far below the others.
 */
function sellDown(venue: Exchange, sold: Priced, bought: Priced, depth: Depth): Depth {
  const probeRaw = (PROBE_USD8 * 10n ** BigInt(sold.decimals)) / sold.priceUsd8;
  let after = depth;
  let bitRaw = probeRaw;
  for (let bit = 0; probeRaw > 0n && bit < MOST_BITS; bit++) {
    const probe = venue.quoteIn(sold.token, bought.token, probeRaw, after);
    if (!probe.ok || rawToUsd8Floor(probe.amountOutRaw, bought) <= PROBE_USD8) break;
    const fill = bitRaw === probeRaw ? probe : venue.quoteIn(sold.token, bought.token, bitRaw, after);
    const gentle = fill.ok && fill.amountOutRaw * probeRaw * PPM >= probe.amountOutRaw * bitRaw * (PPM - GENTLE_PPM);
    if (gentle || bitRaw === probeRaw) after = after.after(gentle ? fill : probe);
    if (gentle) bitRaw *= 2n;
    else bitRaw = bitRaw / 2n > probeRaw ? bitRaw / 2n : probeRaw;
  }
  return after;
}
