/**
 * What keeps a position healthy (lens.ts) as a sum: the most that may be borrowed against its collateral, less what is. Each market has two factors: what a
 * unit of its collateral lets borrow, and what a share of its debt comes to. Those who let contracts liquidate them early have two of their own, for each
 * choice of contracts: by the least that any of these, and Morpho, lets borrow. The contract rounds the first down twice and the second up once, each by less
 * than a unit of the loan token.
 */
import { WAD } from '../../lib/math.ts';
import type { Address } from '../../lib/types.ts';
import type { Moment } from '../../oracles/types.ts';
import { type Bounds, type Changes, gridDown, gridUp, type Terms } from '../bounds.ts';
import type { Slot } from '../types.ts';
import { borrowedAt } from './lens.ts';
import { PRICE_SCALE, VIRTUAL_ASSETS, VIRTUAL_SHARES } from './math.ts';
import { priceAt } from './oracle.ts';
import { contractsFor } from './pre-state.ts';
import type { BlueMarket, BlueState, PreLiquidation } from './state.ts';

/** Two factors of a market: the second one's number is the first one's and one. */
type Watched = { readonly market: BlueMarket; readonly contracts: readonly PreLiquidation[]; debt: Debt | undefined };

/** What a share comes to at a timestamp, and all that it depends on beside it. */
type Debt = Readonly<
  Pick<BlueMarket, 'totalBorrowAssets' | 'totalBorrowShares' | 'totalSupplyAssets' | 'lastUpdate' | 'rateAtTarget' | 'readRate'>
> & { readonly timestamp: number; readonly perShare: number };

const ROUNDED_AWAY_RAW = 3;
const LEND_SCALE = Number(PRICE_SCALE * WAD);

export class PositionBounds implements Bounds {
  readonly changes: Changes;
  readonly #state: BlueState;
  readonly #mirrored: () => Moment;
  readonly #health: number[];
  readonly #watched: Watched[] = [];
  /** By market, and the addresses of the contracts. */
  readonly #numbers = new Map<string, number>();
  #values = new Float64Array(0);

  /**
   * @param mirrored the mirrored block, at which oracles have answered
   * @param health by slot: where health factors are noted, as floats
   */
  constructor(state: BlueState, mirrored: () => Moment, health: number[]) {
    this.#state = state;
    this.changes = state.changes;
    this.#mirrored = mirrored;
    this.#health = health;
  }

  safeBound(slot: Slot, terms: Terms): 'bounded' | 'unbounded' | 'idle' {
    const position = this.#state.positions[slot];
    if (position === undefined || position.borrowShares <= 0n) return 'idle';
    const { market, account } = position;
    const number = this.#numberOf(market, contractsFor(this.#state, market.id, account));
    terms.add(number, Number(position.collateral));
    terms.add(number + 1, -Number(position.borrowShares));
    terms.constant = -ROUNDED_AWAY_RAW;
    return position.collateral < 0n ? 'unbounded' : 'bounded';
  }

  #numberOf(market: BlueMarket, contracts: readonly PreLiquidation[]): number {
    const key = contracts.length === 0 ? market.id : [market.id, ...contracts.map(({ address }) => address).sort()].join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = 2 * (this.#watched.push({ market, contracts, debt: undefined }) - 1);
    this.#numbers.set(key, number);
    return number;
  }

  factors(at: Moment): Float64Array {
    if (this.#values.length !== 2 * this.#watched.length) this.#values = new Float64Array(2 * this.#watched.length);
    const now = this.#mirrored();
    for (let place = 0; place < this.#watched.length; place++) {
      const watched = this.#watched[place]!;
      this.#values[2 * place] = this.#perUnit(watched, at, now);
      this.#values[2 * place + 1] = this.#perShare(watched, at.timestamp);
    }
    return this.#values;
  }

  /** A contract whose oracle does not answer liquidates nobody. */
  #perUnit({ market: { params }, contracts }: Watched, at: Moment, now: Moment): number {
    const own = this.#priceOf(params.oracle, at, now);
    if (own === undefined || own < 0n || params.lltv > WAD) return Number.NaN;
    let least = lent(own, params.lltv);
    for (const { params: early } of contracts) {
      const price = this.#priceOf(early.oracle, at, now);
      if (price !== undefined) least = Math.min(least, lent(price, early.preLltv));
    }
    return least;
  }

  #priceOf(address: Address, at: Moment, now: Moment): bigint | undefined {
    const oracle = this.#state.oracles.get(address);
    return oracle === undefined ? undefined : priceAt(oracle, at, now);
  }

  #perShare(watched: Watched, timestamp: number): number {
    const { market, debt } = watched;
    if (debt !== undefined && debt.timestamp === timestamp && isSame(debt, market)) return debt.perShare;
    const borrowed = borrowedAt(market, this.#state.adaptive.has(market.params.irm), timestamp);
    const perShare =
      borrowed === undefined ? Number.NaN : gridUp(Number(borrowed.assets + VIRTUAL_ASSETS) / Number(borrowed.shares + VIRTUAL_SHARES));
    const { totalBorrowAssets, totalBorrowShares, totalSupplyAssets, lastUpdate, rateAtTarget, readRate } = market;
    watched.debt = { totalBorrowAssets, totalBorrowShares, totalSupplyAssets, lastUpdate, rateAtTarget, readRate, timestamp, perShare };
    return perShare;
  }

  noteHealth(slot: Slot, health: number): void {
    this.#health[slot] = health * 1e18;
  }
}

function lent(price: bigint, lltv: bigint): number {
  return price === 0n ? 0 : gridDown((Number(price) * Number(lltv)) / LEND_SCALE);
}

function isSame(debt: Debt, market: BlueMarket): boolean {
  return (
    debt.totalBorrowAssets === market.totalBorrowAssets &&
    debt.totalBorrowShares === market.totalBorrowShares &&
    debt.totalSupplyAssets === market.totalSupplyAssets &&
    debt.lastUpdate === market.lastUpdate &&
    debt.rateAtTarget === market.rateAtTarget &&
    debt.readRate === market.readRate
  );
}
