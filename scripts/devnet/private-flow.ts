/** Transactions that reach the builder and no mempool. */
import { type Hex, keccak256, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

/** Identifies whoever sends here; it holds nothing. */
const CLIENT = privateKeyToAccount(`0x${'31'.repeat(32)}`);

/** Into the builder's auction, as an oracle's node does it: nobody sees more than a hint, and it lands by itself a block later. Resolves with its hash. */
export async function offerPrivately(builderUrl: string, raw: Hex): Promise<Hex> {
  const privacy = { hints: ['hash', 'contract_address', 'function_selector', 'calldata'] };
  await call(builderUrl, 'mev_sendBundle', {
    version: 'v0.1',
    inclusion: { block: '0x1' },
    body: [{ tx: raw, canRevert: false }],
    privacy,
  });
  return keccak256(raw);
}

async function call(builderUrl: string, method: string, param: object): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [param] });
  const signature = await CLIENT.signMessage({ message: keccak256(toHex(body)) });
  const headers = { 'content-type': 'application/json', 'x-flashbots-signature': `${CLIENT.address}:${signature}` };
  const response = await fetch(builderUrl, { method: 'POST', headers, body });
  const answer = (await response.json()) as { error?: { message: string } };
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
}
