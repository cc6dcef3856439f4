/** Local chains that fork another one. Each transaction is mined at once, in a block of its own. */
import { createHardhatRuntimeEnvironment } from 'hardhat/hre';
import { spawnAnvil } from '../../scripts/devnet/anvil.ts';
import type { Upstream } from './upstream.ts';

export type Fork = { readonly rpcUrl: string; stop(): Promise<void> };
export type Engine = { readonly name: string; fork(upstream: Upstream): Promise<Fork> };

const NETWORK = 'fork';
/** Whose blocks hold deposits from below. */
const OP_STACK = new Set([10, 8_453]);

const hardhat: Engine = {
  name: 'Hardhat’s network',
  async fork({ rpcUrl, chainId, blockNumber }) {
    const chainType = OP_STACK.has(chainId) ? 'op' : 'l1';
    const forked = { type: 'edr-simulated', chainType, chainId, forking: { url: rpcUrl, blockNumber } } as const;
    const environment = await createHardhatRuntimeEnvironment({
      // NOTE: without a history of its own Hardhat cannot tell by which rules a block of an unknown chain was made.
      chainDescriptors: { 7777: { name: 'devnet', chainType: 'l1', hardforkHistory: { prague: { blockNumber: 0 } } } },
      networks: { [NETWORK]: { ...forked, accounts: [] } },
    });
    const server = await environment.network.createServer(NETWORK, '127.0.0.1', 0);
    const { port } = await server.listen();
    return { rpcUrl: `http://127.0.0.1:${port}`, stop: () => server.close() };
  },
};

const anvil: Engine = {
  name: 'anvil',
  async fork({ rpcUrl, blockNumber }) {
    // NOTE: anvil's cache on disk knows a chain by id and number alone, and every devnet has the same.
    const forking = ['--fork-url', rpcUrl, '--fork-block-number', String(blockNumber), '--no-rate-limit', '--no-storage-caching'];
    return await spawnAnvil([...forking, '--port', '0', '--accounts', '0']);
  },
};

export const ENGINES: readonly Engine[] = [hardhat, anvil];
