import type { Head, Hex } from '../../lib/types.ts';
import { RpcError } from '../errors.ts';
import { parseHead, ShapeError, toQuantity } from '../parse.ts';
import type { Answerer, CallOptions, Rpc } from '../types.ts';

export type HeadAt = 'latest' | 'finalized' | 'safe' | 'earliest' | { readonly number: number } | { readonly hash: Hex };

/** A header. Rejects with kind `unknown-block` when no endpoint has it. */
export function getHead(rpc: Rpc, at: HeadAt, options?: CallOptions): Promise<Head> {
  const parse = (result: unknown, { host }: Answerer) => {
    if (result === null) throw new RpcError('unknown-block', host, `has no block ${nameOf(at)}`);
    const head = parseHead(result);
    mustBe(head, at);
    return head;
  };
  return rpc.ask(headCall(at), parse, options);
}

/** The finalised block; on a chain that knows none, the block so far below the head that no reorg is expected to reach it. */
export async function getFinalHead(rpc: Rpc): Promise<Head> {
  try {
    return await getHead(rpc, 'finalized', { attempts: 2 });
  } catch (error) {
    if (!(error instanceof RpcError) || error.endpointAtFault) throw error;
    const latest = await getHead(rpc, 'latest');
    return getHead(rpc, { number: Math.max(latest.number - FINAL_DEPTH, 0) });
  }
}

/** Headers by number, both ends included, oldest first, in JSON-RPC batches; each is the parent of the next. */
export async function getHeads(rpc: Rpc, from: number, to: number, options?: CallOptions): Promise<Head[]> {
  const heads: Head[] = [];
  for (let start = from; start <= to; start += HEADS_PER_BATCH) {
    const numbers = Array.from({ length: Math.min(HEADS_PER_BATCH, to - start + 1) }, (_, i) => start + i);
    const answers = await rpc.batch(
      numbers.map((number) => headCall({ number })),
      options,
    );
    for (const [i, answer] of answers.entries()) {
      if (!answer.ok) throw answer.error;
      // An endpoint that is behind has none yet; asked one by one, another may.
      const head = answer.result === null ? await getHead(rpc, { number: numbers[i]! }, options) : parseHead(answer.result);
      mustBe(head, { number: numbers[i]! });
      const parent = heads.at(-1);
      if (parent && parent.hash !== head.parentHash)
        throw new RpcError('unknown-block', 'endpoint', `block ${parent.number} changed meanwhile`);
      heads.push(head);
    }
  }
  return heads;
}

/** Headers by number, in one JSON-RPC batch; those that cannot be had are left out. */
export async function getHeadsAt(rpc: Rpc, numbers: readonly number[], options?: CallOptions): Promise<Head[]> {
  const answers = await rpc.batch(
    numbers.map((number) => headCall({ number })),
    options,
  );
  return answers.flatMap((answer, i) => {
    if (!answer.ok || answer.result === null) return [];
    const head = parseHead(answer.result);
    return head.number === numbers[i] ? [head] : [];
  });
}

/** Ethereum's finality, in blocks. */
const FINAL_DEPTH = 64;
const HEADS_PER_BATCH = 50;

function headCall(at: HeadAt) {
  if (typeof at === 'string') return { method: 'eth_getBlockByNumber', params: [at, false] };
  if ('hash' in at) return { method: 'eth_getBlockByHash', params: [at.hash, false] };
  return { method: 'eth_getBlockByNumber', params: [toQuantity(at.number), false] };
}

/** An endpoint answers for the block that was asked for, or not at all. */
function mustBe(head: Head, at: HeadAt): void {
  if (typeof at === 'string') return;
  if ('hash' in at ? head.hash !== at.hash : head.number !== at.number) throw new ShapeError('block', `another one than ${nameOf(at)}`);
}

function nameOf(at: HeadAt): string {
  if (typeof at === 'string') return at;
  return 'hash' in at ? at.hash : String(at.number);
}
