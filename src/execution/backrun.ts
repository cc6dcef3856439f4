import type { Budget } from '../guard/budget.ts';
import type { IntendedTransaction, Ledger } from '../ledger/types.ts';
import { max } from '../lib/math.ts';
import type { Head, Hex } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import { packOne, packTransactions } from '../strategy/block.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan } from '../strategy/types.ts';
import { feesFor } from './fees.ts';
import { draftAll, type Rehearsal, type Rehearsed, rehearse } from './rehearse.ts';
import { type Answer, bundleName, type Delivery, Sender } from './sender.ts';
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

/** Liquidations behind one thing, for every order in which blocks may take it and the others. */
export type Backrun = {
  readonly ahead: Ahead;
  /** The first one counts on no other backrun; each further one on those that stand before it, by their places. */
  readonly variants: readonly { readonly after: readonly number[]; readonly plans: readonly Plan[]; readonly at: Moment }[];
};

export type BackrunOrder = {
  readonly backruns: readonly Backrun[];
  readonly head: Head;
  readonly terms: Terms;
  readonly nextNonce: number;
  readonly budget: Budget;
  /** Aborts once a newer head, or another update, has arrived: what is meant for a sealed block is not worth signing, nor doubting. */
  readonly superseded: AbortSignal;
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
};

type Drafted = { readonly after: readonly number[]; readonly at: Moment; readonly transactions: readonly Rehearsed[] };
type Unnamed = { readonly kind: 'bundle'; readonly before: readonly Hex[] } | Extract<Delivery, { kind: 'behind' }>;
type Signed = { readonly signed: readonly IntendedTransaction[]; readonly deliveries: readonly Delivery[] };

/** Gas that costs so much more or less than planned, of what the plans bring in, makes the bid wrong enough to sign anew. */
const GAS_TOLERANCE_BPS = 100n;
/** What the node used may come this close to the limit that was signed. */
const LIMIT_BPS = 9_500n;
const BPS = 10_000n;

/**
 * Puts liquidations right behind the price updates that make them possible, in the updates' own block. It sends first and doubts afterwards: the bundle
 * goes out on mirrored quotes and estimated gas while the node runs it; where that disagrees the bundle is replaced, or cancelled. What reverts is not
 * mined, and the Executor enforces the profit.
 *
 * Builders take bundles in any order, and one of those that hold the same transaction. So each backrun stands for itself, is signed at the nonce that it
 * has when it is first, and at those that it has behind others: of what shares a nonce one can be mined. Behind a public update the same transactions also
 * travel alone, for a block that has the update before our bundle.
 */
export class Backrunner {
  readonly #lane: Lane;
  readonly #chain: ExecutionChain;
  readonly #sender: Sender;
  readonly #relays: readonly Relay[];
  readonly #chainId: number;
  /** What was signed for the block that is aimed at. */
  #signed: { readonly targetBlock: number; readonly hashes: Set<Hex>; slots: number } = { targetBlock: 0, hashes: new Set(), slots: 0 };

  constructor(parts: { lane: Lane; relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger }, chainId: number) {
    this.#lane = parts.lane;
    this.#chain = parts.chain;
    this.#relays = parts.relays;
    this.#sender = new Sender({ ...parts, owner: parts.lane.address });
    this.#chainId = chainId;
  }

  async run(order: BackrunOrder): Promise<Backran> {
    const skipped: Skipped[] = [];
    const drafted = order.backruns.map((backrun) => this.#draft(backrun, order, skipped));
    const sizes = drafted.map(([first]) => first?.transactions.length ?? 0);
    if (sizes.every((size) => size === 0) || order.superseded.aborted) return { sent: [], skipped, relays: [], sentAtMs: 0, doubts: [] };

    const target = order.head.number + 1;
    const sets: Signed[] = [];
    let slot = order.backruns[0]!.ahead.kind === 'nothing' ? 0 : 1;
    for (const [index, variants] of drafted.entries())
      for (const { after, at, transactions } of variants) {
        const nonce = order.nextNonce + after.reduce((sum, other) => sum + sizes[other]!, 0);
        const signed = await this.#sign(transactions, at, nonce, order);
        const deliveries = deliveriesOf(order.backruns[index]!.ahead).map(
          (delivery): Delivery =>
            delivery.kind === 'behind' ? delivery : { ...delivery, uuid: bundleName(this.#lane.address, target, slot++) },
        );
        sets.push({ signed, deliveries });
      }
    const fresh = this.#fresh(sets, target);
    // What was sent before for this block counted on less.
    const stale = range(slot, this.#signed.slots).concat(order.backruns[0]!.ahead.kind === 'nothing' ? [] : [0]);
    this.#signed.slots = slot;
    const doubting = drafted.map(([first], index) =>
      sizes[index] === 0 ? undefined : this.#rehearse(first!, order.backruns[index]!.ahead, order),
    );
    // A rejection is met below; until then it must not count as unhandled.
    for (const doubt of doubting) doubt?.catch(() => {});
    const relays: Answer[] = [...(await this.#sender.sendBackruns(sets, fresh, target))];
    const sentAtMs = performance.now();

    await this.#cancel(stale.map((old) => bundleName(this.#lane.address, target, old)));

    const sent = [...fresh];
    const doubts: Doubt[] = [];
    let place = 0;
    for (const [index, variants] of drafted.entries()) {
      const first = sets[place];
      place += variants.length;
      if (sizes[index] === 0) continue;
      const rehearsal = await Promise.race([doubting[index]!.catch(() => undefined), aborted(order.superseded)]);
      const { doubt, again } = await this.#settle(rehearsal, variants[0]!, first!, order);
      doubts.push(doubt);
      skipped.push(...(rehearsal?.failed ?? []));
      if (again === undefined) continue;
      const renewed = this.#fresh([again], target);
      relays.push(...(await this.#sender.sendBackruns([again], renewed, target)));
      sent.push(...renewed);
    }
    return { sent, skipped, relays, sentAtMs, doubts };
  }

  #draft({ ahead, variants }: Backrun, { terms, head, budget }: BackrunOrder, skipped: Skipped[]): readonly Drafted[] {
    const pack = ahead.kind === 'private' ? packOne : packTransactions;
    const drafts = variants.map(({ after, plans, at }) => ({ after, at, transactions: draftAll(plans, terms, head.number + 1, pack) }));
    const [first, ...others] = drafts;
    const packed = new Set(first!.transactions.flatMap(({ plans }) => plans));
    for (const plan of variants[0]!.plans)
      if (!packed.has(plan)) skipped.push({ plan, skip: { reason: 'block-full', figures: { transactions: '1' } } });
    const worstOf = ({ gasLimit }: Rehearsed, at: Moment) =>
      worstGasUsd8(gasLimit, feesFor(at.baseFeeWei, 0n, 1, undefined), terms.numeraireUsd8);
    const { transactions, beyond } = within(budget, first!.transactions, (one) => worstOf(one, first!.at));
    skipped.push(...beyond);
    if (transactions.length === 0) return [];
    const allowed = transactions.reduce((sum, one) => sum + worstOf(one, first!.at), 0n);
    // Of the variants one can be mined: what another can cost more counts too.
    const affordable = others.filter(({ transactions: own, at }) => {
      if (own.length === 0) return false;
      const more = max(0n, own.reduce((sum, one) => sum + worstOf(one, at), 0n) - allowed);
      return more === 0n || budget.take(more) === undefined;
    });
    return [{ ...first!, transactions }, ...affordable];
  }

  /** What nobody has heard of yet: the same plans, at the same nonce, for the same block, are the same transaction. */
  #fresh(sets: readonly Signed[], targetBlock: number): readonly IntendedTransaction[] {
    if (this.#signed.targetBlock !== targetBlock) this.#signed = { targetBlock, hashes: new Set(), slots: 0 };
    const { hashes } = this.#signed;
    const fresh: IntendedTransaction[] = [];
    for (const { signed } of sets)
      for (const transaction of signed) {
        if (hashes.has(transaction.txHash)) continue;
        hashes.add(transaction.txHash);
        fresh.push(transaction);
      }
    return fresh;
  }

  async #settle(
    rehearsal: Rehearsal | undefined,
    { transactions, at }: Drafted,
    { signed, deliveries }: Signed,
    order: BackrunOrder,
  ): Promise<{ readonly doubt: Doubt; readonly again?: Signed }> {
    if (rehearsal?.simulated !== true) return { doubt: 'unknown' };
    if (agrees(transactions, rehearsal, order.terms.gasPriceWei)) return { doubt: 'confirmed' };
    if (order.superseded.aborted) return { doubt: 'unknown' };
    if (rehearsal.transactions.length > 0)
      return { doubt: 'replaced', again: { signed: await this.#sign(rehearsal.transactions, at, signed[0]!.nonce, order), deliveries } };
    // NOTE: what stands behind a hash cannot be taken back: there the Executor's own check is what is left.
    await this.#cancel(deliveries.flatMap((delivery) => (delivery.kind === 'bundle' ? [delivery.uuid] : [])));
    return { doubt: 'cancelled' };
  }

  async #cancel(names: readonly string[]): Promise<void> {
    await Promise.all(names.flatMap((name) => this.#relays.map((relay) => relay.cancel(name))));
  }

  async #rehearse({ transactions, at }: Drafted, ahead: Ahead, { head, terms }: BackrunOrder): Promise<Rehearsal> {
    const plans = transactions.flatMap(({ plans: own }) => own);
    const before = callsOf(ahead);
    if (before === undefined) return { transactions, failed: [], simulated: false };
    const pack = ahead.kind === 'private' ? packOne : packTransactions;
    return await rehearse(plans, this.#chain, terms, this.#lane.address, head, at, head.number + 1, pack, before);
  }

  async #sign(
    transactions: readonly Rehearsed[],
    at: Moment,
    nonce: number,
    { head, terms }: BackrunOrder,
  ): Promise<readonly IntendedTransaction[]> {
    const target = head.number + 1;
    const fees = feesFor(at.baseFeeWei, 0n, 1, undefined);
    const shared = { to: terms.executor, fees, channel: 'bundle', targetBlock: target, lastBlock: target } as const;
    return await Promise.all(
      transactions.map(({ data, gasLimit, plans }, index) =>
        sign(this.#lane, this.#chainId, terms.numeraireUsd8, { ...shared, nonce: nonce + index, data, gasLimit, plans }),
      ),
    );
  }
}

function callsOf(ahead: Ahead) {
  if (ahead.kind === 'nothing') return [];
  if (ahead.kind === 'public') return ahead.transactions;
  return ahead.call === undefined ? undefined : [{ ...ahead.call, txHash: ahead.txHash }];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

/** Without the bundles' names. */
function deliveriesOf(ahead: Ahead): readonly Unnamed[] {
  if (ahead.kind === 'private') return [{ kind: 'behind', hash: ahead.txHash }];
  const alone = { kind: 'bundle', before: [] } as const;
  return ahead.kind === 'nothing' ? [alone] : [{ kind: 'bundle', before: ahead.transactions.map(({ raw }) => raw) }, alone];
}

/** Did the node find nothing that would have been signed otherwise? */
function agrees(sent: readonly Rehearsed[], { failed, transactions }: Rehearsal, gasPriceWei: bigint): boolean {
  if (failed.length > 0 || transactions.length !== sent.length) return false;
  return transactions.every(({ gasUnits }, index) => {
    const { gasUnits: planned, gasLimit, plans } = sent[index]!;
    const gapWei = (gasUnits > planned ? gasUnits - planned : planned - gasUnits) * gasPriceWei;
    const grossWei = plans.reduce((sum, plan) => sum + plan.grossWei, 0n);
    return gasUnits * BPS <= gasLimit * LIMIT_BPS && gapWei * BPS <= grossWei * GAS_TOLERANCE_BPS;
  });
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}
