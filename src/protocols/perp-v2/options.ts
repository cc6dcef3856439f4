/** The ways to liquidate an account's positions: each is taken over at the mark price with a discount, and closed at the pool. */
import { encodeFunctionData, parseAbi } from 'viem';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import { usdText } from '../../lib/usd.ts';
import { Depths } from '../../liquidity/exchanges.ts';
import type { Depth } from '../../liquidity/types.ts';
import type { Margin, Option, Refusal } from '../types.ts';
import { baseOfOrder } from './close.ts';
import { askedRaw, saleOf } from './collateral.ts';
import type { Desk, NoDesk } from './desk.ts';
import type { PerpExchange } from './exchange.ts';
import type { Lens, MarketNow } from './lens.ts';
import { amountBorne, amountWithin, type Liquidable, largestSize, takingOf } from './liquidation.ts';
import { abs, fundingPayment, mulDivToZero, WAD } from './math.ts';
import { type Account, isDust, type Order, type PerpState, type Place } from './state.ts';

const houseAbi = parseAbi([
  'function liquidate(address trader, address baseToken, int256 positionSize)',
  'function cancelAllExcessOrders(address maker, address baseToken)',
]);
const vaultAbi = parseAbi([
  'function liquidateCollateral(address trader, address token, uint256 amount, bool isDenominatedInSettlementToken)',
]);
/** Vault.liquidateCollateral (measured on the devnet). */
const PURCHASE_GAS = 900_000n;
/** ClearingHouse.liquidate with the withdrawal of the profit, what each market that the account is in adds, and the cancelling of an order (measured on the devnet). */
const LIQUIDATE_GAS = 1_000_000n;
const MARKET_GAS = 900_000n;
const CANCEL_GAS = 900_000n;

export type OptionParts = {
  readonly state: PerpState;
  readonly lens: Lens;
  readonly exchange: PerpExchange;
  /** Whose margin takes positions over. */
  readonly desk: Desk | NoDesk;
};

/** A position that may be taken over, `largestWad` of it at most. */
export type Target = { readonly place: Place; readonly now: MarketNow; readonly liquidable: Liquidable; readonly largestWad: bigint };

export function optionsOf(account: Account, parts: OptionParts): Option[] {
  return [...takeovers(account, parts), ...purchases(account, parts)];
}

/** Collateral at a discount, for settlement tokens that a flash loan brings. */
function purchases(account: Account, { state, lens }: OptionParts): Option[] {
  const { vault, settlement } = state.contracts;
  return [...account.collateral.keys()].flatMap((token) => {
    const sale = saleOf(account, token, state, lens);
    const maxRaw = sale === undefined ? 0n : askedRaw(sale.maxRepaidRaw);
    if (sale === undefined || maxRaw === 0n) return [];
    return [
      {
        label: `${state.settlement.symbol}/${sale.known.symbol}`,
        debtAsset: settlement,
        collateralAsset: token,
        regimes: [{ minRaw: 1n, maxRaw }],
        gasUnits: PURCHASE_GAS,
        financing: { kind: 'loan' } as const,
        flow: (amountRaw: bigint) => [
          { asset: settlement, deltaRaw: -amountRaw },
          { asset: token, deltaRaw: sale.boughtFor(amountRaw) },
        ],
        steps: (amountRaw: bigint, exchange: readonly Step[]): readonly Step[] => [
          { kind: 'approve', token: settlement, spender: vault, amountRaw },
          {
            ...{ kind: 'call', target: vault, valueWei: 0n },
            // What is paid is fixed; what it buys follows the price.
            data: encodeFunctionData({
              abi: vaultAbi,
              functionName: 'liquidateCollateral',
              args: [account.address, token, amountRaw, true],
            }),
          },
          ...exchange,
        ],
      },
    ];
  });
}

function takeovers(account: Account, parts: OptionParts): Option[] {
  const { state, desk } = parts;
  if (!desk.ok || !desk.idle) return [];
  return targetsOf(account, parts).flatMap((target) => {
    const maxRaw = leastOf(abs(target.largestWad), allowed(target, desk, state));
    return maxRaw > 0n ? [takeover(account, target, maxRaw, desk.margin, parts)] : [];
  });
}

/** Why none of the account's positions can be taken over, though one is liquidatable. */
export function refusalOf(account: Account, parts: OptionParts): Refusal | undefined {
  const { state, desk } = parts;
  if (account.places.size === 0) return undefined;
  if (!desk.ok) return { reason: 'no-margin', figures: { cause: desk.cause } };
  if (!desk.idle) return { reason: 'margin-in-use', figures: { executor: desk.margin.executor } };
  const [target] = targetsOf(account, parts).sort((a, b) => (notionalOf(a) < notionalOf(b) ? 1 : -1));
  if (target === undefined) return undefined;
  const { liquidable } = target;
  const notionalWad = notionalOf(target);
  if (amountWithin(desk.freeWad, liquidable.markWad, state.rules) === 0n) {
    const neededWad = (notionalWad * state.rules.imPips) / 1_000_000n;
    return {
      reason: 'no-margin',
      figures: { neededWad: String(neededWad), freeWad: String(desk.freeWad), notionalWad: String(notionalWad) },
    };
  }
  const figures = { valueWad: String(liquidable.valueWad), fundRaw: String(state.fund.capacityRaw), notionalWad: String(notionalWad) };
  return { reason: 'insurance-fund-short', figures };
}

function notionalOf({ largestWad, liquidable }: Target): bigint {
  return abs(mulDivToZero(largestWad, liquidable.markWad, WAD));
}

/** The positions that may be taken over at this moment, as they are once the account's orders are cancelled. */
export function targetsOf(account: Account, { lens }: OptionParts): Target[] {
  const standing = lens.standing(account);
  if (!standing.ok || standing.valueWad >= standing.requirementWad) return [];
  const found: { place: Place; now: MarketNow; sizeWad: bigint }[] = [];
  for (const place of account.places.values()) {
    const now = lens.market(place.market);
    // What one market is worth counts for every other.
    if (typeof now === 'string') return [];
    const sizeWad = sizeAfterCancelling(place);
    found.push({ place, now, sizeWad: isDust(sizeWad) ? 0n : sizeWad });
  }
  const exposureWad = found.reduce((sum, { sizeWad, now }) => sum + abs(mulDivToZero(sizeWad, now.markWad, WAD)), 0n);
  return found.flatMap(({ place, now, sizeWad }) => {
    const { valueWad, requirementWad } = standing;
    const liquidable = { sizeWad, markWad: now.markWad, valueWad, requirementWad, exposureWad };
    const largestWad = largestSize(liquidable);
    return largestWad === 0n ? [] : [{ place, now, liquidable, largestWad }];
  });
}

function sizeAfterCancelling({ sizeWad, orders, market }: Place): bigint {
  let size = sizeWad;
  for (const order of orders.values()) size += baseOfOrder(market.pool, order);
  return size;
}

/** As much as our margin and the insurance fund bear. */
export function allowed({ liquidable }: Target, { freeWad }: Desk, { rules, fund, settlement }: PerpState): bigint {
  const byMargin = amountWithin(freeWad, liquidable.markWad, rules);
  const byFund = amountBorne(fund.capacityRaw * settlement.unitWad, liquidable, rules);
  return leastOf(byMargin, byFund);
}

function takeover(
  account: Account,
  { place, now, liquidable, largestWad }: Target,
  maxRaw: bigint,
  margin: Margin,
  { state, exchange }: OptionParts,
): Option {
  const { quote } = state.contracts;
  const { base, symbol } = place.market;
  const long = largestWad > 0n;
  const orders = ordersOf(account);
  return {
    label: `take over ${long ? 'long' : 'short'} ${symbol}`,
    debtAsset: long ? quote : base,
    collateralAsset: long ? base : quote,
    regimes: [{ minRaw: 1n, maxRaw }],
    gasUnits: takingGas(account),
    financing: { kind: 'margin', margin, debtUsd8: long ? margin.creditUsd8 : (margin.creditUsd8 * now.markWad) / WAD },
    flow: (amountRaw) => {
      const { notionalWad, discountWad } = takingOf(amountRaw, liquidable, state.rules);
      return long
        ? [
            { asset: quote, deltaRaw: discountWad - notionalWad },
            { asset: base, deltaRaw: amountRaw },
          ]
        : [
            { asset: base, deltaRaw: -amountRaw },
            { asset: quote, deltaRaw: notionalWad + discountWad },
          ];
    },
    told(amountRaw, grossWad) {
      const { discountWad } = takingOf(amountRaw, liquidable, state.rules);
      const usd = (wad: bigint) => usdText((wad * margin.creditUsd8) / WAD);
      // Funding that the account owes is settled before it is judged: what it is worth has it taken off.
      const fundingWad = fundingPayment(place.sizeWad, now.growthX96 - place.lastGrowthX96);
      return { discountUsd: usd(discountWad), closeCostUsd: usd(discountWad - grossWad), fundingOwedUsd: usd(fundingWad) };
    },
    ...(orders.size === 0 ? {} : { prepared: (depth: Depth) => withCancelled(depth, exchange, orders) }),
    steps: (amountRaw, close) => [...takingSteps(account, place, largestWad, amountRaw, state), ...close],
  };
}

/** The takeover alone, orders cancelled first. */
export function takingSteps(
  account: Account,
  place: Place,
  largestWad: bigint,
  amountRaw: bigint,
  { contracts }: PerpState,
): readonly Step[] {
  const { base } = place.market;
  const call = (functionName: 'liquidate' | 'cancelAllExcessOrders', args: readonly unknown[]): Step => ({
    ...{ kind: 'call', target: contracts.clearingHouse, valueWei: 0n },
    data: encodeFunctionData({ abi: houseAbi, functionName, args: args as never }),
  });
  return [
    ...[...ordersOf(account).keys()].map((market) => call('cancelAllExcessOrders', [account.address, market])),
    // NOTE: all that is allowed is asked for as such: a little less may be allowed by then.
    call('liquidate', [account.address, base, amountRaw === abs(largestWad) ? 0n : largestWad > 0n ? amountRaw : -amountRaw]),
  ];
}

export function takingGas(account: Account): bigint {
  const cancelled = [...ordersOf(account).values()].reduce((sum, { length }) => sum + length, 0);
  return LIQUIDATE_GAS + BigInt(account.places.size) * MARKET_GAS + BigInt(cancelled) * CANCEL_GAS;
}

function ordersOf({ places }: Account): ReadonlyMap<Address, readonly Order[]> {
  const withOrders = [...places.values()].filter(({ orders }) => orders.size > 0);
  return new Map(withOrders.map(({ market, orders }) => [market.base, [...orders.values()]]));
}

function withCancelled(depth: Depth, exchange: PerpExchange, orders: ReadonlyMap<Address, readonly Order[]>): Depth {
  const depths = Depths.of(depth);
  return depths.with(exchange, exchange.cancelled(depths.at(exchange), orders));
}

function leastOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
