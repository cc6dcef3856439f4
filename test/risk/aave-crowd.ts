/** A small Aave market in which anything may happen from one moment to the next. */

import { addressAt, marketOf, unhealthyAmong } from '../../scripts/bench/market.ts';
import { RAY } from '../../src/lib/math.ts';
import type { Address } from '../../src/lib/types.ts';
import { Journal } from '../../src/mirror/journal.ts';
import { feedSource, formulaSource } from '../../src/oracles/sources.ts';
import type { FeedAnswer, Moment } from '../../src/oracles/types.ts';
import type { Account } from '../../src/protocols/aave-v3/account.ts';
import type { Accounts } from '../../src/protocols/aave-v3/accounts.ts';
import { AccountBounds } from '../../src/protocols/aave-v3/bounds.ts';
import { standingOf } from '../../src/protocols/aave-v3/health.ts';
import { Lens } from '../../src/protocols/aave-v3/lens.ts';
import { RELEASES, type Rules } from '../../src/protocols/aave-v3/rules.ts';
import { type EModeCategory, type MarketState, noteChange, type Reserve } from '../../src/protocols/aave-v3/state.ts';
import type { Slot } from '../../src/protocols/types.ts';
import type { Crowd } from './crowd.ts';

const FEEDS = 5;
const RESERVES = 8;
const MODES = 3;
const START = 1_700_000_000;
const WAD = 10n ** 18n;
const NO_ADDRESS: Address = addressAt(0);

/** Numbers to decide by; each is drawn once. */
export type Draw = (below: number) => number;

export class AaveCrowd implements Crowd {
  bounds: AccountBounds;
  readonly #prices = new Map<Address, FeedAnswer | undefined>();
  readonly #journal = new Journal();
  #state: MarketState;
  #timestamp = START;
  readonly #draw: Draw;

  constructor(draw: Draw) {
    this.#draw = draw;
    for (let feed = 0; feed < FEEDS; feed++) this.#prices.set(addressAt(feed), this.#movedFrom(undefined));
    const rules = RELEASES[draw(RELEASES.length)]!;
    this.#state = this.#market(rules);
    this.bounds = new AccountBounds(this.#state, []);
    const people = 4 + draw(20);
    for (let person = 0; person < people; person++) this.#join();
  }

  slots(): Slot[] {
    const { accounts } = this.#state;
    return [...accounts.slots()].filter((slot) => accounts.inDebt(slot) || !accounts.isKnown(slot));
  }

  unhealthy(at: Moment): Slot[] {
    return unhealthyAmong(this.#state, this.slots(), at);
  }

  liquidatable(at: Moment): Slot[] {
    const lens = new Lens(this.#state, at);
    return this.unhealthy(at).filter((slot) => standingOf(this.#state.accounts, slot, lens).ok);
  }

  moment(): Moment {
    return this.#at(this.#timestamp, new Map());
  }

  hypothetical(): Moment {
    const moved = new Map<Address, FeedAnswer | undefined>();
    for (let feeds = this.#draw(3); feeds >= 0; feeds--) {
      const feed = addressAt(this.#draw(FEEDS));
      moved.set(feed, this.#movedFrom(this.#prices.get(feed)));
    }
    return this.#at(this.#timestamp + this.#draw(2) * this.#draw(100_000), moved);
  }

  happen(): void {
    const { accounts } = this.#state;
    const slot = this.#draw(accounts.length);
    const reserve = this.#reserve();
    const events: (() => void)[] = [
      () => this.#move(),
      () => this.#move(),
      () => this.#move(),
      () => this.#move(),
      () => this.#pass(),
      () => this.#accrue(reserve),
      () => this.#govern(reserve),
      () => this.#regulate(),
      () => this.#join(),
      () => this.#exit(slot),
      () => this.#change(slot, reserve),
      () => this.#change(slot, reserve),
      () => this.#toTheEdge(slot),
      () => this.#toTheEdge(slot),
      () => this.#thenTakenBack(slot, reserve),
      () => this.#anchorAnew(),
    ];
    events[this.#draw(events.length)]!();
    // As the market does with every change.
    this.bounds.forget();
  }

  #market(rules: Rules): MarketState {
    const named = rules.modes.calls(NO_ADDRESS, 1).length === 1;
    const modes = Array.from({ length: MODES }, (_, place) => this.#category(place + 1, named));
    return marketOf(rules, this.#specs(), modes, this.#timestamp);
  }

  #specs() {
    return Array.from({ length: RESERVES }, (_, id) => {
      const feed = feedSource(addressAt(id % FEEDS));
      // Some follow another one's feed, by a ratio and with a cap that grows with time.
      const answer = ([price]: readonly bigint[], _words: readonly bigint[], timestamp: number) =>
        (price! * (1_000_000n + BigInt(Math.max(0, timestamp - START)))) / 1_000_000n;
      const ratio = formulaSource({ kind: 'ratio', address: addressAt(100 + id), parts: [feed], words: [], answer });
      return {
        source: id < FEEDS ? feed : ratio,
        decimals: [6, 8, 18][this.#draw(3)]!,
        thresholdBps: BigInt(this.#draw(10) === 0 ? 0 : 5_000 + this.#draw(4_500)),
        rateRay: (RAY * BigInt(this.#draw(300))) / 100n,
      };
    });
  }

  #category(id: number, named: boolean): EModeCategory {
    const priced = named && this.#draw(2) === 0;
    return {
      id,
      liquidationThresholdBps: BigInt(this.#draw(15) === 0 ? 0 : 8_000 + this.#draw(1_900)),
      liquidationBonusBps: 10_200n,
      collateralBitmap: BigInt(this.#draw(2 ** RESERVES)),
      priceKey: priced ? addressAt(500 + id) : NO_ADDRESS,
      source: priced ? feedSource(addressAt(this.#draw(FEEDS))) : undefined,
    };
  }

  #at(timestamp: number, moved: ReadonlyMap<Address, FeedAnswer | undefined>): Moment {
    const prices = new Map([...this.#prices, ...moved]);
    return { number: 1, timestamp, baseFeeWei: 0n, answer: (feed) => prices.get(feed) };
  }

  #move(): void {
    for (let feeds = this.#draw(8) === 0 ? 3 : 1; feeds > 0; feeds--) {
      const feed = addressAt(this.#draw(FEEDS));
      this.#prices.set(feed, this.#movedFrom(this.#prices.get(feed)));
    }
  }

  /** Mostly a little; seldom by much, to nothing, or out of sight. */
  #movedFrom(before: FeedAnswer | undefined): FeedAnswer | undefined {
    const answered = (answer: bigint): FeedAnswer => ({ answer, updatedAt: START, roundId: 1n });
    const fate = this.#draw(60);
    if (fate === 0) return undefined;
    if (fate === 1) return answered(0n);
    if (fate === 2) return answered(BigInt(this.#draw(2)) * 10n ** BigInt(this.#draw(60)));
    if (before === undefined || before.answer <= 0n) return answered(BigInt(10 ** (4 + this.#draw(9))) * BigInt(1 + this.#draw(9)));
    const perMille = fate < 8 ? this.#draw(1_000) - 500 : this.#draw(21) - 10;
    return answered((before.answer * BigInt(1_000 + perMille)) / 1_000n + BigInt(this.#draw(2)));
  }

  #pass(): void {
    const seconds = [12, 12, 12, 3_600, 86_400, 30_000_000, -12][this.#draw(7)]!;
    this.#timestamp = Math.max(START, this.#timestamp + seconds);
  }

  #accrue(reserve: Reserve): void {
    const { indexes } = reserve;
    const grown = (index: bigint) => index + (index * BigInt(this.#draw(1_000))) / 10_000_000n;
    reserve.indexes = {
      ...{ liquidityIndexRay: grown(indexes.liquidityIndexRay), borrowIndexRay: grown(indexes.borrowIndexRay) },
      ...{ liquidityRateRay: (RAY * BigInt(this.#draw(100))) / 100n, borrowRateRay: (RAY * BigInt(this.#draw(400))) / 100n },
      updatedAt: this.#timestamp,
    };
  }

  #govern(reserve: Reserve): void {
    const bps = this.#draw(8) === 0 ? 0 : 5_000 + this.#draw(4_500);
    reserve.config = { ...reserve.config, liquidationThresholdBps: BigInt(bps), eMode: this.#draw(MODES + 1) };
  }

  #regulate(): void {
    const { categories, rules } = this.#state;
    const id = 1 + this.#draw(MODES);
    const { priceKey, source } = categories.get(id)!;
    categories.set(id, { ...this.#category(id, rules.modes.calls(NO_ADDRESS, 1).length === 1), priceKey, source });
  }

  #join(): void {
    const { accounts } = this.#state;
    const slot = accounts.add(addressAt(10_000 + accounts.length), this.#journal);
    noteChange(this.#state, slot, this.#journal);
    // Revealed in this block, and read at its end, mostly.
    accounts.setKnown(slot, this.#draw(12) > 0);
    accounts.setEMode(slot, this.#draw(3) === 0 ? 1 + this.#draw(MODES) : 0);
    for (let kinds = this.#draw(4); kinds >= 0; kinds--) this.#give(slot, this.#reserve());
    for (let kinds = this.#draw(2); kinds >= 0; kinds--) accounts.setOwed(slot, this.#draw(RESERVES), this.#amount());
    if (this.#draw(4) > 0) this.#toTheEdge(slot);
  }

  #exit(slot: Slot): void {
    this.#journal.begin();
    const accounts = this.#changing(slot);
    const { owed, fixed } = accounts.read(slot);
    for (const id of owed.keys()) accounts.setOwed(slot, id, 0n, this.#journal);
    for (const id of fixed.keys()) accounts.setFixed(slot, id, undefined, this.#journal);
    this.#journal.take();
  }

  #change(slot: Slot, reserve: Reserve): void {
    const accounts = this.#changing(slot);
    const kind = this.#draw(7);
    if (kind === 0) accounts.setEMode(slot, this.#draw(MODES + 1), this.#journal);
    if (kind === 1) accounts.setFlag(slot, reserve.id, false, this.#journal);
    if (kind === 2) this.#give(slot, reserve);
    if (kind === 3) accounts.setOwed(slot, reserve.id, this.#amount(), this.#journal);
    if (kind === 4) accounts.setOwed(slot, reserve.id, 0n, this.#journal);
    if (kind === 5) accounts.setKnown(slot, true, this.#journal);
    if (kind === 6 && this.#state.rules.fixedDebt && this.#draw(3) === 0) {
      const debt = { principalRaw: this.#amount(), rateRay: RAY / 10n, updatedAt: this.#timestamp };
      accounts.setFixed(slot, reserve.id, debt, this.#journal);
    }
  }

  #give(slot: Slot, { id }: Reserve): void {
    const { accounts } = this.#state;
    accounts.setFlag(slot, id, true, this.#journal);
    accounts.setSupplied(slot, id, this.#draw(10) === 0 ? 0n : this.#amount(), this.#journal);
  }

  /** Makes its debts such that its health factor is one, a unit more or less. */
  #toTheEdge(slot: Slot): void {
    const accounts = this.#changing(slot);
    const standing = standingOf(accounts, slot, new Lens(this.#state, this.moment()));
    if (!standing.ok || standing.debtBase === 0n || standing.healthFactorWad === 0n) return;
    const room = [WAD, WAD, WAD, (WAD * BigInt(1_000 + this.#draw(900))) / 1_000n][this.#draw(4)]!;
    for (const [id, scaled] of accounts.read(slot).owed) {
      const wanted = (scaled * standing.healthFactorWad) / room + BigInt(this.#draw(5) - 2);
      if (wanted > 0n) accounts.setOwed(slot, id, wanted, this.#journal);
    }
  }

  /** As by a reorganisation. */
  #thenTakenBack(slot: Slot, reserve: Reserve): void {
    this.#journal.begin();
    this.#change(slot, reserve);
    this.#toTheEdge(slot);
    const undo = this.#journal.take();
    if (this.#draw(2) === 0) this.betweenThem?.();
    undo();
  }

  /** Called where a change has been made that will be taken back. */
  betweenThem: (() => void) | undefined;

  #anchorAnew(): void {
    const { rules, accounts } = this.#state;
    const specs = this.#specs();
    const modes = [...this.#state.categories.values()];
    const fresh = marketOf(rules, specs, modes, this.#timestamp);
    for (const account of accounts.all()) follow(account, fresh.accounts);
    this.#state = fresh;
    this.bounds = new AccountBounds(fresh, []);
  }

  #changing(slot: Slot): Accounts {
    noteChange(this.#state, slot, this.#journal);
    return this.#state.accounts;
  }

  #reserve(): Reserve {
    return this.#state.reserves.get(this.#draw(RESERVES))!;
  }

  /** From a few raw units to more than there is of anything. */
  #amount(): bigint {
    return 1n + (BigInt(this.#draw(1_000)) * 2n ** BigInt(this.#draw(90))) / 7n;
  }
}

/** The same account in another store. */
function follow({ address, known, eMode, collateral, supplied, owed, fixed }: Account, accounts: Accounts): void {
  const slot = accounts.add(address);
  accounts.setKnown(slot, known);
  accounts.setEMode(slot, eMode);
  for (const id of collateral) accounts.setFlag(slot, id, true);
  for (const [id, scaled] of supplied) accounts.setSupplied(slot, id, scaled);
  for (const [id, scaled] of owed) accounts.setOwed(slot, id, scaled);
  for (const [id, debt] of fixed) accounts.setFixed(slot, id, debt);
}
