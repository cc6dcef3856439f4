/** A fork of a chain at one block, in a process of its own: what is tried there leaves the chain as it is. */
import { type Anvil, spawnAnvil } from '../anvil.ts';

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
