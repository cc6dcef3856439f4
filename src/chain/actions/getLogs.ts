import type { Head, LogFilter, RawLog } from '../../lib/types.ts';
import { excluded, fullness } from '../bloom.ts';
import { RpcError } from '../errors.ts';
import { parseLogs, ShapeError, toQuantity } from '../parse.ts';
import type { Answerer, CallOptions, Rpc } from '../types.ts';

/** Wrong answers to one range before it is given up. */
const OPINIONS = 3;

/**
 * One block's logs, by its hash: never those of another block of the same height, nor any that its header excludes. An empty answer is believed only from an endpoint that
 * knows the block. Rejects with kind `unknown-block` when no endpoint does.
 */
export async function getLogsByHash(rpc: Rpc, head: Head, filter: LogFilter, options?: CallOptions): Promise<RawLog[]> {
  const { hash: blockHash, logsBloom: bloom } = head;
  const parse = (result: unknown, from: Answerer) => {
    const logs = parseLogs(result);
    if (logs.some((log) => log.blockHash !== blockHash)) throw new ShapeError('eth_getLogs', 'logs of another block');
    // NOTE: chains without bloom filters tell an empty one: that contradicts nothing.
    if (bloom !== undefined && fullness(bloom) > 0 && excluded(bloom, logs) !== undefined)
      throw new RpcError('lied', from.host, `a log in block ${head.number} that its header excludes`, { lie: 'wrong-logs' });
    return { logs, from };
  };
  const call = { method: 'eth_getLogs', params: [{ blockHash, ...toParams(filter) }] };
  const { logs, from } = await rpc.ask(call, parse, { ...options, knows: blockHash });
  rpc.witness?.heard({ head, filter, logs, from });
  return logs;
}

/** Logs of a range below which nothing changes any more, both ends included. Rejects with kind `too-much` when the range is too wide. Samples are held against headers. */
export async function getLogsByRange(rpc: Rpc, from: number, to: number, filter: LogFilter, options?: CallOptions): Promise<RawLog[]> {
  const parse = (result: unknown, answerer: Answerer) => {
    const logs = parseLogs(result);
    if (logs.some((log) => log.blockNumber < from || log.blockNumber > to)) throw new ShapeError('eth_getLogs', 'logs outside the range');
    return { logs, answerer };
  };
  const range = { fromBlock: toQuantity(from), toBlock: toQuantity(to) };
  for (let opinion = 1; ; opinion++) {
    const { logs, answerer } = await rpc.ask({ method: 'eth_getLogs', params: [{ ...range, ...toParams(filter) }] }, parse, options);
    const vouched = (await rpc.witness?.vouch({ range: { from, to }, filter, logs, from: answerer })) ?? true;
    if (vouched) return logs;
    if (opinion >= OPINIONS) throw new RpcError('untrusted', answerer.host, `logs of blocks ${from} to ${to} were wrong ${opinion} times`);
  }
}

function toParams(filter: LogFilter): object {
  const topics = [filter.topics0];
  return filter.addresses === undefined ? { topics } : { address: filter.addresses, topics };
}
