import type { Hex, LogFilter, RawLog } from '../../lib/types.ts';
import { parseLogs, ShapeError, toQuantity } from '../parse.ts';
import type { CallOptions, Rpc } from '../types.ts';

/**
 * One block's logs, by its hash: never those of another block of the same height. An empty answer is believed only from an endpoint that
 * knows the block. Rejects with kind `unknown-block` when no endpoint does.
 */
export function getLogsByHash(rpc: Rpc, blockHash: Hex, filter: LogFilter, options?: CallOptions): Promise<RawLog[]> {
  const parse = (result: unknown) => {
    const logs = parseLogs(result);
    if (logs.some((log) => log.blockHash !== blockHash)) throw new ShapeError('eth_getLogs', 'logs of another block');
    return logs;
  };
  return rpc.ask({ method: 'eth_getLogs', params: [{ blockHash, ...toParams(filter) }] }, parse, { ...options, knows: blockHash });
}

/** Logs of a range below which nothing changes any more, both ends included. Rejects with kind `too-much` when the range is too wide. */
export function getLogsByRange(rpc: Rpc, from: number, to: number, filter: LogFilter, options?: CallOptions): Promise<RawLog[]> {
  const parse = (result: unknown) => {
    const logs = parseLogs(result);
    if (logs.some((log) => log.blockNumber < from || log.blockNumber > to)) throw new ShapeError('eth_getLogs', 'logs outside the range');
    return logs;
  };
  const range = { fromBlock: toQuantity(from), toBlock: toQuantity(to) };
  return rpc.ask({ method: 'eth_getLogs', params: [{ ...range, ...toParams(filter) }] }, parse, options);
}

function toParams(filter: LogFilter): object {
  const topics = [filter.topics0];
  return filter.addresses === undefined ? { topics } : { address: filter.addresses, topics };
}
