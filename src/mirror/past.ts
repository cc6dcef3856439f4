/** The history of a keeper that began with accounts that it was told of: gone through beside the stream, and then whoever it names is read as well. */
import type { BackfillProgress } from '../chain/backfill.ts';
import { RpcError } from '../chain/errors.ts';
import type { Rpc } from '../chain/types.ts';
import { retry } from '../lib/async.ts';
import type { Head, RawLog } from '../lib/types.ts';
import { discoverAll } from './discovery.ts';
import type { Entry } from './entry.ts';
import type { Failure } from './reports.ts';
import { type Told, toldTo } from './told.ts';

/** An endpoint may be away for hours; what was gone through stays so. */
const ATTEMPTS = 1_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** What is not known yet. Blocks are inclusive. */
export type PastStatus = {
  readonly from: number;
  readonly to: number;
  readonly done: number;
  readonly secondsLeft: number | undefined;
  /** Accounts that were told of. */
  readonly told: number;
  /** Those that follow only who was told of, and who came later. */
  readonly partial: readonly string[];
  /** Those that cannot be followed before their history is known. */
  readonly awaited: readonly string[];
};

type Part = { readonly entry: Entry; readonly id: string; readonly mirrored: Entry['mirrored']; discoveredTo: number };

export class Past {
  readonly #parts: readonly Part[];
  readonly #to: Head;
  readonly #told: number;
  #progress: BackfillProgress | undefined;
  #over = false;

  /**
   * Takes up those of whom nothing was discovered yet: their history up to a final block is left for later. What can be told of accounts is told, and may be
   * anchored at that block already; the others wait.
   */
  constructor(entries: readonly Entry[], to: Head, told: readonly Told[]) {
    this.#to = to;
    this.#told = told.length;
    const owing = entries.filter(
      ({ mirrored, discoveredTo }) =>
        mirrored.fromBlock <= to.number && discoveredTo < mirrored.fromBlock && mirrored.discoveryFilters().length > 0,
    );
    this.#parts = owing.map((entry) => ({ entry, id: entry.id, mirrored: entry.mirrored, discoveredTo: entry.discoveredTo }));
    for (const { entry, mirrored } of this.#parts) {
      entry.past = mirrored.hearOf === undefined ? 'awaited' : 'partial';
      entry.discoveredTo = to.number;
    }
    for (const { id, mirrored } of entries) mirrored.hearOf?.(toldTo(told, id));
  }

  /** Undefined when nothing is owed. */
  get status(): PastStatus | undefined {
    if (this.#over || this.#parts.length === 0) return undefined;
    const those = (past: Entry['past']) => this.#parts.flatMap(({ entry, id }) => (entry.past === past ? [id] : []));
    const from = Math.min(...this.#parts.map(({ mirrored }) => mirrored.fromBlock));
    return {
      ...{ from, to: this.#to.number, done: this.#progress?.doneTo ?? from - 1, secondsLeft: this.#progress?.secondsLeft },
      ...{ told: this.#told, partial: those('partial'), awaited: those('awaited') },
    };
  }

  /** Everything is discovered from the beginning by somebody else. */
  forget(): void {
    this.#over = true;
    for (const { entry } of this.#parts) entry.past = 'known';
  }

  /**
   * Hands over what is not known. Rejects with RpcError where the endpoints stay away.
   *
   * @returns those whose history is known now, and what went wrong
   */
  async goThrough(rpc: Rpc, onProgress: (progress: BackfillProgress) => void, signal: AbortSignal): Promise<readonly Failure[]> {
    const takers = this.#parts.map((part) => ({
      ...{ id: part.id, mirrored: this.#reading(part) },
      get discoveredTo() {
        return part.discoveredTo;
      },
      set discoveredTo(block) {
        part.discoveredTo = block;
      },
    }));
    const scope = { to: this.#to, finalNumber: this.#to.number, recent: [this.#to] };
    const progress = (told: BackfillProgress) => {
      this.#progress = told;
      onProgress(told);
    };
    const retryIf = (error: unknown) => error instanceof RpcError && !this.#over;
    const pauses = { attempts: ATTEMPTS, delayMs: FIRST_PAUSE_MS, maxDelayMs: LONGEST_PAUSE_MS };
    return retry(() => discoverAll(rpc, takers, scope, progress), { ...pauses, retryIf, signal });
  }

  /** All of it is known: who can be read now. */
  settle(): readonly Entry[] {
    const settled = this.#over ? [] : this.#parts.map(({ entry }) => entry);
    this.forget();
    return settled;
  }

  /** NOTE: what is discovered from the beginning meanwhile must not be mixed with what comes late. */
  #reading({ mirrored }: Part): Pick<Entry['mirrored'], 'discoveryFilters' | 'discover'> {
    return {
      discoveryFilters: () => mirrored.discoveryFilters(),
      discover: (logs: readonly RawLog[]) => {
        if (!this.#over) mirrored.discover(logs);
      },
    };
  }
}
