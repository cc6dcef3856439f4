import { randomUUID } from 'node:crypto';
import type { IntendedTransaction } from '../ledger/types.ts';
import type { Address, Hex } from '../lib/types.ts';
import { weiToUsd8Floor } from '../lib/usd.ts';
import type { Plan } from '../strategy/types.ts';
import type { Fees } from './fees.ts';
import type { Lane } from './types.ts';

export type Draft = {
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  /** Native tokens that it carries; none when absent. */
  readonly valueWei?: bigint;
  readonly gasLimit: bigint;
  readonly fees: Fees;
  readonly channel: IntendedTransaction['channel'];
  readonly targetBlock: number;
  readonly lastBlock: number;
  readonly plans: readonly Plan[];
};

export const TRANSFER_GAS = 21_000n;

export async function sign(lane: Lane, chainId: number, nativeUsd8: bigint, draft: Draft): Promise<IntendedTransaction> {
  const { nonce, to, data, valueWei = 0n, gasLimit, fees, channel, targetBlock, lastBlock, plans } = draft;
  const { maxFeeWei, tipWei: priorityFeeWei } = fees;
  const { raw, txHash } = await lane.sign({ chainId, nonce, to, data, valueWei, gasLimit, maxFeeWei, priorityFeeWei });
  return {
    ...{ txHash, raw, lane: lane.address, nonce, channel, targetBlock, lastBlock, gasLimit, maxFeeWei },
    worstGasWei: gasLimit * maxFeeWei,
    worstGasUsd8: worstGasUsd8(gasLimit, fees, nativeUsd8),
    attempts: plans.map((plan) => ({
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
  };
}

/** A transfer of nothing to ourselves: the cheapest that can stand at a nonce. */
export function nothingAt(lane: Address, nonce: number): Pick<Draft, 'nonce' | 'to' | 'data' | 'gasLimit' | 'plans'> {
  return { nonce, to: lane, data: '0x', gasLimit: TRANSFER_GAS, plans: [] };
}

/** Most that a transaction can cost, in USD with 8 decimals, rounded up. */
export function worstGasUsd8(gasLimit: bigint, { maxFeeWei }: Fees, nativeUsd8: bigint): bigint {
  return weiToUsd8Floor(gasLimit * maxFeeWei, nativeUsd8) + 1n;
}
