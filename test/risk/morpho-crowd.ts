/** A small Morpho Blue deployment in which anything may happen from one moment to the next. */
import { addressAt } from '../../scripts/bench/market.ts';
import type { Address, Hex } from '../../src/lib/types.ts';
import { Journal } from '../../src/mirror/journal.ts';
import type { FeedAnswer, Moment } from '../../src/oracles/types.ts';
import { type Bounds, Changes } from '../../src/protocols/bounds.ts';
import { PositionBounds } from '../../src/protocols/morpho-blue/bounds.ts';
import { newMarket } from '../../src/protocols/morpho-blue/fold.ts';
import { Lens, standingOf } from '../../src/protocols/morpho-blue/lens.ts';
import type { DecodedOracle } from '../../src/protocols/morpho-blue/oracle.ts';
import { type BlueMarket, type BlueState, NO_ADDRESS, noteChange, type Position } from '../../src/protocols/morpho-blue/state.ts';
import type { Slot } from '../../src/protocols/types.ts';
import type { Draw } from './aave-crowd.ts';
import type { Crowd } from './crowd.ts';

const MARKETS = 4;
const START = 1_700_000_000;
const WAD = 10n ** 18n;
const PRICE = 10n ** 36n;
const YEAR = 31_536_000n;
const FEED: Address = addressAt(7);
const CURVE: Address = addressAt(8);
const OTHER_IRM: Address = addressAt(9);

export class MorphoCrowd implements Crowd {
  readonly bounds: Bounds;
  readonly #journal = new Journal();
  readonly #state: BlueState;
  readonly #markets: readonly BlueMarket[];
  readonly #draw: Draw;
  #timestamp = START;
  #feed = 10n ** 8n;
  betweenThem: (() => void) | undefined;

  constructor(draw: Draw) {
    this.#draw = draw;
    this.#markets = Array.from({ length: MARKETS }, (_, place) => this.#market(place));
    this.#state = {
      ...{
        morpho: addressAt(1),
        positions: [],
        slots: new Map(),
        changes: new Changes(),
        tokens: new Map(),
        held: new Map(),
        preLiquidations: new Map(),
        authorised: new Map(),
      },
      markets: new Map(this.#markets.map((market) => [market.id, market])),
      oracles: new Map(this.#markets.map(({ params }, place) => [params.oracle, this.#oracle(params.oracle, place)])),
      adaptive: new Set([CURVE]),
      head: { number: 0, hash: '0x', parentHash: '0x', timestamp: START, baseFeeWei: 0n, gasLimit: 0n, gasUsed: 0n },
    };
    this.bounds = new PositionBounds(this.#state, () => this.moment(), []);
    for (let people = 4 + draw(20); people > 0; people--) this.#join();
  }

  slots(): Slot[] {
    return this.#state.positions.flatMap(({ borrowShares }, slot) => (borrowShares > 0n ? [slot] : []));
  }

  unhealthy(at: Moment): Slot[] {
    const lens = new Lens(this.#state, at, this.moment());
    return this.slots().filter((slot) => {
      const position = this.#state.positions[slot]!;
      const standing = standingOf(position, lens.market(position.market));
      return !standing.ok || standing.healthFactorWad < WAD;
    });
  }

  liquidatable(at: Moment): Slot[] {
    const lens = new Lens(this.#state, at, this.moment());
    return this.unhealthy(at).filter((slot) => {
      const position = this.#state.positions[slot]!;
      return standingOf(position, lens.market(position.market)).ok;
    });
  }

  moment(): Moment {
    return this.#at(this.#timestamp, this.#feed);
  }

  hypothetical(): Moment {
    return this.#at(this.#timestamp + this.#draw(2) * this.#draw(1_000_000), this.#moved(this.#feed));
  }

  happen(): void {
    const market = this.#markets[this.#draw(MARKETS)]!;
    const slot = this.#draw(this.#state.positions.length);
    const events: (() => void)[] = [
      () => this.#move(market),
      () => this.#move(market),
      () => this.#move(market),
      () => this.#pass(),
      () => this.#accrue(market),
      () => this.#rate(market),
      () => this.#join(),
      () => this.#change(slot),
      () => this.#change(slot),
      () => this.#toTheEdge(slot),
      () => this.#toTheEdge(slot),
      () => this.#loseBadDebt(market),
      () => this.#thenTakenBack(slot),
    ];
    events[this.#draw(events.length)]!();
  }

  #market(place: number): BlueMarket {
    const irm = [CURVE, OTHER_IRM, NO_ADDRESS][this.#draw(3)]!;
    const lltv = (WAD * BigInt(50 + this.#draw(49))) / 100n;
    const params = { loanToken: addressAt(20), collateralToken: addressAt(21), oracle: addressAt(30 + place), irm, lltv };
    const id: Hex = `0x${place.toString(16).padStart(64, '0')}`;
    const borrowed = 1n + BigInt(this.#draw(1_000)) * 10n ** BigInt(this.#draw(20));
    return {
      ...newMarket(id, `market ${place}`, params, START),
      ...{ totalSupplyAssets: borrowed * 2n, totalSupplyShares: borrowed * 2_000_000n, totalBorrowAssets: borrowed },
      ...{ totalBorrowShares: borrowed * 1_000_000n, rateAtTarget: WAD / 25n / YEAR, readRate: WAD / 10n / YEAR, settled: true },
    };
  }

  /** Half of them move with the feed; the others are read. */
  #oracle(address: Address, place: number) {
    const decoded: DecodedOracle = {
      feeds: [FEED],
      price: (at) => {
        const round = at.answer(FEED);
        return round === undefined || round.answer < 0n ? undefined : round.answer * 10n ** 28n;
      },
      reads: () => [],
      ingest: () => {},
    };
    return { address, answer: PRICE, decoded: place % 2 === 0 ? decoded : undefined };
  }

  #at(timestamp: number, feed: bigint | undefined): Moment {
    const answer = (): FeedAnswer | undefined => (feed === undefined ? undefined : { answer: feed, updatedAt: timestamp, roundId: 1n });
    return { number: 1, timestamp, baseFeeWei: 0n, answer };
  }

  #moved(price: bigint): bigint {
    const fate = this.#draw(60);
    if (fate === 0) return 0n;
    if (fate === 1) return BigInt(this.#draw(9)) * 10n ** BigInt(this.#draw(30));
    const perMille = fate < 6 ? this.#draw(1_000) - 500 : this.#draw(21) - 10;
    return (price * BigInt(1_000 + perMille)) / 1_000n + BigInt(this.#draw(2));
  }

  /** The feed with the oracles that are known to follow it, or one that is not. */
  #move({ params }: BlueMarket): void {
    const oracle = this.#state.oracles.get(params.oracle)!;
    if (oracle.decoded === undefined) {
      oracle.answer = this.#draw(30) === 0 ? undefined : this.#moved(oracle.answer ?? PRICE);
      return;
    }
    this.#feed = this.#moved(this.#feed);
    // Now and then an oracle answers otherwise than what was decoded of it, and is taken at its word.
    for (const { decoded, ...one } of this.#state.oracles.values())
      if (decoded !== undefined) this.#state.oracles.get(one.address)!.answer = this.#feed * 10n ** 28n + (this.#draw(20) === 0 ? 1n : 0n);
  }

  #pass(): void {
    const seconds = [12, 12, 3_600, 86_400, 30_000_000, -12][this.#draw(6)]!;
    this.#timestamp = Math.max(START, this.#timestamp + seconds);
  }

  #accrue(market: BlueMarket): void {
    const interest = (market.totalBorrowAssets * BigInt(this.#draw(100))) / 1_000_000n;
    market.totalBorrowAssets += interest;
    market.totalSupplyAssets += interest;
    market.lastUpdate = Math.max(market.lastUpdate, this.#timestamp);
  }

  #rate(market: BlueMarket): void {
    market.readRate = this.#draw(10) === 0 ? undefined : (WAD * BigInt(this.#draw(500))) / 100n / YEAR;
    market.rateAtTarget = (WAD * BigInt(1 + this.#draw(200))) / 100n / YEAR;
    market.totalSupplyAssets = market.totalBorrowAssets + BigInt(this.#draw(1_000)) * (market.totalBorrowAssets / 500n + 1n);
  }

  #join(): void {
    const { positions } = this.#state;
    const market = this.#markets[this.#draw(MARKETS)]!;
    const collateral = (BigInt(this.#draw(1_000)) * 2n ** BigInt(this.#draw(80))) / 3n;
    const position: Position = { market, account: addressAt(1_000 + positions.length), borrowShares: 1n, collateral };
    const slot = this.#journal.push(positions, position);
    noteChange(this.#state, slot, this.#journal);
    this.#toTheEdge(slot);
  }

  #change(slot: Slot): void {
    const position = this.#position(slot);
    const amount = BigInt(this.#draw(1_000)) * 2n ** BigInt(this.#draw(80));
    if (this.#draw(4) === 0) this.#journal.set(position, 'borrowShares', 0n);
    else if (this.#draw(2) === 0) this.#journal.set(position, 'collateral', amount);
    else this.#journal.set(position, 'borrowShares', amount);
  }

  /** Gives it as much debt as its collateral holds, a little more or less. */
  #toTheEdge(slot: Slot): void {
    const position = this.#position(slot);
    const lens = new Lens(this.#state, this.moment(), this.moment());
    const now = lens.market(position.market);
    const standing = standingOf(position, now);
    if (!now.ok || !standing.ok) return;
    const most = (standing.maxBorrowRaw * (now.borrowed.shares + 1_000_000n)) / (now.borrowed.assets + 1n);
    const part = BigInt([1_000, 1_000, 700, 990][this.#draw(4)]!);
    const shares = (most * part) / 1_000n + BigInt(this.#draw(5) - 2);
    if (shares > 0n) this.#journal.set(position, 'borrowShares', shares);
  }

  #loseBadDebt(market: BlueMarket): void {
    const lost = market.totalBorrowAssets / BigInt(10 + this.#draw(1_000));
    market.totalBorrowAssets -= lost;
    market.totalBorrowShares -= market.totalBorrowShares / BigInt(10 + this.#draw(1_000));
  }

  /** As by a reorganisation. */
  #thenTakenBack(slot: Slot): void {
    this.#journal.begin();
    this.#change(slot);
    this.#toTheEdge(slot);
    const undo = this.#journal.take();
    if (this.#draw(2) === 0) this.betweenThem?.();
    undo();
  }

  #position(slot: Slot): Position {
    noteChange(this.#state, slot, this.#journal);
    return this.#state.positions[slot]!;
  }
}
