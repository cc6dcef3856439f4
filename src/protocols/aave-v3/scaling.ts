/** How a release's tokens turn amounts into scaled balances and back, and what a log says of them. */
import { divUp, RAY, rayDivDown, rayDivHalfUp, rayDivUp, rayMulDown, rayMulHalfUp, rayMulUp } from '../../lib/math.ts';

/** A token's Mint or Burn: `valueRaw` as the event has it, below zero for a Burn. */
export type BalanceChange = { readonly valueRaw: bigint; readonly interestRaw: bigint; readonly indexRay: bigint };

export type Scaling = {
  /** What a scaled aToken balance is worth at an index. */
  suppliedRaw(scaled: bigint, indexRay: bigint): bigint;
  /** What a scaled debt comes to at an index. */
  owedRaw(scaled: bigint, indexRay: bigint): bigint;
  suppliedAfter(scaled: bigint, change: BalanceChange): bigint;
  owedAfter(scaled: bigint, change: BalanceChange): bigint;
  /** Scaled units that a burn of this amount takes; the tokens refuse to burn 0. */
  suppliedBurn(amountRaw: bigint, indexRay: bigint): bigint;
  owedBurn(amountRaw: bigint, indexRay: bigint): bigint;
  /** Least amount with an `owedBurn` above 0. */
  leastOwedBurnRaw(indexRay: bigint): bigint;
};

/**
 * TokenMath, 3.5 and later: balances round down, debts up. A Mint or Burn tells how far the balance moved from the one at the holder's last
 * index, and by how much interest that one lags behind; so
 *   balance now = balance at this index before - interest +- value,
 * and since an index is at least one, a single scaled balance rounds to it: the least one for a balance, the greatest for a debt.
 */
export const DIRECTED: Scaling = {
  suppliedRaw: rayMulDown,
  owedRaw: rayMulUp,
  suppliedAfter: (scaled, { valueRaw, interestRaw, indexRay }) => rayDivUp(rayMulDown(scaled, indexRay) - interestRaw + valueRaw, indexRay),
  owedAfter: (scaled, { valueRaw, interestRaw, indexRay }) => rayDivDown(rayMulUp(scaled, indexRay) - interestRaw + valueRaw, indexRay),
  suppliedBurn: rayDivUp,
  owedBurn: rayDivDown,
  leastOwedBurnRaw: (indexRay) => divUp(indexRay, RAY),
};

/** ScaledBalanceTokenBase before 3.5: half up both ways. The amount that was asked for is the event's value without the interest. */
export const HALF_UP: Scaling = {
  suppliedRaw: rayMulHalfUp,
  owedRaw: rayMulHalfUp,
  suppliedAfter: movedBy,
  owedAfter: movedBy,
  suppliedBurn: rayDivHalfUp,
  owedBurn: rayDivHalfUp,
  leastOwedBurnRaw: (indexRay) => divUp(indexRay - indexRay / 2n, RAY),
};

function movedBy(scaled: bigint, { valueRaw, interestRaw, indexRay }: BalanceChange): bigint {
  const amountRaw = valueRaw - interestRaw;
  return amountRaw < 0n ? scaled - rayDivHalfUp(-amountRaw, indexRay) : scaled + rayDivHalfUp(amountRaw, indexRay);
}
