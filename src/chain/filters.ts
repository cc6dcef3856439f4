import type { Address, Hex, LogFilter, RawLog } from '../lib/types.ts';

/** Nodes refuse longer address lists (geth: 1,000). */
const ADDRESSES_PER_FILTER = 1_000;

/**
 * As few filters as possible that let everything through that any of the given ones does: one for all that name addresses, one for all that
 * do not (mixing them would fetch, say, every Transfer of the chain). What passes is a superset: `router` sorts it out.
 */
export function mergeFilters(filters: readonly LogFilter[]): LogFilter[] {
  const wanted = filters.filter(({ topics0, addresses }) => topics0.length > 0 && addresses?.length !== 0);
  const addressed = wanted.filter(({ addresses }) => addresses !== undefined);
  const everywhere = wanted.filter(({ addresses }) => addresses === undefined);
  const addresses = [...new Set(addressed.flatMap((filter) => filter.addresses ?? []))].sort();
  const topics0 = topicsOf(addressed);
  const merged: LogFilter[] = [];
  for (let start = 0; start < addresses.length; start += ADDRESSES_PER_FILTER)
    merged.push({ addresses: addresses.slice(start, start + ADDRESSES_PER_FILTER), topics0 });
  if (everywhere.length > 0) merged.push({ topics0: topicsOf(everywhere) });
  return merged;
}

/** The logs of several filters over the same blocks: in the order of the chain, each once. */
export function mergeLogs(lists: readonly (readonly RawLog[])[]): readonly RawLog[] {
  if (lists.length === 1) return lists[0]!;
  const sorted = lists.flat().sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
  return sorted.filter((log, i) => log.logIndex !== sorted[i - 1]?.logIndex || log.blockNumber !== sorted[i - 1]?.blockNumber);
}

/** A test for one owner's filters, exact per filter. */
export function router(filters: readonly LogFilter[]): (log: RawLog) => boolean {
  const byAddress = new Map<Address, Set<Hex>>();
  const everywhere = new Set<Hex>();
  for (const { addresses, topics0 } of filters) {
    const sets = addresses === undefined ? [everywhere] : addresses.map((address) => byAddress.get(address) ?? emptyAt(byAddress, address));
    for (const set of sets) for (const topic of topics0) set.add(topic);
  }
  return ({ address, topics: [topic] }) => topic !== undefined && (everywhere.has(topic) || byAddress.get(address)?.has(topic) === true);
}

/** Every log that `wanted` lets through is among those that `fetched` let through. */
export function covers(fetched: readonly LogFilter[], wanted: readonly LogFilter[]): boolean {
  const passes = router(fetched);
  const asLog = (address: Address, topic: Hex) => ({ address, topics: [topic] }) as unknown as RawLog;
  return wanted.every(({ addresses, topics0 }) =>
    topics0.every((topic) =>
      addresses === undefined
        ? fetched.some((filter) => filter.addresses === undefined && filter.topics0.includes(topic))
        : addresses.every((address) => passes(asLog(address, topic))),
    ),
  );
}

function topicsOf(filters: readonly LogFilter[]): Hex[] {
  return [...new Set(filters.flatMap(({ topics0 }) => topics0))].sort();
}

function emptyAt(map: Map<Address, Set<Hex>>, address: Address): Set<Hex> {
  const set = new Set<Hex>();
  map.set(address, set);
  return set;
}
