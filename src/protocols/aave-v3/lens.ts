/** A market as of one moment: prices and indexes, each worked out once however many positions ask. */
import type { Moment } from '../../oracles/types.ts';
import { debtIndexRay, incomeIndexRay } from './interest.ts';
import type { EModeCategory, MarketState, Reserve } from './state.ts';

export type ReserveNow = {
  readonly reserve: Reserve;
  /** In the base currency of the market's oracle. Undefined when there is no price. */
  readonly price: bigint | undefined;
  readonly incomeIndexRay: bigint;
  readonly debtIndexRay: bigint;
};

export class Lens {
  readonly at: Moment;
  readonly #state: MarketState;
  readonly #reserves = new Map<number, ReserveNow>();

  constructor(state: MarketState, at: Moment) {
    this.#state = state;
    this.at = at;
  }

  reserve(id: number): ReserveNow | undefined {
    const known = this.#reserves.get(id);
    if (known !== undefined) return known;
    const reserve = this.#state.reserves.get(id);
    if (reserve === undefined) return undefined;
    const price = reserve.source.price(this.at);
    const now = {
      reserve,
      price: price.ok ? price.price : undefined,
      incomeIndexRay: incomeIndexRay(reserve.indexes, this.at.timestamp),
      debtIndexRay: debtIndexRay(reserve.indexes, this.at.timestamp),
    };
    this.#reserves.set(id, now);
    return now;
  }

  /** The efficiency mode that rules this reserve as collateral, if any (GenericLogic: the category's bitmap decides). */
  modeOf(eMode: number, reserveId: number): EModeCategory | undefined {
    if (eMode === 0) return undefined;
    const category = this.#state.categories.get(eMode);
    return category !== undefined && ((category.collateralBitmap >> BigInt(reserveId)) & 1n) === 1n ? category : undefined;
  }
}
