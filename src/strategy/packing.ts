/** Which plans share a transaction, by their bids and by the gas that they may need. */
import { BPS, min, mulDivUp } from '../lib/math.ts';
import { separate } from './bids/transaction.ts';
import { byProfit } from './block.ts';
import { gasOfBlock, MANY, SUM_HEADROOM_BPS } from './gas.ts';
import { type Terms, TRANSACTION_GAS } from './terms.ts';
import { closesPosition, type Plan, type SkipReason } from './types.ts';

/** Plans as the transactions that they are to go in, each in order. */
export type Pack = (plans: readonly Plan[], terms: Terms) => readonly (readonly Plan[])[];

/** A transaction is given so much of what its gas is thought to be: at inclusion there are no refunds in advance, and state may be colder than in a simulation. */
export const GAS_HEADROOM_BPS = 13_000n;
/** A group may use twice its estimate. */
const GROUP_GAS_ROOM = 2n;
/** Refunds come at the end, for a fifth of the gas at most (EIP-3529): before it a transaction needs so much of what it uses. */
const BEFORE_REFUNDS_BPS = 12_500n;

/** What a plan's group may use where it shares its transaction: more ends it, and it alone. */
export function groupGasLimit({ gasUnits }: Plan): bigint {
  return gasUnits * GROUP_GAS_ROOM;
}

/** What a transaction of so much gas asks for. */
export function gasLimitOf(gasUnits: bigint, { maxTransactionGas }: Terms): bigint {
  const widened = (gasUnits * GAS_HEADROOM_BPS) / BPS;
  return widened > maxTransactionGas ? maxTransactionGas : widened;
}

/** Gas of groups: as estimated, as they need it among many, as it is charged then, and the most that one of them could use beyond that. */
type Load = {
  readonly count: number;
  readonly estimated: bigint;
  readonly amongMany: bigint;
  readonly charged: bigint;
  readonly excess: bigint;
};
const EMPTY: Load = { count: 0, estimated: 0n, amongMany: 0n, charged: 0n, excess: 0n };

function withGroup({ count, estimated, amongMany, charged, excess }: Load, plan: Plan, terms: Terms): Load {
  const gas = plan.gasUnits - TRANSACTION_GAS;
  const neededBps = ((terms.gasUse?.usedOfManyBps(plan.candidate.protocol) ?? BPS) * BEFORE_REFUNDS_BPS) / BPS;
  const own = neededBps < BPS ? mulDivUp(gas, neededBps, BPS) : gas;
  const beyond = groupGasLimit(plan) - own;
  return {
    count: count + 1,
    estimated: estimated + gas,
    amongMany: amongMany + own,
    charged: charged + min(gas, gasOfBlock(plan.gasUnits, plan.candidate.protocol, terms)),
    excess: beyond > excess ? beyond : excess,
  };
}

/** A group that uses all it may must not take what the last ones need: there is room for one that does, and for what all err together. */
function fits({ count, estimated, amongMany, excess }: Load, { maxTransactionGas }: Terms): boolean {
  const eachWidened = (estimated * GAS_HEADROOM_BPS) / BPS;
  const together = ((count < MANY ? estimated : amongMany) * SUM_HEADROOM_BPS) / BPS + excess;
  return TRANSACTION_GAS + (eachWidened < together ? eachWidened : together) <= maxTransactionGas;
}

/** A block's gas: a transaction needs its whole limit when its turn comes, and leaves to the next what it was not charged. In any order of them. */
class Room {
  readonly #terms: Terms;
  #charged = 0n;
  #mostUnused = 0n;

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  /** For further transactions of these groups. */
  has(...loads: readonly Load[]): boolean {
    let [sum, most] = [this.#charged, this.#mostUnused];
    for (const { charged, unused } of loads.map((load) => this.#of(load))) {
      sum += charged;
      if (unused > most) most = unused;
    }
    return sum + most <= this.#terms.maxBlockGas;
  }

  take(load: Load): void {
    const { charged, unused } = this.#of(load);
    this.#charged += charged;
    if (unused > this.#mostUnused) this.#mostUnused = unused;
  }

  #of({ count, estimated, charged: amongMany }: Load) {
    if (count === 0) return { charged: 0n, unused: 0n };
    const charged = TRANSACTION_GAS + (count < MANY ? estimated : amongMany);
    return { charged, unused: gasLimitOf(TRANSACTION_GAS + estimated, this.#terms) - charged };
  }
}

/**
 * In order, into as few transactions as their bids and the gas cap allow; those on margin each alone. What the block has no gas for is left out: one transaction
 * too many, and the bundle would not be mined at all. Room is taken first by what goes alone, then by groups that end what is held, then by those that leave most.
 */
export const packTransactions: Pack = (plans, terms) => {
  const room = new Room(terms);
  const onMargin = plans.filter(({ margin }) => margin !== undefined).flatMap((plan) => packByGas([plan], terms, room));
  const groups = separate(
    plans.filter(({ margin }) => margin === undefined),
    terms,
  );
  const packed = new Map(groups.toSorted(byRank).map((together) => [together, packByGas(together, terms, room)] as const));
  return [...groups.flatMap((together) => packed.get(together)!), ...onMargin];
};

function byRank(a: readonly Plan[], b: readonly Plan[]): number {
  return Number(b.some(closesPosition)) - Number(a.some(closesPosition)) || Number(profitOf(b) - profitOf(a));
}

function packByGas(plans: readonly Plan[], terms: Terms, room: Room): readonly (readonly Plan[])[] {
  const transactions: Plan[][] = [];
  let load = EMPTY;
  for (const plan of plans) {
    const more = withGroup(load, plan, terms);
    const current = transactions.at(-1);
    if (current !== undefined && fits(more, terms)) {
      if (!room.has(more)) continue;
      current.push(plan);
      load = more;
      continue;
    }
    const alone = withGroup(EMPTY, plan, terms);
    if (!room.has(load, alone)) continue;
    room.take(load);
    transactions.push([plan]);
    load = alone;
  }
  room.take(load);
  return transactions;
}

/** Of plans those that are in none of the transactions. */
export function leftOut(plans: readonly Plan[], transactions: readonly { readonly plans: readonly Plan[] }[]) {
  const packed = new Set(transactions.flatMap(({ plans: own }) => own.map(({ candidate }) => candidate)));
  const left = plans.filter(({ candidate }) => !packed.has(candidate));
  return left.map((plan) => {
    const skip: SkipReason = { reason: 'block-full', figures: { gas: String(plan.gasUnits), transactions: String(transactions.length) } };
    return { plan, skip };
  });
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
