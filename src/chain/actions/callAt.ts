import { mapBounded } from '../../lib/async.ts';
import type { Address, Hex, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { RpcError } from '../errors.ts';
import { decodeAggregate3, encodeAggregate3 } from '../multicall.ts';
import { parseBytes, toQuantity } from '../parse.ts';
import type { Answerer, CallOptions, Rpc } from '../types.ts';
import { AloneCalls, chunksOf, isOutOfGas } from './call-alone.ts';

const BATCH = { calls: 500, bytes: 128 * 1024 };
const CONCURRENCY = 4;
/**
 * Gas of a batch is asked for explicitly: some nodes give a call the block's gas limit only, too little for a large batch. Most cap it at what
 * they allow. As much as honest views need: a contract that burns all it gets should not get much.
 */
const GAS_FOR_ALL = 20_000_000;
const GAS_PER_CALL = 1_000_000;

/** Reads of contract state at one block, any number of them, answered in order. */
export interface Views {
  /** At the block with this hash (EIP-1898). Rejects with kind `unknown-block` when no endpoint has it or its state any more. */
  callAt(blockHash: Hex, calls: readonly ViewCall[], options?: CallOptions): Promise<readonly ViewAnswer[]>;
}

/** Reads in as few calls as possible through Multicall3; without one on this chain, call by call in JSON-RPC batches. */
export function createViews(rpc: Rpc, multicall3?: Address): Views {
  // Without Multicall3 a node is asked for what it gives by itself.
  const alone = new AloneCalls(rpc, multicall3 !== undefined);
  const ask: Ask = multicall3 === undefined ? (...asked) => alone.ask(...asked) : aggregated(rpc, multicall3, alone);
  return {
    async callAt(blockHash, calls, options) {
      const parts = await Promise.all([
        mapBounded(chunksOf(calls.filter(isTogether), BATCH), CONCURRENCY, (chunk) => ask(blockHash, chunk, options)),
        mapBounded(chunksOf(calls.filter(isAlone), BATCH), CONCURRENCY, (chunk) => alone.ask(blockHash, chunk, options)),
      ]);
      const [together, singly] = parts.map((answers) => answers.flat().values());
      return calls.map((call) => (isAlone(call) ? singly! : together!).next().value!);
    },
  };
}

const isAlone = (call: ViewCall): boolean => call.alone === true || call.storage === true;
const isTogether = (call: ViewCall): boolean => !isAlone(call);

type Ask = (blockHash: Hex, calls: readonly ViewCall[], options?: CallOptions) => Promise<ViewAnswer[]>;

function aggregated(rpc: Rpc, multicall3: Address, alone: AloneCalls): Ask {
  const aggregate: Ask = async (blockHash, calls, options) => {
    const gas = alone.namesGas ? { gas: toQuantity(GAS_FOR_ALL + GAS_PER_CALL * calls.length) } : {};
    const request = { to: multicall3, data: encodeAggregate3(calls), ...gas };
    const parse = (result: unknown, { host }: Answerer) => {
      const returned = parseBytes(result, 'eth_call');
      if (returned === '0x') throw new NoMulticall3(host);
      return decodeAggregate3(returned, calls.length);
    };
    return rpc.ask({ method: 'eth_call', params: [request, { blockHash }] }, parse, options);
  };

  /** NOTE: inside a batch, a call that ran out of the batch's gas looks like one that reverted without data. Such a failure is believed
   * only when the call fails alone as well; what does is remembered by contract and selector, so that it costs the second call only once. */
  const confirmed = async (blockHash: Hex, calls: readonly ViewCall[], answers: readonly ViewAnswer[], options?: CallOptions) => {
    const bounded = answers.map((answer, i) => alone.bounded(calls[i]!, answer));
    const doubtful = [...bounded.keys()].filter((i) => !bounded[i]!.ok && bounded[i]!.data === '0x' && !alone.failsAlone(calls[i]!));
    const repeated = await alone.ask(
      blockHash,
      doubtful.map((i) => calls[i]!),
      options,
    );
    for (const [k, i] of doubtful.entries()) bounded[i] = repeated[k]!;
    return bounded;
  };

  const together: Ask = async (blockHash, calls, options) => {
    try {
      return calls.length === 0 ? [] : await confirmed(blockHash, calls, await aggregate(blockHash, calls, options), options);
    } catch (error) {
      if (error instanceof NoMulticall3) return alone.ask(blockHash, calls, options);
      if (!isTooHeavy(error)) throw error;
      if (alone.namesGas && /gas/.test(error.message) && !isOutOfGas(error)) {
        // This node refuses to be asked for so much; from now on it gives what it gives.
        alone.namesGas = false;
        return together(blockHash, calls, options);
      }
      if (calls.length === 1) return alone.ask(blockHash, calls, options);
      const half = Math.ceil(calls.length / 2);
      return [...(await together(blockHash, calls.slice(0, half), options)), ...(await together(blockHash, calls.slice(half), options))];
    }
  };

  return async (blockHash, calls, options) => {
    const apart = calls.filter((call) => alone.isWasteful(call));
    if (apart.length === 0) return together(blockHash, calls, options);
    const shared = calls.filter((call) => !apart.includes(call));
    const [answers, answersApart] = [await together(blockHash, shared, options), await alone.ask(blockHash, apart, options)];
    const byCall = new Map([
      ...shared.map((call, i) => [call, answers[i]!] as const),
      ...apart.map((call, i) => [call, answersApart[i]!] as const),
    ]);
    return calls.map((call) => byCall.get(call)!);
  };
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
