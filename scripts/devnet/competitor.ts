/**
 * The rival as a process of its own:  node scripts/devnet/competitor.ts --rpc http://… --deployments FILE --seed 1
 *
 * It gives its own account ETH and deploys its own contract, so any devnet will do. One JSON object a line on stdout: `competitor.started`,
 * then `competitor.sent` for each transaction. SIGTERM or SIGINT ends it.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Address, encodeDeployData, getContractAddress, type Hex, numberToHex } from 'viem';
import { poolOf, Rival } from './competitor/rival.ts';
import type { Deployments } from './deployments.ts';
import { followBlocks } from './follow.ts';
import { devAccount } from './keys.ts';
import { lensLiquidator } from './lens/contract.ts';
import { rpc } from './rpc.ts';

const FUNDS_WEI = 1_000n * 10n ** 18n;
const DEPLOY_GAS = 5_000_000n;
const POLL_MS = 100;
const MINED_WITHIN_MS = 60_000;

const say = (event: string, fields: Record<string, unknown>) =>
  process.stdout.write(
    `${JSON.stringify({ event, ...fields }, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))}\n`,
  );

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rpc: { type: 'string' }, deployments: { type: 'string' }, seed: { type: 'string', default: '1' } },
  });
  const { rpc: rpcUrl, deployments: file } = values;
  if (!rpcUrl || !file) throw new Error('usage: competitor.ts --rpc URL --deployments FILE [--seed N]');
  const { chainId, wrappedNative, 'aave-v3': aave, 'uniswap-v3': uniswap } = JSON.parse(await readFile(file, 'utf8')) as Deployments;
  const [market, exchange] = [aave[0], uniswap[0]];
  if (!market || !exchange) throw new Error(`${file} names no Aave v3 market or no Uniswap v3`);
  const pool = await poolOf(rpcUrl, market.poolAddressesProvider);
  const account = devAccount('competitor');
  const liquidator = await deploy(rpcUrl, chainId, [pool, exchange.factory, wrappedNative]);
  const rival = new Rival({ rpcUrl, chainId, account, liquidator, pool, fromBlock: market.fromBlock, seed: Number(values.seed) });

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  say('competitor.started', { account: account.address, liquidator });
  await followBlocks(rpcUrl, {
    signal: stop.signal,
    async onBlock(block) {
      for (const sent of await rival.onBlock(block)) say('competitor.sent', { block, ...sent });
    },
    onError: (error) => say('competitor.failed', { message: error instanceof Error ? error.message : String(error) }),
  });
}

async function deploy(rpcUrl: string, chainId: number, args: readonly Address[]): Promise<Address> {
  const account = devAccount('competitor');
  const { abi, bytecode } = await lensLiquidator();
  await rpc(rpcUrl, 'anvil_setBalance', [account.address, numberToHex(FUNDS_WEI)]);
  const nonce = Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [account.address, 'pending']));
  const { baseFeePerGas } = await rpc<{ baseFeePerGas: Hex }>(rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
  const raw = await account.signTransaction({
    ...{ type: 'eip1559', chainId, nonce, gas: DEPLOY_GAS, data: encodeDeployData({ abi, bytecode, args: [...args] }) },
    ...{ maxPriorityFeePerGas: 2_000_000_000n, maxFeePerGas: 3n * BigInt(baseFeePerGas) + 2_000_000_000n },
  });
  const hash = await rpc<Hex>(rpcUrl, 'eth_sendRawTransaction', [raw]);
  for (const deadline = performance.now() + MINED_WITHIN_MS; ; ) {
    const receipt = await rpc<{ status: Hex } | null>(rpcUrl, 'eth_getTransactionReceipt', [hash]);
    if (receipt?.status === '0x1') return getContractAddress({ from: account.address, nonce: BigInt(nonce) });
    if (receipt) throw new Error(`the deployment ${hash} reverted`);
    if (performance.now() > deadline) throw new Error(`the deployment ${hash} is not mined after ${MINED_WITHIN_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
