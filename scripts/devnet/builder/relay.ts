/**
 * The relay's JSON-RPC methods, each a function of its parameters and of who signed the request. A further method is one more entry
 * in the table.
 */
import type { Address, Hex } from 'viem';
import { type BundlePool, bundleHash } from './bundles.ts';
import { callBundle, type DecodeAll } from './call-bundle.ts';
import type { Chain } from './chain.ts';
import { mevShareMethods } from './mev-share.ts';
import type { OrderFlow } from './order-flow.ts';
import type { PrivatePool } from './private-pool.ts';
import { RelayError, readParams, requests } from './requests.ts';
import type { Transaction } from './transaction.ts';

const REMEMBERED = 5_000;

export type RelayContext = {
  signer: Address;
  /** A fault's order: accept, and never include. */
  dropped: boolean;
};
export type RelayMethod = (params: unknown, context: RelayContext) => Promise<unknown>;
export type RelayParts = { chain: Chain; bundles: BundlePool; privates: PrivatePool; orderFlow: OrderFlow };

export function relayMethods(parts: RelayParts): ReadonlyMap<string, RelayMethod> {
  const { chain, bundles, privates } = parts;
  const decode = rememberingDecoder(chain);
  return new Map<string, RelayMethod>([
    ...mevShareMethods(parts, decode),
    [
      'eth_sendBundle',
      async (params, { signer, dropped }) => {
        const request = readParams(requests.sendBundle, params);
        const uuid = request.replacementUuid ?? undefined;
        if (request.txs.length === 0) {
          // Other builders' way to cancel; kept here because keepers send the same request to all.
          if (uuid === undefined) throw new RelayError(-32602, 'invalid params: txs: empty, and no replacementUuid to cancel');
          bundles.cancel(signer, uuid);
          return { bundleHash: bundleHash([]) };
        }
        const transactions = decode(request.txs);
        if (new Set(transactions.map(({ hash }) => hash)).size < transactions.length) {
          throw new RelayError(-32602, 'invalid params: txs: the same transaction twice');
        }
        const hash = bundleHash(transactions);
        const refused = bundles.add(
          {
            hash,
            signer,
            transactions,
            blockNumber: request.blockNumber,
            minTimestamp: request.minTimestamp ?? 0,
            maxTimestamp: request.maxTimestamp || Number.MAX_SAFE_INTEGER,
            mayRevert: new Set(request.revertingTxHashes ?? []),
            replacementUuid: uuid,
            receivedAt: new Date(),
            dropped,
          },
          chain.head.number,
        );
        if (refused) throw new RelayError(-32000, refused);
        return { bundleHash: hash };
      },
    ],
    ['eth_callBundle', async (params) => callBundle(chain, decode, readParams(requests.callBundle, params))],
    ['eth_cancelBundle', async (params, { signer }) => bundles.cancel(signer, readParams(requests.cancelBundle, params).replacementUuid)],
    [
      'eth_sendPrivateTransaction',
      async (params, { signer, dropped }) => {
        const { tx, maxBlockNumber } = readParams(requests.sendPrivateTransaction, params);
        const [transaction] = decode([tx]);
        const refused = privates.add(transaction!, signer, chain.head.number, maxBlockNumber ?? undefined, dropped);
        if (refused) throw new RelayError(-32000, refused);
        return transaction!.hash;
      },
    ],
    [
      'eth_cancelPrivateTransaction',
      async (params, { signer }) => privates.cancel(readParams(requests.cancelPrivateTransaction, params).txHash, signer),
    ],
    [
      'flashbots_getBundleStatsV2',
      async (params, { signer }) => {
        const request = readParams(requests.bundleStats, params);
        return bundleStats(bundles, request.bundleHash, request.blockNumber, signer, chain.coinbase);
      },
    ],
  ]);
}

/** As Flashbots answers: of a bundle it does not know it says no more than that it was not simulated. */
function bundleStats(bundles: BundlePool, hash: Hex, number: number, signer: Address, builder: Address) {
  const times = bundles.times(hash, number, signer);
  if (!times) return { isSimulated: false };
  const { receivedAt, simulatedAt, sealedAt } = times;
  const seen = (timestamp: Date) => [{ pubkey: builder, timestamp: timestamp.toISOString() }];
  return {
    isHighPriority: true,
    isSimulated: simulatedAt !== undefined,
    receivedAt: receivedAt.toISOString(),
    ...(simulatedAt ? { simulatedAt: simulatedAt.toISOString() } : {}),
    consideredByBuildersAt: simulatedAt ? seen(simulatedAt) : [],
    sealedByBuildersAt: sealedAt ? seen(sealedAt) : [],
  };
}

/** Keepers simulate and send the same signed bytes, block after block: each is decoded once. Bad bytes are a RelayError. */
function rememberingDecoder(chain: Chain): DecodeAll {
  const remembered = new Map<Hex, Transaction>();
  return (raws) => {
    const fresh = raws.filter((raw) => !remembered.has(raw));
    try {
      const decoded = fresh.length > 0 ? chain.decode(fresh) : [];
      for (const transaction of decoded) remembered.set(transaction.raw, transaction);
    } catch (error) {
      throw new RelayError(-32602, `invalid params: ${(error as Error).message}`);
    }
    const transactions = raws.map((raw) => remembered.get(raw)!);
    while (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value!);
    return transactions;
  };
}
