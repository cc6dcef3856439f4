import { parseTransaction } from 'viem';
import type { OpenTransaction } from '../ledger/types.ts';
import type { Address, Head } from '../lib/types.ts';
import { type Fees, highest, most } from './fees.ts';

/**
 * A nonce of ours that is not used yet, and what we have handed to the public mempool for it. Of all that was signed for one place the chain takes one
 * at most, so it is safe to send anything for a place, as long as nothing else of ours that could do the same stands at another.
 */
export type Place = {
  readonly nonce: number;
  /** Whose liquidation something at this place could still carry out. */
  readonly accounts: ReadonlySet<Address>;
  /** What a replacement has to outbid; undefined where nothing stands. */
  readonly fees: Fees | undefined;
  /** Most that the sender pays for what stands here, a value that it carries included. */
  readonly costWei: bigint;
  /** Most that what stands here can cost, and how much of that the books count already. */
  readonly atRiskUsd8: bigint;
  readonly countedUsd8: bigint;
  /** Left alone: it has not had its time yet. */
  readonly waiting: boolean;
};

/** The places from the next nonce to the highest that holds anything, without gap. */
export type Places = readonly Place[];

/** A sender as it stands at a head. */
export type LaneStanding = {
  readonly lane: Address;
  readonly nextNonce: number;
  readonly balanceWei: bigint;
  /** Short of gas: nothing new is given to it. */
  readonly resting: boolean;
  readonly places: Places;
};

/** So long may a public transaction wait before another takes its place: time enough to be heard of, in a block at least. */
const WAIT_SECONDS = 6;
/** Blocks for which it can be executed beyond that: it may be on its way while its successor is. */
const GRACE_BLOCKS = 1;

function blocksToWait(gapSeconds: number): number {
  return Math.max(1, Math.ceil(WAIT_SECONDS / Math.max(1, gapSeconds)));
}

/** The last block in which a public transaction for `target` may be executed. */
export function lastPublicBlock(target: number, gapSeconds: number): number {
  return target + blocksToWait(gapSeconds) - 1 + GRACE_BLOCKS;
}

/**
 * @param standing of this lane: not settled yet, and given up while their nonce is free
 * @param gapSeconds between blocks
 */
export function placesOf(
  { open, dormant }: { readonly open: readonly OpenTransaction[]; readonly dormant: readonly OpenTransaction[] },
  nextNonce: number,
  head: Head,
  gapSeconds: number,
): Places {
  // What the public mempool refused, which is what `missed` says there, does not stand in it.
  const isStanding = ({ channel, nonce, status }: OpenTransaction) => channel === 'public' && nonce >= nextNonce && status !== 'missed';
  const ours = { open: open.filter(isStanding), dormant: dormant.filter(isStanding) };
  const standing = [...ours.open, ...ours.dormant];
  const top = Math.max(nextNonce - 1, ...standing.map(({ nonce }) => nonce));
  return Array.from({ length: top - nextNonce + 1 }, (_, index) => {
    const here = standing.filter(({ nonce }) => nonce === nextNonce + index);
    const undecided = ours.open.filter(({ nonce }) => nonce === nextNonce + index);
    return {
      nonce: nextNonce + index,
      accounts: new Set(
        here.filter(({ lastBlock }) => lastBlock > head.number).flatMap(({ attempts }) => attempts.map(({ account }) => account)),
      ),
      fees: here.map(({ raw }) => feesOf(raw)).reduce<Fees | undefined>(highest, undefined),
      costWei: here.map(({ raw, worstGasWei }) => worstGasWei + (parseTransaction(raw).value ?? 0n)).reduce(most, 0n),
      atRiskUsd8: here.map(({ worstGasUsd8 }) => worstGasUsd8).reduce(most, 0n),
      countedUsd8: undecided.reduce((sum, { worstGasUsd8 }) => sum + worstGasUsd8, 0n),
      waiting: undecided.some(({ targetBlock }) => head.number < targetBlock + blocksToWait(gapSeconds) - 1),
    };
  });
}

/** What something to be sent takes. What shares a pool counts on the order in which it was planned. */
export type Wanted = { readonly accounts: readonly Address[]; readonly pools: readonly Address[]; readonly costWei: bigint };

export type Assignment<T> = {
  /** The first nonces of all lanes, then the second ones: where one lane is used, the order of execution. */
  readonly placed: readonly { readonly item: T; readonly lane: Address; readonly nonce: number; readonly place: Place | undefined }[];
  /** Something for the same account is still waiting, or can be executed at another nonce. */
  readonly busy: readonly T[];
  /** No lane has the gas for it. */
  readonly short: readonly T[];
  /** Places that nothing new is meant for and that are not left alone. */
  readonly idle: Idle;
};
export type Idle = readonly { readonly lane: Address; readonly place: Place }[];

/**
 * Gives each item a lane and a nonce: its account's own place where there is one, else the lane where least stands before it, at the first place there
 * that is free or a new one. What one lane holds up does not hold up the others. Whatever shares pools stays on one lane, which keeps its order, as long as that
 * lane can pay.
 */
export function assign<T>(items: readonly T[], wantedOf: (item: T) => Wanted, lanes: readonly LaneStanding[]): Assignment<T> {
  const rooms = lanes.map((standing) => new Room<T>(standing));
  const busy: T[] = [];
  const short: T[] = [];
  const free: T[] = [];
  for (const item of items) {
    const { accounts, costWei } = wantedOf(item);
    const own = rooms.flatMap((room) => room.placesFor(accounts).map((place) => ({ room, place })));
    const [only] = own;
    if (only === undefined) free.push(item);
    else if (own.length > 1 || !only.room.isFree(only.place)) busy.push(item);
    else if (!only.room.take(item, only.place.nonce, costWei)) short.push(item);
  }
  const groups = groupsOf(items, (item) => wantedOf(item).pools);
  const roomOf = new Map(rooms.flatMap((room) => room.items().map((item) => [groups.get(item), room] as const)));
  for (const item of free) {
    const { costWei } = wantedOf(item);
    const group = groups.get(item);
    const able = rooms.filter((room) => room.canTake(costWei)).toSorted((a, b) => a.nextDepth - b.nextDepth);
    const own = roomOf.get(group);
    const room = own !== undefined && able.includes(own) ? own : able[0];
    if (room?.take(item, room.nextFree, costWei) === true) roomOf.set(group, own ?? room);
    else short.push(item);
  }
  const placed = rooms.flatMap((room) => room.placed()).toSorted((a, b) => a.depth - b.depth);
  return { placed: placed.map(({ depth: _, ...rest }) => rest), busy, short, idle: rooms.flatMap((room) => room.idle()) };
}

/** A number for each item, the same for all that share a pool, directly or by way of others. */
function groupsOf<T>(items: readonly T[], poolsOf: (item: T) => readonly Address[]): ReadonlyMap<T, number> {
  const groups = new Map<T, number>();
  for (const [number, item] of items.entries()) {
    const pools = new Set(poolsOf(item));
    const met = new Set([...groups].filter(([other]) => poolsOf(other).some((pool) => pools.has(pool))).map(([, group]) => group));
    for (const [other, group] of groups) if (met.has(group)) groups.set(other, number);
    groups.set(item, number);
  }
  return groups;
}

/** What is given to one lane, and what is left of its balance for more. */
class Room<T> {
  readonly #standing: LaneStanding;
  readonly #taken = new Map<number, T>();
  #leftWei: bigint;

  constructor(standing: LaneStanding) {
    this.#standing = standing;
    this.#leftWei = standing.places.reduce((left, { costWei }) => left - costWei, standing.balanceWei);
  }

  placesFor(accounts: readonly Address[]): Places {
    return this.#standing.places.filter((place) => accounts.some((account) => place.accounts.has(account)));
  }

  isFree({ nonce, waiting }: Place): boolean {
    return !waiting && !this.#taken.has(nonce);
  }

  get nextFree(): number {
    const { places, nextNonce } = this.#standing;
    const open = places.find((place) => this.isFree(place));
    if (open !== undefined) return open.nonce;
    let nonce = nextNonce + places.length;
    while (this.#taken.has(nonce)) nonce++;
    return nonce;
  }

  /** How many of our own stand before what is sent next. */
  get nextDepth(): number {
    return this.nextFree - this.#standing.nextNonce;
  }

  canTake(costWei: bigint): boolean {
    return !this.#standing.resting && this.#moreWei(this.nextFree, costWei) <= this.#leftWei;
  }

  /** False where the balance does not allow it. */
  take(item: T, nonce: number, costWei: bigint): boolean {
    const moreWei = this.#moreWei(nonce, costWei);
    if (moreWei > this.#leftWei) return false;
    this.#leftWei -= moreWei;
    this.#taken.set(nonce, item);
    return true;
  }

  items(): readonly T[] {
    return [...this.#taken.values()];
  }

  placed() {
    const { lane, nextNonce } = this.#standing;
    const all = [...this.#taken].sort(([a], [b]) => a - b);
    return all.map(([nonce, item]) => ({ item, lane, nonce, place: this.#placeAt(nonce), depth: nonce - nextNonce }));
  }

  idle() {
    return this.#standing.places.filter((place) => this.isFree(place)).map((place) => ({ lane: this.#standing.lane, place }));
  }

  /** Of all that stands at one nonce only the dearest counts. */
  #moreWei(nonce: number, costWei: bigint): bigint {
    const standing = this.#placeAt(nonce)?.costWei ?? 0n;
    return costWei > standing ? costWei - standing : 0n;
  }

  #placeAt(nonce: number): Place | undefined {
    return this.#standing.places.find((place) => place.nonce === nonce);
  }
}

function feesOf(raw: OpenTransaction['raw']): Fees {
  const { maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = parseTransaction(raw);
  return { maxFeeWei: maxFeePerGas, tipWei: maxPriorityFeePerGas };
}
