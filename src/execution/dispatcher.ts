import type { Budget } from '../guard/budget.ts';
import type { IntendedTransaction, Ledger, OpenTransaction } from '../ledger/types.ts';
import type { Address, Head } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import { packTransactions } from '../strategy/packing.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan, SkipReason } from '../strategy/types.ts';
import { affordable, shortOfGas, tooDear } from './affordable.ts';
import { decodeExecutorError } from './decode-executor.ts';
import { feesFor, LEAST_TIP_WEI, most } from './fees.ts';
import type { LaneBook } from './lane-book.ts';
import { assign, type Idle, type LaneStanding, lastPublicBlock } from './places.ts';
import { type Rehearsed, rehearse, repriced } from './rehearse.ts';
import { type Answer, Sender } from './sender.ts';
import { type Draft, nothingAt, sign, transferGas, worstGasUsd8, worstGasWei } from './signing.ts';
import { behind, forBundles, gapOf, type Standing, standingOf, toOutbid } from './standing.ts';
import type { SentTopUp } from './top-ups.ts';
import type { Settled } from './tracker.ts';
import type { ExecutionChain, Relay, Simulation } from './types.ts';
import { type Skipped, within } from './within.ts';

export type Channel = 'never' | 'fallback' | 'only';

export type DispatchOptions = {
  readonly chainId: number;
  readonly publicMempool: Channel;
  /** Nothing is signed or sent: what would have been is reported. */
  readonly watchOnly: boolean;
};

export type Order = {
  readonly plans: readonly Plan[];
  readonly head: Head;
  readonly at: Moment;
  readonly terms: Terms;
  readonly sender: Address | undefined;
  readonly standing: Standing;
  readonly budget: Budget;
  /** False once a newer head has arrived: what is meant for a sealed block is not worth signing. */
  stillCurrent(): boolean;
};

export type Dispatched = {
  readonly sent: readonly IntendedTransaction[];
  /** Of those, the ones that only keep earlier ones from being mined. */
  readonly cancels: readonly IntendedTransaction[];
  /** What gave a lane gas. */
  readonly topUps: readonly SentTopUp[];
  readonly skipped: readonly Skipped[];
  /** Refused at once. */
  readonly settled: readonly Settled[];
  /** What our own node has run, with the gas that it told. */
  readonly rehearsed: readonly Rehearsed[];
  /** In watch mode: what would have been sent. */
  readonly wouldSend: readonly Rehearsed[];
  /** When the last relay had answered, by performance.now(). */
  readonly sentAtMs: number;
  /** What the relays said, for the log. */
  readonly relays: readonly Answer[];
};

/** A place is not fought for at any price: what stands there already pays a multiple of what blocks ask for. */
const DEAREST_CANCEL = 8n;
export const NOTHING = {
  sent: [],
  cancels: [],
  topUps: [],
  skipped: [],
  settled: [],
  rehearsed: [],
  wouldSend: [],
  relays: [],
  sentAtMs: 0,
} as const;

/**
 * Turns approved plans into signed transactions and hands them out: rehearsed on our node, simulated as the exact bundle by a relay, within the operator's
 * limits at what they can really cost, durable in the ledger, then sent.
 *
 * - Bundles: all plans in as few transactions as they fit, for the next block only; a new one is signed once that block is there.
 * - The public mempool: each plan alone, so that a race lost costs its own gas and nothing else. What was not mined in its time is replaced: by a plan for
 *   the same account, else by any other, else by a transfer of nothing, so that it cannot burn gas later.
 */
export class Dispatcher {
  readonly #lanes: LaneBook;
  readonly #chain: ExecutionChain;
  readonly #ledger: Ledger;
  readonly #sender: Sender;
  readonly #options: DispatchOptions;

  constructor(parts: { lanes: LaneBook; relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger }, options: DispatchOptions) {
    this.#lanes = parts.lanes;
    this.#chain = parts.chain;
    this.#ledger = parts.ledger;
    this.#sender = new Sender({ ...parts, owner: parts.lanes.lanes[0]?.address });
    this.#options = options;
  }

  /** @param open what the tracker has not settled yet */
  standing(open: readonly OpenTransaction[], head: Head, at: Moment): Promise<Standing> {
    return standingOf(open, this.#lanes, this.#ledger, head, at);
  }

  async dispatch(order: Order): Promise<Dispatched> {
    const { head, at, standing, stillCurrent } = order;
    const publicly = this.#options.publicMempool === 'only';
    const target = head.number + 1;
    const lastBlock = publicly ? lastPublicBlock(target, gapOf(head, at)) : target;
    const blocks = lastBlock - target + 1;
    // What only relays have seen is in no pool.
    const dearest = this.#options.publicMempool === 'never' ? undefined : toOutbid(standing);
    // What runs on margin pays no bid: a bundle that holds it is taken for its tip.
    const unbid = !publicly && order.plans.some(({ margin }) => margin !== undefined);
    const fees = feesFor(at.baseFeeWei, unbid ? most(tipOf(order), LEAST_TIP_WEI) : tipOf(order), blocks, dearest);
    const signs = !this.#options.watchOnly && this.#lanes.lanes.length > 0;
    const asked = signs ? this.#lanesNow(standing, at) : undefined;

    const { plans, busy } = this.#inOrder(order, publicly);
    const skipped: Skipped[] = busy.map((plan) => ({ plan, skip: { reason: 'in-flight', figures: {} } }));
    const priced = (tipWei: bigint): Terms => ({ ...order.terms, gasPriceWei: at.baseFeeWei + tipWei });
    // A bundle's fees are those of all of it; what goes out alone pays for outbidding alone.
    const terms = publicly ? order.terms : priced(fees.tipWei);
    const pack = publicly ? alone : packTransactions;
    const rehearsal = await rehearse(plans, this.#chain, terms, order.sender, head, at, lastBlock, pack);
    const rehearsed = rehearsal.simulated ? rehearsal.transactions : [];
    skipped.push(...rehearsal.failed);
    if (asked === undefined) return { ...NOTHING, skipped, rehearsed, wouldSend: rehearsal.transactions };

    for (const { places } of standing.lanes ?? [])
      for (const place of places) if (place.atRiskUsd8 > place.countedUsd8) order.budget.reserve(place.atRiskUsd8 - place.countedUsd8);
    // NOTE: before nonces are given out: whoever drops out after that leaves a gap behind, unless something stands there.
    const plainly = feesFor(at.baseFeeWei, tipOf(order), blocks, undefined);
    const paying = rehearsal.transactions.filter((one) => !publicly || affordable(one, plainly, undefined, order) !== undefined);
    skipped.push(...rehearsal.transactions.filter((one) => !paying.includes(one)).flatMap((one) => tooDear(one, undefined)));
    const { transactions, beyond } = within(order.budget, paying, (one) =>
      worstGasUsd8(one.gasLimit, fees, terms.numeraireUsd8, one.surcharge),
    );
    skipped.push(...beyond);
    const late = () => ({ ...NOTHING, rehearsed, skipped: [...skipped, ...lateFor(transactions, target)] });
    if (!stillCurrent()) return late();

    const lanes = await asked;
    // A bundle takes the next nonces, whatever stands at them: it would not be mined behind that.
    const wanted = ({ plans: all, gasLimit, surcharge }: Rehearsed) => ({
      accounts: publicly ? accountsOf(all) : [],
      // NOTE: a bundle stays on one lane: whatever takes its first nonce, behind an update, then keeps all of it from being mined.
      pools: publicly ? all.flatMap(({ pools }) => pools) : [terms.executor],
      costWei: worstGasWei(gasLimit, fees, surcharge),
    });
    const { placed, short, ...rest } = assign(transactions, wanted, publicly ? lanes : forBundles(lanes));
    const idle = [...rest.idle];
    skipped.push(...short.flatMap((one) => shortOfGas(one, lanes)));
    const shared = { channel: publicly ? 'public' : 'bundle', targetBlock: target, lastBlock } as const;
    const finish = (lane: Address, draft: Omit<Draft, keyof typeof shared>, channel = shared.channel) =>
      sign(this.#lanes.laneOf(lane), this.#options.chainId, terms.numeraireUsd8, { ...shared, ...draft, channel });
    let made: readonly Made[] = [];
    for (const { item, lane, nonce, place } of inPlan(placed, transactions)) {
      const { surcharge, plans: all } = item;
      const own = publicly ? affordable(item, feesFor(at.baseFeeWei, tipOf(order), blocks, place?.fees), place, order) : fees;
      if (own === undefined) {
        skipped.push(...tooDear(item, place));
        if (place !== undefined) idle.push({ lane, place });
        continue;
      }
      const { data, gasLimit } = place === undefined ? item : repriced(item, priced(own.tipWei), lastBlock);
      const transaction = await finish(lane, { nonce, to: item.executor, data, gasLimit, surcharge, fees: own, plans: all });
      made = [...made, { transaction, plans: all }];
    }
    const cancels: IntendedTransaction[] = [];
    for (const { lane, place } of this.#worthCancelling(publicly ? idle : behind(lanes, transactionsOf(made)), order)) {
      const raised = feesFor(at.baseFeeWei, tipOf(order), blocks, place.fees);
      cancels.push(await finish(lane, { ...nothingAt(lane, place.nonce, await transferGas(this.#chain, lane)), fees: raised }, 'public'));
    }

    if (!publicly && made.length > 0) {
      const simulation = await this.#sender.simulate(transactionsOf(made), target, at.timestamp);
      if (simulation.kind === 'reverted') {
        const skip: SkipReason = { reason: 'simulation-reverted', figures: { cause: explain(simulation) } };
        skipped.push(...transactions.flatMap(({ plans: all }) => all.map((plan) => ({ plan, skip }))));
        made = [];
      }
    }
    if (!stillCurrent()) return late();
    return {
      ...NOTHING,
      ...(await this.#send(transactionsOf(made), cancels, target, publicly)),
      cancels,
      skipped,
      rehearsed,
      sentAtMs: performance.now(),
    };
  }

  /** Asked for while other things are done. */
  #lanesNow({ lanes }: Standing, at: Moment): Promise<readonly LaneStanding[]> {
    const asked =
      lanes === undefined
        ? this.#lanes.look(at).then((seen) => seen.map(({ nonce, ...state }) => ({ ...state, nextNonce: nonce, places: [] })))
        : Promise.resolve(lanes);
    // A rejection is met when the answer is needed; until then it must not count as unhandled.
    asked.catch(() => {});
    return asked;
  }

  async #send(signed: readonly IntendedTransaction[], cancels: readonly IntendedTransaction[], target: number, publicly: boolean) {
    if (publicly) {
      const { sent, answers, settled } = await this.#sender.sendPublicly([...signed, ...cancels].sort((a, b) => a.nonce - b.nonce));
      return { sent, settled, relays: answers };
    }
    const orPublicly = this.#options.publicMempool === 'fallback';
    const bundle = signed.length === 0 ? undefined : await this.#sender.sendBundle(signed, target, orPublicly);
    const parts = [...(bundle === undefined ? [] : [bundle]), await this.#sender.sendPublicly(cancels)];
    return {
      sent: parts.flatMap(({ sent }) => sent),
      settled: parts.flatMap(({ settled }) => settled),
      relays: parts.flatMap(({ answers }) => answers),
    };
  }

  /** In the order in which they will be executed; what another transaction of ours could still do is left out. */
  #inOrder({ plans, standing }: Order, publicly: boolean): { readonly plans: readonly Plan[]; readonly busy: readonly Plan[] } {
    const { lanes, bundleOpen } = standing;
    if (bundleOpen) return { plans: [], busy: plans };
    if (lanes === undefined) return { plans, busy: [] };
    if (publicly) {
      // What it costs is not known yet, and nobody is turned away for that here.
      const { placed, busy, short } = assign(plans, (plan) => ({ accounts: accountsOf([plan]), pools: plan.pools, costWei: 0n }), lanes);
      return { plans: [...placed.map(({ item }) => item), ...short], busy };
    }
    const standsSomewhere = ({ candidate }: Plan) =>
      lanes.some(({ places }) => places.some(({ accounts }) => accounts.has(candidate.account)));
    return { plans: plans.filter((plan) => !standsSomewhere(plan)), busy: plans.filter(standsSomewhere) };
  }

  #worthCancelling(idle: Idle, order: Order): Idle {
    if (this.#options.publicMempool === 'never' || idle.length === 0 || !order.budget.mayMend()) return [];
    const dearest = DEAREST_CANCEL * order.terms.gasPriceWei;
    return idle.filter(({ place: { fees } }) => fees === undefined || fees.maxFeeWei < dearest);
  }
}

type Made = { readonly transaction: IntendedTransaction; readonly plans: readonly Plan[] };

/** In the order that they were planned in: each at the depth that those before it leave. */
function inPlan<T extends { readonly item: Rehearsed }>(placed: readonly T[], transactions: readonly Rehearsed[]): readonly T[] {
  return placed.toSorted((a, b) => transactions.indexOf(a.item) - transactions.indexOf(b.item));
}

function transactionsOf(made: readonly Made[]): readonly IntendedTransaction[] {
  return made.map(({ transaction }) => transaction);
}

function alone(plans: readonly Plan[]): readonly (readonly Plan[])[] {
  return plans.map((plan) => [plan]);
}

function accountsOf(plans: readonly Plan[]): readonly Address[] {
  return plans.map(({ candidate }) => candidate.account);
}

function tipOf({ terms, at }: Order): bigint {
  return terms.gasPriceWei - at.baseFeeWei;
}

function explain(simulation: Extract<Simulation, { kind: 'reverted' }>): string {
  const first = simulation.results.find((result) => result.revert !== undefined || result.error !== undefined);
  const reason = first?.revert !== undefined ? decodeExecutorError(first.revert) : (first?.error ?? 'unknown');
  return `${simulation.source}: ${reason}`;
}

function lateFor(transactions: readonly Rehearsed[], target: number): readonly Skipped[] {
  const skip: SkipReason = { reason: 'cooling-down', figures: { cause: `block ${target} was sealed before the plan was signed` } };
  return transactions.flatMap(({ plans }) => plans.map((plan) => ({ plan, skip })));
}
