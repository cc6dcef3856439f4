import { splitCredentials } from '../../chain/http.ts';
import { parseBytes, record, ShapeError } from '../../chain/parse.ts';
import type { SecretUrl } from '../../lib/secret.ts';
import type { Hex } from '../../lib/types.ts';
import type { PythPrice } from './pyth.ts';

/** The newest signed update of some prices, and what it is said to hold: nobody has verified that yet. */
export type HermesUpdate = { readonly blobs: readonly Hex[]; readonly prices: ReadonlyMap<Hex, PythPrice> };

const TIMEOUT_MS = 3_000;
const MAX_ANSWER_BYTES = 1_000_000;
/** One holds all prices that were asked for; a few more do no harm. */
const MOST_BLOBS = 16;

/**
 * Asks Pyth's price service (Hermes, `GET /v2/updates/price/latest`). Rejects with what went wrong, which names no more of the URL than its host.
 *
 * @param url of the service, without that path
 */
export async function askHermes(url: SecretUrl, priceIds: readonly Hex[]): Promise<HermesUpdate> {
  const { target, authorization } = splitCredentials(url);
  const path = new URL(target);
  path.pathname = `${path.pathname.replace(/\/$/, '')}/v2/updates/price/latest`;
  for (const id of priceIds) path.searchParams.append('ids[]', id);
  path.searchParams.set('encoding', 'hex');
  const response = await fetch(path, { headers: authorization, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new ShapeError(url.host, `at most ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (!response.ok) throw new ShapeError(url.host, `HTTP ${response.status}`);
  return parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
}

function parse(answer: unknown): HermesUpdate {
  const { binary, parsed } = record(answer, 'Hermes');
  const { data } = record(binary, 'Hermes: binary');
  if (!Array.isArray(data) || data.length === 0 || data.length > MOST_BLOBS) throw new ShapeError('Hermes', 'no update data');
  if (!Array.isArray(parsed)) throw new ShapeError('Hermes', 'no prices');
  const prices = new Map(parsed.map((one: unknown): [Hex, PythPrice] => [hexOf(record(one, 'Hermes: price')['id']), priceOf(one)]));
  return { blobs: data.map(hexOf), prices };
}

function priceOf(one: unknown): PythPrice {
  const { price, conf, expo, publish_time: publishTime } = record(record(one, 'Hermes: price')['price'], 'Hermes: price');
  const [value, band] = [String(price), String(conf)];
  if (!/^-?\d{1,19}$/.test(value) || !/^\d{1,20}$/.test(band) || !Number.isSafeInteger(expo) || !Number.isSafeInteger(publishTime))
    throw new ShapeError('Hermes', 'a price that is none');
  return { priceRaw: BigInt(value), confidenceRaw: BigInt(band), exponent: expo as number, publishTime: publishTime as number };
}

/** Hermes leaves out the `0x`. */
function hexOf(value: unknown): Hex {
  return parseBytes(typeof value === 'string' && !value.startsWith('0x') ? `0x${value}` : value, 'Hermes');
}
