import { getHeads } from '../chain/actions/getHead.ts';
import { getLogsByHash } from '../chain/actions/getLogs.ts';
import { type BackfillProgress, backfill } from '../chain/backfill.ts';
import { RpcError } from '../chain/errors.ts';
import { mergeFilters, mergeLogs, router } from '../chain/filters.ts';
import type { CallOptions, Rpc } from '../chain/types.ts';
import { mapBounded } from '../lib/async.ts';
import type { Head, LogFilter, RawLog } from '../lib/types.ts';
import { type Entry, failureOf } from './entry.ts';
import type { Failure } from './reports.ts';

const CONCURRENCY = 4;

export type DiscoveryScope = {
  readonly to: Head;
  /** Up to this block nothing changes any more: logs by range; above it by hash. */
  readonly finalNumber: number;
  /** Headers already at hand, oldest first, each the parent of the next. */
  readonly recent: readonly Head[];
};

/** Logs of one block through several filters, by its hash. */
export async function logsOf(rpc: Rpc, head: Head, filters: readonly LogFilter[], options?: CallOptions): Promise<readonly RawLog[]> {
  return mergeLogs(await Promise.all(filters.map((filter) => getLogsByHash(rpc, head, filter, options))));
}

/** Who is handed logs, and up to which block it has been already. */
export type Discoverer = Pick<Entry, 'id' | 'discoveredTo'> & {
  readonly mirrored: Pick<Entry['mirrored'], 'discoveryFilters' | 'discover'>;
};

/** Hands the discovery logs that each entry has not seen yet up to a block to it, all entries' in one pass. */
export async function discoverAll(
  rpc: Rpc,
  entries: readonly Discoverer[],
  scope: DiscoveryScope,
  onProgress: (progress: BackfillProgress) => void,
): Promise<Failure[]> {
  const failures: Failure[] = [];
  const takers = entries.flatMap((entry) => {
    try {
      const filters = entry.mirrored.discoveryFilters();
      return filters.length === 0 ? [] : [{ entry, filters, passes: router(filters), failed: false }];
    } catch (error) {
      failures.push(failureOf(entry, 'discover', error));
      return [];
    }
  });
  const filters = mergeFilters(takers.flatMap((taker) => taker.filters));
  const from = Math.min(...takers.map(({ entry }) => entry.discoveredTo + 1));
  const { to, finalNumber } = scope;

  const take = (logs: readonly RawLog[]) => {
    for (const taker of takers) {
      if (taker.failed) continue;
      const unseen = taker.entry.discoveredTo;
      const own = logs.filter((log) => log.blockNumber > unseen && taker.passes(log));
      try {
        if (own.length > 0) taker.entry.mirrored.discover(own);
      } catch (error) {
        taker.failed = true;
        failures.push(failureOf(taker.entry, 'discover', error));
      }
    }
  };

  // At once, so that a discovery that is cut short goes on from there.
  const reached = (number: number) => {
    for (const { entry, failed } of takers) if (!failed) entry.discoveredTo = Math.max(entry.discoveredTo, number);
  };

  if (filters.length > 0 && from <= to.number) {
    const rangeEnd = Math.min(finalNumber, to.number);
    if (from <= rangeEnd)
      await backfill(rpc, from, rangeEnd, filters, take, {
        onProgress: (progress) => {
          reached(progress.doneTo);
          onProgress(progress);
        },
      });
    const above = await headsAbove(rpc, Math.max(from, rangeEnd + 1), scope);
    for (const logs of await mapBounded(above, CONCURRENCY, (head) => logsOf(rpc, head, filters))) take(logs);
  }
  const failed = new Set(failures.map(({ id }) => id));
  for (const entry of entries) if (!failed.has(entry.id)) entry.discoveredTo = Math.max(entry.discoveredTo, to.number);
  return failures;
}

async function headsAbove(rpc: Rpc, from: number, { to, recent }: DiscoveryScope): Promise<Head[]> {
  if (from > to.number) return [];
  const known = recent.filter(({ number }) => number >= from && number <= to.number);
  const firstKnown = known[0]?.number ?? to.number;
  const missing = from < firstKnown ? await getHeads(rpc, from, firstKnown - 1) : [];
  if (missing.length > 0 && missing.at(-1)!.hash !== (known[0] ?? to).parentHash)
    throw new RpcError('unknown-block', 'endpoint', `block ${firstKnown} changed meanwhile`);
  return known.length > 0 ? [...missing, ...known] : [...missing, to];
}
