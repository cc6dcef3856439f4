/** `eth_callBundle`: what a bundle would do at the top of a block, in Flashbots' shape. Wei are decimal strings, gas plain numbers. */
import { type Address, decodeErrorResult, type Hex, numberToHex, parseAbi } from 'viem';
import { bundleHash } from './bundles.ts';
import type { Chain } from './chain.ts';
import { RelayError } from './requests.ts';
import { type Effect, type SimulatedBlock, simulate, whyNotIncludable } from './simulate.ts';

export type CallBundleRequest = {
  txs: Hex[];
  blockNumber: number;
  stateBlockNumber: number | 'latest';
  timestamp?: number | null | undefined;
  coinbase?: Address | null | undefined;
};

export type DecodeAll = (raws: readonly Hex[]) => ReturnType<Chain['decode']>;

/** Throws a RelayError when a transaction could not be in the block at all. */
export async function callBundle(chain: Chain, decode: DecodeAll, request: CallBundleRequest) {
  const transactions = decode(request.txs);
  const { block, stateNumber } = await simulatedBlock(chain, request);
  const nonces = await chain.nonces(
    transactions.map(({ from }) => from),
    block.state,
  );
  const impossible = whyNotIncludable(transactions, nonces, block.baseFeeWei);
  if (impossible) throw new RelayError(-32000, `err: ${impossible}`);
  const simulation = await simulate(chain, block, transactions);
  if (simulation.kind === 'invalid') throw new RelayError(-32000, `err: ${simulation.message}`);
  const { effects } = simulation;
  const gasUsed = effects.reduce((sum, effect) => sum + effect.gasUsed, 0n);
  const coinbaseDiffWei = effects.reduce((sum, effect) => sum + effect.coinbaseDiffWei, 0n);
  const tipWei = effects.reduce((sum, effect) => sum + effect.tipWei, 0n);
  return {
    bundleGasPrice: String(coinbaseDiffWei / gasUsed),
    bundleHash: bundleHash(transactions),
    coinbaseDiff: String(coinbaseDiffWei),
    ethSentToCoinbase: String(coinbaseDiffWei - tipWei),
    gasFees: String(tipWei),
    results: effects.map(describe),
    stateBlockNumber: stateNumber,
    totalGasUsed: Number(gasUsed),
  };
}

async function simulatedBlock(chain: Chain, request: CallBundleRequest): Promise<{ block: SimulatedBlock; stateNumber: number }> {
  const head = await chain.next();
  const atHead = request.stateBlockNumber === 'latest' || request.stateBlockNumber === head.parent.number;
  if (!atHead && (request.stateBlockNumber as number) > head.parent.number) {
    throw new RelayError(-32000, `header not found: state block ${request.stateBlockNumber}, head ${head.parent.number}`);
  }
  const state = atHead ? 'latest' : numberToHex(request.stateBlockNumber as number);
  const parent = await chain.block(state);
  if (request.blockNumber < parent.number) throw new RelayError(-32602, `blockNumber ${request.blockNumber} is before its state block`);
  const slots = Math.max(1, request.blockNumber - parent.number);
  return {
    block: {
      state,
      number: request.blockNumber,
      timestamp: request.timestamp || parent.timestamp + slots * chain.slotSeconds,
      baseFeeWei: atHead ? head.baseFeeWei : nextBaseFeeWei(parent),
      gasLimit: parent.gasLimit,
      coinbase: request.coinbase ?? chain.coinbase,
    },
    stateNumber: parent.number,
  };
}

/** EIP-1559. */
function nextBaseFeeWei({ baseFeeWei, gasUsed, gasLimit }: { baseFeeWei: bigint; gasUsed: bigint; gasLimit: bigint }): bigint {
  const target = gasLimit / 2n;
  if (gasUsed === target) return baseFeeWei;
  if (gasUsed < target) return baseFeeWei - (baseFeeWei * (target - gasUsed)) / target / 8n;
  const rise = (baseFeeWei * (gasUsed - target)) / target / 8n;
  return baseFeeWei + (rise > 0n ? rise : 1n);
}

function describe({ transaction, succeeded, gasUsed, output, coinbaseDiffWei, tipWei }: Effect) {
  return {
    txHash: transaction.hash,
    fromAddress: transaction.from,
    toAddress: transaction.to,
    gasUsed: Number(gasUsed),
    gasPrice: String(coinbaseDiffWei / gasUsed),
    gasFees: String(tipWei),
    coinbaseDiff: String(coinbaseDiffWei),
    ethSentToCoinbase: String(coinbaseDiffWei - tipWei),
    ...(succeeded ? { value: output } : failure(output, gasUsed === transaction.gas)),
  };
}

function failure(output: Hex, outOfGas: boolean): { error: string; revert?: string } {
  if (output === '0x' && outOfGas) return { error: 'out of gas' };
  return { error: 'execution reverted', revert: revertReason(output) };
}

function revertReason(output: Hex): string {
  try {
    return String(decodeErrorResult({ abi: parseAbi(['error Error(string)']), data: output }).args[0]);
  } catch {
    return output;
  }
}
