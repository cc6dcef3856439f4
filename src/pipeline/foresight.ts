import type { Ahead } from '../execution/backrun.ts';
import type { ForeignTransaction, SimulatedCall } from '../execution/types.ts';
import type { Head } from '../lib/types.ts';
import type { AggregatorBook } from '../oracles/ocr-aggregators.ts';
import type { Moment } from '../oracles/types.ts';
import { answersAfter, type PriceUpdate, type Sighting } from '../oracles/updates.ts';
import type { Watch } from '../risk/candidates.ts';
import type { Candidate } from '../risk/types.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Decision, Plan } from '../strategy/types.ts';
import { type DecisionWorld, decideBlock } from './decide.ts';
import type { Settings } from './settings.ts';

type Public = Extract<Sighting, { kind: 'public' }>;
/** Updates that reach the block together, or one that comes alone. */
type Group = { readonly updates: readonly PriceUpdate[]; readonly ahead: Ahead };

/** What pending updates make worth doing. */
export type Foresight = {
  /** What they make liquidatable, with the update that does. */
  readonly fresh: readonly Candidate[];
  readonly skips: readonly Extract<Decision, { kind: 'skip' }>[];
  readonly terms: Terms | undefined;
  /** In the order in which blocks take them when nothing decides otherwise. */
  readonly backruns: readonly Foreseen[];
};
export type Foreseen = {
  readonly ahead: Ahead;
  readonly variants: readonly { readonly after: readonly number[]; readonly plans: readonly Plan[]; readonly at: Moment }[];
};

/** Every order of more updates than these would be too many transactions to sign in time. The latest count. */
const MOST_UPDATES = 3;
/** Transmissions take a fraction of this. */
const TRANSMISSION_GAS = 2_000_000n;

/**
 * Judges and plans the block that includes pending updates, in every order in which a builder may take them. What was liquidatable before stands for itself
 * beside them. Pure. Undefined where the updates make nothing liquidatable.
 *
 * @param pending in the order in which they may be mined
 */
export function foresee(
  world: DecisionWorld,
  settings: Settings,
  watch: Watch,
  head: Head,
  pending: readonly PriceUpdate[],
): Foresight | undefined {
  const now = world.next();
  const after = (updates: readonly PriceUpdate[]) => world.next(answersAfter(updates, world.aggregators, now.timestamp));
  const judge = (at: Moment) => watch.foresee(world.protocols, at, head.number + 1).candidates;
  const isFresh = ({ sinceBlock }: Candidate) => sinceBlock > head.number;
  const updates = pending
    .filter(({ sighting }) => sighting.kind === 'hint' || sighting.maxFeePerGasWei >= now.baseFeeWei)
    .slice(-MOST_UPDATES);
  const groups = groupsOf(updates, world, (some) => new Set(judge(after(some)).filter(isFresh).map(keyOf)));

  const fresh = new Map<string, Candidate>();
  const skips = new Map<string, Extract<Decision, { kind: 'skip' }>>();
  const planned = groups.map(() => new Set<string>());
  let terms: Terms | undefined;
  const decide = (index: number, before: readonly number[]) => {
    const own = groups[index]!.updates;
    const at = after([...before, index].flatMap((place) => groups[place]!.updates));
    // What goes behind nothing is mined in every order.
    const elsewhere = index === 0 ? before : [0, ...before];
    const candidates = judge(at)
      .filter((candidate) => !elsewhere.some((place) => planned[place]!.has(keyOf(candidate))))
      .map((candidate) => (isFresh(candidate) && own.length > 0 ? { ...candidate, updateTxHash: own.at(-1)!.sighting.txHash } : candidate))
      .filter((candidate) => index > 0 || !isFresh(candidate));
    for (const candidate of candidates) if (isFresh(candidate) && !fresh.has(keyOf(candidate))) fresh.set(keyOf(candidate), candidate);
    const decided = decideBlock(world, settings, candidates, head, at, 0n);
    terms ??= decided.terms;
    const plans: Plan[] = [];
    for (const decision of decided.decisions) {
      if (decision.kind === 'plan') plans.push(decision.plan);
      else if (isFresh(decision.candidate)) skips.set(keyOf(decision.candidate), decision);
    }
    return { plans, at };
  };

  const firsts = groups.map((_, index) => {
    const first = decide(index, []);
    for (const { candidate } of first.plans) planned[index]!.add(keyOf(candidate));
    return first;
  });
  const worthwhile = groups.flatMap((_, index) => (firsts[index]!.plans.length > 0 ? [index] : []));
  if (fresh.size === 0 || worthwhile.every((index) => index === 0))
    return fresh.size === 0 ? undefined : { ...tell(), terms, backruns: [] };
  const backruns = worthwhile.map((index): Foreseen => {
    const orders = subsets(worthwhile.filter((other) => other !== index)).filter((before) => before.length > 0);
    const later = orders.map((before) => ({ after: before.map((other) => worthwhile.indexOf(other)), ...decide(index, before) }));
    return { ahead: groups[index]!.ahead, variants: [{ after: [], ...firsts[index]! }, ...later] };
  });
  return { ...tell(), terms, backruns };

  function tell() {
    for (const key of planned.flatMap((keys) => [...keys])) skips.delete(key);
    return { fresh: [...fresh.values()], skips: [...skips.values()] };
  }
}

/**
 * Nothing first, then each update for itself; public ones together where some account needs more than one of them.
 *
 * @param madeBy what some updates together make liquidatable
 */
function groupsOf(
  updates: readonly PriceUpdate[],
  { aggregators }: DecisionWorld,
  madeBy: (updates: readonly PriceUpdate[]) => ReadonlySet<string>,
): readonly Group[] {
  const open = updates.filter(({ sighting }) => sighting.kind === 'public');
  const alone = open.length > 1 ? open.map((update) => madeBy([update])) : [];
  const merged = open.length > 1 && [...madeBy(open)].some((key) => !alone.some((keys) => keys.has(key)));
  const groups = merged ? [open] : open.map((update) => [update]);
  return [
    { updates: [], ahead: { kind: 'nothing' } },
    ...groups.map((own): Group => ({ updates: own, ahead: { kind: 'public', transactions: withPredecessors(own, open).map(foreign) } })),
    ...updates.flatMap((update): readonly Group[] => {
      const { kind, txHash } = update.sighting;
      return kind === 'hint' ? [{ updates: [update], ahead: { kind: 'private', txHash, call: likelyCall(update, aggregators) } }] : [];
    }),
  ];
}

/** A sender's transactions are mined in the order of their nonces. */
function withPredecessors(own: readonly PriceUpdate[], open: readonly PriceUpdate[]): readonly Public[] {
  const wanted = own.flatMap(({ sighting }) => (sighting.kind === 'public' ? [sighting] : []));
  const others = open.flatMap(({ sighting }) => (sighting.kind === 'public' && !wanted.includes(sighting) ? [sighting] : []));
  const needed = others.filter(({ from, nonce }) => wanted.some((one) => one.from === from && one.nonce > nonce));
  return [...needed.toSorted((a, b) => a.nonce - b.nonce), ...wanted];
}

function foreign(sighting: Public): ForeignTransaction {
  const { txHash, raw, from, to, data, gas } = sighting;
  return { txHash, raw, from, to, data, gasLimit: gas };
}

/** A hint does not say who sends: anybody who may stands in. */
function likelyCall({ sighting, transmission }: PriceUpdate, book: AggregatorBook): SimulatedCall | undefined {
  const { forwarder, aggregator } = transmission;
  const [from] = (forwarder === undefined ? book.state(aggregator)?.transmitters : book.sendersOf(forwarder)) ?? [];
  return from === undefined ? undefined : { from, to: sighting.to, data: sighting.data, gasLimit: TRANSMISSION_GAS };
}

function subsets<T>(all: readonly T[]): readonly (readonly T[])[] {
  const [first, ...others] = all;
  if (first === undefined) return [[]];
  const without = subsets(others);
  return [...without, ...without.map((rest) => [first, ...rest])];
}

function keyOf({ deployment, market, account }: Candidate): string {
  return `${deployment}/${market}/${account}`;
}
