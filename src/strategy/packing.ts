/** Which plans share a transaction, by their bids and by the gas that they may need. */
import { BPS, mulDivUp } from '../lib/math.ts';
import { separate } from './bids/transaction.ts';
import { byProfit } from './block.ts';
import { MANY } from './gas.ts';
import { type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Plan } from './types.ts';

/** Plans as the transactions that they are to go in, each in order. */
export type Pack = (plans: readonly Plan[], terms: Terms) => readonly (readonly Plan[])[];

/** A transaction is given so much of what its gas is thought to be: at inclusion there are no refunds in advance, and state may be colder than in a simulation. */
export const GAS_HEADROOM_BPS = 13_000n;
/** Of several plans estimates err less in the sum than each by itself. */
const SUM_HEADROOM_BPS = 10_500n;
/** A group may use twice its estimate. */
const GROUP_GAS_ROOM = 2n;
/** Refunds come at the end, for a fifth of the gas at most (EIP-3529): before it a transaction needs so much of what it uses. */
const BEFORE_REFUNDS_BPS = 12_500n;

/** What a plan's group may use where it shares its transaction: more ends it, and it alone. */
export function groupGasLimit({ gasUnits }: Plan): bigint {
  return gasUnits * GROUP_GAS_ROOM;
}

/** Gas of groups: as estimated, as they need it among many, and the most that one of them could use beyond that. */
type Load = { readonly count: number; readonly estimated: bigint; readonly amongMany: bigint; readonly excess: bigint };
const EMPTY: Load = { count: 0, estimated: 0n, amongMany: 0n, excess: 0n };

function withGroup({ count, estimated, amongMany, excess }: Load, plan: Plan, { gasUse }: Terms): Load {
  const gas = plan.gasUnits - TRANSACTION_GAS;
  const neededBps = ((gasUse?.usedOfManyBps(plan.candidate.protocol) ?? BPS) * BEFORE_REFUNDS_BPS) / BPS;
  const own = neededBps < BPS ? mulDivUp(gas, neededBps, BPS) : gas;
  const beyond = groupGasLimit(plan) - own;
  return { count: count + 1, estimated: estimated + gas, amongMany: amongMany + own, excess: beyond > excess ? beyond : excess };
}

/** A group that uses all it may must not take what the last ones need: there is room for one that does, and for what all err together. */
function fits({ count, estimated, amongMany, excess }: Load, { maxTransactionGas }: Terms): boolean {
  const eachWidened = (estimated * GAS_HEADROOM_BPS) / BPS;
  const together = ((count < MANY ? estimated : amongMany) * SUM_HEADROOM_BPS) / BPS + excess;
  return TRANSACTION_GAS + (eachWidened < together ? eachWidened : together) <= maxTransactionGas;
}

/** In order, into as few transactions as their bids and the gas cap allow; those on margin each alone. */
export const packTransactions: Pack = (plans, terms) => {
  const ordinary = plans.filter(({ margin }) => margin === undefined);
  const onMargin = plans.filter(({ margin }) => margin !== undefined);
  const packed = separate(ordinary, terms).flatMap((together) => packByGas(together, terms));
  return [...packed, ...onMargin.map((plan) => [plan])];
};

function packByGas(plans: readonly Plan[], terms: Terms): readonly (readonly Plan[])[] {
  const transactions: Plan[][] = [];
  let load = EMPTY;
  for (const plan of plans) {
    const more = withGroup(load, plan, terms);
    const current = transactions.at(-1);
    if (current !== undefined && fits(more, terms)) {
      current.push(plan);
      load = more;
    } else {
      transactions.push([plan]);
      load = withGroup(EMPTY, plan, terms);
    }
  }
  return transactions;
}

/**
 * The plans that leave most of all that one transaction could hold: of those whose bids go together, the most profitable that fit the gas. Where a small one
 * would hold the bid for large ones down, it is left for the next block; so is whatever runs on margin.
 */
export const packOne: Pack = (plans, terms) => {
  const ordinary = plans.filter(({ margin }) => margin === undefined);
  const fillings = separate(ordinary, terms).map((together) => fill(together, terms));
  const [best] = fillings.filter((filling) => filling.length > 0).toSorted((a, b) => Number(profitOf(b) - profitOf(a)));
  return best === undefined ? [] : [best];
};

function fill(plans: readonly Plan[], terms: Terms): readonly Plan[] {
  let load = EMPTY;
  const chosen = new Set<Plan>();
  for (const plan of plans.toSorted(byProfit)) {
    const more = withGroup(load, plan, terms);
    if (!fits(more, terms)) continue;
    load = more;
    chosen.add(plan);
  }
  return plans.filter((plan) => chosen.has(plan));
}

function profitOf(plans: readonly Plan[]): bigint {
  return plans.reduce((sum, { profitWei }) => sum + profitWei, 0n);
}
