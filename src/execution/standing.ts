import type { IntendedTransaction, Ledger, OpenTransaction } from '../ledger/types.ts';
import type { Address, Head } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import { type Fees, highest } from './fees.ts';
import type { LaneBook } from './lane-book.ts';
import { type Idle, type LaneStanding, placesOf } from './places.ts';

/** Our own transactions that are not done with. */
export type Standing = {
  /** Undefined where nobody has had to ask yet: then nothing of ours stands in the public mempool. */
  readonly lanes: readonly LaneStanding[] | undefined;
  /** A bundle of ours can still be included: nothing else is signed. */
  readonly bundleOpen: boolean;
};

/** @param open what the tracker has not settled yet */
export async function standingOf(
  open: readonly OpenTransaction[],
  book: LaneBook,
  ledger: Ledger,
  head: Head,
  at: Moment,
): Promise<Standing> {
  const bundleOpen = open.some(({ channel }) => channel === 'bundle');
  const own: (readonly [Address, Parameters<typeof placesOf>[0]])[] = [];
  for (const { address } of book.lanes) {
    const dormant = await ledger.dormant(address);
    const given = new Set(dormant.map(({ txHash }) => txHash));
    own.push([address, { open: open.filter(({ lane, txHash }) => lane === address && !given.has(txHash)), dormant }]);
  }
  const isPublic = ({ channel }: OpenTransaction) => channel === 'public';
  if (!own.some(([, of]) => of.open.some(isPublic) || of.dormant.some(isPublic))) return { lanes: undefined, bundleOpen };
  const standing = new Map(own);
  const lanes = (await book.look(at)).map(({ lane, nonce, balanceWei, resting }) => {
    const places = placesOf(standing.get(lane)!, nonce, head, gapOf(head, at));
    return { lane, nextNonce: nonce, balanceWei, resting, places };
  });
  return { lanes, bundleOpen };
}

/** The dearest that stands anywhere and has had its time. */
export function toOutbid({ lanes = [] }: Standing): Fees | undefined {
  return lanes
    .flatMap(({ places }) => places)
    .flatMap(({ fees, waiting }) => (waiting || fees === undefined ? [] : [fees]))
    .reduce<Fees | undefined>(highest, undefined);
}

/** As a bundle finds it, which takes the next nonces whatever stands at them: it would not be mined behind that. */
export function forBundles(lanes: readonly LaneStanding[]): readonly LaneStanding[] {
  return lanes.toSorted((a, b) => a.places.length - b.places.length).map((lane) => ({ ...lane, places: [] }));
}

/** What a bundle leaves standing behind it. */
export function behind(lanes: readonly LaneStanding[], signed: readonly IntendedTransaction[]): Idle {
  return lanes.flatMap(({ lane, nextNonce, places }) => {
    const used = signed.filter((transaction) => transaction.lane === lane).length;
    return places.filter(({ waiting, nonce }) => !waiting && nonce >= nextNonce + used).map((place) => ({ lane, place }));
  });
}

/** Seconds between blocks. */
export function gapOf(head: Head, at: Moment): number {
  return at.timestamp - head.timestamp;
}
