/** The set of updates that may be included next, and how it changes. Pure: `(state, event, known) -> [state, changes]`. */
import type { Address, Hex } from '../lib/types.ts';
import { isAhead, type Known, type PriceUpdate } from './updates.ts';

/** The reducer's state; the values of `entries` in order of arrival. */
export type PendingUpdates = { readonly entries: ReadonlyMap<Hex, Entry> };
type Entry = {
  readonly update: PriceUpdate;
  readonly sinceBlock: number;
  /** `over`: mined, or made stale by another; it comes back when a reorg takes that block away. */
  readonly standing: 'pending' | 'over' | 'forged';
};

export type PendingEvent =
  | { readonly kind: 'seen'; readonly update: PriceUpdate; readonly block: number }
  /** Its signatures are not those of the oracles. */
  | { readonly kind: 'forged'; readonly txHash: Hex }
  /** Another transaction has this place in its sender's sequence now. */
  | { readonly kind: 'nonce-taken'; readonly from: Address; readonly nonce: number; readonly by: Hex }
  /** The mirror stands at this block. */
  | { readonly kind: 'block'; readonly number: number };

export type PendingChange =
  | { readonly kind: 'pending'; readonly update: PriceUpdate }
  | { readonly kind: 'gone'; readonly update: PriceUpdate; readonly why: GoneReason };
/** `stale`: a newer report of its aggregator was mined. `dropped`: waited too long, or there are too many. */
export type GoneReason = 'mined' | 'stale' | 'replaced' | 'dropped' | 'forged';

export const NO_UPDATES: PendingUpdates = { entries: new Map() };

/** As long as relays try a private transaction; a public one that nobody took by then is priced out. */
const BLOCKS_WAITED = 25;
/** More cannot be genuine: feeds are updated one at a time. What waits no more makes room first, then the oldest. */
const MAX_ENTRIES = 256;

type Step = readonly [PendingUpdates, readonly PendingChange[]];

export function reducePending(state: PendingUpdates, event: PendingEvent, known: Known): Step {
  switch (event.kind) {
    case 'seen':
      return seen(state, event.update, event.block);
    case 'forged':
      return leave(state, event.txHash, 'forged');
    case 'nonce-taken':
      return replaced(state, event);
    case 'block':
      return reviewed(state, event.number, known);
  }
}

/** Those that may be included next, in order of arrival. */
export function pendingOf({ entries }: PendingUpdates): readonly PriceUpdate[] {
  return [...entries.values()].filter(({ standing }) => standing === 'pending').map(({ update }) => update);
}

function seen(state: PendingUpdates, update: PriceUpdate, block: number): Step {
  const { txHash } = update.sighting;
  const known = state.entries.get(txHash);
  // A hint that turns up in public brings the bytes; nothing else is news.
  if (known !== undefined && (known.standing !== 'pending' || known.update.sighting.kind === 'public' || update.sighting.kind === 'hint'))
    return [state, []];
  const entries = new Map(state.entries).set(txHash, { update, sinceBlock: known?.sinceBlock ?? block, standing: 'pending' });
  const changes: PendingChange[] = [];
  if (entries.size > MAX_ENTRIES) {
    const [hash, leaving] = [...entries].find(([, { standing }]) => standing !== 'pending') ?? [...entries][0]!;
    entries.delete(hash);
    if (leaving.standing === 'pending') changes.push({ kind: 'gone', update: leaving.update, why: 'dropped' });
  }
  const [rest, replacements] =
    update.sighting.kind === 'public' ? replaced({ entries }, { ...update.sighting, by: txHash }) : [{ entries }, []];
  return [rest, [...changes, ...replacements, { kind: 'pending', update }]];
}

function leave(state: PendingUpdates, txHash: Hex, why: 'forged'): Step {
  const entry = state.entries.get(txHash);
  if (entry === undefined || entry.standing === 'forged') return [state, []];
  const entries = new Map(state.entries).set(txHash, { ...entry, standing: 'forged' });
  return [{ entries }, entry.standing === 'pending' ? [{ kind: 'gone', update: entry.update, why }] : []];
}

function replaced(state: PendingUpdates, { from, nonce, by }: { from: Address; nonce: number; by: Hex }): Step {
  const entries = new Map(state.entries);
  const changes: PendingChange[] = [];
  for (const [txHash, { update, standing }] of state.entries) {
    const { sighting } = update;
    if (txHash === by || sighting.kind !== 'public' || sighting.from !== from || sighting.nonce !== nonce) continue;
    entries.delete(txHash);
    if (standing === 'pending') changes.push({ kind: 'gone', update, why: 'replaced' });
  }
  return [changes.length === 0 ? state : { entries }, changes];
}

function reviewed(state: PendingUpdates, block: number, known: Known): Step {
  const entries = new Map<Hex, Entry>();
  const changes: PendingChange[] = [];
  for (const [txHash, entry] of state.entries) {
    const { update, sinceBlock, standing } = entry;
    const ahead = isAhead(update, known);
    const expired = block - sinceBlock > BLOCKS_WAITED;
    if (standing === 'pending' && (!ahead || expired))
      changes.push({ kind: 'gone', update, why: ahead ? 'dropped' : whyOver(update, known) });
    if (expired) continue;
    if (standing === 'over' && ahead) changes.push({ kind: 'pending', update });
    entries.set(txHash, standing === 'forged' ? entry : { ...entry, standing: ahead ? 'pending' : 'over' });
  }
  return [{ entries }, changes];
}

function whyOver({ transmission, sighting }: PriceUpdate, known: Known): GoneReason {
  const state = known.state(transmission.aggregator);
  const { txHash } = sighting;
  return state?.secondary?.by === txHash || state?.rounds.some(({ by }) => by === txHash) ? 'mined' : 'stale';
}
