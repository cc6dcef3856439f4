import { createRequire } from 'node:module';
import type { FlashbotsBundleProvider as Library } from '@flashbots/ethers-provider-bundle';
import type * as Ethers from 'ethers';
import { Wire } from '../../chain/wire.ts';
import { withTimeout } from '../../lib/async.ts';
import { SecretUrl } from '../../lib/secret.ts';
import type { Hex } from '../../lib/types.ts';
import type { Relay, RelayAnswer, RelayFault, SimulatedTransaction, Simulation } from '../types.ts';
import { authoriser } from './authorise.ts';
import { faultOfRefusal } from './faults.ts';
import { signedSends } from './signed-send.ts';

// NOTE: the library is CommonJS and brings ethers' CommonJS build; loading ethers by `import` as well would load it twice.
const require = createRequire(import.meta.url);

const MAX_ANSWER_BYTES = 4_000_000;
/** Of what is sent a hash is told. */
const MOST_SENT_ANSWER_BYTES = 1_000_000;

export type FlashbotsRelayOptions = {
  readonly url: string;
  readonly authKey: string;
  readonly chainId: number;
  readonly timeoutMs: number;
};

/**
 * A relay that speaks `eth_sendBundle`, `eth_callBundle`, `eth_cancelBundle`, and perhaps `mev_sendBundle`: simulations and cancellations through Flashbots'
 * own library. Answers are bounded in size and time; refusals and faults are values.
 */
export function flashbotsRelay({ url, authKey, chainId, timeoutMs }: FlashbotsRelayOptions): Relay {
  const secret = new SecretUrl(url);
  const name = secret.host;
  const wire = new Wire(secret, { timeoutMs, maxBytes: MOST_SENT_ANSWER_BYTES });
  const provider = openLibrary(url, authKey, chainId, timeoutMs);
  const ask = <T>(call: () => Promise<T>): Promise<T | Fault> =>
    withTimeout(call(), timeoutMs, `${name} did not answer`).catch((cause: unknown) => faultOf(cause, name));

  return {
    name,
    async simulate({ txs, targetBlock, timestamp }): Promise<Simulation> {
      const answer = await ask(() => provider.simulate([...txs], targetBlock, undefined, timestamp));
      if ('fault' in answer) return { kind: 'unavailable', ...answer };
      if ('error' in answer) return { kind: 'unavailable', ...refusalOf(answer.error, name) };
      const results = parseResults(answer.results, txs.length);
      if (results === undefined)
        return {
          kind: 'unavailable',
          fault: 'malformed',
          reason: `${name}: eth_callBundle answered something else than ${txs.length} results`,
        };
      const reverted = results.some((result) => result.error !== undefined || result.revert !== undefined);
      return reverted
        ? { kind: 'reverted', results, source: name }
        : { kind: 'ok', results, coinbaseDiffWei: answer.coinbaseDiff, source: name };
    },
    ...signedSends(name, authoriser(authKey as Hex), (body, headers) => wire.prepare(body, headers)),
    async cancel(replacementUuid): Promise<RelayAnswer> {
      const answer = await ask(() => provider.cancelBundles(replacementUuid));
      if ('fault' in answer) return { kind: 'unknown', ...answer };
      if ('error' in answer) return { kind: 'refused', ...refusalOf(answer.error, name) };
      return { kind: 'accepted', bundleHash: '' };
    },
  };
}

function openLibrary(url: string, authKey: string, chainId: number, timeoutMs: number): Library {
  const ethers = require('ethers') as typeof Ethers;
  const { FlashbotsBundleProvider } = require('@flashbots/ethers-provider-bundle') as { FlashbotsBundleProvider: typeof Library };
  const request = new ethers.FetchRequest(url);
  request.timeout = timeoutMs;
  // One attempt: the next block brings a new bundle, a late one is worth nothing.
  request.setThrottleParams({ maxAttempts: 1 });
  request.retryFunc = async () => false;
  request.getUrlFunc = boundedFetch(timeoutMs);
  // The library asks its chain provider only in calls that are not used here.
  const chain = new ethers.JsonRpcProvider('http://127.0.0.1:1', chainId, { staticNetwork: true });
  // The two builds of ethers have types of their own for the same classes.
  const [provider, signer, connection] = [chain, new ethers.Wallet(authKey), request] as unknown as ConstructorParameters<typeof Library>;
  return new FlashbotsBundleProvider(provider, signer, connection, chainId);
}

/** ethers reads an answer of any size; this one stops at 4 MB. */
function boundedFetch(timeoutMs: number): Ethers.FetchGetUrlFunc {
  return async (request) => {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body === null ? {} : { body: Buffer.from(request.body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > MAX_ANSWER_BYTES) throw new Error(`answer is larger than ${MAX_ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
    return {
      statusCode: response.status,
      statusMessage: response.statusText,
      headers: Object.fromEntries(response.headers),
      body: new Uint8Array(Buffer.concat(chunks)),
    };
  };
}

function parseResults(results: readonly unknown[], expected: number): readonly SimulatedTransaction[] | undefined {
  if (!Array.isArray(results) || results.length !== expected) return undefined;
  const parsed: SimulatedTransaction[] = [];
  for (const result of results as readonly Record<string, unknown>[]) {
    const gasUsed = Number(result?.['gasUsed']);
    const txHash = result?.['txHash'];
    if (typeof txHash !== 'string' || !Number.isSafeInteger(gasUsed) || gasUsed < 0) return undefined;
    const revert = result['revert'];
    const error = result['error'];
    parsed.push({
      txHash: txHash.toLowerCase() as Hex,
      gasUsed: BigInt(gasUsed),
      revert: typeof revert === 'string' && /^0x([0-9a-f]{2})*$/i.test(revert) ? (revert as Hex) : undefined,
      error:
        error === undefined || error === null
          ? revert === undefined || revert === null
            ? undefined
            : clip(String(revert))
          : clip(String(error)),
    });
  }
  return parsed;
}

type Fault = { readonly fault: RelayFault; readonly reason: string };

function refusalOf(error: { readonly message: string; readonly code?: number }, name: string): Fault {
  const message = clip(error.message);
  return { fault: faultOfRefusal(name, { code: error.code, message }), reason: `${name}: ${message}` };
}

/** NOTE: the library writes the relay's whole URL, which may carry a key, into its errors; only the host may pass. */
function faultOf(cause: unknown, name: string): Fault {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const found = /status (\d{3})/.exec(error.message)?.[1] ?? (error as { response?: { statusCode?: number } }).response?.statusCode;
  const status = found === undefined ? undefined : Number(found);
  if (status !== undefined && status !== 200)
    return { fault: status === 429 ? 'rate-limited' : 'malformed', reason: `${name} answered HTTP ${status}` };
  if (error.name === 'TimeoutError' || error.message.includes('did not answer'))
    return { fault: 'timeout', reason: `${name} did not answer in time` };
  const system = (error.cause as { code?: unknown } | undefined)?.code;
  const code = system ?? (error as { code?: unknown }).code;
  const fault = system !== undefined || error.message === 'fetch failed' ? 'unreachable' : 'malformed';
  return { fault, reason: `${name} could not be used (${typeof code === 'string' ? code : error.name})` };
}

function clip(text: string): string {
  const line = text.replaceAll(/[\p{Cc}]+/gu, ' ');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
