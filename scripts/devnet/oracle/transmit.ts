/** Sends a feed's next report to the public mempool, as an oracle node does. */
import { createPublicClient, type Hash, type Hex, http, type PublicClient } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { aggregatorAbi, buildTransmit, type Feed } from './report.ts';

const RPC_TIMEOUT_MS = 30_000;
/** A first round writes fresh slots: about 190k; later ones about 120k. */
const GAS_LIMIT = 400_000n;

export type TransmitOptions = {
  /** What the node pays the builder, per gas. */
  tipWei?: bigint;
  /** Unix seconds of the chain; by default the latest block's. */
  observationsTimestamp?: number;
};

export const DEFAULT_TIP_WEI = 2_000_000_000n;

/**
 * Signs the next report and hands it to the node at `rpcUrl`; resolves with the hash as soon as the node has taken it, not when it is mined.
 * Epoch and nonce follow the pending state, so that several reports of one feed may wait for the same block.
 */
export async function transmit(rpcUrl: string, feed: Feed, answer: bigint, options: TransmitOptions = {}): Promise<Hash> {
  const { raw } = await signTransmit(rpcUrl, feed, answer, options);
  return sendPublicly(rpcUrl, raw);
}

/** Hands a signed transaction to the node's pool. */
export function sendPublicly(rpcUrl: string, raw: Hex): Promise<Hash> {
  return connect(rpcUrl).sendRawTransaction({ serializedTransaction: raw });
}

/** The same transaction signed and not sent: for a private order flow, or to look at. */
export async function signTransmit(rpcUrl: string, feed: Feed, answer: bigint, options: TransmitOptions = {}) {
  const chain = connect(rpcUrl);
  const account = privateKeyToAccount(feed.transmitterKey);
  const [latest, details, nonce, chainId] = await Promise.all([
    chain.getBlock({ blockTag: 'latest' }),
    chain.readContract({
      address: feed.aggregator,
      abi: aggregatorAbi,
      functionName: 'latestTransmissionDetails',
      blockTag: 'pending',
    }),
    chain.getTransactionCount({ address: account.address, blockTag: 'pending' }),
    chain.getChainId(),
  ]);
  const [, epoch] = details;
  const { to, data } = await buildTransmit(feed, {
    answer,
    observationsTimestamp: options.observationsTimestamp ?? Number(latest.timestamp),
    epoch: epoch + 1,
  });
  const tipWei = options.tipWei ?? DEFAULT_TIP_WEI;
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId,
    nonce,
    to,
    data,
    gas: GAS_LIMIT,
    maxPriorityFeePerGas: tipWei,
    maxFeePerGas: 3n * latest.baseFeePerGas! + tipWei,
  });
  return { raw, from: account.address, nonce };
}

function connect(rpcUrl: string): PublicClient {
  return createPublicClient({ transport: http(rpcUrl, { timeout: RPC_TIMEOUT_MS, retryCount: 1 }) });
}
