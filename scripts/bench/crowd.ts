/** A million borrowers, if wanted: 3 to 5 of 50 reserves each, prices by 50 feeds, four of which move five assets. What happens to them is drawn from a seed. */
import { RAY } from '../../src/lib/math.ts';
import type { Address } from '../../src/lib/types.ts';
import { Journal } from '../../src/mirror/journal.ts';
import { feedSource, formulaSource } from '../../src/oracles/sources.ts';
import type { FeedAnswer, Moment } from '../../src/oracles/types.ts';
import { AccountBounds } from '../../src/protocols/aave-v3/bounds.ts';
import { standingOf } from '../../src/protocols/aave-v3/health.ts';
import { Lens } from '../../src/protocols/aave-v3/lens.ts';
import { RELEASES } from '../../src/protocols/aave-v3/rules.ts';
import { type MarketState, noteChange } from '../../src/protocols/aave-v3/state.ts';
import type { Slot } from '../../src/protocols/types.ts';
import { Prng } from '../devnet/prng.ts';
import { addressAt, marketOf } from './market.ts';

const FEEDS = 50;
/** NOTE: made once, as a keeper's sources and mirrored feeds share theirs; a new string of the same characters takes long to look up. */
const FEED_IDS = Array.from({ length: FEEDS }, (_, feed) => addressAt(feed));
const RESERVES = 50;
/** The first feeds price these assets too, each times a feed of its own, as staked tokens are priced. */
const BASES = 4;
const DERIVED = 16;
const START = 1_700_000_000;
const SLOT_SECONDS = 12;
const PRICE_UNIT = 100_000_000n;
const LEAST_HEALTH = 1.03;
const MOST_HEALTH = 2.5;
/** How health factors are spread between these: the power that a number from 0 to 1, drawn evenly, is taken to. */
const EVENLY = 1;
/** Half of all stand below 1.4, a quarter below 1.13. */
export const CROWDED = 2;
const LISTED = 3;
const FLOAT_RAY = 1e27;

export class Crowd {
  readonly state: MarketState;
  readonly bounds: AccountBounds;
  readonly #random: Prng;
  readonly #answers: FeedAnswer[];
  readonly #journal = new Journal();
  readonly #spread: number;
  #timestamp = START;

  constructor(accounts: number, seed: number, spread = EVENLY) {
    this.#random = new Prng(seed);
    this.#spread = spread;
    const random = this.#random;
    this.#answers = Array.from({ length: FEEDS }, (_, feed) => {
      const derived = feed >= RESERVES - DERIVED;
      return answered(BigInt(Math.round(derived ? random.between(1.01e8, 1.3e8) : random.logBetween(1e6, 5e12))));
    });
    const specs = Array.from({ length: RESERVES }, (_, id) => ({
      source: sourceOf(id),
      decimals: random.pick([6, 8, 18, 18]),
      thresholdBps: BigInt(Math.round(random.between(6_500, 9_000))),
      rateRay: (RAY * BigInt(Math.round(random.between(1, 12)))) / 100n,
    }));
    this.state = marketOf(RELEASES.at(-1 - LISTED)!, specs, [], START);
    this.bounds = new AccountBounds(this.state, []);
    const lens = new Lens(this.state, this.moment());
    for (let slot = 0; slot < accounts; slot++) {
      this.state.accounts.add(addressAt(1_000_000 + slot));
      this.state.accounts.setKnown(slot, true);
      this.#fill(slot, lens);
    }
  }

  moment(moves: ReadonlyMap<number, FeedAnswer> = new Map()): Moment {
    const answers = new Map(this.#answers.map((answer, feed) => [feedAt(feed), moves.get(feed) ?? answer]));
    return { number: 1, timestamp: this.#timestamp, baseFeeWei: 0n, answer: (feed) => answers.get(feed) };
  }

  slots(): Iterable<Slot> {
    return this.state.accounts.slots();
  }

  /** One feed moves by 0.1 to 1%, up or down. */
  tick(): void {
    const feed = Math.floor(this.#random.next() * FEEDS);
    const part = this.#random.between(0.001, 0.01) * (this.#random.next() < 0.5 ? -1 : 1);
    this.#answers[feed] = answered(BigInt(Math.round(Number(this.#answers[feed]!.answer) * (1 + part))));
  }

  /** A moment at which the first so many feeds have fallen. */
  fallen(feeds: number, percent: bigint): Moment {
    const moves = new Map<number, FeedAnswer>();
    for (let feed = 0; feed < feeds; feed++) moves.set(feed, answered((this.#answers[feed]!.answer * (100n - percent)) / 100n));
    return this.moment(moves);
  }

  /** A block: so many accounts change, those that are given first, by what makes them healthy again. */
  block(events: number, given: readonly Slot[]): void {
    this.#timestamp += SLOT_SECONDS;
    const lens = new Lens(this.state, this.moment());
    for (const slot of given) this.#change(slot, lens);
    for (let event = given.length; event < events; event++)
      this.#change(Math.floor(this.#random.next() * this.state.accounts.length), lens);
  }

  /** Supplies, withdraws, borrows or repays, and is somewhere else then; one in ten leaves as one and comes back as another. */
  #change(slot: Slot, lens: Lens): void {
    const { accounts } = this.state;
    noteChange(this.state, slot, this.#journal);
    if (this.#random.next() < 0.1) {
      const { collateral, owed } = accounts.read(slot);
      for (const id of collateral) {
        accounts.setFlag(slot, id, false);
        accounts.setSupplied(slot, id, undefined);
      }
      for (const id of owed.keys()) accounts.setOwed(slot, id, 0n);
      this.#fill(slot, lens);
      return;
    }
    const standing = standingOf(accounts, slot, lens);
    if (!standing.ok || standing.debtBase === 0n) return;
    const part = Number(standing.healthFactorWad) / 1e18 / this.#health();
    for (const [id, scaled] of accounts.read(slot).owed)
      accounts.setOwed(slot, id, 1n + (scaled * BigInt(Math.round(part * 1e9))) / 1_000_000_000n);
  }

  #health(): number {
    return LEAST_HEALTH + (MOST_HEALTH - LEAST_HEALTH) * this.#random.next() ** this.#spread;
  }

  #fill(slot: Slot, lens: Lens): void {
    const { accounts } = this.state;
    const random = this.#random;
    const ids = new Set<number>();
    for (const count = 3 + Math.floor(random.next() * 3); ids.size < count; ) ids.add(Math.floor(random.next() * RESERVES));
    const chosen = [...ids];
    const collaterals = 1 + Math.floor(random.next() * (chosen.length - 1));
    const worth = random.logBetween(500e8, 500_000e8);
    let weighted = 0;
    for (const id of chosen.slice(0, collaterals)) {
      const value = (worth * random.between(0.5, 1.5)) / collaterals;
      accounts.setFlag(slot, id, true);
      accounts.setSupplied(slot, id, scaledOf(value, id, lens, 'incomeIndexRay'));
      weighted += (value * Number(this.state.reserves.get(id)!.config.liquidationThresholdBps)) / 10_000;
    }
    const owed = weighted / this.#health();
    for (const id of chosen.slice(collaterals))
      accounts.setOwed(slot, id, 1n + scaledOf(owed / (chosen.length - collaterals), id, lens, 'debtIndexRay'));
  }
}

function scaledOf(valueBase: number, id: number, lens: Lens, index: 'incomeIndexRay' | 'debtIndexRay'): bigint {
  const now = lens.reserve(id)!;
  return BigInt(Math.round((valueBase * Number(now.reserve.unit)) / Number(now.price!) / (Number(now[index]) / FLOAT_RAY)));
}

function sourceOf(id: number) {
  const own = feedSource(feedAt(id));
  if (id < RESERVES - DERIVED) return own;
  const answer = ([ratio, base]: readonly bigint[]) => (ratio! * base!) / PRICE_UNIT;
  return formulaSource({ kind: 'cross', address: addressAt(9_000 + id), parts: [own, feedSource(feedAt(id % BASES))], words: [], answer });
}

function answered(answer: bigint): FeedAnswer {
  return { answer, updatedAt: START, roundId: 1n };
}

function feedAt(feed: number): Address {
  return FEED_IDS[feed]!;
}
