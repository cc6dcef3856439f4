import { AddressTable } from '../../lib/address-table.ts';
import type { Address, BlockRef, Head, Hex, LogFilter, RawLog, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { ifWhole } from '../../lib/words.ts';
import { Journal } from '../../mirror/journal.ts';
import type { Keeping } from '../../mirror/keeping.ts';
import { MirrorError, type Reading, type Undo, type ViewCheck } from '../../mirror/types.ts';
import type { FeedBook } from '../../oracles/feeds.ts';
import { momentOf } from '../../oracles/moment.ts';
import type { FeedId, Moment, UsdPrices } from '../../oracles/types.ts';
import { type Ask, takeAnswers } from '../asks.ts';
import { Lenses } from '../lenses.ts';
import { nearest } from '../nearest.ts';
import type { Option, PositionView, PriceUse, Protocol, Slot, Verdict } from '../types.ts';
import type { Account } from './account.ts';
import { Accounts } from './accounts.ts';
import { anchorMarket, type Contracts, type ToRead } from './anchor.ts';
import { auditChecks, Suspects } from './audit.ts';
import { AccountBounds } from './bounds.ts';
import {
  borrowerIn,
  configuratorTopics,
  discoveryTopics,
  fixedDebtTopics,
  foldLog,
  oracleTopics,
  poolTopics,
  providerTopics,
  tokenTopics,
  Unread,
} from './fold.ts';
import { standingOf } from './health.ts';
import { type KeptMarket, keepMarket, marketIn } from './kept.ts';
import { Lens } from './lens.ts';
import { optionsOf } from './options.ts';
import { usedPrices } from './prices.ts';
import { type MarketState, sourcesOf } from './state.ts';
import { asksFor } from './unread.ts';
import { usdOf, viewOf } from './view.ts';

/** One market of the address book. `fromBlock` is inclusive. */
export type AaveV3Deployment = { readonly name: string; readonly poolAddressesProvider: Address; readonly fromBlock: number };

const WAD = 10n ** 18n;
const NEAREST = 16;

/**
 * One Aave v3 market. All accounts that ever borrowed are followed: found by their Borrow logs, read once at the anchor, folded from logs
 * after it. Judgements use the contracts' own arithmetic, at any moment at or after the mirrored block.
 *
 * Feeds have to be anchored after this, which names those that its prices need.
 */
export class AaveV3Market implements Protocol {
  readonly name = 'aave-v3';
  readonly market: string;
  readonly id: string;
  readonly fromBlock: number;
  readonly #provider: Address;
  readonly #feeds: FeedBook;
  readonly #usd: UsdPrices | undefined;
  readonly #journal = new Journal();
  /** Borrowers by the contract that logged them: which one is the pool is known from the anchor on. */
  readonly #discovered = new Map<Address, AddressTable>();
  /** Who is said to have borrowed. */
  readonly #told = new AddressTable();
  #state: MarketState | undefined;
  /** From an earlier run, until the first anchor. */
  #kept: KeptMarket | undefined;
  #bounds: AccountBounds | undefined;
  #filters: readonly LogFilter[] = [];
  #unread = new Unread();
  #asks: readonly Ask[] = [];
  /** Health factors as floats, by slot, as last judged: for choosing what to audit, never for deciding. */
  readonly #lastHealth: number[] = [];
  readonly #lenses = new Lenses<Lens>((at) => new Lens(this.#anchored(), at));
  readonly #suspects = new Suspects();

  /** @param usd values the base currency of a market that does not count in USD, for people; without it they see 0 there */
  constructor(deployment: AaveV3Deployment, feeds: FeedBook, usd?: UsdPrices) {
    this.market = deployment.name;
    this.id = `aave-v3/${deployment.name}`;
    this.fromBlock = deployment.fromBlock;
    this.#provider = deployment.poolAddressesProvider;
    this.#feeds = feeds;
    this.#usd = usd;
  }

  // ---- mirror

  discoveryFilters(): readonly LogFilter[] {
    return [{ topics0: discoveryTopics }, ...(this.#kept?.filters ?? [])];
  }

  discover(logs: readonly RawLog[]): void {
    for (const log of logs) {
      this.#kept?.see(log);
      // NOTE: anybody's contract may log this topic, and less than belongs to it.
      const borrower = ifWhole(() => borrowerIn(log));
      if (borrower === undefined) continue;
      const borrowers = this.#discovered.get(log.address) ?? new AddressTable();
      borrowers.add(borrower);
      this.#discovered.set(log.address, borrowers);
    }
  }

  hearOf(accounts: readonly Address[]): void {
    for (const account of accounts) this.#told.add(account);
  }

  *anchor(block: Head): Reading {
    this.#journal.stop();
    this.#state = yield* anchorMarket(this.#provider, (contracts) => this.#toRead(contracts), block);
    this.#kept = undefined;
    this.#filters = this.#filtersOf(this.#state);
    this.#unread = new Unread();
    this.#lastHealth.length = 0;
    this.#bounds = new AccountBounds(this.#state, this.#lastHealth);
    this.#forget();
    this.#feeds.want(this.feeds());
  }

  /** The same list until the next anchor. */
  filters(): readonly LogFilter[] {
    this.#anchored();
    return this.#filters;
  }

  /** Everybody who is known, but for those of whom enough was kept. */
  #toRead(contracts: Contracts): ToRead {
    const { pool } = contracts.addresses;
    const kept = this.#kept?.asOf(pool, this.#filtersOf(contracts));
    const accounts = kept?.accounts ?? new Accounts();
    const followed = this.#state?.accounts.addresses ?? this.#kept?.addresses ?? [];
    if (kept === undefined) for (const address of followed) accounts.add(address);
    for (const address of this.#told) accounts.add(address);
    for (const address of this.#discovered.get(pool) ?? []) accounts.add(address);
    const unread = [];
    for (const slot of accounts.slots()) if (!kept?.isFresh(slot)) unread.push(slot);
    return { accounts, unread };
  }

  #filtersOf({ addresses, byAToken, byDebtToken, byFixedDebtToken }: Contracts): readonly LogFilter[] {
    const tokens = [...byAToken.keys(), ...byDebtToken.keys()];
    const fixed = byFixedDebtToken.size === 0 ? [] : [{ addresses: [...byFixedDebtToken.keys()], topics0: fixedDebtTopics }];
    const filter = (address: Address, topics0: readonly Hex[]) => ({ addresses: [address], topics0 });
    return [
      filter(addresses.pool, poolTopics),
      { addresses: tokens, topics0: tokenTopics },
      ...fixed,
      filter(addresses.configurator, configuratorTopics),
      filter(addresses.oracle, oracleTopics),
      filter(addresses.provider, providerTopics),
    ];
  }

  /** Throws a MirrorError on what only a new anchor can follow. */
  apply(block: Head, logs: readonly RawLog[]): Undo {
    const state = this.#anchored();
    this.#journal.begin();
    this.#unread = new Unread();
    for (const log of logs) foldLog(log, block, state, this.#journal, this.#unread);
    return this.#changed();
  }

  reads(_block: Head): readonly ViewCall[] {
    this.#asks = asksFor(this.#anchored(), this.#unread);
    return this.#asks.flatMap((ask) => ask.calls);
  }

  ingest(block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    takeAnswers(this.#asks, answers, this.#journal);
    this.#journal.set(this.#anchored(), 'head', block);
    return this.#changed();
  }

  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    const state = this.#anchored();
    let lens: Lens | undefined;
    const ingested = () => (lens ??= new Lens(state, momentOf(state.head, this.#feeds)));
    const refuted = () => {
      lens = undefined;
      this.#forget();
    };
    return auditChecks(state, ingested, refuted, this.#nearest(), limit, seed, this.#suspects);
  }

  get keeping(): Keeping {
    return {
      shape: `aave-v3 2 ${this.#provider}`,
      keep: () => {
        const state = this.#state;
        const followed = state && { pool: state.addresses.pool, filters: this.#filters, accounts: state.accounts };
        return keepMarket(followed, this.#discovered);
      },
      restore: (pieces) => {
        const { market, borrowers } = marketIn(pieces);
        this.#kept = market;
        for (const [contract, addresses] of borrowers) {
          const own = new AddressTable();
          for (const address of addresses) own.add(address);
          this.#discovered.set(contract, own);
        }
      },
    };
  }

  // ---- judgement

  *slots(): Iterable<Slot> {
    const { accounts } = this.#anchored();
    for (const slot of accounts.slots()) if (accounts.inDebt(slot) || !accounts.isKnown(slot)) yield slot;
  }

  count(): number {
    let count = 0;
    for (const _ of this.slots()) count++;
    return count;
  }

  accountOf(slot: Slot): Address {
    return this.#known(slot).addressOf(slot);
  }

  marketOf(_slot: Slot): string {
    return this.market;
  }

  aliasesOf(_slot: Slot): readonly string[] {
    return [this.#provider, this.#anchored().addresses.pool];
  }

  slotOf(account: Address): Slot | undefined {
    return this.#anchored().accounts.slotOf(account);
  }

  judge(slot: Slot, at: Moment): Verdict {
    const standing = standingOf(this.#known(slot), slot, this.#lenses.at(at));
    if (!standing.ok) return { kind: 'unknown', reason: standing.reason };
    const { healthFactorWad } = standing;
    this.#lastHealth[slot] = Number(healthFactorWad);
    return { kind: healthFactorWad < WAD ? 'liquidatable' : 'healthy', healthFactorWad };
  }

  get bounds(): AccountBounds | undefined {
    return this.#bounds;
  }

  options(slot: Slot, at: Moment): readonly Option[] {
    return optionsOf(slot, this.#anchored(), this.#lenses.at(at));
  }

  view(slot: Slot, at: Moment): PositionView {
    return viewOf(this.#account(slot), this.#lenses.at(at), usdOf(this.#anchored().prices, this.#usd, at));
  }

  prices(slot: Slot): readonly PriceUse[] {
    return usedPrices(this.#account(slot), this.#anchored());
  }

  tokens(): readonly Address[] {
    return [...this.#anchored().byAsset.keys()];
  }

  symbolOf(token: Address): string | undefined {
    return this.#state?.byAsset.get(token)?.symbol;
  }

  feeds(): readonly FeedId[] {
    return [...new Set(sourcesOf(this.#anchored()).flatMap(({ feeds }) => feeds))];
  }

  /** What the flash loans of the same pool need to know. */
  get state(): MarketState {
    return this.#anchored();
  }

  // ---- inside

  #anchored(): MarketState {
    if (this.#state === undefined) throw new MirrorError(`${this.id} is not anchored`);
    return this.#state;
  }

  /** The accounts, of which this slot is one. */
  #known(slot: Slot): Accounts {
    const { accounts } = this.#anchored();
    if (!(slot >= 0 && slot < accounts.length)) throw new RangeError(`${this.id} has no slot ${slot}`);
    return accounts;
  }

  #account(slot: Slot): Account {
    return this.#known(slot).read(slot);
  }

  /** Indexes and prices worked out before a change are worthless after it. */
  #forget(): void {
    this.#lenses.forget();
    this.#bounds?.forget();
  }

  #changed(): Undo {
    const undo = this.#lenses.changed(this.#journal);
    this.#bounds?.forget();
    return () => {
      undo();
      this.#bounds?.forget();
    };
  }

  #nearest(): readonly Slot[] {
    const { accounts } = this.#anchored();
    const healthOf = (slot: Slot) => this.#lastHealth[slot];
    return nearest(accounts.slots(), healthOf, NEAREST, (slot) => accounts.inDebt(slot));
  }
}
