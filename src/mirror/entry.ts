import { covers, router } from '../chain/filters.ts';
import type { Head, LogFilter, RawLog } from '../lib/types.ts';
import type { Failure } from './reports.ts';
import type { Mirrored, Undo } from './types.ts';

const LONGEST_PAUSE_BLOCKS = 64;

/**
 * One Mirrored in the engine's hands. It is `live` from its anchor on until it throws; while it is down nothing is asked of it but to
 * discover and to anchor again.
 */
export class Entry {
  readonly mirrored: Mirrored;
  /** Where its state begins: it cannot be rolled back below. Null while it is down. */
  anchoredAt: Head | null = null;
  /** Every discovery log up to this block has been handed over. */
  discoveredTo: number;
  /** `partial`: it follows those that it was told of, and who came later; `awaited`: it cannot begin before its history is known. */
  past: 'known' | 'partial' | 'awaited' = 'known';
  /** Counts its anchors: an Undo from before the last one must not touch what that one read. */
  generation = 0;
  /** Counts how often its state was given up. */
  drops = 0;
  #attempts = 0;
  #retryAt = 0;
  #filters: readonly LogFilter[] | null = null;
  #passes: (log: RawLog) => boolean = () => false;

  constructor(mirrored: Mirrored) {
    this.mirrored = mirrored;
    this.discoveredTo = mirrored.fromBlock - 1;
  }

  get id(): string {
    return this.mirrored.id;
  }

  get live(): boolean {
    return this.anchoredAt !== null;
  }

  /** How often it has failed lately. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Is it time for another attempt to anchor? After failures the pauses grow, in blocks. */
  due(block: number): boolean {
    return !this.live && this.past !== 'awaited' && block >= this.#retryAt;
  }

  anchored(at: Head): void {
    this.anchoredAt = at;
    this.discoveredTo = at.number;
    this.generation++;
    this.#retryAt = 0;
  }

  /** Its state is no longer of use; logs after `goodTo` have to be discovered again. */
  drop(goodTo: number): void {
    this.discoveredTo = this.live ? goodTo : Math.min(this.discoveredTo, goodTo);
    this.drops++;
    this.anchoredAt = null;
  }

  /** It threw, or differed from the chain, at this block: dropped, with a pause that grows while it does not last. */
  fail(block: number, goodTo = block - 1): void {
    if (this.anchoredAt !== null && block - this.anchoredAt.number > LONGEST_PAUSE_BLOCKS) this.#attempts = 0;
    this.drop(goodTo);
    this.#retryAt = block + Math.min(2 ** this.#attempts++, LONGEST_PAUSE_BLOCKS);
  }

  /** Those of its filters, with the test made once while it returns the same list. */
  selects(filters: readonly LogFilter[]): (log: RawLog) => boolean {
    if (filters !== this.#filters) {
      this.#filters = filters;
      this.#passes = router(filters);
    }
    return this.#passes;
  }
}

/** Everything that the logs fetched by `had` cannot tell. A list returned unchanged costs nothing. */
export function outgrew(had: readonly LogFilter[], now: readonly LogFilter[]): boolean {
  return had !== now && !covers(had, now);
}

/** What one block changed, for taking it back. */
export type Change = { readonly entry: Entry; readonly generation: number; readonly undo: Undo };

/** Takes changes back, newest first. Those of a Mirrored that is down, or was anchored since, are passed over. */
export function takeBack(changes: readonly Change[], onFailure: (failure: Failure, entry: Entry) => void): void {
  for (const { entry, generation, undo } of changes.toReversed()) {
    if (!entry.live || entry.generation !== generation) continue;
    try {
      undo();
    } catch (error) {
      onFailure(failureOf(entry, 'undo', error), entry);
    }
  }
}

export function failureOf(entry: Pick<Entry, 'id'>, during: Failure['during'], error: unknown): Failure {
  return { id: entry.id, during, error: error instanceof Error ? error : new Error(String(error)) };
}
