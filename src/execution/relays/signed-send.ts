import { privateKeyToAccount } from 'viem/accounts';
import { postJson } from '../../chain/http.ts';
import { explainError } from '../../lib/errors.ts';
import { keccak256 } from '../../lib/keccak.ts';
import { SecretUrl } from '../../lib/secret.ts';
import type { Hex } from '../../lib/types.ts';
import type { Relay, RelayAnswer } from '../types.ts';
import { faultOfCall, faultOfRefusal } from './faults.ts';

const MAX_ANSWER_BYTES = 1_000_000;

/**
 * Bundles on their way to a relay: `eth_sendBundle`, and MEV-Share's `mev_sendBundle`, version v0.1, each with its body signed (docs.flashbots.net, "Flashbots
 * Auction", "MEV-Share"). Every call is one request, bounded in size and time; what a relay does not know it refuses. Never throws.
 *
 * NOTE: Flashbots' library decodes, hashes and recovers every transaction of a bundle before it sends it, which takes longer than all else between a price
 * and the relay.
 */
export function signedSends(relayUrl: string, authKey: string, timeoutMs: number): Pick<Relay, 'send' | 'sendBehind'> {
  const url = new SecretUrl(relayUrl);
  const account = privateKeyToAccount(authKey as Hex);
  const call = async (method: string, param: object): Promise<RelayAnswer> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [param] });
    try {
      const signature = await account.signMessage({ message: keccak256(Buffer.from(body)) });
      const headers = { 'x-flashbots-signature': `${account.address}:${signature}` };
      return read(await postJson(url, body, { timeoutMs, headers, maxBytes: MAX_ANSWER_BYTES }), url.host);
    } catch (error) {
      return { kind: 'unknown', ...faultOfCall(error), reason: explainError(error) };
    }
  };
  return {
    send: ({ txs, targetBlock, replacementUuid }) =>
      call('eth_sendBundle', { txs, blockNumber: hexOf(targetBlock), revertingTxHashes: [], replacementUuid }),
    sendBehind({ hash, tx, targetBlock }) {
      const inclusion = { block: hexOf(targetBlock), maxBlock: hexOf(targetBlock) };
      return call('mev_sendBundle', { version: 'v0.1', inclusion, body: [{ hash }, { tx, canRevert: false }] });
    },
  };
}

function read(answer: unknown, host: string): RelayAnswer {
  const { error, result } = (answer ?? {}) as { error?: unknown; result?: { bundleHash?: unknown } };
  if (error !== undefined && error !== null) {
    const message = String((error as { message?: unknown }).message);
    return {
      kind: 'refused',
      fault: faultOfRefusal(host, error),
      reason: `${host}: ${message.replaceAll(/[\p{Cc}]+/gu, ' ').slice(0, 200)}`,
    };
  }
  const bundleHash = result?.bundleHash;
  // NOTE: who answers something else may have thrown the bundle away.
  if (typeof bundleHash !== 'string' || !/^0x[0-9a-f]{64}$/i.test(bundleHash))
    return { kind: 'unknown', fault: 'malformed', reason: `${host}: no bundle hash in its answer` };
  return { kind: 'accepted', bundleHash };
}

function hexOf(block: number): string {
  return `0x${block.toString(16)}`;
}
