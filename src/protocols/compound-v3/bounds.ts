/**
 * What keeps an account healthy (lens.ts) as a sum: what its collateral counts for, less what it owes, in the currency of this Comet's feeds. Each asset has
 * a factor, what a unit of it counts for, and the debt one, what a unit of principal comes to. The contract rounds each asset's value down twice, each
 * time by less than a unit, and what is owed down too.
 */
import { WAD } from '../../lib/math.ts';
import type { Address } from '../../lib/types.ts';
import type { Moment } from '../../oracles/types.ts';
import { type Bounds, type Changes, gridDown, gridUp, type Terms } from '../bounds.ts';
import type { Slot } from '../types.ts';
import { priceAt } from './feed.ts';
import { INDEX_SCALE, indicesAt } from './math.ts';
import { assetsOf, type CometState, hasSlot, reserveOf, slotOf } from './state.ts';

const ROUNDED_AWAY_PER_ASSET = 2;

export class AccountBounds implements Bounds {
  readonly changes: Changes;
  readonly #state: CometState;
  readonly #mirrored: () => Moment;
  readonly #health: number[];
  readonly #values: Float64Array;

  /**
   * @param mirrored the mirrored block, at which feeds have answered
   * @param health by slot: where health factors are noted, as floats
   */
  constructor(state: CometState, mirrored: () => Moment, health: number[]) {
    this.#state = state;
    this.changes = state.changes;
    this.#mirrored = mirrored;
    this.#health = health;
    this.#values = new Float64Array(state.config.assets.length + 1);
  }

  /** An offer depends on reserves, which are no such sum. */
  safeBound(slot: Slot, terms: Terms): 'bounded' | 'unbounded' | 'idle' {
    if (!hasSlot(this.#state, slot)) return 'idle';
    const of = slotOf(this.#state, slot);
    if (of.kind === 'store') return reserveOf(this.#state, of.asset) > 0n ? 'unbounded' : 'idle';
    const { account } = of;
    if (account.principal >= 0n) return 'idle';
    const { config } = this.#state;
    for (const place of assetsOf(account, config)) {
      terms.add(place, Number(account.collateralRaw[place]!));
      terms.constant -= ROUNDED_AWAY_PER_ASSET;
    }
    terms.add(config.assets.length, Number(account.principal));
    return 'bounded';
  }

  factors(at: Moment): Float64Array {
    const { config, totals } = this.#state;
    const { base, assets } = config;
    const now = this.#mirrored();
    for (const [place, { priceFeed, scale, liquidateCollateralFactor }] of assets.entries())
      this.#values[place] = gridDown((this.#price(priceFeed, at, now) * Number(liquidateCollateralFactor)) / Number(scale * WAD));
    const { borrow } = indicesAt(totals, config, at.timestamp);
    this.#values[assets.length] = gridUp((this.#price(base.priceFeed, at, now) * Number(borrow)) / Number(base.scale * INDEX_SCALE));
    return this.#values;
  }

  noteHealth(slot: Slot, health: number): void {
    this.#health[slot] = health * 1e18;
  }

  #price(feed: Address, at: Moment, now: Moment): number {
    return Number(priceAt(this.#state.feeds.get(feed)!, at, now) ?? Number.NaN);
  }
}
