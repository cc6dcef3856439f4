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
  /** Most that what stands here can cost, and how much of that the books count already. */
  readonly atRiskUsd8: bigint;
  readonly countedUsd8: bigint;
  /** Left alone: it has not had its time yet. */
  readonly waiting: boolean;
};

/** The places from the next nonce to the highest that holds anything, without gap. */
export type Places = readonly Place[];

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
      atRiskUsd8: here.map(({ worstGasUsd8 }) => worstGasUsd8).reduce(most, 0n),
      countedUsd8: undecided.reduce((sum, { worstGasUsd8 }) => sum + worstGasUsd8, 0n),
      waiting: undecided.some(({ targetBlock }) => head.number < targetBlock + blocksToWait(gapSeconds) - 1),
    };
  });
}

export type Assignment<T> = {
  /** In the order of nonces, which is the order of execution. */
  readonly placed: readonly { readonly item: T; readonly nonce: number; readonly place: Place | undefined }[];
  /** Something for the same account is still waiting, or can be executed at another nonce. */
  readonly busy: readonly T[];
  /** Places that nothing new is meant for and that are not left alone. */
  readonly idle: Places;
};

/** Gives each item a nonce: its account's own place where there is one, else the first that is free, else a new one. */
export function assign<T>(
  items: readonly T[],
  accountsOf: (item: T) => readonly Address[],
  places: Places,
  nextNonce: number,
): Assignment<T> {
  const taken = new Map<number, { item: T; place: Place | undefined }>();
  const busy: T[] = [];
  const free: T[] = [];
  for (const item of items) {
    const accounts = accountsOf(item);
    const own = places.filter((place) => accounts.some((account) => place.accounts.has(account)));
    const [only] = own;
    if (only === undefined) free.push(item);
    else if (own.length === 1 && !only.waiting && !taken.has(only.nonce)) taken.set(only.nonce, { item, place: only });
    else busy.push(item);
  }
  const open = places.filter(({ nonce, waiting }) => !waiting && !taken.has(nonce));
  let next = nextNonce + places.length;
  for (const item of free) {
    const place = open.shift();
    taken.set(place?.nonce ?? next++, { item, place });
  }
  const placed = [...taken].sort(([a], [b]) => a - b).map(([nonce, { item, place }]) => ({ item, nonce, place }));
  return { placed, busy, idle: open };
}

function feesOf(raw: OpenTransaction['raw']): Fees {
  const { maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = parseTransaction(raw);
  return { maxFeeWei: maxFeePerGas, tipWei: maxPriorityFeePerGas };
}
