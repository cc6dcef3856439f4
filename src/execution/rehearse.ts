import type { Surcharge } from '../chain/rollup.ts';
import { encodeExecute } from '../lib/encode-steps.ts';
import type { Sequence } from '../lib/steps.ts';
import type { Address, Head, Hex } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import { atShare } from '../strategy/bids/transaction.ts';
import { byProfit } from '../strategy/block.ts';
import { gasTogether } from '../strategy/gas.ts';
import { GAS_HEADROOM_BPS, gasLimitOf, leftOut, type Pack } from '../strategy/packing.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan, SkipReason } from '../strategy/types.ts';
import { decodeExecutorError, decodeSettlement } from './decode-executor.ts';
import { executorOf, sequenceOf } from './sequence.ts';
import type { ExecutionChain, NodeSimulatedCall, SimulatedCall } from './types.ts';

/** Plans that stood the rehearsal, as the transactions to sign. */
export type Rehearsed = {
  readonly plans: readonly Plan[];
  readonly executor: Address;
  readonly sequence: Sequence;
  readonly data: Hex;
  readonly gasLimit: bigint;
  readonly gasUnits: bigint;
  readonly surcharge: Surcharge;
};
export type Rehearsal = {
  readonly transactions: readonly Rehearsed[];
  readonly failed: readonly { readonly plan: Plan; readonly skip: SkipReason }[];
  /** False where no node ran it: the estimates stand. */
  readonly simulated: boolean;
  /** Set when somebody else's transaction before ours would revert. */
  readonly reverting?: Hex;
};

const BPS = 10_000n;
const MAX_ROUNDS = 4;

/** The plans as transactions, by the gas that planning expects. */
export function draftAll(plans: readonly Plan[], terms: Terms, lastBlock: number, pack: Pack): readonly Rehearsed[] {
  return priced(packed(plans, terms, lastBlock, pack), terms);
}

function packed(plans: readonly Plan[], terms: Terms, lastBlock: number, pack: Pack): readonly Rehearsed[] {
  return pack(plans, terms).map((group) => draft(group, gasTogether(group), usual(group, terms), terms, lastBlock));
}

/**
 * Runs the packed plans on our own node as the next block would. A plan whose group reverts is dropped with its decoded reason and the rest is
 * run again, at most four times. Where a transaction of several fails whole (one of their tokens may not let itself be swept), each is run by itself. Where the node cannot simulate, the estimates stand and the relay's simulation has to do.
 *
 * @param before transactions of others that stand before ours in the block; where one of them reverts, all plans fail with it
 */
export async function rehearse(
  plans: readonly Plan[],
  chain: ExecutionChain,
  terms: Terms,
  sender: Address | undefined,
  head: Head,
  at: Moment,
  lastBlock: number,
  pack: Pack,
  before: readonly (SimulatedCall & { readonly txHash: Hex })[] = [],
): Promise<Rehearsal> {
  const failed: { plan: Plan; skip: SkipReason }[] = [];
  let standing = plans;
  let apart = false;
  for (let round = 0; round < MAX_ROUNDS && standing.length > 0; round++) {
    const drafts = packed(standing, terms, lastBlock, apart ? eachAlone : pack);
    const left = new Map(leftOut(standing, drafts).map((skipped) => [skipped.plan, skipped]));
    failed.push(...left.values());
    standing = standing.filter((plan) => !left.has(plan));
    // Watching without an Executor: nobody could run this.
    if (sender === undefined) return { transactions: priced(drafts, terms), failed, simulated: false };
    const own = drafts.map(({ executor, data, gasLimit }) => ({ from: sender, to: executor, data, gasLimit }));
    const block = { timestamp: at.timestamp, baseFeeWei: at.baseFeeWei, number: head.number + 1 };
    const [simulation, surcharges] = await Promise.all([chain.simulate([...before, ...own], block), surchargesOf(drafts, terms, chain)]);
    if (simulation.kind === 'unavailable') {
      const transactions = drafts.map(({ plans: own, gasUnits }, index) => draft(own, gasUnits, surcharges[index]!, terms, lastBlock));
      return { transactions: priced(transactions, terms), failed, simulated: false };
    }
    const undone = before.find((_, index) => !simulation.calls[index]!.ok);
    if (undone !== undefined) {
      const skip: SkipReason = { reason: 'simulation-reverted', figures: { cause: `the price update ${undone.txHash} would revert` } };
      return {
        transactions: [],
        failed: [...failed, ...standing.map((plan) => ({ plan, skip }))],
        simulated: true,
        reverting: undone.txHash,
      };
    }
    const calls = simulation.calls.slice(before.length);
    const dropped = new Map<Plan, string>();
    for (const [index, transaction] of drafts.entries())
      for (const [plan, reason] of failuresOf(transaction, calls[index]!)) dropped.set(plan, reason);
    const whole = drafts.some(({ plans: own }, index) => own.length > 1 && !calls[index]!.ok);
    if (apart && dropped.size === 0) dropped.set(standing.toSorted(byProfit).at(-1)!, 'fails only together with others');
    if (dropped.size === 0 && !whole) {
      const transactions = drafts.map((transaction, index) =>
        draft(transaction.plans, calls[index]!.gasUsed, surcharges[index]!, terms, lastBlock),
      );
      return { transactions: priced(transactions, terms), failed, simulated: true };
    }
    for (const [plan, reason] of dropped) failed.push({ plan, skip: { reason: 'simulation-reverted', figures: { cause: reason } } });
    standing = standing.filter((plan) => !dropped.has(plan));
    apart = whole;
  }
  for (const plan of standing)
    failed.push({ plan, skip: { reason: 'simulation-reverted', figures: { cause: 'the rest of its transaction kept failing' } } });
  return { transactions: [], failed, simulated: true };
}

/** The same transaction where gas costs something else: what the Executor must have left over follows. */
export function repriced({ plans, gasUnits, surcharge }: Rehearsed, terms: Terms, lastBlock: number): Rehearsed {
  return draft(plans, gasUnits, surcharge, terms, lastBlock);
}

function draft(plans: readonly Plan[], gasUnits: bigint, surcharge: Surcharge, terms: Terms, lastBlock: number): Rehearsed {
  const sequence = sequenceOf(plans, gasUnits, surcharge, terms, lastBlock);
  const gasLimit = gasLimitOf(gasUnits, terms);
  const posted = (surcharge.gasUnits * GAS_HEADROOM_BPS) / BPS;
  const executor = executorOf(plans, terms);
  return { plans, executor, sequence, data: encodeExecute(sequence), gasLimit: gasLimit + posted, gasUnits, surcharge };
}

/** Exact where the chain tells, the usual where it cannot be asked. */
async function surchargesOf(drafts: readonly Rehearsed[], terms: Terms, chain: ExecutionChain): Promise<readonly Surcharge[]> {
  try {
    return await chain.surcharges(drafts.map(({ executor, data, gasUnits }) => ({ to: executor, data, gasUnits })));
  } catch {
    return drafts.map(({ plans }) => usual(plans, terms));
  }
}

/** As if each plan had a transaction of its own: what they share is little beside their calldata. */
function usual(plans: readonly Plan[], { surcharge: { feeWei, gasUnits } }: Terms): Surcharge {
  const count = BigInt(plans.length);
  return { feeWei: feeWei * count, gasUnits: gasUnits * count };
}

/** With what each plan pays and keeps at the share of its transaction: this is what the ledger expects of it. */
function priced(transactions: readonly Rehearsed[], terms: Terms): readonly Rehearsed[] {
  return transactions.map((one) => ({ ...one, plans: one.plans.map((plan) => atShare(plan, one.sequence.bidBps, terms)) }));
}

function eachAlone(plans: readonly Plan[]): readonly (readonly Plan[])[] {
  return plans.map((plan) => [plan]);
}

/** Which plans of a simulated transaction failed, and why. One of several that fails whole does not say which of them it was. */
function failuresOf(transaction: Rehearsed, call: NodeSimulatedCall): readonly (readonly [Plan, string])[] {
  if (!call.ok) {
    const [plan, ...others] = transaction.plans;
    return plan === undefined || others.length > 0 ? [] : [[plan, decodeExecutorError(call.returnData)]];
  }
  const settlement = decodeSettlement(call.logs, transaction.executor);
  return transaction.plans.flatMap((plan, index) => {
    const group = settlement?.groups.find((one) => one.index === index);
    return group?.outcome === 'reverted' ? [[plan, group.reason] as const] : [];
  });
}
