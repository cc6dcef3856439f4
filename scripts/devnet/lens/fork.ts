/** A fork of a chain at one block, in a process of its own: what is tried there leaves the chain as it is. */
import type { Hex } from 'viem';
import { type Anvil, spawnAnvil } from '../anvil.ts';
import { rpc } from '../rpc.ts';

/** Far above a block's: one call of the lens carries out hundreds of liquidations. */
export const CALL_GAS_LIMIT = 100_000_000_000_000n;

export function forkAnvil(rpcUrl: string, blockNumber: number): Promise<Anvil> {
  return spawnAnvil([
    ...['--fork-url', rpcUrl, '--fork-block-number', String(blockNumber), '--no-rate-limit'],
    // NOTE: anvil's cache on disk knows a chain by id and number alone, and every devnet has the same; it would answer for another one.
    '--no-storage-caching',
    ...['--port', '0', '--accounts', '0', '--no-mining', '--hardfork', 'prague', '--gas-limit', String(CALL_GAS_LIMIT)],
  ]);
}

/** The state that these transactions of the block would have left alone: on a fork of its parent, at its own time and base fee. */
export async function forkWithOnly(rpcUrl: string, blockNumber: number, txHashes: readonly Hex[]): Promise<Anvil> {
  const block = await rpc<{ timestamp: Hex; baseFeePerGas: Hex }>(rpcUrl, 'eth_getBlockByNumber', [`0x${blockNumber.toString(16)}`, false]);
  const raws = await Promise.all(txHashes.map((hash) => rpc<Hex>(rpcUrl, 'debug_getRawTransaction', [hash])));
  const fork = await forkAnvil(rpcUrl, blockNumber - 1);
  try {
    await rpc(fork.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', [block.baseFeePerGas]);
    await rpc(fork.rpcUrl, 'evm_setNextBlockTimestamp', [block.timestamp]);
    for (const raw of raws) await rpc(fork.rpcUrl, 'eth_sendRawTransaction', [raw]);
    await rpc(fork.rpcUrl, 'evm_mine', []);
    for (const hash of txHashes) {
      const receipt = await rpc<{ status: Hex } | null>(fork.rpcUrl, 'eth_getTransactionReceipt', [hash]);
      if (receipt?.status !== '0x1') throw new Error(`transaction ${hash} of block ${blockNumber} cannot be carried out alone`);
    }
    return fork;
  } catch (error) {
    await fork.stop();
    throw error;
  }
}
