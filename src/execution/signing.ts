import { randomUUID } from 'node:crypto';
import { NO_SURCHARGE, type Surcharge } from '../chain/rollup.ts';
import type { IntendedTransaction } from '../ledger/types.ts';
import type { Address, Hex } from '../lib/types.ts';
import { weiToUsd8Floor } from '../lib/usd.ts';
import type { Plan } from '../strategy/types.ts';
import type { Fees } from './fees.ts';
import type { ExecutionChain, Lane } from './types.ts';

export type Draft = {
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  /** Native tokens that it carries; none when absent. */
  readonly valueWei?: bigint;
  readonly gasLimit: bigint;
  /** What a rollup charges beside the gas; nothing when absent. */
  readonly surcharge?: Surcharge;
  readonly fees: Fees;
  readonly channel: IntendedTransaction['channel'];
  readonly targetBlock: number;
  readonly lastBlock: number;
  readonly plans: readonly Plan[];
};

/** An eighth a block of the parent chain, twice. */
const SURCHARGE_RISE_PERCENT = 127n;
const TRANSFER_GAS = 21_000n;
/** Room over what a rollup is expected to use for the data that it posts. */
const POSTED_ROOM_PERCENT = 130n;

export async function sign(lane: Lane, chainId: number, nativeUsd8: bigint, draft: Draft): Promise<IntendedTransaction> {
  const { nonce, to, data, valueWei = 0n, gasLimit, surcharge, fees, channel, targetBlock, lastBlock, plans } = draft;
  const { maxFeeWei, tipWei: priorityFeeWei } = fees;
  const { raw, txHash } = await lane.sign({ chainId, nonce, to, data, valueWei, gasLimit, maxFeeWei, priorityFeeWei });
  return {
    ...{ txHash, raw, lane: lane.address, nonce, channel, targetBlock, lastBlock, gasLimit, maxFeeWei },
    worstGasWei: worstGasWei(gasLimit, fees, surcharge),
    worstGasUsd8: worstGasUsd8(gasLimit, fees, nativeUsd8, surcharge),
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
export function nothingAt(lane: Address, nonce: number, gasLimit: bigint): Pick<Draft, 'nonce' | 'to' | 'data' | 'gasLimit' | 'plans'> {
  return { nonce, to: lane, data: '0x', gasLimit, plans: [] };
}

/** Gas limit of a plain transfer. */
export async function transferGas(chain: ExecutionChain, to: Address): Promise<bigint> {
  const [surcharge = NO_SURCHARGE] = await chain.surcharges([{ to, data: '0x', gasUnits: TRANSFER_GAS }]);
  return TRANSFER_GAS + (surcharge.gasUnits * POSTED_ROOM_PERCENT) / 100n;
}

/** Most that a transaction can cost, in USD with 8 decimals, rounded up. */
export function worstGasUsd8(gasLimit: bigint, fees: Fees, nativeUsd8: bigint, surcharge?: Surcharge): bigint {
  return weiToUsd8Floor(worstGasWei(gasLimit, fees, surcharge), nativeUsd8) + 1n;
}

/** The same in wei. A rollup's charge may rise with its parent chain's base fee until the transaction is mined. */
export function worstGasWei(gasLimit: bigint, { maxFeeWei }: Fees, { feeWei }: Surcharge = NO_SURCHARGE): bigint {
  return gasLimit * maxFeeWei + (feeWei * SURCHARGE_RISE_PERCENT) / 100n;
}
