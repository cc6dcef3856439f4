import { randomUUID } from 'node:crypto';
import type { Budget } from '../guard/budget.ts';
import type { IntendedTransaction, Ledger } from '../ledger/types.ts';
import type { Head } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import { packTransactions } from '../strategy/block.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan } from '../strategy/types.ts';
import { feesFor } from './fees.ts';
import { draftAll, type Rehearsal, type Rehearsed, rehearse } from './rehearse.ts';
import { type Answer, Sender } from './sender.ts';
import { sign, worstGasUsd8 } from './signing.ts';
import type { ExecutionChain, ForeignTransaction, Lane, Relay } from './types.ts';
import { type Skipped, within } from './within.ts';

export type BackrunOrder = {
  /** The updates that the plans count on, in the order in which they may be mined. */
  readonly updates: readonly ForeignTransaction[];
  readonly plans: readonly Plan[];
  readonly head: Head;
  readonly at: Moment;
  readonly terms: Terms;
  readonly nextNonce: number;
  readonly budget: Budget;
  /** False once a newer head, or another update, has arrived: what is meant for a sealed block is not worth signing. */
  stillCurrent(): boolean;
};

export type Backran = {
  readonly sent: readonly IntendedTransaction[];
  readonly skipped: readonly Skipped[];
  readonly relays: readonly Answer[];
  /** When the relays had the first bundle, by performance.now(); zero where there was none. */
  readonly sentAtMs: number;
  /** What the simulation that ran beside the sending came to. */
  readonly doubt: 'confirmed' | 'replaced' | 'cancelled' | 'unknown' | 'none';
};

/** Gas that differs by more than this from the estimate makes the bid wrong enough to sign anew. */
const GAS_TOLERANCE_BPS = 1_500n;
const BPS = 10_000n;
/** Beyond this the subsets of updates are too many to send one bundle for each. */
const MOST_UPDATES = 3;

/**
 * Puts liquidations right behind the price updates that make them possible, in the updates' own block. It sends first and doubts afterwards: the bundle
 * goes out on mirrored quotes and estimated gas while the node runs it; where that disagrees the bundle is replaced, or cancelled. What reverts is not
 * mined, and the Executor enforces the profit.
 *
 * NOTE: the same transactions travel in several bundles, behind each subset of the updates and alone: whichever of the updates some other bundle or
 * the public order puts before us, one of ours still fits, and since they share their nonces no two of them can both be mined.
 */
export class Backrunner {
  readonly #lane: Lane;
  readonly #chain: ExecutionChain;
  readonly #sender: Sender;
  readonly #relays: readonly Relay[];
  readonly #chainId: number;

  constructor(parts: { lane: Lane; relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger }, chainId: number) {
    this.#lane = parts.lane;
    this.#chain = parts.chain;
    this.#relays = parts.relays;
    this.#sender = new Sender(parts);
    this.#chainId = chainId;
  }

  async run(order: BackrunOrder): Promise<Backran> {
    const { plans, head, at, terms, budget, updates } = order;
    const target = head.number + 1;
    const fees = feesFor(at.baseFeeWei, 0n, 1, undefined);
    const { transactions, beyond } = within(budget, draftAll(plans, terms, target, packTransactions), (one) =>
      worstGasUsd8(one.gasLimit, fees, terms.numeraireUsd8),
    );
    const skipped: Skipped[] = [...beyond];
    if (transactions.length === 0 || !order.stillCurrent()) return { sent: [], skipped, relays: [], sentAtMs: 0, doubt: 'none' };

    const bundles = subsets(updates.slice(-MOST_UPDATES)).map((before) => ({ before: before.map(({ raw }) => raw), uuid: randomUUID() }));
    const first = await this.#sign(transactions, order);
    const doubting = this.#rehearse(transactions, order);
    // A rejection is met below; until then it must not count as unhandled.
    doubting.catch(() => {});
    const answers = await this.#sender.sendBackruns(first, target, bundles);
    const sentAtMs = performance.now();

    const doubt = await doubting.catch(() => undefined);
    if (doubt?.simulated !== true) return { sent: first, skipped, relays: answers, sentAtMs, doubt: 'unknown' };
    skipped.push(...doubt.failed);
    if (agrees(transactions, doubt)) return { sent: first, skipped, relays: answers, sentAtMs, doubt: 'confirmed' };
    if (!order.stillCurrent()) return { sent: first, skipped, relays: answers, sentAtMs, doubt: 'unknown' };
    if (doubt.transactions.length === 0) {
      await Promise.all(bundles.flatMap(({ uuid }) => this.#relays.map((relay) => relay.cancel(uuid))));
      return { sent: first, skipped, relays: answers, sentAtMs, doubt: 'cancelled' };
    }
    const second = await this.#sign(doubt.transactions, order);
    const again = await this.#sender.sendBackruns(second, target, bundles);
    return { sent: [...first, ...second], skipped, relays: [...answers, ...again], sentAtMs, doubt: 'replaced' };
  }

  #rehearse(transactions: readonly Rehearsed[], { head, at, terms, updates }: BackrunOrder): Promise<Rehearsal> {
    const plans = transactions.flatMap(({ plans: own }) => own);
    return rehearse(plans, this.#chain, terms, this.#lane.address, head, at, head.number + 1, packTransactions, updates);
  }

  async #sign(transactions: readonly Rehearsed[], { head, at, terms, nextNonce }: BackrunOrder): Promise<readonly IntendedTransaction[]> {
    const target = head.number + 1;
    const fees = feesFor(at.baseFeeWei, 0n, 1, undefined);
    const shared = { to: terms.executor, fees, channel: 'bundle', targetBlock: target, lastBlock: target } as const;
    return await Promise.all(
      transactions.map(({ data, gasLimit, plans }, index) =>
        sign(this.#lane, this.#chainId, terms.numeraireUsd8, { ...shared, nonce: nextNonce + index, data, gasLimit, plans }),
      ),
    );
  }
}

/** Did the node find nothing that would have been signed otherwise? */
function agrees(sent: readonly Rehearsed[], { failed, transactions }: Rehearsal): boolean {
  if (failed.length > 0 || transactions.length !== sent.length) return false;
  return transactions.every(({ gasUnits }, index) => {
    const estimated = sent[index]!.gasUnits;
    const gap = gasUnits > estimated ? gasUnits - estimated : estimated - gasUnits;
    return gap * BPS <= estimated * GAS_TOLERANCE_BPS;
  });
}

/** All subsets in the given order, the whole first and the empty one last. */
function subsets<T>(all: readonly T[]): readonly (readonly T[])[] {
  const [first, ...others] = all;
  if (first === undefined) return [[]];
  const without = subsets(others);
  return [...without.map((rest) => [first, ...rest]), ...without];
}
