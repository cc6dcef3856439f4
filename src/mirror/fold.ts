import type { Views } from '../chain/actions/callAt.ts';
import { mergeFilters } from '../chain/filters.ts';
import type { Rpc } from '../chain/types.ts';
import type { Head, LogFilter, ViewAnswer, ViewCall } from '../lib/types.ts';
import { logsOf } from './discovery.ts';
import { type Change, type Entry, failureOf, outgrew, takeBack } from './entry.ts';
import type { Failure, Mismatch } from './reports.ts';
import type { ViewCheck } from './types.ts';

/** A block whose logs call for more logs of the same block, again and again, is a fault of the Mirrored. */
const MAX_ROUNDS = 8;

/** A block's own calls are small and urgent: an endpoint that takes longer is passed over for the next. */
const PATIENCE = { timeoutMs: 4_000 };

type Check = { readonly entry: Entry; readonly check: ViewCheck; readonly answer: ViewAnswer };

/**
 * Folds one block into the live entries: one `eth_getLogs` for all, one batch of reads for all. Rejects when the endpoints cannot answer, and
 * then has taken back what it changed. An entry that throws is dropped and becomes a failure; the others are not concerned.
 */
export class Fold {
  readonly changes: Change[] = [];
  readonly failures: Failure[] = [];
  readonly mismatches: Mismatch[] = [];
  logs = 0;
  reads = 0;
  audited = 0;
  readonly #rpc: Rpc;
  readonly #views: Views;
  readonly #head: Head;
  readonly #auditLimit: number;
  readonly #checks: Check[] = [];

  constructor(rpc: Rpc, views: Views, head: Head, auditLimit: number) {
    this.#rpc = rpc;
    this.#views = views;
    this.#head = head;
    this.#auditLimit = auditLimit;
  }

  async run(entries: readonly Entry[]): Promise<void> {
    try {
      let pending = new Map<Entry, readonly LogFilter[] | null>(entries.map((entry) => [entry, null]));
      for (let round = 0; pending.size > 0; round++) pending = await this.#round(pending, round);
      this.#compare();
    } catch (error) {
      takeBack(this.changes, (_, entry) => entry.fail(this.#head.number));
      throw error;
    }
  }

  /** Applies, reads and ingests; returns the entries (with all filters they came to want) whose block has to be done over with more logs. */
  async #round(pending: ReadonlyMap<Entry, readonly LogFilter[] | null>, round: number): Promise<Map<Entry, readonly LogFilter[]>> {
    const again = new Map<Entry, readonly LogFilter[]>();
    const wanted = this.#wanted(pending);
    const logs = await logsOf(this.#rpc, this.#head, mergeFilters([...wanted.values()].flat()), PATIENCE);
    this.logs = Math.max(this.logs, logs.length);

    const applied: Entry[] = [];
    for (const [entry, filters] of wanted) {
      const done = this.#guarded(entry, 'apply', () => {
        const own = logs.filter(entry.selects(filters));
        this.#note(entry, entry.mirrored.apply(this.#head, own));
      });
      if (!done) continue;
      if (this.#mustRepeat(entry, filters, again, round)) continue;
      applied.push(entry);
    }
    if (again.size > 0 && applied.length === 0) return again;

    await this.#readAll(applied);
    for (const entry of applied) if (entry.live) this.#mustRepeat(entry, wanted.get(entry)!, again, round);
    return again;
  }

  #wanted(pending: ReadonlyMap<Entry, readonly LogFilter[] | null>): Map<Entry, readonly LogFilter[]> {
    const wanted = new Map<Entry, readonly LogFilter[]>();
    for (const [entry, filters] of pending) this.#guarded(entry, 'apply', () => wanted.set(entry, filters ?? entry.mirrored.filters()));
    return wanted;
  }

  /** One batch for all: what each asks every block, and the comparisons with the chain's own views. */
  async #readAll(entries: readonly Entry[]): Promise<void> {
    const asked: { entry: Entry; reads: number; checks: readonly ViewCheck[]; start: number }[] = [];
    const calls: ViewCall[] = [];
    for (const entry of entries)
      this.#guarded(entry, 'audit', () => {
        const reads = entry.mirrored.reads(this.#head);
        const checks = this.#auditLimit > 0 ? entry.mirrored.audit(this.#head, this.#auditLimit, this.#head.number) : [];
        asked.push({ entry, reads: reads.length, checks, start: calls.length });
        calls.push(...reads, ...checks.map(({ call }) => call));
      });
    const answers = calls.length === 0 ? [] : await this.#views.callAt(this.#head.hash, calls, PATIENCE);
    this.reads += answers.length;
    for (const { entry, reads, checks, start } of asked) {
      this.#guarded(entry, 'ingest', () => {
        this.#note(entry, entry.mirrored.ingest(this.#head, answers.slice(start, start + reads)));
      });
      for (const [i, check] of checks.entries()) this.#checks.push({ entry, check, answer: answers[start + reads + i]! });
    }
  }

  /** Its filters grew beyond what was fetched for it: this block's changes of it are taken back and it is put down for another round. */
  #mustRepeat(entry: Entry, had: readonly LogFilter[], again: Map<Entry, readonly LogFilter[]>, round: number): boolean {
    let repeat = false;
    this.#guarded(entry, 'apply', () => {
      const now = entry.mirrored.filters();
      if (!outgrew(had, now)) return;
      if (round >= MAX_ROUNDS) throw new Error(`its filters still grow after ${MAX_ROUNDS} rounds of block ${this.#head.number}`);
      const own = this.changes.filter((change) => change.entry === entry);
      for (const { undo } of own.toReversed()) undo();
      this.changes.splice(0, this.changes.length, ...this.changes.filter((change) => change.entry !== entry));
      this.#checks.splice(0, this.#checks.length, ...this.#checks.filter((check) => check.entry !== entry));
      again.set(entry, [...had, ...now]);
      repeat = true;
    });
    return repeat;
  }

  /** After everything is ingested: one Mirrored's view may depend on another's (a price). */
  #compare(): void {
    for (const { entry, check, answer } of this.#checks)
      this.#guarded(entry, 'audit', () => {
        this.audited++;
        const difference = check.compare(answer);
        if (difference !== null) this.mismatches.push({ id: entry.id, subject: check.subject, ...difference });
      });
  }

  #note(entry: Entry, undo: () => void): void {
    this.changes.push({ entry, generation: entry.generation, undo });
  }

  /** False when the entry is down, or threw and is down now. */
  #guarded(entry: Entry, during: Failure['during'], work: () => unknown): boolean {
    if (!entry.live) return false;
    try {
      work();
      return true;
    } catch (error) {
      entry.fail(this.#head.number);
      this.failures.push(failureOf(entry, during, error));
      return false;
    }
  }
}
