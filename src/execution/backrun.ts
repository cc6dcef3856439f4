import type { Budget } from '../guard/budget.ts';
import type { IntendedTransaction, Ledger } from '../ledger/types.ts';
import { sleep } from '../lib/async.ts';
import type { Head, Hex } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import { leftOut, packOne, packTransactions } from '../strategy/packing.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan } from '../strategy/types.ts';
import { agrees } from './backrun-doubt.ts';
import { Slots } from './backrun-slots.ts';
import { feesFor } from './fees.ts';
import { draftAll, type Rehearsal, type Rehearsed, rehearse } from './rehearse.ts';
import { type Answer, type Delivery, Sender } from './sender.ts';
import { sign, worstGasUsd8 } from './signing.ts';
import type { ExecutionChain, ForeignTransaction, Lane, Relay, SimulatedCall } from './types.ts';
import { type Skipped, within } from './within.ts';

/** What liquidations go behind: nothing, public updates, which travel in our bundle, or one that only its hash is known of. */
export type Ahead =
  | { readonly kind: 'nothing' }
  /** The last one is the update, what is before it has to be mined first. */
  | { readonly kind: 'public'; readonly transactions: readonly ForeignTransaction[] }
  /** `call`: what it will do, as far as that can be told. */
  | { readonly kind: 'private'; readonly txHash: Hex; readonly call: SimulatedCall | undefined };

/** Liquidations behind one thing, in the block that begins with it. */
export type Backrun = Variant & { readonly ahead: Ahead };
type Variant = { readonly plans: readonly Plan[]; readonly at: Moment };
/** The same in a block that has others of the backruns, by their places, before it. */
export type LaterVariant = Variant & { readonly place: number; readonly after: readonly number[] };

export type BackrunOrder = {
  readonly backruns: readonly Backrun[];
  readonly head: Head;
  readonly terms: Terms;
  readonly nextNonce: number;
  readonly budget: Budget;
  /** What is in the ledger already. */
  readonly known: readonly Hex[];
  /** Aborts once a newer head, or another update, has arrived: what is meant for a sealed block is not worth signing, nor doubting. */
  readonly superseded: AbortSignal;
  /** Asked for once the backruns are out: planning takes time, and they are good without it. */
  later(): Promise<readonly LaterVariant[]>;
};

/** What the simulation that ran beside the sending came to. */
export type Doubt = 'confirmed' | 'replaced' | 'cancelled' | 'unknown';
export type Backran = {
  readonly sent: readonly IntendedTransaction[];
  readonly skipped: readonly Skipped[];
  readonly relays: readonly Answer[];
  /** When the relays had the first bundle, by performance.now(); zero where there was none. */
  readonly sentAtMs: number;
  /** One for each backrun that was sent. */
  readonly doubts: readonly Doubt[];
  /** What our own node has run, with the gas that it told. */
  readonly rehearsed: readonly Rehearsed[];
  /** The public update that the node found reverting: nothing behind it can land. */
  readonly reverting: Hex | undefined;
};

type Drafted = { readonly at: Moment; readonly transactions: readonly Rehearsed[] };
/** What the relays have before the node is asked, unless they answer sooner. */
const HEAD_START_MS = 50;

type Signed = { readonly signed: readonly IntendedTransaction[]; readonly deliveries: readonly Delivery[] };

/**
 * Puts liquidations right behind the price updates that make them possible, in the updates' own block. It sends first and doubts afterwards: the bundle
 * goes out on mirrored quotes and estimated gas while the node runs it; where that disagrees the bundle is replaced, or cancelled. What reverts is not
 * mined, and the Executor enforces the profit.
 *
 * Builders take bundles in any order, and one of those that hold the same transaction. So each backrun stands for itself, is signed at the nonce that it
 * has when it is first, and at those that it has behind others: of what shares a nonce one can be mined. For a block that has a public update before our
 * bundle the liquidations also travel without it.
 */
const NOTHING = { sent: [], relays: [], sentAtMs: 0, doubts: [], rehearsed: [], reverting: undefined } as const;

export class Backrunner {
  readonly #lane: Lane;
  readonly #chain: ExecutionChain;
  readonly #sender: Sender;
  readonly #relays: readonly Relay[];
  readonly #chainId: number;
  /** Names of bundles that were used for the block that is aimed at. */
  #slots = { targetBlock: 0, used: 0 };
  #gaveWay = false;

  constructor(parts: { lane: Lane; relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger }, chainId: number) {
    this.#lane = parts.lane;
    this.#chain = parts.chain;
    this.#relays = parts.relays;
    this.#sender = new Sender({ ...parts, owner: parts.lane.address });
    this.#chainId = chainId;
  }

  async run(order: BackrunOrder): Promise<Backran> {
    const { backruns, head, nextNonce, superseded } = order;
    const target = head.number + 1;
    const skipped: Skipped[] = [];
    const firsts = backruns.map((backrun) => this.#draft(backrun, order, skipped));
    const sizes = firsts.map(({ transactions }) => transactions.length);
    const several = backruns.length > 1;
    // Of several, what has nothing of its own may have something behind the others.
    if ((sizes.every((size) => size === 0) && !several) || this.#givesWay(superseded)) return { ...NOTHING, skipped };

    if (this.#slots.targetBlock !== target) this.#slots = { targetBlock: target, used: 0 };
    const known = new Set(order.known);
    const slots = new Slots(this.#lane.address, target, backruns[0]!.ahead.kind === 'nothing' ? 0 : 1);
    const sets: (Signed | undefined)[] = [];
    for (const [place, first] of firsts.entries()) sets.push(await this.#signFor(backruns[place]!, first, nextNonce, order, slots));
    const sent: IntendedTransaction[] = [];
    const relays: Answer[] = [];
    const send = async (signed: readonly (Signed | undefined)[], underWay?: () => void) => {
      const some = signed.filter((one) => one !== undefined);
      const fresh = unknownOf(some, known);
      for (const { txHash } of fresh) known.add(txHash);
      relays.push(...(await this.#sender.sendBackruns(some, fresh, target, underWay)));
      sent.push(...fresh);
      return performance.now();
    };
    const { promise: posted, resolve: underWay } = Promise.withResolvers<void>();
    const sending = send(sets, underWay);
    await Promise.race([sending, posted]);

    // Planned and signed while the relays take the first ones.
    const sendingLater = several && !superseded.aborted ? this.#signLater(order, firsts, slots).then((signed) => send(signed)) : undefined;
    // A rejection is met below; until then it must not count as unhandled.
    sendingLater?.catch(() => {});
    // NOTE: a node that runs the rehearsals may be what a relay of one's own checks bundles with: those go first, for as long as one might wait for an answer.
    await Promise.race([Promise.all([sending, sendingLater]), sleep(HEAD_START_MS)]);
    const doubting = firsts.map((first, place) => this.#rehearse(first, backruns[place]!.ahead, order));
    for (const doubt of doubting) doubt.catch(() => {});
    const sentAtMs = await sending;
    await sendingLater;
    // What an earlier view of this block sent and this one has no place for; a newer view takes it back by itself.
    if (!superseded.aborted) await this.#cancel(slots.unused(this.#slots.used));
    this.#slots.used = superseded.aborted ? Math.max(slots.used, this.#slots.used) : slots.used;

    const doubts: Doubt[] = [];
    const rehearsed: Rehearsed[] = [];
    let reverting: Hex | undefined;
    for (const [place, first] of firsts.entries()) {
      if (sizes[place] === 0) continue;
      const rehearsal = await Promise.race([doubting[place]!.catch(() => undefined), aborted(superseded)]);
      const { doubt, again } = await this.#settle(rehearsal, backruns[place]!, first, sets[place]!, order);
      doubts.push(doubt);
      reverting ??= rehearsal?.reverting;
      if (rehearsal?.simulated === true) rehearsed.push(...rehearsal.transactions);
      if (rehearsal?.reverting === undefined) skipped.push(...(rehearsal?.failed ?? []));
      if (again !== undefined) await send([again]);
    }
    return { sent, skipped, relays, sentAtMs, doubts, rehearsed, reverting };
  }

  /** The backruns at the nonces that they have behind others. */
  async #signLater(order: BackrunOrder, firsts: readonly Drafted[], slots: Slots): Promise<readonly (Signed | undefined)[]> {
    const signed: (Signed | undefined)[] = [];
    for (const { place, after, ...variant } of await order.later()) {
      const backrun = order.backruns[place]!;
      const drafted = this.#draftLater(backrun, variant, firsts[place]!, order);
      const nonce = order.nextNonce + after.reduce((sum, other) => sum + firsts[other]!.transactions.length, 0);
      signed.push(await this.#signFor(backrun, drafted, nonce, order, slots));
    }
    return signed;
  }

  /** To a newer view that is already known of, but not twice in a row: updates that keep coming must not keep everything from going out. */
  #givesWay(superseded: AbortSignal): boolean {
    this.#gaveWay = superseded.aborted && !this.#gaveWay;
    return this.#gaveWay;
  }

  #draft({ ahead, plans, at }: Backrun, { terms, head, budget }: BackrunOrder, skipped: Skipped[]): Drafted {
    const drafts = draftAll(plans, terms, head.number + 1, packFor(ahead));
    skipped.push(...leftOut(plans, drafts));
    const { transactions, beyond } = within(budget, drafts, (one) => worstOf(one, at, terms));
    skipped.push(...beyond);
    return { at, transactions };
  }

  /** Of the variants of a backrun one can be mined: what this one can cost more counts too. */
  #draftLater({ ahead }: Backrun, { plans, at }: Variant, first: Drafted, { terms, head, budget }: BackrunOrder): Drafted {
    const transactions = draftAll(plans, terms, head.number + 1, packFor(ahead));
    const cost = (all: readonly Rehearsed[], when: Moment) => all.reduce((sum, one) => sum + worstOf(one, when, terms), 0n);
    const more = cost(transactions, at) - cost(first.transactions, first.at);
    return { at, transactions: more > 0n && budget.take(more) !== undefined ? [] : transactions };
  }

  /** Signed and addressed: behind public updates with them in the bundle, which is the urgent one, and once more without, for a block that has them already. */
  async #signFor({ ahead }: Backrun, drafted: Drafted, nonce: number, order: BackrunOrder, slots: Slots): Promise<Signed | undefined> {
    if (drafted.transactions.length === 0) return undefined;
    const signed = await this.#sign(drafted.transactions, drafted.at, nonce, order);
    if (ahead.kind === 'private') return { signed, deliveries: [{ kind: 'behind', hash: ahead.txHash }] };
    const bundle = (before: readonly Hex[]): Delivery => ({ kind: 'bundle', before, uuid: slots.next() });
    if (ahead.kind === 'nothing') return { signed, deliveries: [bundle([])] };
    return { signed, deliveries: [bundle(ahead.transactions.map(({ raw }) => raw)), bundle([])] };
  }

  async #settle(
    rehearsal: Rehearsal | undefined,
    backrun: Backrun,
    { transactions, at }: Drafted,
    { signed, deliveries }: Signed,
    order: BackrunOrder,
  ): Promise<{ readonly doubt: Doubt; readonly again?: Signed | undefined }> {
    if (rehearsal?.simulated !== true) return { doubt: 'unknown' };
    if (agrees(transactions, rehearsal, order.terms.gasPriceWei)) return { doubt: 'confirmed' };
    if (order.superseded.aborted) return { doubt: 'unknown' };
    const names = deliveries.flatMap((delivery) => (delivery.kind === 'bundle' ? [delivery.uuid] : []));
    if (rehearsal.transactions.length > 0) {
      const slots = new Slots(this.#lane.address, order.head.number + 1, 0, names);
      return {
        doubt: 'replaced',
        again: await this.#signFor(backrun, { at, transactions: rehearsal.transactions }, signed[0]!.nonce, order, slots),
      };
    }
    // NOTE: what stands behind a hash cannot be taken back: there the Executor's own check is what is left.
    await this.#cancel(names);
    return { doubt: 'cancelled' };
  }

  async #cancel(names: readonly string[]): Promise<void> {
    await Promise.all(names.flatMap((name) => this.#relays.map((relay) => relay.cancel(name))));
  }

  async #rehearse({ transactions, at }: Drafted, ahead: Ahead, { head, terms }: BackrunOrder): Promise<Rehearsal> {
    const plans = transactions.flatMap(({ plans: own }) => own);
    const before = callsOf(ahead);
    if (before === undefined || plans.length === 0) return { transactions, failed: [], simulated: false };
    return await rehearse(plans, this.#chain, terms, this.#lane.address, head, at, head.number + 1, packFor(ahead), before);
  }

  async #sign(
    transactions: readonly Rehearsed[],
    at: Moment,
    nonce: number,
    { head, terms }: BackrunOrder,
  ): Promise<readonly IntendedTransaction[]> {
    const target = head.number + 1;
    const fees = feesFor(at.baseFeeWei, 0n, 1, undefined);
    const shared = { fees, channel: 'bundle', targetBlock: target, lastBlock: target } as const;
    return await Promise.all(
      transactions.map(({ executor: to, data, gasLimit, plans }, index) =>
        sign(this.#lane, this.#chainId, terms.numeraireUsd8, { ...shared, to, nonce: nonce + index, data, gasLimit, plans }),
      ),
    );
  }
}

/** The same plans, at the same nonce, for the same block, are the same transaction: it is written down once. */
function unknownOf(sets: readonly Signed[], known: ReadonlySet<Hex>): readonly IntendedTransaction[] {
  const fresh = new Map(sets.flatMap(({ signed }) => signed.map((transaction) => [transaction.txHash, transaction] as const)));
  return [...fresh.values()].filter(({ txHash }) => !known.has(txHash));
}

function callsOf(ahead: Ahead) {
  if (ahead.kind === 'nothing') return [];
  if (ahead.kind === 'public') return ahead.transactions;
  return ahead.call === undefined ? undefined : [{ ...ahead.call, txHash: ahead.txHash }];
}

const packFor = ({ kind }: Ahead) => (kind === 'private' ? packOne : packTransactions);

function worstOf({ gasLimit }: Rehearsed, at: Moment, terms: Terms): bigint {
  return worstGasUsd8(gasLimit, feesFor(at.baseFeeWei, 0n, 1, undefined), terms.numeraireUsd8);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}
