import type { Ahead, Backrun, LaterVariant } from '../execution/backrun.ts';
import { subsets } from '../execution/backrun-slots.ts';
import type { ForeignTransaction, SimulatedCall } from '../execution/types.ts';
import type { Head, Hex } from '../lib/types.ts';
import { withDepth } from '../liquidity/exchanges.ts';
import type { Depth } from '../liquidity/types.ts';
import type { AggregatorBook } from '../oracles/ocr-aggregators.ts';
import type { Moment } from '../oracles/types.ts';
import { answersAfter, type PriceUpdate, type Sighting } from '../oracles/updates.ts';
import type { Watch } from '../risk/candidates.ts';
import type { Candidate } from '../risk/types.ts';
import { packOne } from '../strategy/packing.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Decision, Plan, SkipReason } from '../strategy/types.ts';
import { type Circumstances, type Decided, type DecisionWorld, decideBlock } from './decide.ts';
import type { Settings } from './settings.ts';

/** How to bid, and how much there is time for. */
type Going = Pick<Circumstances, 'own' | 'mostPlans'>;

/** Updates that reach the block together, or one that comes alone. */
type Group = { readonly updates: readonly PriceUpdate[]; readonly ahead: Ahead };

/** What pending updates make worth doing. */
export type Foresight = {
  /** What they make liquidatable, with the update that does. */
  readonly fresh: readonly Candidate[];
  readonly skips: readonly Extract<Decision, { kind: 'skip' }>[];
  readonly terms: Terms | undefined;
  readonly backruns: readonly Backrun[];
  /** The backruns in every other order in which a builder may take them: planned when asked for. */
  later(): readonly LaterVariant[];
};

/** Every order of more than these would be too many transactions to sign in time. The latest count. */
const MOST_GROUPS = 3;
/** Transmissions take a fraction of this. */
const TRANSMISSION_GAS = 2_000_000n;

/** Left by no fault of its own: there is no gas or no time for it in the block. */
const CROWDED_OUT: ReadonlySet<SkipReason['reason']> = new Set(['block-full', 'cooling-down']);

/** What stands for itself at a head, whatever is pending. */
export type Unmoved = {
  readonly head: Hex;
  readonly terms: Terms | undefined;
  readonly plans: readonly Plan[];
  readonly at: Moment;
  /** What its plans leave of the pools. */
  readonly after: Depth | undefined;
  /** Liquidatable, and not worth it as prices are. */
  readonly idle: ReadonlySet<string>;
};

/** Judges and plans what goes behind nothing: the same for all updates of a head, so it can be had before the first. Pure. */
export function unmovedAt(world: DecisionWorld, settings: Settings, watch: Watch, head: Head, going: Going): Unmoved {
  const at = world.next();
  const candidates = watch.foresee(world.protocols, at, head.number + 1).candidates.filter(({ sinceBlock }) => sinceBlock <= head.number);
  return unmovedBy(decideBlock(world, settings, candidates, head, at, 0n, going), head, at);
}

/** The same of what was decided already. */
export function unmovedBy({ decisions, terms, after }: Decided, head: Head, at: Moment): Unmoved {
  const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
  const idle = decisions.flatMap((one) => (one.kind === 'skip' && !CROWDED_OUT.has(one.skip.reason) ? [keyOf(one.candidate)] : []));
  return { head: head.hash, terms, plans, at, after, idle: new Set(idle) };
}

/**
 * Judges and plans the block that includes pending updates: all that are public together, since they travel in our bundle, and each private one for itself.
 * What was liquidatable before stands for itself beside them; where it was not worth it, only a price of its own that moves can change that. Pure. Undefined
 * where the updates make nothing liquidatable.
 *
 * @param pending in the order in which they may be mined
 */
export function foresee(
  world: DecisionWorld,
  settings: Settings,
  watch: Watch,
  head: Head,
  pending: readonly PriceUpdate[],
  going: Going,
  unmoved: Unmoved,
): Foresight | undefined {
  const now = world.next();
  const answers = (updates: readonly PriceUpdate[]) => answersAfter(updates, world.aggregators, now.timestamp);
  const judge = (at: Moment) => watch.foresee(world.protocols, at, head.number + 1).candidates;
  const isFresh = ({ sinceBlock }: Candidate) => sinceBlock > head.number;
  const isTaken = ({ sighting }: PriceUpdate) => sighting.kind === 'hint' || sighting.maxFeePerGasWei >= now.baseFeeWei;
  const groups = groupsOf(pending.filter(isTaken), world.aggregators);
  const protocols = new Map(world.protocols.map((protocol) => [protocol.id, protocol]));

  const fresh = new Map<string, Candidate>();
  const skips = new Map<string, Extract<Decision, { kind: 'skip' }>>();
  const planned = groups.map(() => new Set<string>());
  let { terms } = unmoved;
  /** What those before leave of the pools; each was planned at what the others before it leave. */
  const depthBehind = (before: readonly number[]): Depth | undefined => {
    const last = before.at(-1);
    if (last === undefined) return undefined;
    return last === 0 ? unmoved.after : decide(last, before.slice(0, -1)).after;
  };
  const decided = new Map<string, { readonly plans: readonly Plan[]; readonly at: Moment; readonly after: Depth | undefined }>();
  const decide = (index: number, before: readonly number[]) => {
    // What goes behind nothing is mined in every order.
    const others = index === 0 ? before : before.filter((place) => place !== 0);
    const key = `${index} ${others.join()}`;
    const known = decided.get(key) ?? plan(index, others);
    decided.set(key, known);
    return known;
  };
  const plan = (index: number, before: readonly number[]) => {
    const cause = causeIn(groups[index]!.updates);
    const moved = answers([...before, index].flatMap((place) => groups[place]!.updates));
    const at = world.next(moved);
    const rests = ({ deployment, slot }: Candidate) =>
      !protocols
        .get(deployment)!
        .prices(slot, at)
        .some(({ source }) => source.feeds.some((feed) => moved.has(feed)));
    const elsewhere = index === 0 ? before : [0, ...before];
    const candidates = judge(at)
      .filter((candidate) => !elsewhere.some((place) => planned[place]!.has(keyOf(candidate))))
      .map((candidate) => (isFresh(candidate) ? { ...candidate, ...cause(candidate) } : candidate))
      .filter((candidate) => (isFresh(candidate) ? index > 0 : !(unmoved.idle.has(keyOf(candidate)) && rests(candidate))));
    for (const candidate of candidates) if (isFresh(candidate) && !fresh.has(keyOf(candidate))) fresh.set(keyOf(candidate), candidate);
    const depth = depthBehind(elsewhere);
    const venue = depth === undefined ? undefined : withDepth(world.venue, depth);
    const decideFor = (some: readonly Candidate[]) => decideBlock(world, settings, some, head, at, 0n, { ...going, venue });
    const { decisions, after, terms: own } = groups[index]!.ahead.kind === 'private' ? inOne(candidates, decideFor) : decideFor(candidates);
    terms ??= own;
    const plans: Plan[] = [];
    for (const decision of decisions) {
      if (decision.kind === 'plan') plans.push(decision.plan);
      else if (isFresh(decision.candidate)) skips.set(keyOf(decision.candidate), decision);
    }
    return { plans, at, after };
  };

  const firsts = groups.map((_, index) => {
    const first = index === 0 ? unmoved : decide(index, []);
    for (const { candidate } of first.plans) planned[index]!.add(keyOf(candidate));
    return first;
  });
  /** What only several updates together make worth it goes behind the last of them. */
  const together = (index: number) => index > 0 && groups.length > 2 && decide(index, othersOf(index)).plans.length > 0;
  const othersOf = (index: number) => groups.flatMap((_, other) => (other > 0 && other !== index ? [other] : []));
  const alone = groups.map((_, index) => firsts[index]!.plans.length > 0);
  const behind = groups.map((_, index) => !alone[index] && together(index));
  if (fresh.size === 0) return undefined;
  for (const key of planned.flatMap((keys) => [...keys])) skips.delete(key);
  const worthwhile = groups.flatMap((_, index) => (alone[index] || (index > 0 && behind.includes(true)) ? [index] : []));
  const found = { fresh: [...fresh.values()], skips: [...skips.values()], terms };
  if (worthwhile.every((index) => index === 0)) return { ...found, backruns: [], later: () => [] };
  return {
    ...found,
    backruns: worthwhile.map((index) => ({ ahead: groups[index]!.ahead, plans: firsts[index]!.plans, at: firsts[index]!.at })),
    later: () =>
      worthwhile.flatMap((index, place) =>
        subsets(worthwhile.filter((other) => other !== index))
          .filter((before) => before.length > 0)
          .map((before) => {
            const { plans, at } = decide(index, before);
            return { place, after: before.map((other) => worthwhile.indexOf(other)), plans, at };
          }),
      ),
  };

  /** Which update of several that go together: the first that does it alone, else the last. */
  function causeIn(updates: readonly PriceUpdate[]): (candidate: Candidate) => { updateTxHash?: Hex } {
    const last = updates.at(-1)?.sighting.txHash;
    if (last === undefined) return () => ({});
    if (updates.length === 1) return () => ({ updateTxHash: last });
    const alone = updates.map((update) => [update.sighting.txHash, new Set(judge(world.next(answers([update]))).map(keyOf))] as const);
    return (candidate) => ({ updateTxHash: alone.find(([, keys]) => keys.has(keyOf(candidate)))?.[0] ?? last });
  }
}

/**
 * Behind a hint goes one transaction. What it has no room for is not carried out and leaves the pools to the rest, which are planned anew: whoever comes behind them
 * counts on what is left there, and may take the others.
 */
function inOne(candidates: readonly Candidate[], decideFor: (candidates: readonly Candidate[]) => Decided): Decided {
  const all = decideFor(candidates);
  const plans = all.decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
  const packed = new Set(all.terms === undefined ? [] : packOne(plans, all.terms).flatMap((own) => own.map(({ candidate }) => candidate)));
  if (packed.size === plans.length) return all;
  const left = all.decisions.flatMap((decision): Decision[] => {
    if (decision.kind === 'skip') return [decision];
    const { candidate } = decision.plan;
    return packed.has(candidate) ? [] : [{ kind: 'skip', candidate, skip: { reason: 'block-full', figures: { transactions: '1' } } }];
  });
  const anew = decideFor([...packed]);
  return { ...anew, decisions: [...left, ...anew.decisions] };
}

/** Nothing first, then what is public, then what is private. */
function groupsOf(updates: readonly PriceUpdate[], book: AggregatorBook): readonly Group[] {
  const open = updates.filter(({ sighting }) => sighting.kind === 'public').slice(-MOST_GROUPS);
  const transactions = open.flatMap(({ sighting }) => (sighting.kind === 'public' ? [foreign(sighting)] : []));
  const closed = updates
    .filter(({ sighting }) => sighting.kind === 'hint')
    .map((update): Group => {
      const { txHash } = update.sighting;
      return { updates: [update], ahead: { kind: 'private', txHash, call: likelyCall(update, book) } };
    });
  return [
    { updates: [], ahead: { kind: 'nothing' } },
    ...(open.length === 0 ? [] : [{ updates: open, ahead: { kind: 'public', transactions } } as const]),
    ...closed.slice(1 - MOST_GROUPS),
  ];
}

function foreign({ txHash, raw, from, to, data, gas }: Extract<Sighting, { kind: 'public' }>): ForeignTransaction {
  return { txHash, raw, from, to, data, gasLimit: gas };
}

/** A hint does not say who sends: anybody who may stands in. */
function likelyCall({ sighting, transmission }: PriceUpdate, book: AggregatorBook): SimulatedCall | undefined {
  const { forwarder, aggregator } = transmission;
  const [from] = (forwarder === undefined ? book.state(aggregator)?.transmitters : book.sendersOf(forwarder)) ?? [];
  return from === undefined ? undefined : { from, to: sighting.to, data: sighting.data, gasLimit: TRANSMISSION_GAS };
}

function keyOf({ deployment, market, account }: Candidate): string {
  return `${deployment}/${market}/${account}`;
}
