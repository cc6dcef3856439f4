/** The two prices that a position rests on, as guards look at them. */
import type { Moment, PriceSource } from '../../oracles/types.ts';
import type { PriceUse } from '../types.ts';
import { PRICE_SCALE } from './math.ts';
import { believed, priceAt } from './oracle.ts';
import type { BlueMarket, BlueState, Oracle, PreLiquidation } from './state.ts';

/**
 * One oracle prices the collateral in the loan token. Both are told for a whole token in 1e-36 raw units of the loan token, which is therefore fixed.
 *
 * @param contracts those that may liquidate the position earlier, each by an oracle of its choice
 * @param now the mirrored block
 */
export function usedPrices(
  { params }: BlueMarket,
  contracts: readonly PreLiquidation[],
  { oracles, tokens }: BlueState,
  now: Moment,
): readonly PriceUse[] {
  const { loanToken, collateralToken } = params;
  const [loan, collateral, oracle] = [tokens.get(loanToken), tokens.get(collateralToken), oracles.get(params.oracle)];
  if (loan === undefined || collateral === undefined || oracle === undefined) return [];
  const others = contracts.map(({ params: { oracle: address } }) => address).filter((address) => address !== params.oracle);
  const used = [oracle, ...Array.from(new Set(others), (address) => oracles.get(address)!)];
  const whole = (decimals: number) => 10n ** BigInt(decimals);
  return [
    ...used.map(
      (one): PriceUse => ({
        ...{ asset: collateralToken, side: 'collateral', decimals: collateral.decimals },
        source: sourceOf(one, whole(collateral.decimals), now),
      }),
    ),
    {
      ...{ asset: loanToken, side: 'debt', decimals: loan.decimals },
      source: {
        ...{ kind: 'fixed', address: oracle.address, feeds: [] },
        price: (at) => ({ ok: true, price: PRICE_SCALE * whole(loan.decimals), updatedAt: at.timestamp }),
      },
    },
  ];
}

function sourceOf(oracle: Oracle, wholeRaw: bigint, now: Moment): PriceSource {
  const { address } = oracle;
  const decoded = believed(oracle, now);
  return {
    ...{ kind: decoded === undefined ? 'opaque' : 'cross', address, feeds: decoded?.feeds ?? [] },
    price: (at) => {
      const price = priceAt(oracle, at, now);
      if (price === undefined) return { ok: false, reason: `oracle ${address} does not answer` };
      return { ok: true, price: price * wholeRaw, updatedAt: at.timestamp };
    },
  };
}
