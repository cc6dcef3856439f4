import type { Address, Hex, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { RpcError } from '../errors.ts';
import { decodeAggregate3, encodeAggregate3 } from '../multicall.ts';
import { parseBytes, ShapeError, toQuantity } from '../parse.ts';
import type { CallOptions, Rpc, RpcAnswer } from '../types.ts';
import { isOutOfGas } from './call-alone.ts';

const GAS = toQuantity(10_000_000);
const BATCH_CALLS = 50;

/** Calls that one account makes, one after another, each seeing what those before it did. Another may be asked by `asking` to make some. */
export type Acting = { readonly as: Address; readonly with: readonly Address[]; readonly calls: readonly ViewCall[] };
/** The answers; `spent` when they used up all gas; `unknown` where the endpoint cannot tell. */
export type Acted = readonly ViewAnswer[] | 'spent' | 'unknown';

/** Multicall3's code, which accounts have for the time of a call; undefined where there is none. */
export async function readActorCode(rpc: Rpc, multicall3: Address, blockHash: Hex, options?: CallOptions): Promise<Hex | undefined> {
  const code = parseBytes(await rpc.request('eth_getCode', [multicall3, { blockHash }], options), 'eth_getCode');
  return code === '0x' ? undefined : code;
}

/** Among an actor's calls: another one of those that act makes these. Its answer is read by `toldBy`. */
export function asking(actor: Address, calls: readonly ViewCall[]): ViewCall {
  return { to: actor, data: encodeAggregate3(calls) };
}

/** What the other actor was answered; undefined where that cannot be read. */
export function toldBy(answer: ViewAnswer | undefined, count: number): readonly ViewAnswer[] | undefined {
  return answer?.ok ? decoded(answer.data, count) : undefined;
}

/**
 * What would come of calls made by somebody else's accounts, at a block: for the time of the call they have the code given (the state override
 * of `eth_call`). Nodes that know no overrides answer as if the accounts were asked as they are: that reads as `unknown`. Rejects when no
 * endpoint answers.
 */
export async function callAs(
  rpc: Rpc,
  code: Hex,
  blockHash: Hex,
  acts: readonly Acting[],
  options?: CallOptions,
): Promise<readonly Acted[]> {
  const acted: Acted[] = [];
  for (let from = 0; from < acts.length; from += BATCH_CALLS) {
    const part = acts.slice(from, from + BATCH_CALLS);
    const requests = part.map(({ as, with: others, calls }) => {
      const overrides = Object.fromEntries([as, ...others].map((account) => [account, { code }]));
      return { method: 'eth_call', params: [{ to: as, data: encodeAggregate3(calls), gas: GAS }, { blockHash }, overrides] };
    });
    const answers = await rpc.batch(requests, options);
    acted.push(...part.map(({ calls }, place) => read(answers[place], calls.length)));
  }
  return acted;
}

function read(answer: RpcAnswer | undefined, count: number): Acted {
  if (answer === undefined) return 'unknown';
  if (answer.ok) return decoded(parseBytes(answer.result, 'eth_call'), count) ?? 'unknown';
  if (isOutOfGas(answer)) return 'spent';
  if (answer.error instanceof RpcError) return 'unknown';
  throw answer.error;
}

function decoded(data: Hex, count: number): readonly ViewAnswer[] | undefined {
  try {
    return decodeAggregate3(data, count);
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}
