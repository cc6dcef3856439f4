/** The two prices that a position rests on, as guards look at them. */
import type { Moment } from '../../oracles/types.ts';
import type { PriceUse } from '../types.ts';
import { PRICE_SCALE } from './math.ts';
import { believed, priceAt } from './oracle.ts';
import type { BlueMarket, BlueState } from './state.ts';

/**
 * One oracle prices the collateral in the loan token. Both are told for a whole token in 1e-36 raw units of the loan token, which is therefore fixed.
 *
 * @param now the mirrored block
 */
export function usedPrices({ params }: BlueMarket, { oracles, tokens }: BlueState, now: Moment): readonly PriceUse[] {
  const { loanToken, collateralToken } = params;
  const [loan, collateral, oracle] = [tokens.get(loanToken), tokens.get(collateralToken), oracles.get(params.oracle)];
  if (loan === undefined || collateral === undefined || oracle === undefined) return [];
  const { address } = oracle;
  const decoded = believed(oracle, now);
  const whole = (decimals: number) => 10n ** BigInt(decimals);
  return [
    {
      ...{ asset: collateralToken, side: 'collateral', decimals: collateral.decimals },
      source: {
        ...{ kind: decoded === undefined ? 'opaque' : 'cross', address, feeds: decoded?.feeds ?? [] },
        price: (at) => {
          const price = priceAt(oracle, at, now);
          if (price === undefined) return { ok: false, reason: `oracle ${address} does not answer` };
          return { ok: true, price: price * whole(collateral.decimals), updatedAt: at.timestamp };
        },
      },
    },
    {
      ...{ asset: loanToken, side: 'debt', decimals: loan.decimals },
      source: {
        ...{ kind: 'fixed', address, feeds: [] },
        price: (at) => ({ ok: true, price: PRICE_SCALE * whole(loan.decimals), updatedAt: at.timestamp }),
      },
    },
  ];
}
