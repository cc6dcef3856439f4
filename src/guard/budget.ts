import type { SkipReason } from '../strategy/types.ts';
import { checkTransaction, type GuardState } from './limits.ts';

/** What may still be risked in one block: each transaction taken on counts, at its worst, for those after it. */
export class Budget {
  readonly #baseFeeWei: bigint;
  /** False where only bundles are sent: one that fails is not mined. */
  readonly #mayRevertOnChain: boolean;
  #state: GuardState;

  constructor(state: GuardState, baseFeeWei: bigint, mayRevertOnChain: boolean) {
    this.#state = state;
    this.#baseFeeWei = baseFeeWei;
    this.#mayRevertOnChain = mayRevertOnChain;
  }

  /** Takes on what a transaction can cost at its worst, or says why it may not be sent. */
  take(worstGasUsd8: bigint): SkipReason | undefined {
    const worstLossUsd8 = this.#mayRevertOnChain ? worstGasUsd8 : 0n;
    const verdict = checkTransaction({ baseFeeWei: this.#baseFeeWei, worstGasUsd8, worstLossUsd8 }, this.#state);
    if (!verdict.ok) return verdict.skip;
    this.#add(worstGasUsd8, worstLossUsd8);
    return undefined;
  }

  /** Counts what stands in the public mempool though the books have given it up. */
  reserve(worstGasUsd8: bigint): void {
    this.#add(worstGasUsd8, worstGasUsd8);
  }

  /** May something be sent that takes the place of what could cost more? No sum forbids that; a switch, the breaker and the base fee do. */
  mayMend(): boolean {
    const nothing = { gasUsd8: 0n, lossUsd8: 0n, consecutiveFailures: this.#state.spent.consecutiveFailures };
    const transaction = { baseFeeWei: this.#baseFeeWei, worstGasUsd8: 0n, worstLossUsd8: 0n };
    return checkTransaction(transaction, { ...this.#state, spent: nothing }).ok;
  }

  #add(gasUsd8: bigint, lossUsd8: bigint): void {
    const { spent } = this.#state;
    this.#state = { ...this.#state, spent: { ...spent, gasUsd8: spent.gasUsd8 + gasUsd8, lossUsd8: spent.lossUsd8 + lossUsd8 } };
  }
}
