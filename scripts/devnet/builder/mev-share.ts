/** The auctioned order flow's methods, in the shape of MEV-Share's v0.1: `mev_sendBundle`, `mev_simBundle`. */
import type { Hex } from 'viem';
import { bundleHash } from './bundles.ts';
import { callBundle, type DecodeAll } from './call-bundle.ts';
import type { RelayMethod, RelayParts } from './relay.ts';
import { type MevBundle, RelayError, readParams, requests } from './requests.ts';
import type { Transaction } from './transaction.ts';

type Resolved = { readonly transactions: Transaction[]; readonly mayRevert: ReadonlySet<Hex> };

export function mevShareMethods(parts: RelayParts, decode: DecodeAll): readonly [string, RelayMethod][] {
  const { chain, bundles, orderFlow } = parts;
  return [
    [
      'mev_sendBundle',
      async (params, { signer, dropped }) => {
        const request = readParams(requests.mevSendBundle, params);
        const head = chain.head.number;
        const [only, ...others] = request.body;
        if (only !== undefined && 'tx' in only && others.length === 0) {
          const [transaction] = decode([only.tx]);
          const refused = orderFlow.offer(transaction!, request.privacy?.hints ?? ['hash'], head);
          if (refused) throw new RelayError(-32000, refused);
          return { bundleHash: bundleHash([transaction!]) };
        }
        const { transactions, mayRevert } = resolve(request, parts, decode);
        const hash = bundleHash(transactions);
        const shared = { hash, signer, transactions, mayRevert, minTimestamp: 0, maxTimestamp: Number.MAX_SAFE_INTEGER, dropped };
        const refused = bundles.add(
          { ...shared, blockNumber: request.inclusion.block, replacementUuid: undefined, receivedAt: new Date() },
          head,
        );
        if (refused) throw new RelayError(-32000, refused);
        return { bundleHash: hash };
      },
    ],
    [
      'mev_simBundle',
      async (params) => {
        // The second parameter's overrides are not supported here.
        const request = readParams(requests.mevSendBundle, Array.isArray(params) ? params.slice(0, 1) : params);
        const { transactions } = resolve(request, parts, decode);
        const result = await callBundle(chain, () => transactions, {
          txs: transactions.map(({ raw }) => raw),
          blockNumber: request.inclusion.block,
          stateBlockNumber: 'latest',
        });
        const failed = result.results.find((one) => 'error' in one) as { error?: string; revert?: string } | undefined;
        return {
          success: failed === undefined,
          ...(failed === undefined ? {} : { error: `${failed.error}${failed.revert === undefined ? '' : `: ${failed.revert}`}` }),
          stateBlock: `0x${result.stateBlockNumber.toString(16)}`,
          profit: `0x${BigInt(result.coinbaseDiff).toString(16)}`,
          gasUsed: `0x${result.totalGasUsed.toString(16)}`,
        };
      },
    ],
  ];
}

/** NOTE: one transaction goes behind a hinted one, and only one: that is the auction's rule. */
function resolve({ body }: MevBundle, { orderFlow }: RelayParts, decode: DecodeAll): Resolved {
  const [hinted, backrun, ...others] = body;
  if (hinted === undefined || !('hash' in hinted) || backrun === undefined || !('tx' in backrun) || others.length > 0)
    throw new RelayError(-32602, 'invalid params: body: expected [{hash}, {tx, canRevert}]: one backrun behind one hinted transaction');
  const transaction = orderFlow.find(hinted.hash);
  if (transaction === undefined) throw new RelayError(-32000, `transaction ${hinted.hash} is not waiting for a bid`);
  const [own] = decode([backrun.tx]);
  return { transactions: [transaction, own!], mayRevert: new Set(backrun.canRevert ? [own!.hash] : []) };
}
