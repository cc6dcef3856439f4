import type { Heads } from '../chain/heads.ts';
import type { HeadEvent } from '../chain/types.ts';
import type { RelayPanel } from '../execution/relays/panel.ts';
import { FINAL_DEPTH, type Tracker } from '../execution/tracker.ts';
import type { ExecutionChain } from '../execution/types.ts';
import { sleep } from '../lib/async.ts';
import { explainError } from '../lib/errors.ts';
import type { Head } from '../lib/types.ts';
import type { PriceUpdate } from '../oracles/updates.ts';
import type { Decision } from '../strategy/types.ts';
import type { Emit } from '../telemetry/events.ts';
import type { World } from '../world.ts';
import type { BlockOutcome, BlockPipeline } from './on-block.ts';
import { successOf, tellBundle, tellOutcomes, tellSent } from './on-outcome.ts';
import type { UpdatePipeline } from './on-update.ts';
import type { OwnBids } from './own-bids.ts';
import type { Switchboard } from './switchboard.ts';

export type FollowParts = {
  readonly world: World;
  readonly heads: Heads;
  readonly tracker: Tracker;
  readonly pipeline: BlockPipeline;
  /** Undefined where nobody takes bundles. */
  readonly updates: UpdatePipeline | undefined;
  readonly switchboard: Switchboard;
  readonly ownBids: OwnBids;
  readonly panel: RelayPanel;
  readonly chain: ExecutionChain;
  readonly emit: Emit;
  /** False while no endpoint can be trusted: nothing is sent on what they said. */
  trusted(): boolean;
  /** In the public mempool the tip decides who comes first; a bundle pays by its bid. */
  readonly tips: boolean;
  /** The last block that an earlier process decided. */
  readonly lastBlock: number | undefined;
  /** The mirror stands at this block now, and nothing of it is decided yet. */
  followed(block: number): void;
  /** Keeps the number of the last block that was decided. */
  remember(block: number): Promise<void>;
  /** Calls to endpoints since last asked. */
  takeCalls(): number;
};

/** What the last block came to, for those who look in. */
export type LastBlock = {
  readonly number: number;
  readonly lagMs: number;
  readonly decisions: readonly Decision[];
  readonly outcome: BlockOutcome;
};

/** How long a stop waits for what is under way to come to its end. */
const SETTLE_MS = 6_000;
/** A tip is asked for again after so many blocks. */
const TIP_EVERY = 25;
/** Enough to be taken where the endpoint suggests nothing. */
const LEAST_TIP_WEI = 100_000_000n;

/** Follows the chain block by block: mirror, outcomes, decisions. Ends when stopped, after what is under way has been settled or has had its time. */
export class Follower {
  readonly #parts: FollowParts;
  #stopping = false;
  #tipWei = 0n;
  #tipAge = TIP_EVERY;
  /** Blocks taken back whose transactions have not been reopened yet. */
  #removed: readonly Head[] = [];
  #pending: readonly PriceUpdate[] = [];
  /** Of the backruns that are under way. */
  #superseded = new AbortController();
  /** The head and the updates that were last acted on. */
  #aim = '';
  /** Heads and updates, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** From which block on outcomes are compared with the chain before anything else; undefined while every reorganisation was told of. */
  #recheckFrom: number | undefined;
  last: LastBlock | undefined;
  /** Why the last block could not be processed whole; undefined when it could. */
  trouble: string | undefined;

  constructor(parts: FollowParts) {
    this.#parts = parts;
    this.#recheckFrom = Math.min(parts.lastBlock ?? parts.world.head.number, parts.world.head.number) - FINAL_DEPTH;
  }

  /** Decides the block that the mirror stands at, then every further one. Resolves when stopped. */
  async run(): Promise<void> {
    const { world, heads } = this.#parts;
    this.#tellSuspended(world.distrusted);
    await this.#inTurn(() => this.#atHead(performance.now()));
    for (;;) {
      const event = await heads.next(world.head);
      if (event === null) break;
      this.#superseded.abort();
      await this.#inTurn(() => this.#onEvent(event));
      if (this.#stopping && (await this.#settled())) break;
    }
    this.#superseded.abort();
    await this.#turn;
  }

  /** Price updates that are signed and not mined, in the order in which they may be; whenever that changes. */
  onUpdates(pending: readonly PriceUpdate[], seenAtMs: number): void {
    this.#pending = pending;
    this.#superseded.abort();
    if (pending.length > 0) void this.#inTurn(() => this.#backrun(pending, seenAtMs));
  }

  /** Sends nothing more; `run` resolves once nothing is open, or after six seconds. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#superseded.abort();
    if (!(await this.#settled())) await sleep(SETTLE_MS);
    this.#parts.heads.close();
  }

  async #settled(): Promise<boolean> {
    const { tracker, world } = this.#parts;
    return (await tracker.inFlight(world.head)).length === 0;
  }

  async #onEvent(event: HeadEvent): Promise<void> {
    const { world, heads, emit } = this.#parts;
    const before = world.head.number;
    const update = await world.follow(event);
    this.#parts.followed(world.head.number);
    // NOTE: kept until that is done: no later event speaks of them again.
    this.#removed = [...this.#removed, ...update.removed];
    if (update.resynced) {
      heads.restart(world.recent);
      this.#recheckFrom = Math.min(before, world.head.number) - FINAL_DEPTH;
    }
    if (update.resynced || update.removed.length > 0) {
      // NOTE: what was read wrong is read again under the same hash.
      this.#aim = '';
      this.#parts.updates?.forget();
    }
    this.trouble = update.stalled === null ? undefined : explainError(update.stalled);
    if (this.trouble !== undefined) emit('block.failed', { block: world.head.number, reason: this.trouble });
    for (const { head, mismatches } of update.blocks)
      for (const { id, subject, ours, theirs, mended } of mismatches)
        emit('audit.mismatch', { market: id, block: head.number, hash: head.hash, subject, ours, theirs, mended });
    this.#tellSuspended(update.suspended);
    for (const id of update.resumed) emit('market.resumed', { market: id });
    if (update.removed.length > 0) {
      await this.#reopen();
      emit('reorg.handled', {
        depth: update.removed.length,
        block: world.head.number,
        hash: world.head.hash,
        ...(event.kind === 'reorg' && event.reread && { because: 'wrong logs' }),
      });
    }
    if (update.blocks.length > 0) await this.#atHead(event.arrivedAtMs);
  }

  #tellSuspended(ids: readonly string[]): void {
    const { world, emit } = this.#parts;
    for (const id of ids) emit('market.suspended', { market: id, reason: world.distrust(id) ?? 'unknown' });
  }

  async #atHead(arrivedAtMs: number): Promise<void> {
    const { world, heads, tracker, pipeline, switchboard, ownBids, panel, emit } = this.#parts;
    const { head } = world;
    await this.#reopen();
    const settled = await tracker.onHead(head);
    tellOutcomes(settled, emit);
    ownBids.note(settled);
    pipeline.settled(settled);
    panel.settled(settled);
    for (const settlement of settled) {
      const success = successOf(settlement);
      if (success !== undefined) await switchboard.handle({ kind: success ? 'succeeded' : 'failed' });
    }
    const current = () => !this.#stopping && heads.tip.hash === head.hash && this.#parts.trusted();
    // An older block is mirrored and settled, and decided by what comes after it.
    if (!current()) return;
    const outcome = await pipeline.onBlock(world, head, await this.#tip(), await tracker.inFlight(head), current);
    const lagMs = performance.now() - arrivedAtMs;
    this.#tellSent(outcome, arrivedAtMs);
    this.last = { number: head.number, lagMs, decisions: outcome.decisions, outcome };
    emit('block.processed', {
      block: head.number,
      hash: head.hash,
      lagMs: Math.round(lagMs * 10) / 10,
      positions: outcome.judged.positions,
      candidates: outcome.judged.candidates.length,
      rpcCalls: this.#parts.takeCalls(),
    });
    await this.#parts.remember(head.number);
    // What is still pending is judged and aimed anew, block after block.
    // NOTE: not waited for: the next head supersedes it.
    if (this.#pending.length > 0) void this.#inTurn(() => this.#backrun(this.#pending, arrivedAtMs));
    else if (current()) this.#parts.updates?.prepare(world, head, outcome);
  }

  async #backrun(pending: readonly PriceUpdate[], seenAtMs: number): Promise<void> {
    const { world, heads, tracker, updates, emit } = this.#parts;
    const { head } = world;
    const current = () => !this.#stopping && heads.tip.hash === head.hash && this.#pending === pending && this.#parts.trusted();
    // A newer head, or set of updates, has its own turn.
    if (updates === undefined || !current()) return;
    const aim = [head.hash, ...pending.map(({ sighting }) => sighting.txHash)].join(' ');
    if (this.#aim === aim) return;
    this.#aim = aim;
    this.#superseded = new AbortController();
    const backran = await updates.onUpdates(world, head, pending, await tracker.inFlight(head), this.#superseded.signal);
    if (backran === undefined || backran.sent.length === 0) return;
    const updateTxHash = pending.map(({ sighting }) => sighting.txHash).join(',');
    tellBundle(backran.relays, backran.sent, Math.round(backran.sentAtMs - seenAtMs), emit, {
      updateTxHash,
      doubt: backran.doubts.join(','),
    });
    tellSent(backran.sent, emit);
  }

  /** A failure ends the turn, not the following. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work).catch((error: unknown) => this.#failed(error));
    this.#turn = turn;
    return turn;
  }

  /** Opens again whatever was settled by blocks that are not ours any more. */
  async #reopen(): Promise<void> {
    const { world, tracker, switchboard, ownBids } = this.#parts;
    if (this.#recheckFrom === undefined && this.#removed.length === 0) return;
    if (this.#recheckFrom !== undefined) await tracker.recheck(this.#recheckFrom, world.head);
    this.#recheckFrom = undefined;
    if (this.#removed.length > 0) await tracker.onRemoved(this.#removed, world.head);
    this.#removed = [];
    await switchboard.recount();
    await ownBids.restore();
  }

  #tellSent({ dispatched }: BlockOutcome, arrivedAtMs: number): void {
    const { emit } = this.#parts;
    if (dispatched === undefined) return;
    for (const { plans, gasUnits } of dispatched.wouldSend)
      emit('bundle.would-send', {
        liquidations: plans.length,
        gasUnits: String(gasUnits),
        profitWei: String(plans.reduce((sum, plan) => sum + plan.profitWei, 0n)),
      });
    tellBundle(dispatched.relays, dispatched.sent, Math.round(dispatched.sentAtMs - arrivedAtMs), emit);
    for (const { txHash, nonce, targetBlock } of dispatched.cancels) emit('nonce.freed', { txHash, nonce, targetBlock });
    for (const { kind, from, to, wei, txHash } of dispatched.topUps)
      emit('lane.topped-up', { lane: to, from, by: kind, wei: String(wei), txHash });
    tellSent(dispatched.sent, emit);
    tellOutcomes(dispatched.settled, emit);
  }

  async #tip(): Promise<bigint> {
    const { tips, world } = this.#parts;
    if (!tips) return 0n;
    const due = this.#tipAge++ >= TIP_EVERY && (this.#tipWei === 0n || world.errands.take(world.head.number));
    if (!due) return this.#tipWei;
    this.#tipAge = 0;
    const suggested = await this.#parts.chain.priorityFeeWei().catch(() => LEAST_TIP_WEI);
    this.#tipWei = suggested > LEAST_TIP_WEI ? suggested : LEAST_TIP_WEI;
    return this.#tipWei;
  }

  /** A block that could not be processed is no reason to end: the next one starts from the mirrored state again. */
  #failed(error: unknown): void {
    this.trouble = explainError(error);
    this.#parts.emit('block.failed', { block: this.#parts.world.head.number, reason: this.trouble });
  }
}
