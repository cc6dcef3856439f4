import type { Hex, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { RpcError } from '../errors.ts';
import { parseBytes, toQuantity } from '../parse.ts';
import type { CallOptions, Rpc, RpcAnswer } from '../types.ts';

const BATCH_CALLS = 50;
const BATCH_BYTES = 128 * 1024;
/** About what nodes give a call, and more than any honest view takes: what needs more is not waited for. */
const GAS = toQuantity(60_000_000);
const REMEMBERED = 10_000;
/** More than any view that is asked for has to say. */
const MOST_ANSWER_BYTES = 256 * 1024;

/**
 * Views that are asked by themselves, in JSON-RPC batches: a contract that spends all gas there is, or answers with megabytes, harms nobody's
 * answers but its own. It is known from then on, and where one of its views does so, the others asked with it count as failed.
 */
export class AloneCalls {
  readonly #rpc: Rpc;
  readonly #wasteful = new Set<string>();
  readonly #failing = new Set<string>();
  /** False for a node that refuses to be asked for more gas than it gives by itself. */
  namesGas: boolean;

  constructor(rpc: Rpc, namesGas: boolean) {
    this.#rpc = rpc;
    this.namesGas = namesGas;
  }

  /** Must it be kept out of a batch? */
  isWasteful(call: ViewCall): boolean {
    return this.#wasteful.has(nameOf(call));
  }

  /** Is its failure without a reason believed, because it has failed alone before? */
  failsAlone(call: ViewCall): boolean {
    return this.#failing.has(nameOf(call));
  }

  /** An answer that came in a batch: too long a one counts as a failure. */
  bounded(call: ViewCall, answer: ViewAnswer): ViewAnswer {
    if (answer.data.length / 2 <= MOST_ANSWER_BYTES) return answer;
    remember(this.#wasteful, call);
    return { ok: false, data: '0x' };
  }

  async ask(blockHash: Hex, calls: readonly ViewCall[], options?: CallOptions): Promise<ViewAnswer[]> {
    const answers = new Map<ViewCall, ViewAnswer>();
    const first = calls.filter((call, index) => calls.findIndex(({ to }) => to === call.to) === index);
    await this.#askAll(blockHash, first, answers, options);
    const wasting = new Set(first.filter((call) => this.isWasteful(call)).map(({ to }) => to));
    const others = calls.filter((call) => !answers.has(call));
    for (const call of others) if (wasting.has(call.to)) answers.set(call, { ok: false, data: '0x' });
    const rest = others.filter(({ to }) => !wasting.has(to));
    await this.#askAll(blockHash, rest, answers, options);
    return calls.map((call) => answers.get(call)!);
  }

  async #askAll(blockHash: Hex, calls: readonly ViewCall[], answers: Map<ViewCall, ViewAnswer>, options?: CallOptions): Promise<void> {
    for (const chunk of chunksOf(calls, { calls: BATCH_CALLS, bytes: BATCH_BYTES })) {
      const gas = this.namesGas ? { gas: GAS } : {};
      const requests = chunk.map(({ to, data, storage }) =>
        storage === true
          ? { method: 'eth_getStorageAt', params: [to, data, { blockHash }] }
          : { method: 'eth_call', params: [{ to, data, ...gas }, { blockHash }] },
      );
      const received = await this.#rpc.batch(requests, options);
      for (const [place, call] of chunk.entries()) answers.set(call, this.#take(call, received[place]!));
    }
  }

  #take(call: ViewCall, received: RpcAnswer): ViewAnswer {
    const answer = this.bounded(call, toAnswer(received));
    if (answer.ok) return answer;
    if (isOutOfGas(received)) remember(this.#wasteful, call);
    else remember(this.#failing, call);
    return answer;
  }
}

/** Calls in parts of so many, and so many bytes of calldata. */
export function chunksOf(calls: readonly ViewCall[], limits: { readonly calls: number; readonly bytes: number }): ViewCall[][] {
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
  if (answer.error instanceof RpcError && ['reverted', 'rejected', 'too-much'].includes(answer.error.kind))
    return { ok: false, data: answer.error.data ?? '0x' };
  throw answer.error;
}

/** Of an answer, or of an error: did the call spend all of its gas? */
export function isOutOfGas(answer: RpcAnswer | Error): boolean {
  const error = answer instanceof Error ? answer : answer.ok ? undefined : answer.error;
  return error !== undefined && /out ?of ?gas/i.test(error.message);
}

function nameOf({ to, data }: ViewCall): string {
  return `${to}${data.slice(2, 10)}`;
}

function remember(set: Set<string>, call: ViewCall): void {
  if (set.size < REMEMBERED) set.add(nameOf(call));
}
