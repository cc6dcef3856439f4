import type { LogFilter, RawLog } from '../lib/types.ts';
import { getLogsByRange } from './actions/getLogs.ts';
import { RpcError } from './errors.ts';
import { mergeLogs } from './filters.ts';
import type { Rpc } from './types.ts';

const FIRST_RANGE = 2_000;
const WIDEST_RANGE = 200_000;
/** A range that brings fewer logs than this is made wider, one that brings more than that narrower. */
const FEW_LOGS = 2_000;
const MANY_LOGS = 10_000;
const CONCURRENCY = 4;
const TIMEOUT_MS = 20_000;

export type BackfillProgress = { readonly doneTo: number; readonly to: number; readonly logs: number };

export type BackfillOptions = {
  readonly onProgress?: (progress: BackfillProgress) => void;
  readonly firstRange?: number;
  readonly signal?: AbortSignal;
};

type Fetched = { readonly from: number; readonly to: number; readonly logs: readonly RawLog[]; readonly halved: boolean };

/**
 * The logs of a range (of `mergeFilters`) that no reorg reaches any more, in order and each once, handed to `take` piece by piece. Ranges are fetched a few at
 * a time; a range that a node refuses or cannot answer in time is halved, down to one block.
 */
export async function backfill(
  rpc: Rpc,
  from: number,
  to: number,
  filters: readonly LogFilter[],
  take: (logs: readonly RawLog[]) => void,
  options: BackfillOptions = {},
): Promise<void> {
  const { onProgress = () => {}, signal } = options;
  let size = options.firstRange ?? FIRST_RANGE;
  let next = from;
  let logs = 0;
  const underWay: Promise<Fetched[]>[] = [];

  while (next <= to || underWay.length > 0) {
    signal?.throwIfAborted();
    while (next <= to && underWay.length < CONCURRENCY) {
      const end = Math.min(next + size - 1, to);
      const fetched = fetchHalving(rpc, next, end, filters);
      // Rejections are met when its turn comes; until then they must not count as unhandled.
      fetched.catch(() => {});
      underWay.push(fetched);
      next = end + 1;
    }
    for (const piece of await underWay.shift()!) {
      take(piece.logs);
      logs += piece.logs.length;
      size = nextSize(size, piece);
      onProgress({ doneTo: piece.to, to, logs });
    }
  }
}

async function fetchHalving(rpc: Rpc, from: number, to: number, filters: readonly LogFilter[], halved = false): Promise<Fetched[]> {
  try {
    const options = { timeoutMs: TIMEOUT_MS, attempts: 2 };
    const lists = await Promise.all(filters.map((filter) => getLogsByRange(rpc, from, to, filter, options)));
    return [{ from, to, logs: mergeLogs(lists), halved }];
  } catch (error) {
    if (from === to || !isTooWide(error)) throw error;
    const middle = Math.floor((from + to) / 2);
    const lower = await fetchHalving(rpc, from, middle, filters, true);
    return [...lower, ...(await fetchHalving(rpc, middle + 1, to, filters, true))];
  }
}

/** Nodes word a limit in many ways, or just take too long; `rejected` may be one that our list of words does not know. */
function isTooWide(error: unknown): boolean {
  return error instanceof RpcError && ['too-much', 'rejected', 'timeout'].includes(error.kind);
}

function nextSize(size: number, { from, to, logs, halved }: Fetched): number {
  const width = to - from + 1;
  if (halved) return Math.min(size, width);
  if (logs.length > MANY_LOGS) return Math.max(Math.min(size, Math.floor(width / 2)), 1);
  return logs.length < FEW_LOGS && width >= size ? Math.min(size * 2, WIDEST_RANGE) : size;
}
