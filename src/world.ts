import type { Rollup, Surcharge, UsualSurcharge } from './chain/rollup.ts';
import type { HeadEvent } from './chain/types.ts';
import type { AddressBook } from './config/addressBook.ts';
import type { SequencerState } from './guard/oracle.ts';
import type { Errands } from './lib/errands.ts';
import type { Address, BlockRef, Head } from './lib/types.ts';
import { Exchanges } from './liquidity/exchanges.ts';
import type { TokenTrials } from './liquidity/token-trials.ts';
import type { Exchange, FlashSource, Venue } from './liquidity/types.ts';
import type { NativeBalances } from './mirror/balances.ts';
import { Distrust } from './mirror/distrust.ts';
import type { TokenHoldings } from './mirror/holdings.ts';
import type { Mirror } from './mirror/mirror.ts';
import type { PastStatus } from './mirror/past.ts';
import type { MirrorUpdate, SyncProgress } from './mirror/reports.ts';
import type { Keeper } from './mirror/snapshots/take.ts';
import type { Feeds } from './oracles/feeds.ts';
import { momentOf, nextMoment, withPending } from './oracles/moment.ts';
import type { AggregatorBook } from './oracles/ocr-aggregators.ts';
import type { PythFeed } from './oracles/pull/pyth.ts';
import type { SequencerFeed } from './oracles/sequencer.ts';
import type { FeedAnswer, FeedId, FeedState, Moment } from './oracles/types.ts';
import type { UsdBook } from './oracles/usd.ts';
import type { DecisionWorld } from './pipeline/decide.ts';
import { shielded } from './protocols/shielded.ts';
import type { Protocol } from './protocols/types.ts';
import { PriceMoves } from './risk/price-moves.ts';
import { Recovery } from './risk/recovery.ts';
import { GasUse } from './strategy/gas.ts';
import { RECENT_HEADS, type Synced, sync, type WorldParts, wantedTokens } from './synced.ts';

/** USD of one whole token, 8 decimals, and its decimals. */
export type UsdPrice = { readonly priceUsd8: bigint; readonly decimals: number };

/** The synced mirror of one chain: positions, feeds, prices and pools. Used alike by every command that looks at the chain. */
export class World implements DecisionWorld {
  readonly protocols: readonly Protocol[];
  /** Every place where something is exchanged, as one. */
  readonly venue: Exchange;
  readonly usd: UsdBook;
  /** What updates the feeds, for judging updates that are not mined yet. */
  readonly aggregators: AggregatorBook;
  /** How the pools' prices have moved while the chain was followed. */
  readonly priceMoves = new PriceMoves();
  readonly recovery = new Recovery();
  readonly gasUse = new GasUse();
  readonly #router: Venue;
  readonly #flashes: readonly { readonly source: FlashSource; readonly of: string }[];
  readonly #feeds: Feeds;
  readonly #sequencer: SequencerFeed | undefined;
  readonly #trials: TokenTrials;
  /** Where transactions cost more than their gas. */
  readonly rollup: Rollup;
  /** What the inventory Executor holds; undefined where there is none. */
  readonly holdings: TokenHoldings | undefined;
  /** For whatever asks the chain now and then. */
  readonly errands: Errands;
  readonly #surcharge: UsualSurcharge;
  readonly #balances: NativeBalances | undefined;
  readonly #book: AddressBook;
  readonly #mirror: Mirror;
  readonly #before: readonly Head[];
  readonly #distrust = new Distrust();
  /** Asked for at every update, and the same until the head is another. */
  #next: { readonly head: Head; readonly moment: Moment } | undefined;

  private constructor(parts: Synced) {
    this.#book = parts.book;
    this.#mirror = parts.mirror;
    this.#before = parts.before;
    this.#feeds = parts.feeds;
    this.#sequencer = parts.sequencer;
    this.aggregators = parts.aggregators;
    this.usd = parts.usd;
    this.#router = parts.venue;
    this.venue = new Exchanges(
      parts.deployed.flatMap(({ exchanges = [] }) => exchanges),
      parts.venue,
    );
    this.#trials = parts.trials;
    this.rollup = parts.rollup;
    this.#surcharge = parts.surcharge;
    this.#balances = parts.balances;
    this.holdings = parts.holdings;
    this.errands = parts.errands;
    this.protocols = parts.deployed.map(({ protocol }) => shielded(protocol));
    this.#flashes = [
      ...parts.deployed.flatMap(({ protocol, flashes }) => flashes.map((source) => ({ source, of: protocol.id }))),
      ...parts.flashes.map((source) => ({ source, of: parts.venue.id })),
    ];
    for (const { id, during, error } of parts.mirror.takeFailures()) this.#distrust.failed(id, `${during}: ${error.message}`);
    this.#observePools();
  }

  /**
   * Syncs everything to the head. A market that cannot be read is suspended from the start. Rejects when the endpoints cannot tell, when no
   * market can be read, or when another address of the book is not what it should be.
   */
  static async open(parts: WorldParts, progress: (progress: SyncProgress) => void): Promise<World> {
    return new World(await sync(parts, progress));
  }

  /** What the chain charges a transaction of one liquidation beyond its gas. */
  get surcharge(): Surcharge {
    return this.#surcharge.value;
  }

  /** What one of the followed accounts holds, in wei; undefined where that is not mirrored. */
  balanceOf(account: Address): bigint | undefined {
    return this.#balances?.of(account);
  }

  /** A token's name for people. */
  symbolOf(token: Address): string {
    return this.protocols.map((protocol) => protocol.symbolOf(token)).find((symbol) => symbol !== undefined) ?? token;
  }

  get head(): Head {
    return this.#mirror.head;
  }

  /** The blocks that can be taken back, oldest first: where following heads begins. */
  get recent(): readonly Head[] {
    return this.#mirror.recent;
  }

  /** What snapshots are taken of. */
  get keeper(): Keeper {
    return this.#mirror;
  }

  /** What of the markets' history is not known yet; undefined when all of it is. */
  get past(): PastStatus | undefined {
    return this.#mirror.past;
  }

  /** Goes through that, beside the stream. Rejects where the endpoints stay away for hours. */
  goThroughPast(signal: AbortSignal): Promise<void> {
    return this.#mirror.goThroughPast(signal);
  }

  /** The mirrored block itself: what the chain's own views answer. */
  now(): Moment {
    return momentOf(this.head, this.#feeds);
  }

  next(pending?: ReadonlyMap<FeedId, FeedAnswer>): Moment {
    const { head } = this;
    if (this.#next?.head !== head)
      this.#next = { head, moment: nextMoment([...this.#before, ...this.#mirror.recent].slice(-RECENT_HEADS), this.#feeds) };
    const { moment } = this.#next;
    return pending === undefined ? moment : withPending(moment, pending);
  }

  /** Who lends now: not a market whose state is not trusted. */
  get flashes(): readonly FlashSource[] {
    return this.#flashes.filter(({ of }) => this.#unusable(of) === undefined).map(({ source }) => source);
  }

  /** What of Pyth's a feed is that no contract answers for. */
  pyth(feed: FeedId): PythFeed | undefined {
    return this.#feeds.pyth(feed);
  }

  feed(feed: FeedId): FeedState | undefined {
    return this.#feeds.state(feed);
  }

  /**
   * The feeds that move when this token's own price does: where it is told by several, the one that tells of the fewest others; and every other feed that
   * answers for the same aggregator.
   */
  feedsOf(token: Address): readonly FeedId[] {
    const tokens = wantedTokens(this.#book, this.protocols);
    const others = (feed: FeedId) => tokens.filter((other) => this.usd.feedsOf(other).includes(feed)).length;
    const [own] = this.usd.feedsOf(token).toSorted((a, b) => others(a) - others(b));
    if (own === undefined) return [];
    const aggregator = this.#feeds.aggregator(own);
    return [...new Set([own, ...(aggregator === undefined ? [] : this.#feeds.feedsOf(aggregator))])];
  }

  /** Undefined where the book names no uptime feed. */
  sequencer(): SequencerState | undefined {
    return this.#sequencer?.told;
  }

  suspended(protocol: Protocol): string | undefined {
    // Prices and pools are everybody's: while they are read anew, nothing is acted on.
    for (const id of [
      protocol.id,
      this.usd.id,
      this.#router.id,
      this.#feeds.id,
      ...(this.#sequencer === undefined ? [] : [this.#sequencer.id]),
    ]) {
      const reason = this.#unusable(id);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Why something mirrored is suspended, by its id. */
  distrust(id: string): string | undefined {
    return this.#distrust.reason(id);
  }

  /** The ids of all that is suspended now. */
  get distrusted(): readonly string[] {
    return this.#distrust.ids;
  }

  /** Follows the chain. What comes out of it untrusted is suspended until it has been read anew. */
  async follow(event: HeadEvent): Promise<MirrorUpdate & { readonly suspended: readonly string[]; readonly resumed: readonly string[] }> {
    const update = await this.#mirror.onHeads(event);
    const suspended: string[] = [];
    const resumed: string[] = [];
    for (const report of update.blocks) {
      const change = this.#distrust.onBlock(report, (id) => this.#mirror.live(id));
      suspended.push(...change.suspended);
      resumed.push(...change.resumed);
      for (const id of change.reread) this.#mirror.reanchor(id);
    }
    this.#wantNewTokens();
    this.#observePools();
    // Nobody waits for it: what is tried now counts from the next block on.
    void this.#trials.onBlock(this.head);
    void this.#surcharge.onBlock(this.head.number, this.errands);
    return { ...update, suspended, resumed };
  }

  #observePools(): void {
    this.priceMoves.observe(this.head.timestamp, this.#router.pools());
    const at = this.now();
    this.recovery.observe(this.#router.pools(), (token) => this.usd.usd8(token, at));
  }

  #unusable(id: string): string | undefined {
    const doubt = this.#distrust.reason(id);
    if (doubt !== undefined || this.#mirror.live(id)) return doubt;
    return this.past?.awaited.includes(id) ? `${id} cannot begin before its history is known` : `${id} is not synced`;
  }

  /** USD prices at the end of a block: mirrored when it is the head, asked for otherwise. Undefined for a token without a price. */
  async usdAt(block: BlockRef, tokens: readonly Address[]): Promise<ReadonlyMap<Address, UsdPrice>> {
    const prices = new Map<Address, UsdPrice>();
    const askings = tokens.map((token) => [token, this.usd.asking(token)] as const);
    const mirrored = block.hash === this.head.hash;
    const answers = mirrored
      ? []
      : await this.#mirror.views.callAt(
          block.hash,
          askings.flatMap(([, asking]) => asking?.calls ?? []),
        );
    let next = 0;
    for (const [token, asking] of askings) {
      if (asking === undefined) continue;
      const price = mirrored ? this.usd.usd8(token, this.now()) : asking.read(answers.slice(next, next + asking.calls.length));
      next += asking.calls.length;
      if (price !== undefined) prices.set(token, price);
    }
    return prices;
  }

  /** A market that lists a new asset makes its pools and its price interesting: both are read anew. */
  #wantNewTokens(): void {
    const tokens = wantedTokens(this.#book, this.protocols);
    if (this.usd.want(tokens)) this.#mirror.reanchor(this.usd.id);
    if (this.#router.want(tokens)) this.#mirror.reanchor(this.#router.id);
  }
}
