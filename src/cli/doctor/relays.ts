import { keccak256, stringToHex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Config } from '../../config/config.ts';
import { RELAY_AUTH_KEY } from '../../ledger/facts.ts';
import { readLedger } from '../../ledger/reader.ts';
import { mapBounded } from '../../lib/async.ts';
import { Secret, type SecretUrl } from '../../lib/secret.ts';
import type { Hex } from '../../lib/types.ts';
import { attempt, bad, type Check, good } from './check.ts';

const TIMEOUT_MS = 10_000;
const MOST_ANSWER_CHARS = 100_000;
const CONCURRENCY = 4;

/** Does each relay answer, and does it accept our signature. Nothing is sent: one simulation of a transfer of nothing to oneself. */
export async function checkRelays({ relays, dataDir }: Config, chainId: number, head: number): Promise<readonly Check[]> {
  if (relays.urls.length === 0) return [good('relays', 'none are set; the public mempool is used')];
  const key = relays.authKey ?? (await keptKey(dataDir)) ?? new Secret<Hex>(generatePrivateKey());
  const body = await simulationOf(key, chainId, head);
  return mapBounded(relays.urls, CONCURRENCY, (url) =>
    attempt(`relay ${url.host}`, 'check RELAY_URLS and that the relay is up', () => checkRelay(url, key, body)),
  );
}

async function checkRelay(url: SecretUrl, key: Secret<Hex>, body: string): Promise<Check> {
  const name = `relay ${url.host}`;
  const account = privateKeyToAccount(key.reveal());
  const signature = await account.signMessage({ message: keccak256(stringToHex(body)) });
  const response = await fetch(url.reveal(), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Flashbots-Signature': `${account.address}:${signature}` },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = (await response.text()).slice(0, MOST_ANSWER_CHARS);
  const error = errorOf(text);
  const refusal = error !== undefined && /signature|unauthori[sz]ed|forbidden|authentication/i.test(error);
  if (response.status === 401 || response.status === 403 || refusal)
    return bad(
      name,
      `refuses the signature of ${account.address}${error === undefined ? '' : `: ${error}`}`,
      'set a RELAY_AUTH_KEY that the relay accepts',
    );
  if (error === undefined && !isAnswer(text)) return bad(name, `answered HTTP ${response.status} and no JSON-RPC`, 'check RELAY_URLS');
  return good(name, `answers, and takes the signature of ${account.address}`);
}

async function simulationOf(key: Secret<Hex>, chainId: number, head: number): Promise<string> {
  const account = privateKeyToAccount(key.reveal());
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId,
    nonce: 0,
    gas: 21_000n,
    to: account.address,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
  });
  const params = [{ txs: [raw], blockNumber: `0x${(head + 1).toString(16)}`, stateBlockNumber: 'latest' }];
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_callBundle', params });
}

/** The key that a keeper on this folder made and keeps. */
async function keptKey(dataDir: string): Promise<Secret<Hex> | undefined> {
  try {
    const reader = await readLedger(dataDir);
    try {
      const kept = await reader.get(RELAY_AUTH_KEY);
      return kept === undefined ? undefined : new Secret(kept as Hex);
    } finally {
      await reader.close();
    }
  } catch {
    return undefined;
  }
}

function errorOf(text: string): string | undefined {
  const error = parsed(text)?.['error'];
  if (error === undefined || error === null) return undefined;
  const message = typeof error === 'object' ? (error as { message?: unknown }).message : error;
  return typeof message === 'string' ? message.slice(0, 200) : 'an error without a message';
}

function isAnswer(text: string): boolean {
  return parsed(text)?.['result'] !== undefined;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
