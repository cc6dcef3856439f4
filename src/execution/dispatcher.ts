import type { Budget } from '../guard/budget.ts';
import type { IntendedTransaction, Ledger, OpenTransaction } from '../ledger/types.ts';
import { decodeExecutorError } from '../lib/decode-executor.ts';
import type { Address, Head } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import { packTransactions } from '../strategy/block.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan, SkipReason } from '../strategy/types.ts';
import { type Fees, feesFor, highest } from './fees.ts';
import { assign, lastPublicBlock, type Place, type Places, placesOf } from './places.ts';
import { type Rehearsed, rehearse } from './rehearse.ts';
import { type Answer, Sender } from './sender.ts';
import { type Draft, nothingAt, sign, worstGasUsd8 } from './signing.ts';
import type { Settled } from './tracker.ts';
import type { ExecutionChain, Lane, Relay, Simulation } from './types.ts';
import { type Skipped, within } from './within.ts';

export type Channel = 'never' | 'fallback' | 'only';

export type DispatchOptions = {
  readonly chainId: number;
  readonly publicMempool: Channel;
  /** Nothing is signed or sent: what would have been is reported. */
  readonly watchOnly: boolean;
};

/** Our own transactions that are not done with. */
export type Standing = {
  /** Undefined where nobody has had to ask yet. */
  readonly nextNonce: number | undefined;
  readonly places: Places;
  /** A bundle of ours can still be included: nothing else is signed. */
  readonly bundleOpen: boolean;
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
  readonly skipped: readonly Skipped[];
  /** Refused at once. */
  readonly settled: readonly Settled[];
  /** In watch mode: what would have been sent. */
  readonly wouldSend: readonly Rehearsed[];
  /** When the last relay had answered, by performance.now(). */
  readonly sentAtMs: number;
  /** What the relays said, for the log. */
  readonly relays: readonly Answer[];
};

/** A place is not fought for at any price: what stands there already pays a multiple of what blocks ask for. */
const DEAREST_CANCEL = 8n;
const NOTHING = { sent: [], cancels: [], settled: [], wouldSend: [], relays: [], sentAtMs: 0 } as const;

/**
 * Turns approved plans into signed transactions and hands them out: rehearsed on our node, simulated as the exact bundle by a relay, within the operator's
 * limits at what they can really cost, durable in the ledger, then sent.
 *
 * - Bundles: all plans in as few transactions as they fit, for the next block only; a new one is signed once that block is there.
 * - The public mempool: each plan alone, so that a race lost costs its own gas and nothing else. What was not mined in its time is replaced: by a plan for
 *   the same account, else by any other, else by a transfer of nothing, so that it cannot burn gas later.
 */
export class Dispatcher {
  readonly #lane: Lane | undefined;
  readonly #chain: ExecutionChain;
  readonly #ledger: Ledger;
  readonly #sender: Sender;
  readonly #options: DispatchOptions;

  constructor(
    parts: { lane: Lane | undefined; relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger },
    options: DispatchOptions,
  ) {
    this.#lane = parts.lane;
    this.#chain = parts.chain;
    this.#ledger = parts.ledger;
    this.#sender = new Sender(parts);
    this.#options = options;
  }

  /** @param open what the tracker has not settled yet */
  async standing(open: readonly OpenTransaction[], head: Head, at: Moment): Promise<Standing> {
    const bundleOpen = open.some(({ channel }) => channel === 'bundle');
    if (this.#lane === undefined) return { nextNonce: undefined, places: [], bundleOpen };
    const { address } = this.#lane;
    const dormant = await this.#ledger.dormant(address);
    const given = new Set(dormant.map(({ txHash }) => txHash));
    const own = open.filter(({ lane, txHash }) => lane === address && !given.has(txHash));
    if (![...own, ...dormant].some(({ channel }) => channel === 'public')) return { nextNonce: undefined, places: [], bundleOpen };
    const nextNonce = await this.#chain.nonceOf(address);
    return { nextNonce, places: placesOf({ open: own, dormant }, nextNonce, head, gapOf(head, at)), bundleOpen };
  }

  async dispatch(order: Order): Promise<Dispatched> {
    const { head, at, standing, stillCurrent } = order;
    const publicly = this.#options.publicMempool === 'only';
    const target = head.number + 1;
    const lastBlock = publicly ? lastPublicBlock(target, gapOf(head, at)) : target;
    const fees = feesFor(at.baseFeeWei, tipOf(order), lastBlock - target + 1, this.#toOutbid(standing.places));
    const lane = this.#options.watchOnly ? undefined : this.#lane;
    const nonce = lane === undefined ? undefined : this.#nextNonce(lane, standing);

    const { plans, busy } = this.#inOrder(order, publicly);
    const skipped: Skipped[] = busy.map((plan) => ({ plan, skip: { reason: 'in-flight', figures: {} } }));
    const terms = { ...order.terms, gasPriceWei: at.baseFeeWei + fees.tipWei };
    const pack = publicly ? alone : packTransactions;
    const rehearsal = await rehearse(plans, this.#chain, terms, order.sender, head, at, lastBlock, pack);
    skipped.push(...rehearsal.failed);
    if (lane === undefined || nonce === undefined) return { ...NOTHING, skipped, wouldSend: rehearsal.transactions };

    for (const place of standing.places)
      if (place.atRiskUsd8 > place.countedUsd8) order.budget.reserve(place.atRiskUsd8 - place.countedUsd8);
    const { transactions, beyond } = within(order.budget, rehearsal.transactions, (one) =>
      worstGasUsd8(one.gasLimit, fees, terms.numeraireUsd8),
    );
    skipped.push(...beyond);
    const late = () => ({ ...NOTHING, skipped: [...skipped, ...lateFor(transactions, target)] });
    if (!stillCurrent()) return late();

    const { placed, idle } = publicly
      ? assign(transactions, accountsOf, standing.places, await nonce)
      : inSequence(transactions, standing.places, await nonce);
    const shared = { channel: publicly ? 'public' : 'bundle', targetBlock: target, lastBlock } as const;
    const finish = (draft: Omit<Draft, keyof typeof shared>, channel = shared.channel) =>
      sign(lane, this.#options.chainId, terms.numeraireUsd8, { ...shared, ...draft, channel });
    const signed: IntendedTransaction[] = [];
    for (const { item, nonce: own } of placed)
      signed.push(await finish({ nonce: own, to: terms.executor, data: item.data, gasLimit: item.gasLimit, fees, plans: item.plans }));
    const cancels: IntendedTransaction[] = [];
    for (const place of this.#worthCancelling(idle, order)) {
      const raised = feesFor(at.baseFeeWei, tipOf(order), lastBlock - target + 1, place.fees);
      cancels.push(await finish({ ...nothingAt(lane, place.nonce), fees: raised }, 'public'));
    }

    if (!publicly && signed.length > 0) {
      const simulation = await this.#sender.simulate(signed, target, at.timestamp);
      if (simulation.kind === 'reverted') {
        const skip: SkipReason = { reason: 'simulation-reverted', figures: { cause: explain(simulation) } };
        skipped.push(...transactions.flatMap(({ plans: all }) => all.map((plan) => ({ plan, skip }))));
        signed.length = 0;
      }
    }
    if (!stillCurrent()) return late();
    return { ...NOTHING, ...(await this.#send(signed, cancels, target, publicly)), cancels, skipped, sentAtMs: performance.now() };
  }

  /** Asked for while other things are done. */
  #nextNonce(lane: Lane, { nextNonce }: Standing): Promise<number> {
    const asked = nextNonce === undefined ? this.#chain.nonceOf(lane.address) : Promise.resolve(nextNonce);
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
    const bundle = signed.length === 0 ? { sent: [], answers: [], settled: [] } : await this.#sender.sendBundle(signed, target, orPublicly);
    const freed = await this.#sender.sendPublicly(cancels);
    return {
      sent: [...bundle.sent, ...freed.sent],
      settled: [...bundle.settled, ...freed.settled],
      relays: [...bundle.answers, ...freed.answers],
    };
  }

  /** In the order in which they will be executed; what another transaction of ours could still do is left out. */
  #inOrder({ plans, standing }: Order, publicly: boolean): { readonly plans: readonly Plan[]; readonly busy: readonly Plan[] } {
    const { places, bundleOpen } = standing;
    if (bundleOpen) return { plans: [], busy: plans };
    if (publicly) {
      const { placed, busy } = assign(plans, ({ candidate }) => [candidate.account], places, places[0]?.nonce ?? 0);
      return { plans: placed.map(({ item }) => item), busy };
    }
    const standsSomewhere = ({ candidate }: Plan) => places.some(({ accounts }) => accounts.has(candidate.account));
    return { plans: plans.filter((plan) => !standsSomewhere(plan)), busy: plans.filter(standsSomewhere) };
  }

  /** What only relays have seen is in no pool. */
  #toOutbid(places: Places): Fees | undefined {
    if (this.#options.publicMempool === 'never') return undefined;
    return places
      .flatMap(({ fees, waiting }) => (waiting || fees === undefined ? [] : [fees]))
      .reduce<Fees | undefined>(highest, undefined);
  }

  #worthCancelling(idle: Places, order: Order): Places {
    if (this.#options.publicMempool === 'never' || idle.length === 0 || !order.budget.mayMend()) return [];
    const dearest = DEAREST_CANCEL * order.terms.gasPriceWei;
    return idle.filter(({ fees }) => fees === undefined || fees.maxFeeWei < dearest);
  }
}

/** For bundles: one after another from the next nonce on; whatever stands at those nonces cannot be mined after them. */
function inSequence(transactions: readonly Rehearsed[], places: Places, nextNonce: number) {
  const placed = transactions.map((item, index) => ({ item, nonce: nextNonce + index }));
  return { placed, idle: places.filter((place: Place) => !place.waiting && place.nonce >= nextNonce + transactions.length) };
}

function alone(plans: readonly Plan[]): readonly (readonly Plan[])[] {
  return plans.map((plan) => [plan]);
}

function accountsOf({ plans }: Rehearsed): readonly Address[] {
  return plans.map(({ candidate }) => candidate.account);
}

function gapOf(head: Head, at: Moment): number {
  return at.timestamp - head.timestamp;
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
