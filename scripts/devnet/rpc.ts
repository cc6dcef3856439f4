/** JSON-RPC over HTTP for set-up work: batches of any length, one clear error. */
export type RpcCall = { method: string; params?: readonly unknown[] };

const TIMEOUT_MS = 60_000;
const MAX_BATCH = 250;

type RpcAnswer = { id: number; result?: unknown; error?: { message: string; data?: unknown } };

export class RpcError extends Error {
  override name = 'RpcError';
  readonly data: unknown;
  constructor(method: string, message: string, data: unknown) {
    super(`${method}: ${message}`);
    this.data = data;
  }
}

export async function rpc<T>(url: string, method: string, params: readonly unknown[] = []): Promise<T> {
  const [result] = await rpcBatch<T>(url, [{ method, params }]);
  return result!;
}

/** Answers in the order of the calls. Throws an RpcError for the first call that failed. NOTE: anvil runs a batch's calls concurrently. */
export async function rpcBatch<T>(url: string, calls: readonly RpcCall[]): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < calls.length; from += MAX_BATCH) results.push(...(await post<T>(url, calls.slice(from, from + MAX_BATCH))));
  return results;
}

async function post<T>(url: string, calls: readonly RpcCall[]): Promise<T[]> {
  const body = calls.map(({ method, params = [] }, id) => ({ jsonrpc: '2.0', id, method, params }));
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  const answers = new Map(((await response.json()) as RpcAnswer[]).map((answer) => [answer.id, answer]));
  return calls.map(({ method }, id) => {
    const answer = answers.get(id);
    if (!answer) throw new RpcError(method, 'no answer', undefined);
    if (answer.error) throw new RpcError(method, answer.error.message, answer.error.data);
    return answer.result as T;
  });
}
