import { parseBigQuantity } from '../parse.ts';
import type { CallOptions, Rpc } from '../types.ts';

/** What the node suggests as a tip, in wei per gas. */
export function getMaxPriorityFee(rpc: Rpc, options?: CallOptions): Promise<bigint> {
  const method = 'eth_maxPriorityFeePerGas';
  return rpc.ask({ method, params: [] }, (result) => parseBigQuantity(result, method), options);
}
