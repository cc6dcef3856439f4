import { MAX_UINT256 } from '../../lib/math.ts';
import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { Journal } from '../../mirror/journal.ts';
import { type Keeping, keepNumbers, numbersIn } from '../../mirror/keeping.ts';
import { MirrorError, type Reading, type Undo, type ViewCheck } from '../../mirror/types.ts';
import type { FeedBook } from '../../oracles/feeds.ts';
import { momentOf } from '../../oracles/moment.ts';
import type { FeedId, Moment, UsdPrices } from '../../oracles/types.ts';
import { type Ask, takeAnswers } from '../asks.ts';
import { Lenses } from '../lenses.ts';
import { nearest } from '../nearest.ts';
import type { Option, PositionView, PriceUse, Protocol, Refusal, Slot, Verdict } from '../types.ts';
import { anchorDeployment } from './anchor.ts';
import { auditChecks } from './audit.ts';
import { discoveredIn, discoveryTopics, Folding, perpsTopics, type Touched, untouched } from './fold.ts';
import { Lens } from './lens.ts';
import { WAD } from './math.ts';
import { feedsOf, type NodePrice, pythsOf } from './nodes.ts';
import { optionsOf, refusalOf } from './options.ts';
import { usedPrices } from './prices.ts';
import { type Account, addressOfId, isExposed, type SynthetixState } from './state.ts';
import { askInterest, asksFor } from './unread.ts';
import { viewOf } from './view.ts';

/** One deployment of the address book. `fromBlock` is inclusive. */
export type SynthetixDeployment = { readonly name: string; readonly perpsMarket: Address; readonly fromBlock: number };

const NEAREST = 16;
/** Whoever is healthier is not near, however few are. */
const NEAR_HEALTH = 3e18;

/**
 * One Synthetix v3 perps market: its markets, and its accounts. An account is a slot, whatever it holds in how many markets; its number counts as its address.
 *
 * Accounts are found by their collateral and read once at the anchor. After it, logs give positions their sizes and prices and say which accounts and markets
 * changed; what no log tells of those is read in the same block. What no view tells (a market's funding, a position's share of it) is read from storage, and the
 * audit holds the margins that follow against the views. Every account is judged at every moment: there are no bounds.
 */
export class SynthetixV3Perps implements Protocol {
  readonly name = 'synthetix-v3-perps';
  readonly market: string;
  readonly id: string;
  readonly fromBlock: number;
  readonly #perps: Address;
  readonly #feeds: FeedBook;
  readonly #usd: UsdPrices;
  readonly #executor: Address | undefined;
  readonly #filters: readonly LogFilter[];
  readonly #journal = new Journal();
  readonly #known = new Set<bigint>();
  #state: SynthetixState | undefined;
  #touched: Touched = untouched();
  #asks: readonly Ask[] = [];
  /** Health factors as floats, by slot, as last judged: for choosing what to audit, never for deciding. */
  readonly #lastHealth: number[] = [];
  readonly #lenses = new Lenses<Lens>((at) => new Lens(this.#anchored(), at, this.#mirrored()));

  /**
   * @param usd what an snxUSD is worth outside
   * @param executor in which rewards stay, if it counts them
   */
  constructor(deployment: SynthetixDeployment, feeds: FeedBook, usd: UsdPrices, executor: Address | undefined) {
    this.market = deployment.name;
    this.id = `synthetix-v3-perps/${deployment.name}`;
    this.fromBlock = deployment.fromBlock;
    this.#perps = deployment.perpsMarket;
    this.#feeds = feeds;
    this.#usd = usd;
    this.#executor = executor;
    this.#filters = [{ addresses: [this.#perps], topics0: perpsTopics }];
  }

  // ---- mirror

  discoveryFilters(): readonly LogFilter[] {
    return [{ addresses: [this.#perps], topics0: discoveryTopics }];
  }

  discover(logs: readonly RawLog[]): void {
    for (const log of logs) {
      const account = log.address === this.#perps ? discoveredIn(log) : undefined;
      if (account !== undefined) this.#known.add(account);
    }
  }

  *anchor(block: Head): Reading {
    this.#journal.stop();
    for (const { id } of this.#state?.accounts ?? []) this.#known.add(id);
    const state = yield* anchorDeployment(this.#perps, this.#known, this.#executor, block);
    const asks = [...asksFor(state, untouched()), askInterest(state)];
    const answers = yield asks.flatMap((ask) => ask.calls);
    this.#state = state;
    this.#take(asks, answers);
    this.#lastHealth.length = 0;
    this.#lenses.forget();
    this.#feeds.want(this.#nodes().flatMap((node) => [...pythsOf(node), ...feedsOf(node)]));
  }

  filters(): readonly LogFilter[] {
    return this.#filters;
  }

  /** Throws a MirrorError on what only a new anchor can follow. */
  apply(block: Head, logs: readonly RawLog[]): Undo {
    this.#journal.begin();
    const folding = new Folding(this.#anchored(), this.#journal);
    for (const log of logs) folding.fold(log, block);
    this.#touched = folding.touched;
    return this.#lenses.changed(this.#journal);
  }

  reads(_block: Head): readonly ViewCall[] {
    this.#asks = asksFor(this.#anchored(), this.#touched);
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

  /** What accounts have is read at any start. */
  get keeping(): Keeping {
    return {
      shape: `synthetix-v3-perps 1 ${this.#perps}`,
      keep: () => keepNumbers(new Set([...this.#known, ...(this.#state?.accounts.map(({ id }) => id) ?? [])])),
      restore: (pieces) => {
        for (const id of numbersIn(pieces)) this.#known.add(id);
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
    return addressOfId(this.#account(slot).id);
  }

  marketOf(_slot: Slot): string {
    return this.market;
  }

  aliasesOf(_slot: Slot): readonly string[] {
    return [this.market.toLowerCase(), this.#perps];
  }

  judge(slot: Slot, at: Moment): Verdict {
    const account = this.#account(slot);
    if (account.flagged) return { kind: 'liquidatable', healthFactorWad: 0n };
    const standing = this.#lenses.at(at).standing(account);
    if (!standing.ok) return { kind: 'unknown', reason: standing.reason };
    const { availableWad, requiredWad } = standing;
    const left = availableWad > 0n ? availableWad : 0n;
    const healthFactorWad = requiredWad === 0n ? MAX_UINT256 : (left * WAD) / requiredWad;
    this.#lastHealth[slot] = Number(healthFactorWad);
    return { kind: availableWad < requiredWad ? 'liquidatable' : 'healthy', healthFactorWad };
  }

  options(slot: Slot, at: Moment): readonly Option[] {
    return optionsOf(this.#account(slot), { lens: this.#lenses.at(at), usd: this.#usd, at });
  }

  refusal(slot: Slot, at: Moment): Refusal | undefined {
    return refusalOf(this.#account(slot), { lens: this.#lenses.at(at), usd: this.#usd, at });
  }

  tooOld(slot: Slot, at: Moment): readonly FeedId[] {
    return this.#lenses.at(at).tooOld(this.#account(slot));
  }

  view(slot: Slot, at: Moment): PositionView {
    return viewOf(this.#account(slot), this.#lenses.at(at));
  }

  prices(slot: Slot): readonly PriceUse[] {
    return usedPrices(this.#account(slot), this.#anchored(), (at) => this.#lenses.at(at));
  }

  tokens(): readonly Address[] {
    return [this.#anchored().contracts.usd];
  }

  symbolOf(token: Address): string | undefined {
    const { contracts, collateral } = this.#anchored();
    return token === contracts.usd ? 'snxUSD' : [...collateral.values()].find((one) => one.token === token)?.symbol;
  }

  feeds(): readonly FeedId[] {
    return [...new Set(this.#nodes().flatMap(feedsOf))];
  }

  /** The deployment at a moment. */
  lens(at: Moment): Lens {
    return this.#lenses.at(at);
  }

  get state(): SynthetixState {
    return this.#anchored();
  }

  // ---- inside

  #anchored(): SynthetixState {
    if (this.#state === undefined) throw new MirrorError(`${this.id} is not anchored`);
    return this.#state;
  }

  #account(slot: Slot): Account {
    const account = this.#anchored().accounts[slot];
    if (account === undefined) throw new RangeError(`${this.id} has no slot ${slot}`);
    return account;
  }

  #nodes() {
    const { markets, collateral } = this.#anchored();
    const prices: readonly NodePrice[] = [...markets.values(), ...collateral.values()].map(({ price }) => price);
    return prices.flatMap(({ node }) => node ?? []);
  }

  #take(asks: readonly Ask[], answers: readonly ViewAnswer[]): void {
    takeAnswers(asks, answers, this.#journal);
  }

  #mirrored(): Moment {
    return momentOf(this.#anchored().head, this.#feeds);
  }

  #nearest(): readonly Slot[] {
    const healthOf = (slot: Slot) => {
      const health = this.#lastHealth[slot];
      return health !== undefined && health < NEAR_HEALTH && isExposed(this.#account(slot)) ? health : undefined;
    };
    return nearest(this.#lastHealth.keys(), healthOf, NEAREST);
  }
}
