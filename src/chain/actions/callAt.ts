import { mapBounded } from '../../lib/async.ts';
import type { Address, Hex, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { RpcError } from '../errors.ts';
import { decodeAggregate3, encodeAggregate3 } from '../multicall.ts';
import { parseBytes, toQuantity } from '../parse.ts';
import type { Answerer, CallOptions, Rpc, RpcAnswer } from '../types.ts';

const BATCH = { calls: 500, bytes: 128 * 1024 };
const SINGLE_BATCH = { calls: 50, bytes: 128 * 1024 };
const CONCURRENCY = 4;
/** Asked for explicitly: some nodes give a call the block's gas limit only, too little for a large batch. Most cap it at what they allow. */
const GAS = toQuantity(500_000_000);
const REMEMBERED = 10_000;

/** Reads of contract state at one block, any number of them, answered in order. */
export interface Views {
  /** At the block with this hash (EIP-1898). Rejects with kind `unknown-block` when no endpoint has it or its state any more. */
  callAt(blockHash: Hex, calls: readonly ViewCall[], options?: CallOptions): Promise<readonly ViewAnswer[]>;
}

/** Reads in as few calls as possible through Multicall3; without one on this chain, call by call in JSON-RPC batches. */
export function createViews(rpc: Rpc, multicall3?: Address): Views {
  const ask = multicall3 === undefined ? callByCall(rpc) : aggregated(rpc, multicall3);
  const alone = callByCall(rpc);
  const limits = multicall3 === undefined ? SINGLE_BATCH : BATCH;
  return {
    async callAt(blockHash, calls, options) {
      const parts = await Promise.all([
        mapBounded(chunksOf(calls.filter(isTogether), limits), CONCURRENCY, (chunk) => ask(blockHash, chunk, options)),
        mapBounded(chunksOf(calls.filter(isAlone), SINGLE_BATCH), CONCURRENCY, (chunk) => alone(blockHash, chunk, options)),
      ]);
      const [together, singly] = parts.map((answers) => answers.flat().values());
      return calls.map((call) => (isAlone(call) ? singly! : together!).next().value!);
    },
  };
}

const isAlone = (call: ViewCall): boolean => call.alone === true;
const isTogether = (call: ViewCall): boolean => !isAlone(call);

type Ask = (blockHash: Hex, calls: readonly ViewCall[], options?: CallOptions) => Promise<ViewAnswer[]>;

function callByCall(rpc: Rpc, gasFor: () => Hex | undefined = () => undefined): Ask {
  return async (blockHash, calls, options) => {
    const gas = gasFor();
    const requests = calls.map(({ to, data }) => ({ method: 'eth_call', params: [{ to, data, ...(gas && { gas }) }, { blockHash }] }));
    return (await rpc.batch(requests, options)).map(toAnswer);
  };
}

function aggregated(rpc: Rpc, multicall3: Address): Ask {
  let gas: Hex | undefined = GAS;
  const single = callByCall(rpc, () => gas);
  const singles: Ask = async (blockHash, calls, options) => {
    const answers: ViewAnswer[] = [];
    for (const chunk of chunksOf(calls, SINGLE_BATCH)) answers.push(...(await single(blockHash, chunk, options)));
    return answers;
  };
  const failsAlone = new Set<string>();

  const aggregate: Ask = async (blockHash, calls, options) => {
    const request = { to: multicall3, data: encodeAggregate3(calls), ...(gas === undefined ? {} : { gas }) };
    const parse = (result: unknown, { host }: Answerer) => {
      const returned = parseBytes(result, 'eth_call');
      if (returned === '0x') throw new NoMulticall3(host);
      return decodeAggregate3(returned, calls.length);
    };
    return rpc.ask({ method: 'eth_call', params: [request, { blockHash }] }, parse, options);
  };

  /** NOTE: inside a batch, a call that ran out of the batch's gas looks like one that reverted without data. Such a failure is believed
   * only when the call fails alone as well; what does is remembered by contract and selector, so that it costs the second call only once. */
  const confirmed = async (blockHash: Hex, calls: readonly ViewCall[], answers: ViewAnswer[], options?: CallOptions) => {
    const nameOf = (i: number) => `${calls[i]!.to}${calls[i]!.data.slice(2, 10)}`;
    const doubtful = [...answers.keys()].filter((i) => !answers[i]!.ok && answers[i]!.data === '0x' && !failsAlone.has(nameOf(i)));
    const repeated = doubtful.map((i) => calls[i]!);
    const alone = await singles(blockHash, repeated, options);
    for (const [k, i] of doubtful.entries()) {
      answers[i] = alone[k]!;
      if (!alone[k]!.ok && failsAlone.size < REMEMBERED) failsAlone.add(nameOf(i));
    }
    return answers;
  };

  const ask: Ask = async (blockHash, calls, options) => {
    try {
      return await confirmed(blockHash, calls, await aggregate(blockHash, calls, options), options);
    } catch (error) {
      if (error instanceof NoMulticall3) return singles(blockHash, calls, options);
      if (!isTooHeavy(error)) throw error;
      if (gas !== undefined && /gas/.test(error.message)) {
        // This node refuses to be asked for so much; from now on it gives what it gives.
        gas = undefined;
        return ask(blockHash, calls, options);
      }
      if (calls.length === 1) return single(blockHash, calls, options);
      const half = Math.ceil(calls.length / 2);
      return [...(await ask(blockHash, calls.slice(0, half), options)), ...(await ask(blockHash, calls.slice(half), options))];
    }
  };
  return ask;
}

/** There is no code at Multicall3's address, at that block at least. */
class NoMulticall3 extends RpcError {
  constructor(host: string) {
    super('rejected', host, 'no Multicall3 there');
  }
}

/** A batch as a whole fails when it asks too much of the node: gas or size. */
function isTooHeavy(error: unknown): error is RpcError {
  return error instanceof RpcError && ['too-much', 'reverted', 'rejected'].includes(error.kind);
}

function chunksOf(calls: readonly ViewCall[], limits: { calls: number; bytes: number }): ViewCall[][] {
  const chunks: ViewCall[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const call of calls) {
    const size = call.data.length / 2 + 160;
    if (bytes + size > limits.bytes || chunks.at(-1)!.length >= limits.calls) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)!.push(call);
    bytes += size;
  }
  return chunks;
}

function toAnswer(answer: RpcAnswer): ViewAnswer {
  if (answer.ok) return { ok: true, data: parseBytes(answer.result, 'eth_call') };
  if (answer.error instanceof RpcError && (answer.error.kind === 'reverted' || answer.error.kind === 'rejected'))
    return { ok: false, data: answer.error.data ?? '0x' };
  throw answer.error;
}
