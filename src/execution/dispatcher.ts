import { randomUUID } from 'node:crypto';
import { parseTransaction } from 'viem';
import type { IntendedTransaction, Ledger } from '../ledger/types.ts';
import { decodeExecutorError } from '../lib/decode-executor.ts';
import type { Head } from '../lib/types.ts';
import { weiToUsd8Floor } from '../lib/usd.ts';
import type { Moment } from '../oracles/types.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan, SkipReason } from '../strategy/types.ts';
import { type Rehearsed, rehearse } from './rehearse.ts';
import type { ExecutionChain, Lane, Relay, Simulation } from './types.ts';

export type Channel = 'never' | 'fallback' | 'only';

export type DispatchOptions = {
  readonly chainId: number;
  readonly publicMempool: Channel;
  /** Nothing is signed or sent: what would have been is reported. */
  readonly watchOnly: boolean;
};

export type Dispatched = {
  readonly sent: readonly IntendedTransaction[];
  readonly skipped: readonly { readonly plan: Plan; readonly skip: SkipReason }[];
  /** In watch mode: what would have been sent. */
  readonly wouldSend: readonly Rehearsed[];
  /** When the last relay had answered, by performance.now(). */
  readonly sentAtMs: number;
  /** What the relays said, for the log. */
  readonly relays: readonly { readonly relay: string; readonly answer: string; readonly detail: string }[];
};

/** Blocks for which a public transaction may wait to be mined before it can only revert. */
const PUBLIC_PATIENCE_BLOCKS = 2;
/** A replacement must pay at least a tenth more than what it replaces; an eighth is what most nodes ask. */
const REPLACEMENT_NUMERATOR = 9n;
const REPLACEMENT_DENOMINATOR = 8n;

/**
 * Turns approved plans into signed transactions and hands them out: rehearsed on our node, simulated as the exact bundle by a relay, durable in the
 * ledger, then sent. Sends one batch at a time: while a transaction of ours can still execute, no other is signed.
 */
export class Dispatcher {
  readonly #lane: Lane | undefined;
  readonly #relays: readonly Relay[];
  readonly #chain: ExecutionChain;
  readonly #ledger: Ledger;
  readonly #options: DispatchOptions;

  constructor(
    parts: { lane: Lane | undefined; relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger },
    options: DispatchOptions,
  ) {
    this.#lane = parts.lane;
    this.#relays = parts.relays;
    this.#chain = parts.chain;
    this.#ledger = parts.ledger;
    this.#options = options;
  }

  /** @param stillCurrent false once a newer head has arrived: a bundle for a sealed block is not worth signing */
  async dispatch(
    plans: readonly Plan[],
    head: Head,
    at: Moment,
    terms: Terms,
    sender: Lane['address'] | undefined,
    stillCurrent: () => boolean,
  ): Promise<Dispatched> {
    const publicOnly = this.#options.publicMempool === 'only';
    const target = head.number + 1;
    const lastBlock = publicOnly ? target + PUBLIC_PATIENCE_BLOCKS : target;
    const { transactions, failed } = await rehearse(plans, this.#chain, terms, sender, head, at, lastBlock);
    const skipped: { plan: Plan; skip: SkipReason }[] = [...failed];
    const nothing = { sent: [], skipped, wouldSend: [], relays: [], sentAtMs: 0 };
    if (transactions.length === 0) return nothing;
    if (this.#options.watchOnly || this.#lane === undefined) return { ...nothing, wouldSend: transactions };
    if (!stillCurrent()) return { ...nothing, skipped: [...skipped, ...lateFor(transactions, target)] };

    const signed = await this.#sign(transactions, this.#lane, target, lastBlock, at, terms, publicOnly);
    if (!publicOnly) {
      const simulation = await this.#simulateByRelay(signed, target, at.timestamp);
      if (simulation.kind === 'reverted') {
        const cause = explain(simulation);
        return {
          ...nothing,
          skipped: [...skipped, ...transactions.flatMap(({ plans: all }) => all.map((plan) => ({ plan, skip: reverted(cause) })))],
        };
      }
    }
    if (!stillCurrent()) return { ...nothing, skipped: [...skipped, ...lateFor(transactions, target)] };

    for (const transaction of signed) await this.#ledger.intend(transaction);
    const relays = publicOnly ? await this.#sendPublicly(signed) : await this.#sendBundle(signed, target);
    return { sent: signed, skipped, wouldSend: [], relays, sentAtMs: performance.now() };
  }

  async #sign(
    transactions: readonly Rehearsed[],
    lane: Lane,
    target: number,
    lastBlock: number,
    at: Moment,
    terms: Terms,
    publicOnly: boolean,
  ): Promise<readonly IntendedTransaction[]> {
    const firstNonce = await this.#chain.nonceOf(lane.address);
    const replaced = await this.#feesInPool(lane.address, firstNonce);
    const tipWei = terms.gasPriceWei - at.baseFeeWei;
    const signed: IntendedTransaction[] = [];
    for (const [index, transaction] of transactions.entries()) {
      const priorityFeeWei = atLeast(tipWei, replaced?.tipWei);
      const wantedFeeWei = (publicOnly ? at.baseFeeWei * 2n : (at.baseFeeWei * 9n) / 8n) + priorityFeeWei;
      const maxFeeWei = atLeast(wantedFeeWei, replaced?.maxFeeWei);
      const nonce = firstNonce + index;
      const { raw, txHash } = await lane.sign({
        chainId: this.#options.chainId,
        nonce,
        to: terms.executor,
        data: transaction.data,
        valueWei: 0n,
        gasLimit: transaction.gasLimit,
        maxFeeWei,
        priorityFeeWei,
      });
      const worstGasWei = transaction.gasLimit * maxFeeWei;
      signed.push({
        txHash,
        raw,
        lane: lane.address,
        nonce,
        channel: publicOnly ? 'public' : 'bundle',
        targetBlock: target,
        lastBlock,
        gasLimit: transaction.gasLimit,
        maxFeeWei,
        worstGasWei,
        worstGasUsd8: weiToUsd8Floor(worstGasWei, terms.numeraireUsd8),
        attempts: transaction.plans.map((plan) => ({
          attemptId: randomUUID(),
          protocol: plan.candidate.protocol,
          market: plan.candidate.market,
          account: plan.candidate.account,
          debtAsset: plan.debtAsset,
          collateralAsset: plan.collateralAsset,
          repayRaw: plan.repayRaw,
          repayUsd8: plan.repayUsd8,
          expectedProfitWei: plan.profitWei,
          expectedProfitUsd8: plan.profitUsd8,
          sinceBlock: plan.candidate.sinceBlock,
          updateTxHash: plan.candidate.updateTxHash,
        })),
      });
    }
    return signed;
  }

  /** Fees that transactions of ours still in the pool pay at this nonce or above: what replaces them must pay more. */
  async #feesInPool(lane: Lane['address'], nonce: number): Promise<{ readonly maxFeeWei: bigint; readonly tipWei: bigint } | undefined> {
    let most: { maxFeeWei: bigint; tipWei: bigint } | undefined;
    for (const earlier of await this.#ledger.dormant(lane)) {
      // What only relays have seen is in no pool.
      if (earlier.channel !== 'public' || earlier.nonce < nonce) continue;
      const { maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = parseTransaction(earlier.raw);
      most = {
        maxFeeWei: max(most?.maxFeeWei ?? 0n, maxFeePerGas),
        tipWei: max(most?.tipWei ?? 0n, maxPriorityFeePerGas),
      };
    }
    return most;
  }

  async #simulateByRelay(signed: readonly IntendedTransaction[], targetBlock: number, timestamp: number): Promise<Simulation> {
    let last: Simulation = { kind: 'unavailable', reason: 'no relay' };
    for (const relay of this.#relays) {
      last = await relay.simulate({ txs: signed.map((transaction) => transaction.raw), targetBlock, timestamp });
      if (last.kind !== 'unavailable') return last;
    }
    return last;
  }

  async #sendBundle(signed: readonly IntendedTransaction[], targetBlock: number): Promise<Dispatched['relays']> {
    const txs = signed.map((transaction) => transaction.raw);
    const replacementUuid = randomUUID();
    const answers = await Promise.all(
      this.#relays.map(async (relay) => ({ relay: relay.name, result: await relay.send({ txs, targetBlock, replacementUuid }) })),
    );
    const relays = answers.map(({ relay, result }) => ({
      relay,
      answer: result.kind as string,
      detail: result.kind === 'accepted' ? result.bundleHash : result.reason,
    }));
    for (const transaction of signed)
      await this.#ledger.sent(transaction.txHash, Object.fromEntries(relays.map((one) => [one.relay, `${one.answer} ${one.detail}`])));
    const anyAccepted = answers.some(({ result }) => result.kind === 'accepted');
    if (anyAccepted || this.#options.publicMempool !== 'fallback') return relays;
    // From here on they can be mined outside the bundle: written down first.
    for (const { txHash } of signed) await this.#ledger.goPublic(txHash);
    return [...relays, ...(await this.#sendPublicly(signed))];
  }

  /** In the order of their nonces. What the node does not take ends it: those behind would wait in the pool for a nonce that nobody sends. */
  async #sendPublicly(signed: readonly IntendedTransaction[]): Promise<Dispatched['relays']> {
    const answers: Dispatched['relays'][number][] = [];
    for (const transaction of signed) {
      const result = await this.#chain.broadcast(transaction.raw);
      const answer = {
        relay: 'public mempool',
        answer: result.kind,
        detail: result.kind === 'accepted' ? transaction.txHash : result.reason,
      };
      await this.#ledger.sent(transaction.txHash, { [answer.relay]: `${answer.answer} ${answer.detail}` });
      answers.push(answer);
      if (result.kind !== 'accepted') break;
    }
    return answers;
  }
}

function explain(simulation: Extract<Simulation, { kind: 'reverted' }>): string {
  const first = simulation.results.find((result) => result.revert !== undefined || result.error !== undefined);
  const reason = first?.revert !== undefined ? decodeExecutorError(first.revert) : (first?.error ?? 'unknown');
  return `${simulation.source}: ${reason}`;
}

function atLeast(wei: bigint, replacedWei: bigint | undefined): bigint {
  if (replacedWei === undefined) return wei;
  return max(wei, (replacedWei * REPLACEMENT_NUMERATOR) / REPLACEMENT_DENOMINATOR + 1n);
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function reverted(cause: string): SkipReason {
  return { reason: 'simulation-reverted', figures: { cause } };
}

function lateFor(transactions: readonly Rehearsed[], target: number): readonly { readonly plan: Plan; readonly skip: SkipReason }[] {
  const skip: SkipReason = { reason: 'cooling-down', figures: { cause: `block ${target} was sealed before the plan was signed` } };
  return transactions.flatMap(({ plans }) => plans.map((plan) => ({ plan, skip })));
}
