/** Morpho Blue positions that no chain stands behind: 50 markets on the adaptive curve, each priced by a feed of its own. What happens is drawn from a seed. */
import { WAD } from '../../src/lib/math.ts';
import type { Hex } from '../../src/lib/types.ts';
import { Journal } from '../../src/mirror/journal.ts';
import type { FeedAnswer, Moment } from '../../src/oracles/types.ts';
import { Changes } from '../../src/protocols/bounds.ts';
import { PositionBounds } from '../../src/protocols/morpho-blue/bounds.ts';
import { newMarket } from '../../src/protocols/morpho-blue/fold.ts';
import { Lens, standingOf } from '../../src/protocols/morpho-blue/lens.ts';
import { type BlueMarket, type BlueState, noteChange } from '../../src/protocols/morpho-blue/state.ts';
import type { Slot } from '../../src/protocols/types.ts';
import { Prng } from '../devnet/prng.ts';
import { addressAt } from './market.ts';

const MARKETS = 50;
const FEED_IDS = Array.from({ length: MARKETS }, (_, feed) => addressAt(feed));
const START = 1_700_000_000;
const SLOT_SECONDS = 12;
const YEAR = 31_536_000n;
const CURVE = addressAt(8);
const BORROWED = 10n ** 25n;
const SHARES_PER_UNIT = 1_000_000n;
/** A feed's 8 decimals become the 36 of an oracle. */
const ORACLE_UNIT = 10n ** 28n;
const LEAST_HEALTH = 1.03;
const MOST_HEALTH = 2.5;

export class BlueCrowd {
  readonly state: BlueState;
  readonly bounds: PositionBounds;
  readonly #random: Prng;
  readonly #journal = new Journal();
  readonly #answers: FeedAnswer[];
  readonly #markets: readonly BlueMarket[];
  /** The mirrored block, with which what is decoded of an oracle has to agree. */
  #mined: Moment;
  #timestamp = START;

  constructor(positions: number, seed: number) {
    this.#random = new Prng(seed);
    this.#answers = Array.from({ length: MARKETS }, () => answered(this.#random.logBetween(1e6, 5e12)));
    this.#mined = this.moment();
    this.#markets = Array.from({ length: MARKETS }, (_, place) => this.#market(place));
    this.state = {
      ...{ morpho: addressAt(1), positions: [], slots: new Map(), changes: new Changes(), tokens: new Map(), held: new Map() },
      ...{ preLiquidations: new Map(), authorised: new Map(), adaptive: new Set([CURVE]) },
      markets: new Map(this.#markets.map((market) => [market.id, market])),
      oracles: new Map(this.#markets.map(({ params: { oracle } }, place) => [oracle, { address: oracle, ...this.#oracle(place) }])),
      head: { number: 0, hash: '0x', parentHash: '0x', timestamp: START, baseFeeWei: 0n, gasLimit: 0n, gasUsed: 0n },
    };
    this.bounds = new PositionBounds(this.state, () => this.#mined, []);
    const lens = this.#lens(this.moment());
    for (let slot = 0; slot < positions; slot++) {
      const market = this.#markets[Math.floor(this.#random.next() * MARKETS)]!;
      const collateral = BigInt(Math.round(this.#random.logBetween(1e18, 1e24)));
      this.state.positions.push({ market, account: addressAt(1_000_000 + slot), borrowShares: 0n, collateral });
      this.#borrow(slot, lens);
    }
  }

  slots(): Iterable<Slot> {
    return this.state.positions.keys();
  }

  moment(): Moment {
    const answers = new Map(this.#answers.map((answer, feed) => [FEED_IDS[feed]!, answer]));
    return { number: 1, timestamp: this.#timestamp, baseFeeWei: 0n, answer: (feed) => answers.get(feed) };
  }

  /** A block: so many positions change, those that are given first. */
  block(events: number, given: readonly Slot[]): void {
    this.#timestamp += SLOT_SECONDS;
    this.#mined = this.moment();
    for (const oracle of this.state.oracles.values()) oracle.answer = oracle.decoded?.price(this.#mined);
    const lens = this.#lens(this.#mined);
    for (let event = 0; event < events; event++)
      this.#borrow(given[event] ?? Math.floor(this.#random.next() * this.state.positions.length), lens);
  }

  /** One feed moves by 0.1 to 1%, up or down. */
  tick(): void {
    const feed = Math.floor(this.#random.next() * MARKETS);
    const part = this.#random.between(0.001, 0.01) * (this.#random.next() < 0.5 ? -1 : 1);
    this.#answers[feed] = answered(Number(this.#answers[feed]!.answer) * (1 + part));
  }

  /** The slots that cannot be told healthy, each judged in bigint. */
  unhealthy(slots: Iterable<Slot>, at: Moment): Slot[] {
    const lens = this.#lens(at);
    const found: Slot[] = [];
    for (const slot of slots) {
      const position = this.state.positions[slot]!;
      const standing = standingOf(position, lens.market(position.market));
      if (!standing.ok || standing.healthFactorWad < WAD) found.push(slot);
    }
    return found;
  }

  #borrow(slot: Slot, lens: Lens): void {
    const position = this.state.positions[slot]!;
    const now = lens.market(position.market);
    const { maxBorrowRaw } = standingOf(position, now) as { maxBorrowRaw: bigint };
    const { assets, shares } = (now as { borrowed: { assets: bigint; shares: bigint } }).borrowed;
    noteChange(this.state, slot, this.#journal);
    const part = BigInt(Math.round(1e9 / this.#random.between(LEAST_HEALTH, MOST_HEALTH)));
    position.borrowShares = 1n + (maxBorrowRaw * part * shares) / (assets * 1_000_000_000n);
  }

  #lens(at: Moment): Lens {
    return new Lens(this.state, at, this.#mined);
  }

  #market(place: number): BlueMarket {
    const lltv = (WAD * BigInt(Math.round(this.#random.between(60, 94)))) / 100n;
    const params = { loanToken: addressAt(20), collateralToken: addressAt(21), oracle: addressAt(100 + place), irm: CURVE, lltv };
    const id: Hex = `0x${place.toString(16).padStart(64, '0')}`;
    return {
      ...newMarket(id, `market ${place}`, params, START),
      ...{ totalSupplyAssets: (BORROWED * 10n) / 9n, totalSupplyShares: (BORROWED * SHARES_PER_UNIT * 10n) / 9n },
      ...{ totalBorrowAssets: BORROWED, totalBorrowShares: BORROWED * SHARES_PER_UNIT, rateAtTarget: WAD / 25n / YEAR, settled: true },
    };
  }

  #oracle(place: number) {
    const price = (at: Moment) => (at.answer(addressAt(place))?.answer ?? 0n) * ORACLE_UNIT;
    return { decoded: { feeds: [addressAt(place)], price, reads: () => [], ingest: () => {} }, answer: price(this.#mined) };
  }
}

function answered(value: number): FeedAnswer {
  return { answer: BigInt(Math.round(value)), updatedAt: START, roundId: 1n };
}
