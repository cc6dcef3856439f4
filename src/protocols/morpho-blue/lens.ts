/** A deployment as of one moment: interest and prices, each worked out once however many positions ask. */
import { MAX_UINT256, mulDivDown, WAD } from '../../lib/math.ts';
import type { Address } from '../../lib/types.ts';
import type { Moment } from '../../oracles/types.ts';
import { adaptiveRate } from './adaptive-curve.ts';
import { PRICE_SCALE, type Totals, toAssetsUp, wMulDown, wTaylorCompounded } from './math.ts';
import { priceAt } from './oracle.ts';
import { type BlueMarket, type BlueState, NO_ADDRESS, type Position } from './state.ts';

export type MarketNow =
  | {
      readonly ok: true;
      readonly market: BlueMarket;
      /** Collateral in loan tokens, scaled by 1e36. */
      readonly price: bigint;
      /** Debt with interest to the moment. */
      readonly borrowed: Totals;
    }
  | { readonly ok: false; readonly reason: string };

export type Standing =
  | { readonly ok: true; readonly healthFactorWad: bigint; readonly borrowedRaw: bigint; readonly maxBorrowRaw: bigint }
  | { readonly ok: false; readonly reason: string };

export class Lens {
  readonly at: Moment;
  readonly #state: BlueState;
  readonly #now: Moment;
  readonly #markets = new Map<BlueMarket, MarketNow>();
  readonly #prices = new Map<Address, bigint | undefined>();

  /** @param now the mirrored block itself */
  constructor(state: BlueState, at: Moment, now: Moment) {
    this.#state = state;
    this.at = at;
    this.#now = now;
  }

  market(market: BlueMarket): MarketNow {
    let known = this.#markets.get(market);
    if (known === undefined) {
      known = this.#work(market);
      this.#markets.set(market, known);
    }
    return known;
  }

  /** What an oracle says, scaled by 1e36; undefined where it does not answer. */
  price(address: Address): bigint | undefined {
    if (!this.#prices.has(address)) {
      const oracle = this.#state.oracles.get(address);
      this.#prices.set(address, oracle === undefined ? undefined : priceAt(oracle, this.at, this.#now));
    }
    return this.#prices.get(address);
  }

  #work(market: BlueMarket): MarketNow {
    const price = this.price(market.params.oracle);
    if (price === undefined) return { ok: false, reason: `oracle ${market.params.oracle} does not answer` };
    const borrowed = borrowedAt(market, this.#state.adaptive.has(market.params.irm), this.at.timestamp);
    if (borrowed === undefined) return { ok: false, reason: `IRM ${market.params.irm} does not answer` };
    return { ok: true, market, price, borrowed };
  }
}

/** Morpho._accrueInterest, the side of the debt. Undefined while the rate is unknown. */
export function borrowedAt(market: BlueMarket, adaptive: boolean, timestamp: number): Totals | undefined {
  const elapsed = BigInt(Math.max(0, timestamp - market.lastUpdate));
  const { totalBorrowAssets: assets, totalBorrowShares: shares } = market;
  if (elapsed === 0n || market.params.irm === NO_ADDRESS) return { assets, shares };
  const rate = adaptive ? adaptiveRate(market, market.rateAtTarget, elapsed) : market.readRate;
  if (rate === undefined) return undefined;
  return { assets: assets + wMulDown(assets, wTaylorCompounded(rate, elapsed)), shares };
}

/** Morpho._isHealthy: the most that may be borrowed against what is. Liquidatable where it is less, that is below one WAD. */
export function standingOf(position: Position, now: MarketNow): Standing {
  if (!now.ok) return now;
  const maxBorrowRaw = wMulDown(mulDivDown(position.collateral, now.price, PRICE_SCALE), now.market.params.lltv);
  if (position.borrowShares === 0n) return { ok: true, healthFactorWad: MAX_UINT256, borrowedRaw: 0n, maxBorrowRaw };
  const borrowedRaw = toAssetsUp(position.borrowShares, now.borrowed);
  return { ok: true, healthFactorWad: mulDivDown(maxBorrowRaw, WAD, borrowedRaw), borrowedRaw, maxBorrowRaw };
}
