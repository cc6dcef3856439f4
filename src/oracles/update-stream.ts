/** Price updates before they land, from sightings to events. */
import { setImmediate as turn } from 'node:timers/promises';
import { recoverTransactionAddress } from 'viem';
import { getLogsByRange } from '../chain/actions/getLogs.ts';
import type { Hint } from '../chain/mev-share.ts';
import type { PendingTransaction } from '../chain/pending-body.ts';
import type { Interest } from '../chain/pending-frame.ts';
import type { Rpc } from '../chain/types.ts';
import { sleep } from '../lib/async.ts';
import type { Address, Hex } from '../lib/types.ts';
import { TRANSMISSION_SELECTORS } from './ocr.ts';
import type { AggregatorBook } from './ocr-aggregators.ts';
import { configSetFilter, isGenuine, type SignerSet, signerSetOf } from './ocr-signatures.ts';
import { type GoneReason, NO_UPDATES, type PendingEvent, type PendingUpdates, pendingOf, reducePending } from './pending-updates.ts';
import { judgeSighting, type Known, type PriceUpdate, type Rejected, type Sighting } from './updates.ts';

export type UpdateEvent =
  /** May be included next. Again after `gone` when a reorg has taken its block away, or when a hint turns up in public. */
  | { readonly kind: 'pending'; readonly update: PriceUpdate }
  | { readonly kind: 'gone'; readonly update: PriceUpdate; readonly why: GoneReason }
  /** Later, beside the path: the oracles did sign it; or nobody can tell at present. A forged one is `gone` instead. */
  | { readonly kind: 'genuine'; readonly update: PriceUpdate }
  | { readonly kind: 'unverified'; readonly update: PriceUpdate; readonly because: string }
  | { readonly kind: 'rejected'; readonly rejected: Rejected };

export type UpdateStreamParts = {
  readonly rpc: Rpc;
  readonly known: Known;
  /** The mirrored block, and the timestamp of the one that will include. */
  readonly next: () => { readonly block: number; readonly timestamp: number };
  /** Called as it happens, never while another call of it is running. */
  readonly onEvent: (event: UpdateEvent) => void;
};

/** Recoveries wait here; beyond that the oldest is given up as unverified. */
const MAX_UNVERIFIED = 64;
const MAX_SIGNER_SETS = 1_000;
const TIMEOUT_MS = 4_000;
/** Before each recovery: longer than it takes to send what an update brings. */
const PAUSE_MS = 100;

export class UpdateStream {
  readonly #parts: UpdateStreamParts;
  readonly #signers = new Map<string, SignerSet>();
  readonly #unverified: { readonly update: PriceUpdate; readonly held: boolean }[] = [];
  #state: PendingUpdates = NO_UPDATES;
  #senders: ReadonlySet<Address> = new Set();
  #verifying: Promise<void> | null = null;
  readonly #ending = new AbortController();

  constructor(parts: UpdateStreamParts) {
    this.#parts = parts;
  }

  /** Those that may be included next, in order of arrival. */
  get pending(): readonly PriceUpdate[] {
    return pendingOf(this.#state);
  }

  /** Judges a sighting and hands on what it is, before this returns. */
  see(sighting: Sighting): void {
    const { known, next, onEvent } = this.#parts;
    if (this.#ending.signal.aborted || (this.#state.entries.has(sighting.txHash) && sighting.kind === 'hint')) return;
    const { block, timestamp } = next();
    const judgement = judgeSighting(sighting, known, timestamp);
    if (judgement.kind === 'rejected') {
      onEvent({ kind: 'rejected', rejected: judgement.rejected });
      if (judgement.held !== undefined) this.#verifyLater(judgement.held, true);
      return;
    }
    const { update } = judgement;
    if (this.#reduce({ kind: 'seen', update, block })) this.#verifyLater(update, false);
  }

  /** A transaction of the public mempool: an update, or one that takes the place of an update. */
  seeTransaction({ to, data, txHash, ...rest }: PendingTransaction, seenAtMs: number): void {
    if (to !== null && TRANSMISSION_SELECTORS.has(data.slice(0, 10))) this.see({ kind: 'public', txHash, to, data, ...rest, seenAtMs });
    if (!this.#ending.signal.aborted) this.#reduce({ kind: 'nonce-taken', from: rest.from, nonce: rest.nonce, by: txHash });
  }

  /** What a private transaction is told to do. */
  seeHint({ hash, to, data }: Hint, seenAtMs: number): void {
    if (TRANSMISSION_SELECTORS.has(data.slice(0, 10))) this.see({ kind: 'hint', txHash: hash, to, data, seenAtMs });
  }

  /** The mirror has followed to this block, forwards or back. */
  onBlock(number: number): void {
    if (!this.#ending.signal.aborted) this.#reduce({ kind: 'block', number });
  }

  /** Senders of public updates that are pending: what else they send may replace those. */
  senders(): ReadonlySet<Address> {
    return this.#senders;
  }

  /** Hands on nothing more; resolves when no recovery is under way. */
  async close(): Promise<void> {
    this.#ending.abort();
    this.#unverified.length = 0;
    await this.#verifying;
  }

  /** True when something became pending. */
  #reduce(event: PendingEvent): boolean {
    const [state, changes] = reducePending(this.#state, event, this.#parts.known);
    if (changes.length > 0)
      this.#senders = new Set(pendingOf(state).flatMap(({ sighting }) => (sighting.kind === 'public' ? [sighting.from] : [])));
    this.#state = state;
    for (const change of changes) this.#parts.onEvent(change);
    return changes.some(({ kind }) => kind === 'pending');
  }

  #verifyLater(update: PriceUpdate, held: boolean): void {
    this.#unverified.push({ update, held });
    if (this.#unverified.length > MAX_UNVERIFIED) {
      const given = this.#unverified.shift()!.update;
      this.#parts.onEvent({ kind: 'unverified', update: given, because: 'too many wait' });
    }
    this.#verifying ??= this.#verifyAll().finally(() => {
      this.#verifying = null;
    });
  }

  /** NOTE: one at a time, and not at once: what follows an update goes first, and so does what follows the next one. */
  async #verifyAll(): Promise<void> {
    // What an update brings goes before the very timer, which takes longer than judging the update.
    await turn();
    await sleep(PAUSE_MS, this.#ending.signal);
    for (let next = this.#unverified.shift(); next !== undefined; next = this.#unverified.shift()) {
      const verdict = await this.#verify(next.update);
      if (this.#ending.signal.aborted) return;
      this.#conclude(next.update, next.held, verdict);
      await sleep(PAUSE_MS, this.#ending.signal);
    }
  }

  #conclude(update: PriceUpdate, held: boolean, verdict: 'genuine' | 'forged' | { readonly because: string }): void {
    const { onEvent, next } = this.#parts;
    if (verdict === 'forged') this.#reduce({ kind: 'forged', txHash: update.sighting.txHash });
    else if (verdict !== 'genuine') onEvent({ kind: 'unverified', update, because: verdict.because });
    else {
      if (held) this.#reduce({ kind: 'seen', update, block: next().block });
      onEvent({ kind: 'genuine', update });
    }
  }

  async #verify({ sighting, transmission }: PriceUpdate): Promise<'genuine' | 'forged' | { readonly because: string }> {
    const { aggregator, ocr, signed } = transmission;
    const state = this.#parts.known.state(aggregator);
    if (state === undefined) return { because: 'its aggregator is not known any more' };
    if (sighting.kind === 'public' && !(await isFrom(sighting.raw, sighting.from))) return 'forged';
    const key = `${aggregator}${state.configDigest}`;
    let signers = this.#signers.get(key);
    if (signers === undefined) {
      const { configBlock } = state;
      try {
        signers = signerSetOf(
          await getLogsByRange(this.#parts.rpc, configBlock, configBlock, configSetFilter(aggregator), { timeoutMs: TIMEOUT_MS }),
        );
      } catch (error) {
        return { because: error instanceof Error ? error.message : String(error) };
      }
      if (signers === undefined) return { because: `no configuration of ${aggregator} in block ${configBlock}` };
      if (this.#signers.size >= MAX_SIGNER_SETS) this.#signers.clear();
      this.#signers.set(key, signers);
    }
    return isGenuine(ocr, signed, signers) ? 'genuine' : 'forged';
  }
}

/** What `PendingTransactions` should hand on for this stream. */
export function interestOf(known: Pick<AggregatorBook, 'targets'>, stream: UpdateStream): () => Interest {
  return () => ({ to: known.targets(), selectors: TRANSMISSION_SELECTORS, from: stream.senders() });
}

async function isFrom(raw: Hex, from: Address): Promise<boolean> {
  try {
    const recovered = await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` });
    return recovered.toLowerCase() === from;
  } catch {
    return false;
  }
}
