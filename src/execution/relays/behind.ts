import { keccak256, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { postJson } from '../../chain/http.ts';
import { explainError } from '../../lib/errors.ts';
import { SecretUrl } from '../../lib/secret.ts';
import type { Hex } from '../../lib/types.ts';
import type { SendResult } from '../types.ts';

const MAX_ANSWER_BYTES = 1_000_000;

/**
 * One transaction behind one that is known by its hash alone: `mev_sendBundle` of MEV-Share, version v0.1, the body signed as for Flashbots' other methods
 * (docs.flashbots.net, MEV-Share, `mev_sendBundle`). What a relay does not know it refuses. Never throws.
 */
export function sendsBehind(relayUrl: string, authKey: string, timeoutMs: number) {
  const url = new SecretUrl(relayUrl);
  const account = privateKeyToAccount(authKey as Hex);
  return async ({ hash, tx, targetBlock }: { hash: Hex; tx: Hex; targetBlock: number }): Promise<SendResult> => {
    const block = `0x${targetBlock.toString(16)}`;
    const params = [{ version: 'v0.1', inclusion: { block, maxBlock: block }, body: [{ hash }, { tx, canRevert: false }] }];
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'mev_sendBundle', params });
    try {
      const signature = await account.signMessage({ message: keccak256(stringToHex(body)) });
      const headers = { 'x-flashbots-signature': `${account.address}:${signature}` };
      return read(await postJson(url, body, { timeoutMs, headers, maxBytes: MAX_ANSWER_BYTES }), url.host);
    } catch (error) {
      return { kind: 'unknown', reason: explainError(error) };
    }
  };
}

function read(answer: unknown, host: string): SendResult {
  const { error, result } = (answer ?? {}) as { error?: { message?: unknown }; result?: { bundleHash?: unknown } };
  if (error !== undefined && error !== null) return { kind: 'refused', reason: `${host}: ${String(error.message).slice(0, 200)}` };
  const bundleHash = result?.bundleHash;
  if (typeof bundleHash !== 'string' || !/^0x[0-9a-f]{64}$/i.test(bundleHash))
    return { kind: 'unknown', reason: `${host}: no bundle hash in its answer` };
  return { kind: 'accepted', bundleHash };
}
