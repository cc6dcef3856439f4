/** What is forked: the devnet, just after a price has fallen there, or with `FORK_RPC_URL` (and `FORK_BLOCK`) a real chain. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { numberToHex } from 'viem';
import { deploymentsOf, writeDeployments } from '../../scripts/devnet/deployments.ts';
import { createFixture } from '../../scripts/devnet/fixture.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { type AddressBook, resolveAddressBook } from '../../src/config/addressBook.ts';
import { builtInBook } from '../../src/config/builtInBook.ts';
import { readDeploymentsFile } from '../../src/config/deploymentsFile.ts';

export type Upstream = {
  /** For people: which chain it is. Its URL may carry a key. */
  readonly label: string;
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly blockNumber: number;
  readonly book: AddressBook;
  /** Some positions are known to be liquidatable at the block. */
  readonly fallen: boolean;
  close(): Promise<void>;
};

/** NOTE: Hardhat caches nothing of a fork whose block is less than 32 deep; every read of its state would cross the wire again. */
const DEEP = 40;
/** Borrowers met within so many blocks are enough to compare with; a whole history takes hours. */
const LOOK_BACK = 5_000;
const ETH_FELL_TO_USD8 = 2_800_00000000n;

export function openUpstream(): Promise<Upstream> {
  const url = process.env['FORK_RPC_URL'];
  return url === undefined || url === '' ? devnet() : realChain(url, process.env['FORK_BLOCK']);
}

async function devnet(): Promise<Upstream> {
  const fixture = await createFixture({ positions: 60, seed: 1 });
  await fixture.setPrice('ETH / USD', ETH_FELL_TO_USD8);
  const blockNumber = await fixture.chain.blockNumber();
  await rpc(fixture.anvil.rpcUrl, 'anvil_mine', [numberToHex(DEEP)]);
  const deployments = deploymentsOf(fixture.market);
  return {
    label: `devnet (chain ${deployments.chainId}, block ${blockNumber})`,
    rpcUrl: fixture.anvil.rpcUrl,
    chainId: deployments.chainId,
    blockNumber,
    book: resolveAddressBook(deployments.chainId, await asRead(deployments), undefined),
    fallen: true,
    close: fixture.stop,
  };
}

async function realChain(rpcUrl: string, block: string | undefined): Promise<Upstream> {
  const chainId = Number(await rpc(rpcUrl, 'eth_chainId'));
  const blockNumber = block === undefined || block === '' ? Number(await rpc(rpcUrl, 'eth_blockNumber')) - DEEP : Number(block);
  const book = resolveAddressBook(chainId, undefined, builtInBook(chainId));
  const fromBlock = Math.max(0, blockNumber - LOOK_BACK);
  return {
    label: `${book.name} (chain ${chainId}, block ${blockNumber})`,
    rpcUrl,
    chainId,
    blockNumber,
    book: {
      ...book,
      'aave-v3': book['aave-v3'].slice(0, 1).map((market) => ({ ...market, fromBlock })),
      'uniswap-v3': book['uniswap-v3'].map((exchange) => ({ ...exchange, fromBlock })),
    },
    fallen: false,
    close: async () => {},
  };
}

/** As the keeper reads it from a DEPLOYMENTS_FILE. */
async function asRead(deployments: Parameters<typeof writeDeployments>[1]) {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-fork-'));
  try {
    const file = join(folder, 'deployments.json');
    await writeDeployments(file, deployments);
    const read = readDeploymentsFile(file);
    if (!read.ok) throw new Error(read.problems.join('; '));
    return read.deployments;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
