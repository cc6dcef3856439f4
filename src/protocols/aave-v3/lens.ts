/** A market as of one moment: prices and indexes, each worked out once however many positions ask. */
import type { Moment } from '../../oracles/types.ts';
import { type Grown, grownAt } from './grown.ts';
import { type FixedDebt, fixedDebtRaw } from './interest.ts';
import type { Rules } from './rules.ts';
import type { EModeCategory, MarketState, Reserve } from './state.ts';

export type ReserveNow = {
  readonly reserve: Reserve;
  /** In the base currency of the market's oracle. Undefined when there is no price. */
  readonly price: bigint | undefined;
  readonly incomeIndexRay: bigint;
  readonly debtIndexRay: bigint;
};

export type ModeNow = {
  readonly category: EModeCategory;
  /** Whether it has a price of its own; `price` is undefined then while that is unknown. */
  readonly priced: boolean;
  readonly price: bigint | undefined;
};

export class Lens {
  readonly at: Moment;
  readonly #state: MarketState;
  readonly #reserves = new Map<number, ReserveNow>();
  readonly #modes = new Map<number, ModeNow>();

  constructor(state: MarketState, at: Moment) {
    this.#state = state;
    this.at = at;
  }

  get rules(): Rules {
    return this.#state.rules;
  }

  reserve(id: number): ReserveNow | undefined {
    const known = this.#reserves.get(id);
    if (known !== undefined) return known;
    const reserve = this.#state.reserves.get(id);
    if (reserve === undefined) return undefined;
    const price = reserve.source.price(this.at);
    const grown = grownAt(reserve.indexes, this.at.timestamp, this.rules.compounded);
    const now = new WorkedOut(reserve, price.ok ? price.price : undefined, grown);
    this.#reserves.set(id, now);
    return now;
  }

  /** The efficiency mode that an account is in, if any. */
  mode(eMode: number): ModeNow | undefined {
    if (eMode === 0) return undefined;
    const known = this.#modes.get(eMode);
    if (known !== undefined) return known;
    const category = this.#state.categories.get(eMode);
    if (category === undefined) return undefined;
    const price = category.source?.price(this.at);
    const now = { category, priced: price !== undefined, price: price?.ok ? price.price : undefined };
    this.#modes.set(eMode, now);
    return now;
  }

  /** The category, where it rules this reserve as collateral. */
  covering(mode: ModeNow | undefined, reserve: Reserve): EModeCategory | undefined {
    return mode !== undefined && this.rules.modes.covers(mode.category, reserve) ? mode.category : undefined;
  }

  /** A reserve's price in an account's efficiency mode, which may have one (other than 0) for all that it covers (GenericLogic.calculateUserAccountData). */
  priceIn(mode: ModeNow | undefined, { reserve, price }: ReserveNow): bigint | undefined {
    return mode?.priced && mode.price !== 0n && this.rules.modes.covers(mode.category, reserve) ? mode.price : price;
  }

  /** What a scaled aToken balance is worth. */
  suppliedRaw(scaled: bigint, now: ReserveNow): bigint {
    return this.rules.scaling.suppliedRaw(scaled, now.incomeIndexRay);
  }

  /** A debt in a reserve, of so much scaled and some at a fixed rate: what is owed at the variable rate, and in all. */
  debtRaw(scaled: bigint, debt: FixedDebt | undefined, now: ReserveNow): { readonly variableRaw: bigint; readonly totalRaw: bigint } {
    const variableRaw = this.rules.scaling.owedRaw(scaled, now.debtIndexRay);
    if (debt === undefined) return { variableRaw, totalRaw: variableRaw };
    return { variableRaw, totalRaw: variableRaw + fixedDebtRaw(debt, this.at.timestamp, this.rules.compounded) };
  }
}

/** Most accounts ask a reserve for one of its indexes alone. */
class WorkedOut implements ReserveNow {
  readonly reserve: Reserve;
  readonly price: bigint | undefined;
  readonly #grown: Grown;

  constructor(reserve: Reserve, price: bigint | undefined, grown: Grown) {
    this.reserve = reserve;
    this.price = price;
    this.#grown = grown;
  }

  get incomeIndexRay(): bigint {
    return this.#grown.incomeRay;
  }

  get debtIndexRay(): bigint {
    return this.#grown.debtRay;
  }
}
