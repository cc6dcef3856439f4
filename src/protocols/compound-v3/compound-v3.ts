import { WAD } from '../../lib/math.ts';
import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { Journal } from '../../mirror/journal.ts';
import { addressesOf, type Keeping, keepSets, setsIn } from '../../mirror/keeping.ts';
import { MirrorError, type Reading, type Undo, type ViewCheck } from '../../mirror/types.ts';
import type { FeedBook } from '../../oracles/feeds.ts';
import { momentOf } from '../../oracles/moment.ts';
import type { FeedId, Moment, UsdPrices } from '../../oracles/types.ts';
import { type Ask, takeAnswers } from '../asks.ts';
import { Lenses } from '../lenses.ts';
import { nearest } from '../nearest.ts';
import type { Option, PositionView, PriceUse, Protocol, Slot, Verdict } from '../types.ts';
import { anchorComet } from './anchor.ts';
import { auditChecks } from './audit.ts';
import { AccountBounds } from './bounds.ts';
import { cometTopics, discoveredIn, discoveryTopics, foldLog } from './fold.ts';
import { Lens, standingOf } from './lens.ts';
import { accountOptions, offerOptions, offerVerdict } from './options.ts';
import { usedPrices } from './prices.ts';
import { type Account, accountSlot, type CometState, reserveOf, type SlotOf, slotOf, storeSlot } from './state.ts';
import { asksFor } from './unread.ts';
import { viewOf } from './view.ts';

/** One deployment of the address book. `fromBlock` is inclusive. */
export type CometDeployment = { readonly name: string; readonly comet: Address; readonly fromBlock: number };

/** Accounts whose principal is read in every block, named by a log or not: the nearest to liquidation, and others in turn. */
const NEAREST = 16;
const IN_TURN = 32;

/**
 * One Comet: a base asset that is lent, and collateral for it. Accounts are found by the logs that give them collateral, read once at the anchor, and followed
 * from there; totals, what the contract holds, and prices are read once a block. A new implementation behind the proxy is a new configuration: the market
 * is anchored again.
 *
 * A slot is an account that owes, or the protocol's own offer of an asset that it holds: that is a position of Comet itself.
 *
 * Feeds have to be anchored after this, which names those that its prices need.
 */
export class CompoundV3 implements Protocol {
  readonly name = 'compound-v3';
  readonly market: string;
  readonly id: string;
  readonly fromBlock: number;
  readonly #comet: Address;
  readonly #feeds: FeedBook;
  readonly #usd: UsdPrices;
  readonly #journal = new Journal();
  readonly #known = new Set<Address>();
  readonly #filters: readonly LogFilter[];
  #state: CometState | undefined;
  #bounds: AccountBounds | undefined;
  #touched = new Set<Account>();
  /** Those of them that were never seen before: what they have is read. */
  readonly #revealed = new Set<Account>();
  #asks: readonly Ask[] = [];
  /** Read in this block: what an audit may rely on. */
  #read: ReadonlySet<Account> = new Set();
  /** Health factors as floats, by slot, as last judged: for choosing whom to read and audit, never for deciding. */
  readonly #lastHealth: number[] = [];
  readonly #lenses = new Lenses<Lens>((at) => new Lens(this.#anchored(), at, this.#mirrored()));

  /** @param usd for what people see alone: no judgement needs it */
  constructor(deployment: CometDeployment, feeds: FeedBook, usd: UsdPrices) {
    this.market = deployment.name;
    this.id = `compound-v3/${deployment.name}`;
    this.fromBlock = deployment.fromBlock;
    this.#comet = deployment.comet;
    this.#feeds = feeds;
    this.#usd = usd;
    this.#filters = [{ addresses: [this.#comet], topics0: cometTopics }];
  }

  // ---- mirror

  discoveryFilters(): readonly LogFilter[] {
    return [{ addresses: [this.#comet], topics0: discoveryTopics }];
  }

  discover(logs: readonly RawLog[]): void {
    for (const log of logs) {
      const account = log.address === this.#comet ? discoveredIn(log) : undefined;
      if (account !== undefined) this.#known.add(account);
    }
  }

  hearOf(accounts: readonly Address[]): void {
    for (const account of accounts) this.#known.add(account);
  }

  *anchor(block: Head): Reading {
    this.#journal.stop();
    for (const { address } of this.#state?.accounts ?? []) this.#known.add(address);
    this.#state = yield* anchorComet(this.#comet, [...this.#known], block);
    this.#touched.clear();
    this.#lastHealth.length = 0;
    this.#bounds = new AccountBounds(this.#state, () => this.#mirrored(), this.#lastHealth);
    this.#lenses.forget();
    this.#feeds.want(this.feeds());
  }

  filters(): readonly LogFilter[] {
    return this.#filters;
  }

  /** Throws a MirrorError on what only a new anchor can follow. */
  apply(_block: Head, logs: readonly RawLog[]): Undo {
    const state = this.#anchored();
    this.#journal.begin();
    this.#touched.clear();
    this.#revealed.clear();
    for (const log of logs) foldLog(log, state, { touched: this.#touched, revealed: this.#revealed }, this.#journal);
    return this.#lenses.changed(this.#journal);
  }

  reads(block: Head): readonly ViewCall[] {
    const state = this.#anchored();
    this.#read = new Set([...this.#touched, ...this.#nearest(), ...inTurn(state.accounts, block.number)]);
    this.#asks = asksFor(state, this.#read, this.#revealed);
    return this.#asks.flatMap((ask) => ask.calls);
  }

  ingest(block: Head, answers: readonly ViewAnswer[]): Undo {
    const state = this.#anchored();
    this.#journal.begin();
    takeAnswers(this.#asks, answers, this.#journal);
    this.#journal.set(state, 'head', block);
    this.#feeds.want(this.feeds());
    return this.#lenses.changed(this.#journal);
  }

  /** Of those read in this block, as far as they suffice: what another was read to owe may have moved since without a log. */
  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    const state = this.#anchored();
    const accounts = limit <= this.#read.size ? [...this.#read] : [...new Set([...this.#read, ...state.accounts])];
    return auditChecks(state, accounts, (accrued) => this.#ownLens(accrued), limit, seed);
  }

  /** NOTE: debts may move between accounts without a log: who exists is kept, what they owe is read at any start. */
  get keeping(): Keeping {
    return {
      shape: `compound-v3 1 ${this.#comet}`,
      keep: () => keepSets([this.#known, addressesOf(this.#state?.accounts ?? [])]),
      restore: (pieces) => {
        for (const set of setsIn(pieces, 2)) for (const address of set) this.#known.add(address);
      },
    };
  }

  // ---- judgement

  *slots(): Iterable<Slot> {
    const state = this.#anchored();
    for (const asset of state.config.assets.keys()) if (reserveOf(state, asset) > 0n) yield storeSlot(asset);
    for (const [place, { principal }] of state.accounts.entries()) if (principal < 0n) yield accountSlot(place);
  }

  count(): number {
    return [...this.slots()].length;
  }

  accountOf(slot: Slot): Address {
    const of = this.#slot(slot);
    return of.kind === 'store' ? this.#comet : of.account.address;
  }

  /** An offer is a market of its own: `cUSDCv3:WETH`. */
  marketOf(slot: Slot): string {
    const of = this.#slot(slot);
    if (of.kind === 'account') return this.market;
    const { assets } = this.#anchored().config;
    const { symbol, address } = assets[of.asset]!;
    const unique = assets.filter((other) => other.symbol === symbol).length === 1;
    return `${this.market}:${unique ? symbol : address}`;
  }

  aliasesOf(slot: Slot): readonly string[] {
    return slotOf(this.#anchored(), slot).kind === 'store' ? [this.market.toLowerCase(), this.#comet] : [this.#comet];
  }

  judge(slot: Slot, at: Moment): Verdict {
    const of = this.#slot(slot);
    const lens = this.#lenses.at(at);
    if (of.kind === 'store') return offerVerdict(of.asset, lens);
    const standing = standingOf(of.account, lens);
    if (!standing.ok) return { kind: 'unknown', reason: standing.reason };
    const { healthFactorWad } = standing;
    this.#lastHealth[slot] = Number(healthFactorWad);
    return { kind: healthFactorWad < WAD ? 'liquidatable' : 'healthy', healthFactorWad };
  }

  get bounds(): AccountBounds | undefined {
    return this.#bounds;
  }

  options(slot: Slot, at: Moment): readonly Option[] {
    const of = this.#slot(slot);
    const lens = this.#lenses.at(at);
    return of.kind === 'store' ? offerOptions(of.asset, lens) : accountOptions(of.account, lens);
  }

  view(slot: Slot, at: Moment): PositionView {
    return viewOf(this.#slot(slot), this.#lenses.at(at), this.#usd);
  }

  prices(slot: Slot): readonly PriceUse[] {
    return usedPrices(this.#slot(slot), this.#anchored(), this.#mirrored());
  }

  tokens(): readonly Address[] {
    const { base, assets } = this.#anchored().config;
    return [base.address, ...assets.map(({ address }) => address)];
  }

  symbolOf(token: Address): string | undefined {
    const { base, assets } = this.#anchored().config;
    return [base, ...assets].find(({ address }) => address === token)?.symbol;
  }

  feeds(): readonly FeedId[] {
    return [...new Set([...this.#anchored().feeds.values()].flatMap(({ decoded }) => decoded?.feeds ?? []))];
  }

  /** For those who compare it with the chain. */
  get state(): CometState {
    return this.#anchored();
  }

  // ---- inside

  #anchored(): CometState {
    if (this.#state === undefined) throw new MirrorError(`${this.id} is not anchored`);
    return this.#state;
  }

  #slot(slot: Slot): SlotOf {
    return slotOf(this.#anchored(), slot);
  }

  /** The mirrored block itself. */
  #mirrored(): Moment {
    return momentOf(this.#anchored().head, this.#feeds);
  }

  #ownLens(accrued: boolean): Lens {
    const at = this.#mirrored();
    return new Lens(this.#anchored(), at, at, accrued ? at.timestamp : this.#anchored().totals.lastAccrualTime);
  }

  #nearest(): readonly Account[] {
    const { accounts } = this.#anchored();
    const healthOf = (place: number) => (accounts[place]!.principal >= 0n ? undefined : this.#lastHealth[accountSlot(place)]);
    return nearest(accounts.keys(), healthOf, NEAREST).map((place) => accounts[place]!);
  }
}

function inTurn(accounts: readonly Account[], block: number): Account[] {
  const count = Math.min(IN_TURN, accounts.length);
  return Array.from({ length: count }, (_, i) => accounts[(block * count + i) % accounts.length]!);
}
