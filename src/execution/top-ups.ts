import { encodeFunctionData, parseAbi } from 'viem';
import type { Budget } from '../guard/budget.ts';
import type { IntendedTransaction, Ledger } from '../ledger/types.ts';
import type { Address, Head, Hex } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Terms } from '../strategy/terms.ts';
import { feesFor, LEAST_TIP_WEI, most } from './fees.ts';
import type { LaneBook, LaneState } from './lane-book.ts';
import { lastPublicBlock } from './places.ts';
import { Sender, type Sent } from './sender.ts';
import { sign, transferGas, worstGasUsd8 } from './signing.ts';
import type { ExecutionChain, Relay } from './types.ts';

/** What is done for a lane that rests: another one gives, or the keeper's account unwraps what it was paid as profit. */
export type TopUp =
  | { readonly kind: 'transfer'; readonly from: Address; readonly to: Address; readonly wei: bigint }
  | { readonly kind: 'unwrap'; readonly from: Address; readonly to: Address; readonly wei: bigint };
export type SentTopUp = TopUp & { readonly txHash: Hex };

export type TopUpOrder = {
  readonly head: Head;
  readonly at: Moment;
  readonly terms: Terms;
  readonly budget: Budget;
  /** False once a newer head has arrived. */
  stillCurrent(): boolean;
};

/** Blocks after which it is tried again where nothing could be given. */
const TRY_EVERY = 10;
/** Who gives keeps at least what it needs so many times over: it must not come to rest by giving. */
const KEPT = 2n;
const UNWRAP_GAS = 60_000n;

const wrappedAbi = parseAbi(['function withdraw(uint256 amount)']);

/**
 * What the poorest lane that rests is given, or undefined where none rests. Pure.
 *
 * @param states the keeper's own lane first: it is asked before the others, and it alone can hold profit
 */
export function topUpFor(states: readonly LaneState[], wei: bigint): TopUp | undefined {
  const [keeper] = states;
  const poorest = states.filter(({ resting }) => resting).toSorted((a, b) => (a.balanceWei < b.balanceWei ? -1 : 1))[0];
  if (keeper === undefined || poorest === undefined) return undefined;
  const giver = states.find((one) => one !== poorest && !one.resting && one.balanceWei >= wei + KEPT * one.neededWei);
  return { kind: giver === undefined ? 'unwrap' : 'transfer', from: (giver ?? keeper).lane, to: poorest.lane, wei };
}

/** Gives lanes that rest LANE_TOPUP of native tokens each: durable before it is sent, by the way that `PUBLIC_MEMPOOL` names, in blocks that nothing else is sent in. */
export class TopUps {
  readonly #lanes: LaneBook;
  readonly #chain: ExecutionChain;
  readonly #sender: Sender;
  readonly #wei: bigint;
  #failedAt = Number.NEGATIVE_INFINITY;
  readonly #options: { readonly chainId: number; readonly publicMempool: 'never' | 'fallback' | 'only' };

  constructor(
    parts: { lanes: LaneBook; relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger; wei: bigint },
    options: { readonly chainId: number; readonly publicMempool: 'never' | 'fallback' | 'only' },
  ) {
    this.#lanes = parts.lanes;
    this.#chain = parts.chain;
    this.#sender = new Sender({ ...parts, owner: parts.lanes.lanes[0]?.address });
    this.#wei = parts.wei;
    this.#options = options;
  }

  /** Nothing of ours may be under way. Undefined where nothing was sent. */
  async run(order: TopUpOrder): Promise<(Sent & { readonly topUp: SentTopUp }) | undefined> {
    if (order.at.number - this.#failedAt < TRY_EVERY) return undefined;
    const done = await this.#run(order);
    if (done === undefined) this.#failedAt = order.at.number;
    return done;
  }

  async #run(order: TopUpOrder): Promise<(Sent & { readonly topUp: SentTopUp }) | undefined> {
    const { head, at, terms, budget, stillCurrent } = order;
    const states = await this.#lanes.look(at);
    const topUp = topUpFor(states, this.#wei);
    if (topUp === undefined) return undefined;
    const call = callOf(topUp, terms.numeraire, await transferGas(this.#chain, topUp.to));
    if (topUp.kind === 'unwrap' && !(await this.#works(topUp.from, call, order))) return undefined;
    const publicly = this.#options.publicMempool === 'only';
    const target = head.number + 1;
    const lastBlock = publicly ? lastPublicBlock(target, at.timestamp - head.timestamp) : target;
    const suggested = await this.#chain.priorityFeeWei().catch(() => 0n);
    const fees = feesFor(at.baseFeeWei, most(suggested, LEAST_TIP_WEI), lastBlock - target + 1, undefined);
    if (budget.take(worstGasUsd8(call.gasLimit, fees, terms.numeraireUsd8)) !== undefined) return undefined;
    if (!stillCurrent()) return undefined;
    const nonce = states.find(({ lane }) => lane === topUp.from)!.nonce;
    const shared = { channel: publicly ? 'public' : 'bundle', targetBlock: target, lastBlock, fees, plans: [] } as const;
    const draft = { ...shared, ...call, nonce };
    const signed: IntendedTransaction = await sign(this.#lanes.laneOf(topUp.from), this.#options.chainId, terms.numeraireUsd8, draft);
    const sent = await (publicly ? this.#sender.sendPublicly([signed]) : this.#sender.sendBundle([signed], target, !this.#privately));
    return { ...sent, topUp: { ...topUp, txHash: signed.txHash } };
  }

  get #privately(): boolean {
    return this.#options.publicMempool === 'never';
  }

  /** Profit may have been paid elsewhere, or not at all. */
  async #works(from: Address, { to, data, gasLimit }: ReturnType<typeof callOf>, { head, at }: TopUpOrder): Promise<boolean> {
    const block = { timestamp: at.timestamp, baseFeeWei: at.baseFeeWei, number: head.number + 1 };
    const simulation = await this.#chain.simulate([{ from, to, data, gasLimit }], block);
    return simulation.kind === 'done' && simulation.calls[0]?.ok === true;
  }
}

function callOf({ kind, to, wei }: TopUp, wrappedNative: Address, gasLimit: bigint) {
  return kind === 'transfer'
    ? ({ to, data: '0x', valueWei: wei, gasLimit } as const)
    : {
        to: wrappedNative,
        data: encodeFunctionData({ abi: wrappedAbi, functionName: 'withdraw', args: [wei] }),
        valueWei: 0n,
        gasLimit: UNWRAP_GAS + gasLimit,
      };
}
