/**
 * What an ordered list of transactions would do as the first of a block: on the chain itself, by eth_simulateV1, which leaves no trace
 * there (no snapshot, no block, no pool entry that anybody could see).
 *
 * NOTE: with `validation: true` anvil charges fees at the block's base fee and pays the tip to the coinbase, but checks neither nonces nor
 * that a fee cap reaches the base fee: both are checked here. A transaction that it does reject fails the whole call, unnamed. What reaches
 * the coinbase is measured by calls to a probe between the transactions, a contract that exists only inside the simulation.
 */
import { type Address, type Hex, hexToBigInt, numberToHex } from 'viem';
import type { Chain } from './chain.ts';
import { type Transaction, tipPerGasWei } from './transaction.ts';

export type SimulatedBlock = {
  /** The state that it builds on: `latest`, or a block number. */
  state: Hex | 'latest';
  number: number;
  timestamp: number;
  baseFeeWei: bigint;
  gasLimit: bigint;
  coinbase: Address;
};

export type Effect = {
  transaction: Transaction;
  succeeded: boolean;
  gasUsed: bigint;
  /** Return or revert data. */
  output: Hex;
  coinbaseDiffWei: bigint;
  /** The part of it that is priority fee. */
  tipWei: bigint;
};

export type Simulation = { kind: 'done'; effects: Effect[] } | { kind: 'invalid'; message: string };

const PROBE: Address = '0x00000000000000000000000000000000b0bde701';
/** COINBASE BALANCE PUSH0 MSTORE PUSH1 32 PUSH0 RETURN */
const PROBE_CODE: Hex = '0x41315f5260205ff3';
const PROBE_CALL = { from: '0x0000000000000000000000000000000000000000', to: PROBE, gas: '0xc350', gasPrice: '0x0' };

type CallResult = { status: Hex; gasUsed: Hex; returnData: Hex };

export async function simulate(chain: Chain, block: SimulatedBlock, transactions: readonly Transaction[]): Promise<Simulation> {
  const calls = [PROBE_CALL, ...transactions.flatMap(({ call }) => [call, PROBE_CALL])];
  const blockOverrides = {
    number: numberToHex(block.number),
    time: numberToHex(block.timestamp),
    gasLimit: numberToHex(block.gasLimit),
    feeRecipient: block.coinbase,
    baseFeePerGas: numberToHex(block.baseFeeWei),
  };
  const stateOverrides = { [PROBE]: { code: PROBE_CODE } };
  let results: CallResult[];
  try {
    const answer = await chain.simulateV1({ blockStateCalls: [{ blockOverrides, stateOverrides, calls }], validation: true }, block.state);
    results = (answer as [{ calls: CallResult[] }])[0].calls;
  } catch (error) {
    return { kind: 'invalid', message: (error as Error).message.replace(/^eth_simulateV1: /, '') };
  }
  const balanceAfter = (index: number) => hexToBigInt(results[2 * index]!.returnData);
  const effects = transactions.map((transaction, index): Effect => {
    const { status, gasUsed, returnData } = results[2 * index + 1]!;
    return {
      transaction,
      succeeded: status === '0x1',
      gasUsed: hexToBigInt(gasUsed),
      output: returnData,
      coinbaseDiffWei: balanceAfter(index + 1) - balanceAfter(index),
      tipWei: hexToBigInt(gasUsed) * tipPerGasWei(transaction, block.baseFeeWei),
    };
  });
  return { kind: 'done', effects };
}

/**
 * Why the list cannot stand in the block in this order, in the words of Flashbots' relay, or undefined. `nonces` is each sender's next one
 * and moves on with the list.
 */
export function whyNotIncludable(
  transactions: readonly Transaction[],
  nonces: Map<Address, number>,
  baseFeeWei: bigint,
): string | undefined {
  for (const { from, nonce, hash, maxFeeWei } of transactions) {
    const state = nonces.get(from) ?? 0;
    if (nonce !== state)
      return `nonce too ${nonce < state ? 'low' : 'high'}: address ${from}, tx: ${nonce} state: ${state}; txhash ${hash}`;
    if (maxFeeWei < baseFeeWei) {
      return `max fee per gas less than block base fee: address ${from}, maxFeePerGas: ${maxFeeWei} baseFee: ${baseFeeWei}; txhash ${hash}`;
    }
    nonces.set(from, nonce + 1);
  }
  return undefined;
}
