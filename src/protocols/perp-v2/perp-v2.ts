import { MAX_UINT256 } from '../../lib/math.ts';
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
import type { Option, PositionView, PriceUse, Protocol, Refusal, Slot, Verdict } from '../types.ts';
import { anchorDeployment, type PerpAddresses } from './anchor.ts';
import { auditChecks } from './audit.ts';
import { isCollateralLiquidatable } from './collateral.ts';
import { deskAt } from './desk.ts';
import { PerpExchange } from './exchange.ts';
import { discoveredIn, discoveryTopics, Folding, filtersOf } from './fold.ts';
import { Lens } from './lens.ts';
import { WAD } from './math.ts';
import { type OptionParts, optionsOf, refusalOf } from './options.ts';
import { PerpOwnAccount } from './own.ts';
import { usedPrices } from './prices.ts';
import { type Account, isExposed, isWorkedOut, type PerpState } from './state.ts';
import { askAccount, askDesk, asksFor, readAccounts } from './unread.ts';
import { viewOf } from './view.ts';

/** One deployment of the address book. `fromBlock` is inclusive. */
export type PerpV2Deployment = PerpAddresses & { readonly name: string; readonly fromBlock: number };

const NEAREST = 16;
/** Whoever is healthier is not near, however few are. */
const NEAR_HEALTH = 3e18;

/**
 * One Perp v2 deployment: its markets, with their pools, and its accounts. An account is a slot, whatever it holds in how many markets: what it is worth is judged
 * as a whole, what is liquidated is one of its positions.
 *
 * Accounts are found by their deposits, read once at the anchor, and folded from logs after it. Accounts with orders, whose fees no event tells, are read every
 * block. What only storage tells (the funding's growth) is read at the anchor; the audit of accounts' values holds it against the views from then on.
 */
export class PerpV2 implements Protocol {
  readonly name = 'perp-v2';
  readonly market: string;
  readonly id: string;
  readonly fromBlock: number;
  readonly #addresses: PerpAddresses;
  readonly #feeds: FeedBook;
  readonly #usd: UsdPrices;
  readonly #executor: Address | undefined;
  readonly #own: PerpOwnAccount | undefined;
  /** Where what is taken over is closed. */
  readonly exchange: PerpExchange;
  readonly #journal = new Journal();
  readonly #bases = new Set<Address>();
  readonly #collateral = new Set<Address>();
  readonly #accounts = new Set<Address>();
  #state: PerpState | undefined;
  #filters: readonly LogFilter[] = [];
  #asks: readonly Ask[] = [];
  /** Health factors as floats, by slot, as last judged: for choosing what to audit, never for deciding. */
  readonly #lastHealth: number[] = [];
  readonly #lenses = new Lenses<Lens>((at) => new Lens(this.#anchored(), at));

  /**
   * @param usd what a settlement token is worth
   * @param executor whose margin takes positions over; undefined: nobody's
   */
  constructor(deployment: PerpV2Deployment, feeds: FeedBook, usd: UsdPrices, executor: Address | undefined) {
    this.#usd = usd;
    this.#executor = executor;
    this.market = deployment.name;
    this.id = `perp-v2/${deployment.name}`;
    this.fromBlock = deployment.fromBlock;
    this.#addresses = deployment;
    this.#feeds = feeds;
    this.exchange = new PerpExchange(
      this.id,
      () => this.#state,
      (at) => this.#lenses.at(at),
    );
    this.#own =
      executor === undefined
        ? undefined
        : new PerpOwnAccount(executor, () => this.#anchored(), {
            lens: (at) => this.#lenses.at(at),
            usd,
            options: (at) => this.#parts(at),
          });
  }

  // ---- mirror

  discoveryFilters(): readonly LogFilter[] {
    const { marketRegistry, vault } = this.#addresses;
    return [
      { addresses: [marketRegistry], topics0: discoveryTopics.registry },
      { addresses: [vault], topics0: discoveryTopics.vault },
    ];
  }

  discover(logs: readonly RawLog[]): void {
    const { marketRegistry, vault } = this.#addresses;
    for (const log of logs) {
      const found = log.address === marketRegistry || log.address === vault ? discoveredIn(log) : undefined;
      if (found === undefined) continue;
      if ('base' in found) this.#bases.add(found.base);
      else {
        this.#collateral.add(found.token);
        this.#accounts.add(found.account);
      }
    }
  }

  *anchor(block: Head): Reading {
    this.#journal.stop();
    for (const { address } of this.#state?.accounts ?? []) this.#accounts.add(address);
    const known = { bases: this.#bases, tokens: this.#collateral, accounts: this.#accounts };
    const state = yield* anchorDeployment(this.#addresses, known, this.#executor, block);
    const asks = [...askDesk(state), ...readAccounts(state).map((account) => askAccount(state, account))];
    const answers = yield asks.flatMap((ask) => ask.calls);
    this.#state = state;
    this.#take(asks, answers);
    this.#filters = filtersOf(state);
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
  apply(block: Head, logs: readonly RawLog[]): Undo {
    this.#journal.begin();
    const folding = new Folding(this.#anchored(), this.#journal);
    for (const log of logs) folding.fold(log, block);
    return this.#lenses.changed(this.#journal);
  }

  reads(_block: Head): readonly ViewCall[] {
    this.#asks = asksFor(this.#anchored());
    return this.#asks.flatMap((ask) => ask.calls);
  }

  ingest(block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    this.#take(this.#asks, answers);
    this.#journal.set(this.#anchored(), 'head', block);
    return this.#lenses.changed(this.#journal);
  }

  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    return auditChecks(this.#anchored(), () => this.#lenses.at(this.#mirrored()), this.#nearest(), limit, seed);
  }

  /** What orders have earned no log tells: who exists is kept, what they have is read at any start. */
  get keeping(): Keeping {
    const { clearingHouse, vault } = this.#addresses;
    const own = [this.#bases, this.#collateral, this.#accounts];
    return {
      shape: `perp-v2 1 ${clearingHouse} ${vault}`,
      keep: () =>
        keepSets([
          ...own,
          this.#state?.markets.keys() ?? [],
          this.#state?.collateral.keys() ?? [],
          addressesOf(this.#state?.accounts ?? []),
        ]),
      restore: (pieces) => {
        for (const [place, set] of setsIn(pieces, 2 * own.length).entries())
          for (const address of set) own[place % own.length]!.add(address);
      },
    };
  }

  // ---- judgement

  *slots(): Iterable<Slot> {
    for (const [slot, account] of this.#anchored().accounts.entries()) if (isExposed(account)) yield slot;
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
    return [this.market, this.#addresses.clearingHouse];
  }

  judge(slot: Slot, at: Moment): Verdict {
    const standing = this.#lenses.at(at).standing(this.#account(slot));
    if (!standing.ok) return { kind: 'unknown', reason: standing.reason };
    const { valueWad, requirementWad } = standing;
    const positive = valueWad > 0n ? valueWad : 0n;
    const ofPositions = requirementWad === 0n ? MAX_UINT256 : (positive * WAD) / requirementWad;
    const underwater = valueWad < requirementWad;
    // Collateral may be bought before positions may be taken over; a factor of its own it has not.
    const forSale = !underwater && this.#sellsCollateral(slot, at);
    const healthFactorWad = forSale && ofPositions >= WAD ? WAD - 1n : ofPositions;
    this.#lastHealth[slot] = Number(healthFactorWad);
    return { kind: underwater || forSale ? 'liquidatable' : 'healthy', healthFactorWad };
  }

  options(slot: Slot, at: Moment): readonly Option[] {
    return optionsOf(this.#account(slot), this.#parts(at));
  }

  refusal(slot: Slot, at: Moment): Refusal | undefined {
    return refusalOf(this.#account(slot), this.#parts(at));
  }

  own(): PerpOwnAccount | undefined {
    return this.#state === undefined ? undefined : this.#own;
  }

  view(slot: Slot, at: Moment): PositionView {
    return viewOf(this.#account(slot), this.#anchored(), this.#lenses.at(at), this.#usd, at);
  }

  prices(slot: Slot): readonly PriceUse[] {
    return usedPrices(this.#account(slot));
  }

  /** Positions are no tokens: nothing of theirs is exchanged elsewhere. */
  tokens(): readonly Address[] {
    const { contracts, collateral } = this.#anchored();
    return [contracts.settlement, ...collateral.keys()];
  }

  symbolOf(token: Address): string | undefined {
    if (this.#state === undefined) return undefined;
    const { contracts, settlement, collateral, markets } = this.#state;
    return token === contracts.settlement ? settlement.symbol : (collateral.get(token)?.symbol ?? markets.get(token)?.symbol);
  }

  feeds(): readonly FeedId[] {
    return [...new Set([...this.#anchored().markets.values()].flatMap(({ index }) => index?.feed ?? []))];
  }

  /** The deployment at a moment. */
  lens(at: Moment): Lens {
    return this.#lenses.at(at);
  }

  get state(): PerpState {
    return this.#anchored();
  }

  // ---- inside

  #anchored(): PerpState {
    if (this.#state === undefined) throw new MirrorError(`${this.id} is not anchored`);
    return this.#state;
  }

  #account(slot: Slot): Account {
    const account = this.#anchored().accounts[slot];
    if (account === undefined) throw new RangeError(`${this.id} has no slot ${slot}`);
    return account;
  }

  #parts(at: Moment): OptionParts {
    const state = this.#anchored();
    const lens = this.#lenses.at(at);
    return { state, lens, exchange: this.exchange, desk: deskAt(state, lens, this.#usd, at) };
  }

  #sellsCollateral(slot: Slot, at: Moment): boolean {
    const account = this.#account(slot);
    if (account.collateral.size === 0 || !isWorkedOut(account)) return false;
    const worth = this.#lenses.at(at).worth(account);
    return typeof worth !== 'string' && isCollateralLiquidatable(account, this.#anchored(), worth);
  }

  #take(asks: readonly Ask[], answers: readonly ViewAnswer[]): void {
    takeAnswers(asks, answers, this.#journal);
  }

  #mirrored(): Moment {
    return momentOf(this.#anchored().head, this.#feeds);
  }

  /** Ours first, while it holds anything: what closes it rests on what is mirrored of it. */
  #nearest(): readonly Slot[] {
    const ours = this.#executor === undefined ? undefined : this.#anchored().slots.get(this.#executor);
    return ours === undefined || !isExposed(this.#account(ours)) ? this.#leastHealthy() : [ours, ...this.#leastHealthy()];
  }

  #leastHealthy(): readonly Slot[] {
    const healthOf = (slot: Slot) => {
      const health = this.#lastHealth[slot];
      return health !== undefined && health < NEAR_HEALTH && isExposed(this.#account(slot)) ? health : undefined;
    };
    return nearest(this.#lastHealth.keys(), healthOf, NEAREST);
  }
}
