import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { Journal } from '../../mirror/journal.ts';
import type { Keeping } from '../../mirror/keeping.ts';
import { MirrorError, type Reading, type Undo, type ViewCheck } from '../../mirror/types.ts';
import type { FeedBook } from '../../oracles/feeds.ts';
import { momentOf } from '../../oracles/moment.ts';
import type { FeedId, Moment } from '../../oracles/types.ts';
import { type Ask, takeAnswers } from '../asks.ts';
import { Lenses } from '../lenses.ts';
import { nearest } from '../nearest.ts';
import type { Option, PositionView, PriceUse, Protocol, Refusal, Slot, Verdict } from '../types.ts';
import { anchorDeployment } from './anchor.ts';
import { auditChecks } from './audit.ts';
import { comptrollerTopics, discoveryTopics, foldLog, gateTopics, grantTopics, tokenTopics, Unread, vaiTopics } from './fold.ts';
import { standingOf } from './health.ts';
import { History } from './history.ts';
import { factsIn, keepHistory } from './kept.ts';
import { Lens } from './lens.ts';
import { optionsOf, refusalOf } from './options.ts';
import { usedPrices } from './prices.ts';
import { type Account, type CompoundState, inDebt } from './state.ts';
import { asksFor } from './unread.ts';
import { viewOf } from './view.ts';

/** One deployment of the address book: a comptroller and its markets. `fromBlock` is inclusive. */
export type CompoundV2Deployment = { readonly name: string; readonly comptroller: Address; readonly fromBlock: number };

const NEAREST = 16;

/**
 * One comptroller of Compound v2's kind with all its markets. Whoever owes anything is followed: found by the logs, read once at the anchor, folded from logs
 * after it. What forks do differently is found out by asking, never by name.
 *
 * Feeds have to be anchored after this, which names those that its prices need.
 */
export class CompoundV2 implements Protocol {
  readonly name = 'compound-v2';
  readonly market: string;
  readonly id: string;
  readonly fromBlock: number;
  readonly #comptroller: Address;
  readonly #wrappedNative: Address;
  readonly #feeds: FeedBook;
  readonly #journal = new Journal();
  readonly #history = new History();
  #state: CompoundState | undefined;
  #filters: readonly LogFilter[] = [];
  #unread = new Unread();
  #asks: readonly Ask[] = [];
  /** Health factors as floats, by slot, as last judged: for choosing what to audit, never for deciding. */
  readonly #lastHealth: number[] = [];
  readonly #lenses = new Lenses<Lens>((at) => this.#lensAt(at));

  /** @param wrappedNative stands for the native token of a market that lends that */
  constructor(deployment: CompoundV2Deployment, wrappedNative: Address, feeds: FeedBook) {
    this.market = deployment.name;
    this.id = `compound-v2/${deployment.name}`;
    this.fromBlock = deployment.fromBlock;
    this.#comptroller = deployment.comptroller;
    this.#wrappedNative = wrappedNative;
    this.#feeds = feeds;
  }

  // ---- mirror

  /** Which contracts are its markets is known from the anchor on. */
  discoveryFilters(): readonly LogFilter[] {
    return [{ topics0: [...discoveryTopics, ...grantTopics] }];
  }

  discover(logs: readonly RawLog[]): void {
    for (const log of logs) this.#history.take(log);
  }

  *anchor(block: Head): Reading {
    this.#journal.stop();
    this.#history.keep(this.#state);
    const state = yield* anchorDeployment(this.#comptroller, this.#wrappedNative, this.#history, block);
    this.#state = state;
    this.#history.forgetOthers(state);
    const filter = (address: Address | undefined, topics0: LogFilter['topics0']) =>
      address === undefined ? [] : [{ addresses: [address], topics0 }];
    this.#filters = [
      ...filter(this.#comptroller, comptrollerTopics),
      ...(state.markets.size === 0 ? [] : [{ addresses: [...state.markets.keys()], topics0: tokenTopics }]),
      ...filter(state.rules.gate?.address, gateTopics),
      ...filter(state.vai?.address, vaiTopics),
    ];
    this.#unread = new Unread();
    this.#lastHealth.length = 0;
    this.#lenses.forget();
    this.#feeds.want(this.feeds());
  }

  /** The same list until the next anchor. */
  filters(): readonly LogFilter[] {
    this.#anchored();
    return this.#filters;
  }

  /** Throws a MirrorError on what only a new anchor can follow. */
  apply(_block: Head, logs: readonly RawLog[]): Undo {
    const state = this.#anchored();
    this.#journal.begin();
    this.#unread = new Unread();
    for (const log of logs) foldLog(log, state, this.#journal, this.#unread);
    return this.#lenses.changed(this.#journal);
  }

  reads(block: Head): readonly ViewCall[] {
    this.#asks = asksFor(this.#anchored(), this.#unread, block);
    return this.#asks.flatMap((ask) => ask.calls);
  }

  ingest(block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    takeAnswers(this.#asks, answers, this.#journal);
    this.#journal.set(this.#anchored(), 'head', block);
    return this.#lenses.changed(this.#journal);
  }

  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    let lens: Lens | undefined;
    const ingested = () => (lens ??= this.#lensAt(this.#mirrored()));
    return auditChecks(this.#anchored(), ingested, this.#nearest(), limit, seed);
  }

  get keeping(): Keeping {
    return {
      shape: `compound-v2 1 ${this.#comptroller}`,
      keep: () => keepHistory(this.#history, this.#state),
      restore: (pieces) => this.#history.restore(factsIn(pieces)),
    };
  }

  // ---- judgement

  *slots(): Iterable<Slot> {
    for (const [slot, account] of this.#anchored().accounts.entries()) if (inDebt(account) || !account.known) yield slot;
  }

  count(): number {
    let count = 0;
    for (const _ of this.slots()) count++;
    return count;
  }

  accountOf(slot: Slot): Address {
    return this.#account(slot).address;
  }

  marketOf(_slot: Slot): string {
    return this.market;
  }

  aliasesOf(_slot: Slot): readonly string[] {
    return [this.#comptroller];
  }

  judge(slot: Slot, at: Moment): Verdict {
    const standing = standingOf(this.#account(slot), this.#lenses.at(at));
    if (!standing.ok) return { kind: 'unknown', reason: standing.reason };
    const { healthFactorWad, liquidatable } = standing;
    this.#lastHealth[slot] = Number(healthFactorWad);
    return { kind: liquidatable ? 'liquidatable' : 'healthy', healthFactorWad };
  }

  options(slot: Slot, at: Moment): readonly Option[] {
    return optionsOf(this.#account(slot), this.#lenses.at(at));
  }

  refusal(slot: Slot, at: Moment): Refusal | undefined {
    return refusalOf(this.#account(slot), this.#lenses.at(at));
  }

  view(slot: Slot, at: Moment): PositionView {
    return viewOf(this.#account(slot), this.#lenses.at(at));
  }

  prices(slot: Slot): readonly PriceUse[] {
    return usedPrices(this.#account(slot), this.#mirrored());
  }

  tokens(): readonly Address[] {
    return [...new Set(Array.from(this.#anchored().markets.values(), ({ underlying }) => underlying))];
  }

  symbolOf(token: Address): string | undefined {
    for (const { underlying, symbol } of this.#state?.markets.values() ?? []) if (underlying === token) return symbol;
    return undefined;
  }

  feeds(): readonly FeedId[] {
    return [...new Set([...this.#anchored().markets.values()].flatMap(({ decoded }) => decoded?.source.feeds ?? []))];
  }

  get state(): CompoundState {
    return this.#anchored();
  }

  // ---- inside

  #anchored(): CompoundState {
    if (this.#state === undefined) throw new MirrorError(`${this.id} is not anchored`);
    return this.#state;
  }

  #account(slot: Slot): Account {
    const account = this.#anchored().accounts[slot];
    if (account === undefined) throw new RangeError(`${this.id} has no slot ${slot}`);
    return account;
  }

  #lensAt(at: Moment): Lens {
    return new Lens(this.#anchored(), at, this.#mirrored());
  }

  /** The mirrored block itself. */
  #mirrored(): Moment {
    return momentOf(this.#anchored().head, this.#feeds);
  }

  #nearest(): readonly Slot[] {
    const { accounts } = this.#anchored();
    return nearest(accounts.keys(), (slot) => (inDebt(accounts[slot]!) ? this.#lastHealth[slot] : undefined), NEAREST);
  }
}
