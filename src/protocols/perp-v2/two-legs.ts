/** A takeover whose close no single block allows: the first of two legs, and what both would come to. Pure. */
import { sqrtPriceAtTick } from '../../liquidity/concentrated/tick-math.ts';
import type { FirstLeg, FirstLegLimits } from '../types.ts';
import { quoteClose } from './close.ts';
import { METERS_GAS, REDUCE_GAS } from './exchange.ts';
import { takingOf } from './liquidation.ts';
import { abs, mulDivToZero, WAD } from './math.ts';
import { allowed, type OptionParts, type Target, takingGas, takingSteps, targetsOf } from './options.ts';
import type { Account } from './state.ts';

/** The market's limit is told anew every 15 s: more of its windows than this leave no time before the deadline. */
const MOST_WINDOWS = 3;
/** The mark price may move that much until the first leg is mined. */
const DRIFT_BPS = 100n;
/** What the price may do between the legs has to be earned: a standard deviation of an hour's ten-thousandth part and more, for a minute. */
const RISK_BPS = 25n;
const BPS = 10_000n;
/** Of the largest amount that is allowed. */
const SHARES = [1n, 2n, 4n, 8n];
const CREDIT_PER_USD8 = 10n ** 10n;

/** The most profitable, or undefined where none is or none is allowed. */
export function firstLegOf(account: Account, parts: OptionParts, limits: FirstLegLimits): FirstLeg | undefined {
  const { desk, state } = parts;
  // What the second leg could not close is not taken over; neither is it beside another.
  if (!desk.ok || !desk.idle || desk.lossRaw <= 0n || account.address === desk.margin.executor) return undefined;
  // Cancelling orders changes the pool that the second leg is quoted at.
  if ([...account.places.values()].some(({ orders }) => orders.size > 0)) return undefined;
  const legs = targetsOf(account, parts).flatMap((target) => {
    if (target.place.market.maxTickCrossed === 0) return [];
    const { markWad } = target.liquidable;
    const byRoom = (limits.roomUsd8 * CREDIT_PER_USD8 * WAD) / markWad;
    const byLoss = (((desk.lossRaw * state.settlement.unitWad * BPS) / (BPS + DRIFT_BPS)) * WAD) / markWad;
    const most = [abs(target.largestWad), allowed(target, desk, state), byRoom, byLoss].reduce((a, b) => (b < a ? b : a));
    return SHARES.flatMap((share) => (most / share > 0n ? (legOf(account, target, most / share, parts) ?? []) : []));
  });
  const [best] = legs.toSorted((a, b) => (a.profitWad < b.profitWad ? 1 : -1));
  return best;
}

function legOf(
  account: Account,
  { place, now, liquidable, largestWad }: Target,
  amountRaw: bigint,
  { state, desk }: OptionParts,
): FirstLeg | undefined {
  if (!desk.ok) return undefined;
  const { base, symbol, pool, maxTickCrossed } = place.market;
  const long = largestWad > 0n;
  const close = quoteClose(now, pool, long ? amountRaw : -amountRaw);
  if (close === undefined) return undefined;
  const furthest = sqrtPriceAtTick(pool.tick + (long ? -1 : 1) * MOST_WINDOWS * maxTickCrossed);
  const reached = close.after.curve.sqrtPriceX96;
  if (long ? reached <= furthest : reached >= furthest) return undefined;
  const { notionalWad, discountWad } = takingOf(amountRaw, liquidable, state.rules);
  const madeWad = long ? close.quoteWad - notionalWad + discountWad : notionalWad + discountWad - close.quoteWad;
  const heldWad = abs(mulDivToZero(amountRaw, now.markWad, WAD));
  return {
    ...{ label: `take over ${long ? 'long' : 'short'} ${symbol}, to be closed in parts`, market: base, amountRaw },
    ...{ valueUsd8: heldWad / CREDIT_PER_USD8, profitWad: madeWad - (heldWad * RISK_BPS) / BPS, keepWad: desk.freeWad },
    ...{
      gasUnits: takingGas(account) + METERS_GAS,
      laterGasUnits: BigInt(MOST_WINDOWS) * REDUCE_GAS,
      margin: desk.margin,
      pools: [pool.identity.address],
    },
    // The meter counts what is taken over as lost.
    mostLossRaw: ((heldWad * (BPS + DRIFT_BPS)) / BPS + state.settlement.unitWad) / state.settlement.unitWad,
    steps: takingSteps(account, place, largestWad, amountRaw, state),
  };
}
