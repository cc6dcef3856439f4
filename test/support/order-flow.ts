import { type Hex, keccak256, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

/** Hands a signed transaction to the builder's auction, as an oracle's node does: nobody sees more of it than a hint. */
export async function offerPrivately(builderUrl: string, raw: Hex): Promise<Hex> {
  const privacy = { hints: ['hash', 'contract_address', 'function_selector', 'calldata'] };
  const params = [{ version: 'v0.1', inclusion: { block: '0x1' }, body: [{ tx: raw, canRevert: false }], privacy }];
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'mev_sendBundle', params });
  const node = privateKeyToAccount(`0x${'31'.repeat(32)}`);
  const signature = await node.signMessage({ message: keccak256(toHex(body)) });
  const headers = { 'content-type': 'application/json', 'x-flashbots-signature': `${node.address}:${signature}` };
  const response = await fetch(builderUrl, { method: 'POST', headers, body });
  const answer = (await response.json()) as { error?: { message: string } };
  if (answer.error) throw new Error(answer.error.message);
  return keccak256(raw);
}
