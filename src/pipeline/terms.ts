import type { Surcharge } from '../chain/rollup.ts';
import { LEAST_TIP_WEI, most } from '../execution/fees.ts';
import type { Address, Head } from '../lib/types.ts';
import { usd8ToWeiUp } from '../lib/usd.ts';
import type { Moment, UsdPrices } from '../oracles/types.ts';
import type { BidBook } from '../strategy/bids/book.ts';
import { autoBid, fixedBid } from '../strategy/bids/policy.ts';
import type { GasUse } from '../strategy/gas.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Settings } from './settings.ts';

/** EIP-7825: most gas that one transaction may ask for. */
const MAX_TRANSACTION_GAS = 16_777_216n;
/** Stands in for the Executor in plans that are only shown. */
const NOBODY: Address = '0x000000000000000000000000000000000000dead';

type Pricing = { readonly usd: UsdPrices; readonly surcharge: Surcharge; readonly gasUse: GasUse };

/** The block's terms, or undefined when the native token has no USD price: then no profit can be told. */
export function termsAt(
  settings: Settings,
  { usd, surcharge, gasUse }: Pricing,
  head: Head,
  at: Moment,
  tipWei: bigint,
  own: BidBook,
): Terms | undefined {
  const native = usd.usd8(settings.wrappedNative, at);
  if (native === undefined || native.priceUsd8 <= 0n) return undefined;
  const { bidShare, minProfitUsd8 } = settings;
  const { allowTokens, denyTokens } = settings.limits;
  return {
    executor: settings.executor ?? NOBODY,
    numeraire: settings.wrappedNative,
    numeraireUsd8: native.priceUsd8,
    gasPriceWei: at.baseFeeWei + tipWei,
    // In the public mempool all is taken for its tip; there nobody is bid anything.
    ...(bidShare === 0 ? {} : { unbidGasPriceWei: at.baseFeeWei + most(tipWei, LEAST_TIP_WEI) }),
    surcharge,
    gasUse,
    minProfitUsd8,
    bid: bidShare === 'auto' ? autoBid(own, native.priceUsd8, usd8ToWeiUp(minProfitUsd8, native.priceUsd8)) : fixedBid(bidShare),
    maxPositionUsd8: settings.limits.maxPositionUsd8,
    tokenAllowed: (token) => !denyTokens.has(token) && (allowTokens === undefined || allowTokens.has(token)),
    maxTransactionGas: head.gasLimit < MAX_TRANSACTION_GAS ? head.gasLimit : MAX_TRANSACTION_GAS,
    maxBlockGas: head.gasLimit,
  };
}
