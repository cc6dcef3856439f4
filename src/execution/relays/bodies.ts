/** JSON-RPC as Flashbots' library writes it, byte for byte, without building what is only there to be turned into text. */
import type { Hex } from '../../lib/types.ts';

/** `eth_sendBundle`. NOTE: nothing in it needs escaping: hex, a number and the UUID that is made here. */
export function bundleBody(id: number, txs: readonly Hex[], targetBlock: number, replacementUuid: string): string {
  const params = `"txs":["${txs.join('","')}"],"blockNumber":"${hexOf(targetBlock)}","revertingTxHashes":[],"replacementUuid":"${replacementUuid}"`;
  return `{"method":"eth_sendBundle","params":[{${params}}],"id":${id},"jsonrpc":"2.0"}`;
}

/** `mev_sendBundle`, version v0.1: one transaction behind another of which only the hash is known (docs.flashbots.net, "MEV-Share"). */
export function behindBody(id: number, hash: Hex, tx: Hex, targetBlock: number): string {
  const block = hexOf(targetBlock);
  const inclusion = `"version":"v0.1","inclusion":{"block":"${block}","maxBlock":"${block}"}`;
  const params = `${inclusion},"body":[{"hash":"${hash}"},{"tx":"${tx}","canRevert":false}]`;
  return `{"method":"mev_sendBundle","params":[{${params}}],"id":${id},"jsonrpc":"2.0"}`;
}

function hexOf(block: number): string {
  return `0x${block.toString(16)}`;
}
