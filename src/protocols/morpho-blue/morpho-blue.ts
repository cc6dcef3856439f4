import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../../lib/types.ts';
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
import { anchorDeployment } from './anchor.ts';
import { auditChecks } from './audit.ts';
import { PositionBounds } from './bounds.ts';
import { discoveryTopics, foldLog, irmTopics, morphoTopics } from './fold.ts';
import { deploymentIn, type KeptPositions, keepDeployment } from './kept.ts';
import { Lens, standingOf } from './lens.ts';
import type { BadDebt } from './liquidation.ts';
import { LATE_SECONDS, optionsOf } from './options.ts';
import { type Early, earlyFor, isPreLiquidatable, preOptionOf } from './pre-options.ts';
import { contractsFor, contractsInUse, foldPreLog } from './pre-state.ts';
import { usedPrices } from './prices.ts';
import { type Contracts, filtersOf, Revealed } from './revealed.ts';
import { Settling } from './settle.ts';
import { type BlueMarket, type BlueState, hasDebt, type MarketId, type Position } from './state.ts';
import { asksFor } from './unread.ts';
import { viewOf } from './view.ts';

/** One deployment of the address book: it holds any number of markets. `fromBlock` is inclusive. */
export type MorphoBlueDeployment = {
  readonly name: string;
  readonly morpho: Address;
  /** Of the contracts that liquidate before a market's limit; they are not looked for without it. */
  readonly preLiquidationFactory?: Address | undefined;
  readonly fromBlock: number;
};

const WAD = 10n ** 18n;
const NEAREST = 16;
const SHORT_ID_DIGITS = 8;

/** `later` is when a transaction may be mined at the latest. */
type LensPair = { readonly now: Lens; readonly later: Lens };

/**
 * One Morpho Blue contract with all its markets. Positions are found by their logs, read once at the anchor, folded from logs after it; oracles, and
 * IRMs other than the adaptive curve, are read once a block.
 *
 * Feeds have to be anchored after this, which names those that its oracles need.
 *
 * NOTE: anybody may create a market. Nothing of a market without debt is asked for, and its tokens count for routes only from the next anchor on: a
 * stranger's new token must not make everybody's pools be read anew.
 */
export class MorphoBlue implements Protocol {
  readonly name = 'morpho-blue';
  readonly market: string;
  readonly id: string;
  readonly fromBlock: number;
  readonly #contracts: Contracts;
  readonly #feeds: FeedBook;
  readonly #usd: UsdPrices;
  readonly #badDebt: BadDebt;
  readonly #journal = new Journal();
  readonly #settling = new Settling();
  readonly #revealed: Revealed;
  #state: BlueState | undefined;
  /** From an earlier run, until the first anchor. */
  #kept: KeptPositions | undefined;
  #bounds: PositionBounds | undefined;
  #filters: readonly LogFilter[] = [];
  #tokens: readonly Address[] = [];
  #asks: readonly Ask[] = [];
  /** Health factors as floats, by slot, as last judged: for choosing what to audit, never for deciding. */
  readonly #lastHealth: number[] = [];
  readonly #lenses = new Lenses<LensPair>((at) => this.#pairAt(at));

  /** @param usd for what people see alone: no judgement needs it */
  constructor(deployment: MorphoBlueDeployment, feeds: FeedBook, usd: UsdPrices, badDebt: BadDebt) {
    this.market = deployment.name;
    this.id = `morpho-blue/${deployment.name}`;
    this.fromBlock = deployment.fromBlock;
    this.#contracts = { morpho: deployment.morpho, factory: deployment.preLiquidationFactory };
    this.#revealed = new Revealed(this.#contracts);
    this.#feeds = feeds;
    this.#usd = usd;
    this.#badDebt = badDebt;
  }

  // ---- mirror

  discoveryFilters(): readonly LogFilter[] {
    return filtersOf(this.#contracts, this.#kept === undefined ? discoveryTopics : morphoTopics);
  }

  discover(logs: readonly RawLog[]): void {
    for (const log of logs) {
      this.#revealed.take(log);
      this.#kept?.see(log);
    }
  }

  *anchor(block: Head): Reading {
    this.#journal.stop();
    if (this.#state !== undefined) this.#revealed.keep(this.#state);
    const known = { revealed: this.#revealed, kept: this.#kept };
    this.#state = yield* anchorDeployment(this.#contracts, known, (id, taken) => this.#labelOf(id, taken), block);
    this.#kept = undefined;
    this.#filters = [
      ...filtersOf(this.#contracts, morphoTopics),
      ...(this.#state.adaptive.size === 0 ? [] : [{ addresses: [...this.#state.adaptive], topics0: irmTopics }]),
    ];
    this.#tokens = [...this.#state.tokens.keys()];
    this.#settling.restart();
    this.#lastHealth.length = 0;
    this.#bounds = new PositionBounds(this.#state, () => this.#mirrored(), this.#lastHealth);
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
    const state = this.#anchored();
    this.#journal.begin();
    for (const log of logs) {
      foldPreLog(log, this.#contracts.factory, state, this.#journal);
      foldLog(log, block, state, this.#journal, (id) => this.#labelOf(id, state.markets));
    }
    return this.#changed();
  }

  reads(block: Head): readonly ViewCall[] {
    this.#asks = asksFor(this.#anchored(), this.#settling, this.#tokens, block);
    return this.#asks.flatMap((ask) => ask.calls);
  }

  ingest(block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    takeAnswers(this.#asks, answers, this.#journal);
    this.#journal.set(this.#anchored(), 'head', block);
    this.#feeds.want(this.feeds());
    return this.#changed();
  }

  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    return auditChecks(this.#anchored(), this.#nearest(), limit, seed);
  }

  get keeping(): Keeping {
    const { morpho, factory } = this.#contracts;
    return {
      shape: `morpho-blue 1 ${morpho} ${factory}`,
      keep: () => keepDeployment(this.#revealed, this.#state),
      restore: (pieces) => {
        const restored = deploymentIn(pieces);
        this.#revealed.restore(restored);
        this.#kept = restored.positions;
      },
    };
  }

  // ---- judgement

  *slots(): Iterable<Slot> {
    for (const [slot, { borrowShares }] of this.#anchored().positions.entries()) if (borrowShares > 0n) yield slot;
  }

  count(): number {
    let count = 0;
    for (const _ of this.slots()) count++;
    return count;
  }

  accountOf(slot: Slot): Address {
    return this.#position(slot).account;
  }

  marketOf(slot: Slot): string {
    return this.#position(slot).market.label;
  }

  aliasesOf(slot: Slot): readonly string[] {
    return [this.market, this.#position(slot).market.id, this.#contracts.morpho];
  }

  judge(slot: Slot, at: Moment): Verdict {
    const position = this.#position(slot);
    const standing = standingOf(position, this.#lenses.at(at).now.market(position.market));
    if (!standing.ok) return { kind: 'unknown', reason: standing.reason };
    const { healthFactorWad } = standing;
    this.#lastHealth[slot] = Number(healthFactorWad);
    const liquidatable = healthFactorWad < WAD || this.#early(position, at).some(isPreLiquidatable);
    return { kind: liquidatable ? 'liquidatable' : 'healthy', healthFactorWad };
  }

  get bounds(): PositionBounds | undefined {
    return this.#bounds;
  }

  options(slot: Slot, at: Moment): readonly Option[] {
    const position = this.#position(slot);
    const { market } = position;
    const { now, later } = this.#lenses.at(at);
    const symbol = (token: Address) => this.symbolOf(token) ?? token.slice(0, 10);
    const label = `${symbol(market.params.loanToken)}/${symbol(market.params.collateralToken)}`;
    return [
      ...optionsOf(position, {
        ...{ morpho: this.#contracts.morpho, label, badDebt: this.#badDebt },
        ...{ now: now.market(market), later: later.market(market) },
      }),
      ...this.#early(position, at).flatMap((early) => preOptionOf(early, label)),
    ];
  }

  view(slot: Slot, at: Moment): PositionView {
    const position = this.#position(slot);
    return viewOf(position, this.#anchored(), this.#lenses.at(at).now.market(position.market), this.#usd, at);
  }

  /** NOTE: beyond its limit a position is Morpho's own: a contract that its owner authorised then, with whatever oracle, must not make its price doubtful. */
  prices(slot: Slot, at?: Moment): readonly PriceUse[] {
    const position = this.#position(slot);
    const { market, account } = position;
    const state = this.#anchored();
    const standing = at === undefined ? undefined : standingOf(position, this.#lenses.at(at).now.market(market));
    const isBeyond = standing?.ok === true && standing.healthFactorWad < WAD;
    return usedPrices(market, isBeyond ? [] : contractsFor(state, market.id, account), state, this.#mirrored());
  }

  tokens(): readonly Address[] {
    this.#anchored();
    return this.#tokens;
  }

  symbolOf(token: Address): string | undefined {
    return this.#state?.tokens.get(token)?.symbol;
  }

  feeds(): readonly FeedId[] {
    const state = this.#anchored();
    const { markets, oracles } = state;
    const asked = new Set([...[...markets.values()].filter(hasDebt), ...contractsInUse(state)].map(({ params }) => params.oracle));
    return [...new Set(Array.from(asked, (oracle) => oracles.get(oracle)?.decoded?.feeds ?? []).flat())];
  }

  /** What the flash loans of the same contract need to know. */
  get state(): BlueState {
    return this.#anchored();
  }

  // ---- inside

  #anchored(): BlueState {
    if (this.#state === undefined) throw new MirrorError(`${this.id} is not anchored`);
    return this.#state;
  }

  #position(slot: Slot): Position {
    const position = this.#anchored().positions[slot];
    if (position === undefined) throw new RangeError(`${this.id} has no slot ${slot}`);
    return position;
  }

  /** The contracts that may act for a position before its limit. */
  #early(position: Position, at: Moment): readonly Early[] {
    const { now, later } = this.#lenses.at(at);
    return earlyFor(position, this.#anchored(), now, later);
  }

  /** NOTE: a short id can be had by trying, so the first market that has it keeps it, and another is called by its whole id. */
  #labelOf(id: MarketId, others: ReadonlyMap<MarketId, BlueMarket>): string {
    const short = `${this.market}:${id.slice(2, 2 + SHORT_ID_DIGITS)}`;
    for (const { label } of others.values()) if (label === short) return `${this.market}:${id.slice(2)}`;
    return short;
  }

  #pairAt(at: Moment): LensPair {
    const [state, mirrored] = [this.#anchored(), this.#mirrored()];
    const late: Moment = { ...at, timestamp: at.timestamp + LATE_SECONDS };
    return { now: new Lens(state, at, mirrored), later: new Lens(state, late, mirrored) };
  }

  /** The mirrored block itself. */
  #mirrored(): Moment {
    return momentOf(this.#anchored().head, this.#feeds);
  }

  #changed(): Undo {
    const undo = this.#lenses.changed(this.#journal);
    return () => {
      undo();
      this.#settling.restart();
    };
  }

  #nearest(): readonly Slot[] {
    const { positions } = this.#anchored();
    return nearest(positions.keys(), (slot) => (positions[slot]!.borrowShares === 0n ? undefined : this.#lastHealth[slot]), NEAREST);
  }
}
