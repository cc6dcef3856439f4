/**
 * The logs of a range that no reorg reaches any more. A window of ranges is under way at once, over all endpoints; each is as wide as its answers have shown to
 * be worth asking for, and is split where a node refuses it. What has come is handed over in order, so that it can be gone on from there at any time.
 */
import { sleep } from '../lib/async.ts';
import type { LogFilter, RawLog } from '../lib/types.ts';
import { getLogsByRange } from './actions/getLogs.ts';
import type { RpcError } from './errors.ts';
import { mergeLogs } from './filters.ts';
import { hintIn, isPassing, isTooWide } from './limits.ts';
import { Pace } from './pace.ts';
import type { Rpc } from './types.ts';

const AT_ONCE_PER_ENDPOINT = 3;
const MOST_AT_ONCE = 12;
const TIMEOUT_MS = 20_000;
/** Of one answer: with all that are under way, and what is made of them, a bound for the memory. */
const MOST_BYTES = 16 * 1024 * 1024;
/** One range is tried so often while no endpoint manages; the waits between grow to the longest. Some two minutes in all. */
const ATTEMPTS = 12;
const SPLIT_AFTER = 3;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;

export type BackfillProgress = {
  readonly doneTo: number;
  readonly to: number;
  readonly logs: number;
  /** Over the last seconds. */
  readonly logsPerSecond: number;
  readonly secondsLeft: number;
};

export type BackfillOptions = {
  readonly onProgress?: (progress: BackfillProgress) => void;
  readonly firstRange?: number;
  readonly signal?: AbortSignal;
};

/** Blocks, both ends included. */
type Range = { readonly from: number; readonly to: number };
type Fetched = { readonly logs: readonly RawLog[] } | { readonly refused: RpcError };

/** Logs (of `mergeFilters`) in the order of the chain, each once, handed to `take` piece by piece. Rejects with `RpcError` when the endpoints cannot answer for long. */
export async function backfill(
  rpc: Rpc,
  from: number,
  to: number,
  filters: readonly LogFilter[],
  take: (logs: readonly RawLog[]) => void,
  options: BackfillOptions = {},
): Promise<void> {
  const { onProgress = () => {}, signal } = options;
  const mostAtOnce = Math.min(AT_ONCE_PER_ENDPOINT * (rpc.breadth ?? 1), MOST_AT_ONCE);
  const pace = new Pace({ firstWidth: options.firstRange, mostAtOnce });
  const fetcher = new Fetcher(rpc, filters, pace, signal);
  const speed = new Speed(from, to);
  /** In order: what nobody has been asked for. */
  const open: Range[] = from > to ? [] : [{ from, to }];
  /** In order, and no more than the pace allows. */
  const underWay: (Range & { readonly fetched: Promise<Fetched> })[] = [];
  let logs = 0;

  while (open.length > 0 || underWay.length > 0) {
    signal?.throwIfAborted();
    // What was refused comes before all else: nothing behind it can be handed over.
    while (open[0] !== undefined && (underWay.length < pace.atOnce || open[0].from < underWay[0]!.from)) {
      const { from: start, to: last } = open.shift()!;
      const end = Math.min(start + pace.width - 1, last);
      if (end < last) open.unshift({ from: end + 1, to: last });
      const fetched = fetcher.fetch(start, end);
      // Rejections are met when its turn comes; until then they must not count as unhandled.
      fetched.catch(() => {});
      underWay.push({ from: start, to: end, fetched });
      underWay.sort((a, b) => a.from - b.from);
    }
    const range = underWay.shift()!;
    const fetched = await range.fetched;
    const width = range.to - range.from + 1;
    if ('refused' in fetched) {
      pace.refused(width, hintIn(fetched.refused.message, range.from, range.to));
      open.unshift({ from: range.from, to: range.to });
      continue;
    }
    pace.answered(width, fetched.logs.length);
    take(fetched.logs);
    logs += fetched.logs.length;
    onProgress({ doneTo: range.to, to, logs, ...speed.at(range.to, logs) });
  }
}

class Fetcher {
  readonly #pace: Pace;
  readonly #rpc: Rpc;
  readonly #filters: readonly LogFilter[];
  readonly #signal: AbortSignal | undefined;

  constructor(rpc: Rpc, filters: readonly LogFilter[], pace: Pace, signal: AbortSignal | undefined) {
    this.#rpc = rpc;
    this.#filters = filters;
    this.#pace = pace;
    this.#signal = signal;
  }

  /** A range that is too much is refused, and has to be asked for in parts; for what passes it waits. */
  async fetch(from: number, to: number): Promise<Fetched> {
    const options = { timeoutMs: TIMEOUT_MS, attempts: 2, spread: true, maxBytes: MOST_BYTES };
    for (let attempt = 1; ; attempt++) {
      try {
        const lists = await Promise.all(this.#filters.map((filter) => getLogsByRange(this.#rpc, from, to, filter, options)));
        return { logs: mergeLogs(lists) };
      } catch (error) {
        if (from < to && isTooWide(error)) return { refused: error };
        if (!isPassing(error) || attempt >= ATTEMPTS) throw error;
        // What a gateway gives up on is told as trouble of its own.
        if (from < to && attempt >= SPLIT_AFTER && error.kind === 'bad-answer') return { refused: error };
        this.#pace.slowed();
        await sleep(waitMs(error, attempt), this.#signal);
        this.#signal?.throwIfAborted();
      }
    }
  }
}

function waitMs({ retryAfterMs = 0 }: RpcError, attempt: number): number {
  return Math.min(Math.max(FIRST_WAIT_MS * 2 ** (attempt - 1), retryAfterMs), LONGEST_WAIT_MS);
}

const MEASURED_MS = 10_000;
const MARKS_EVERY_MS = 500;

/** How fast it has gone lately, and how long the rest will take at that. */
class Speed {
  readonly #to: number;
  readonly #marks: { readonly atMs: number; readonly block: number; readonly logs: number }[];

  constructor(from: number, to: number) {
    this.#to = to;
    this.#marks = [{ atMs: performance.now(), block: from - 1, logs: 0 }];
  }

  at(block: number, logs: number): { logsPerSecond: number; secondsLeft: number } {
    const atMs = performance.now();
    while (this.#marks.length > 1 && this.#marks[1]!.atMs < atMs - MEASURED_MS) this.#marks.shift();
    const oldest = this.#marks[0]!;
    if (atMs - this.#marks.at(-1)!.atMs > MARKS_EVERY_MS) this.#marks.push({ atMs, block, logs });
    const seconds = Math.max(atMs - oldest.atMs, 1) / 1_000;
    const blocksPerSecond = (block - oldest.block) / seconds;
    return {
      logsPerSecond: Math.round((logs - oldest.logs) / seconds),
      secondsLeft: Math.ceil((this.#to - block) / Math.max(blocksPerSecond, 1e-9)),
    };
  }
}
