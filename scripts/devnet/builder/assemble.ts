/**
 * Chooses and orders what goes to the top of a block: greedy by what reaches the coinbase per gas, each candidate judged on top of those
 * already taken. All or nothing per candidate.
 *
 * One simulation runs the whole tentative order. Its results hold up to the first candidate that fails there, or that turns out worth less
 * than the next: everything before is taken for good, that one is dropped or moved, and the rest is tried again.
 */
import type { Address, Hex } from 'viem';
import type { Effect, Simulation } from './simulate.ts';
import { whyNotIncludable } from './simulate.ts';
import type { Transaction } from './transaction.ts';

export type Candidate = {
  id: string;
  /** Lower tiers stand before higher ones, whatever they pay. */
  tier: number;
  transactions: Transaction[];
  mayRevert: ReadonlySet<Hex>;
};

export type Taken<C> = { candidate: C; effects: Effect[]; revenueWei: bigint; gasUsed: bigint };
export type Skipped<C> = { candidate: C; reason: string };
export type Assembly<C> = { taken: Taken<C>[]; skipped: Skipped<C>[] };

export type AssembleInput<C> = {
  /** In the order of arrival, which decides between equals. */
  candidates: readonly C[];
  nonces: ReadonlyMap<Address, number>;
  baseFeeWei: bigint;
  gasLimit: bigint;
  simulate(transactions: readonly Transaction[]): Promise<Simulation>;
  /** Whether there is time for another simulation. */
  timeLeft(): boolean;
};

/** Wei per gas, 1e9-scaled so that small differences still rank. Unknown for what cannot stand alone (it needs another's nonce first). */
type Scored<C> = { candidate: C; score: bigint | undefined };

export async function assemble<C extends Candidate>(input: AssembleInput<C>): Promise<Assembly<C>> {
  const taken: Taken<C>[] = [];
  const skipped: Skipped<C>[] = [];
  let waiting = await scoreOnTop(input, taken, input.candidates, skipped);
  /** How many candidates one simulation tries: halved while the chain rejects the list without saying which, so that it is found. */
  let attempt = Number.POSITIVE_INFINITY;
  while (waiting.length > 0) {
    waiting.sort(byTierAndScore);
    const { tentative, blocked } = tentativeOrder(input, taken, waiting, attempt);
    if (tentative.length === 0) {
      skipped.push(...blocked);
      break;
    }
    if (!input.timeLeft()) {
      skipped.push(...waiting.map(({ candidate }) => ({ candidate, reason: 'no time left in the slot to simulate it' })));
      break;
    }
    const simulation = await input.simulate([...taken, ...tentative].flatMap(({ candidate }) => candidate.transactions));
    if (simulation.kind === 'invalid') {
      if (tentative.length > 1) {
        attempt = Math.ceil(tentative.length / 2);
        continue;
      }
      skipped.push({ candidate: tentative[0]!.candidate, reason: simulation.message });
      waiting = without(waiting, tentative[0]!.candidate);
    } else {
      waiting = accept(input, simulation.effects, taken, tentative, waiting, skipped);
      // Many want the same thing, it seems: one by one they would cost a simulation of the whole order each.
      if (failuresIn(simulation.effects, tentative) > 2 && input.timeLeft()) {
        waiting = await scoreOnTop(
          input,
          taken,
          waiting.map(({ candidate }) => candidate),
          skipped,
        );
      }
    }
    attempt = Number.POSITIVE_INFINITY;
  }
  return { taken, skipped };
}

/** Each candidate for itself on top of what is taken; those that fail there are out. A single one needs no rank. */
async function scoreOnTop<C extends Candidate>(
  input: AssembleInput<C>,
  taken: readonly Taken<C>[],
  candidates: readonly C[],
  skipped: Skipped<C>[],
): Promise<Scored<C>[]> {
  if (candidates.length === 1) return [{ candidate: candidates[0]!, score: undefined }];
  const before = taken.flatMap(({ candidate }) => candidate.transactions);
  const nonces = new Map(input.nonces);
  for (const { from, nonce } of before) nonces.set(from, nonce + 1);
  const scored = await Promise.all(
    candidates.map(async (candidate): Promise<Scored<C> | undefined> => {
      if (whyNotIncludable(candidate.transactions, new Map(nonces), input.baseFeeWei)) return { candidate, score: undefined };
      const simulation = await input.simulate([...before, ...candidate.transactions]);
      const verdict =
        simulation.kind === 'done' ? judge(candidate, simulation.effects.slice(before.length)) : { reason: simulation.message };
      if ('score' in verdict) return { candidate, score: verdict.score };
      skipped.push({ candidate, reason: verdict.reason });
      return undefined;
    }),
  );
  return scored.filter((entry) => entry !== undefined);
}

function tentativeOrder<C extends Candidate>(
  input: AssembleInput<C>,
  taken: readonly Taken<C>[],
  waiting: readonly Scored<C>[],
  limit: number,
) {
  const nonces = new Map(input.nonces);
  const used = new Set<Hex>();
  const include = (transactions: readonly Transaction[]) => {
    for (const { hash, from, nonce } of transactions) {
      used.add(hash);
      nonces.set(from, nonce + 1);
    }
  };
  for (const { candidate } of taken) include(candidate.transactions);
  const tentative: Scored<C>[] = [];
  const blocked: Skipped<C>[] = [];
  for (const entry of waiting) {
    const { transactions } = entry.candidate;
    const repeated = transactions.find(({ hash }) => used.has(hash));
    const reason = repeated
      ? `transaction ${repeated.hash} is already taken`
      : whyNotIncludable(transactions, new Map(nonces), input.baseFeeWei);
    if (reason) {
      blocked.push({ candidate: entry.candidate, reason });
    } else if (tentative.length < limit) {
      tentative.push(entry);
      include(transactions);
    }
  }
  return { tentative, blocked };
}

/** Takes the part of the tentative order that holds; returns what is still waiting. */
function accept<C extends Candidate>(
  input: AssembleInput<C>,
  effects: readonly Effect[],
  taken: Taken<C>[],
  tentative: readonly Scored<C>[],
  waiting: readonly Scored<C>[],
  skipped: Skipped<C>[],
): Scored<C>[] {
  let from = taken.reduce((count, { candidate }) => count + candidate.transactions.length, 0);
  let gasUsed = taken.reduce((sum, part) => sum + part.gasUsed, 0n);
  let left = [...waiting];
  for (const [index, { candidate }] of tentative.entries()) {
    const own = effects.slice(from, from + candidate.transactions.length);
    const verdict = fits(own, gasUsed, input.gasLimit) ? judge(candidate, own) : { reason: 'does not fit into the block' };
    if ('reason' in verdict) {
      skipped.push({ candidate, reason: verdict.reason });
      return without(left, candidate);
    }
    const rival = tentative[index + 1];
    if (rival?.score !== undefined && rival.candidate.tier === candidate.tier && verdict.score < rival.score) {
      return left.map((entry) => (entry.candidate === candidate ? { candidate, score: verdict.score } : entry));
    }
    taken.push({ candidate, effects: own, revenueWei: verdict.revenueWei, gasUsed: verdict.gasUsed });
    left = without(left, candidate);
    from += own.length;
    gasUsed += verdict.gasUsed;
  }
  return left;
}

/** How many of the tentative order did not go through: a lower bound for how many more such simulations there would be. */
function failuresIn<C extends Candidate>(effects: readonly Effect[], tentative: readonly Scored<C>[]): number {
  const failed = new Set(effects.filter(({ succeeded }) => !succeeded).map(({ transaction }) => transaction.hash));
  return tentative.filter(({ candidate }) => candidate.transactions.some(({ hash }) => failed.has(hash) && !candidate.mayRevert.has(hash)))
    .length;
}

type Verdict = { score: bigint; revenueWei: bigint; gasUsed: bigint } | { reason: string };

function judge(candidate: Candidate, effects: readonly Effect[]): Verdict {
  const failed = effects.find(({ succeeded, transaction }) => !succeeded && !candidate.mayRevert.has(transaction.hash));
  if (failed) return { reason: `transaction ${failed.transaction.hash} reverts (${failed.output})` };
  const gasUsed = effects.reduce((sum, effect) => sum + effect.gasUsed, 0n);
  const revenueWei = effects.reduce((sum, effect) => sum + effect.coinbaseDiffWei, 0n);
  return { score: (revenueWei * 1_000_000_000n) / gasUsed, revenueWei, gasUsed };
}

/** Anvil's own rule: a transaction's whole gas limit must be free when its turn comes. */
function fits(effects: readonly Effect[], gasUsedBefore: bigint, gasLimit: bigint): boolean {
  let used = gasUsedBefore;
  return effects.every(({ transaction, gasUsed }) => {
    const room = used + transaction.gas <= gasLimit;
    used += gasUsed;
    return room;
  });
}

function byTierAndScore<C extends Candidate>(a: Scored<C>, b: Scored<C>): number {
  if (a.candidate.tier !== b.candidate.tier) return a.candidate.tier - b.candidate.tier;
  if (a.score === b.score) return 0;
  if (a.score === undefined) return 1;
  if (b.score === undefined) return -1;
  return a.score < b.score ? 1 : -1;
}

function without<C extends Candidate>(list: readonly Scored<C>[], candidate: C): Scored<C>[] {
  return list.filter((entry) => entry.candidate !== candidate);
}
