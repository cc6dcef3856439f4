import { concatBytes, hexToBytes, toRlp } from 'viem';
import type { Head, Hex, RawLog } from '../lib/types.ts';
import { parseBytes, parseLogs, parseQuantity, record, ShapeError } from './parse.ts';
import { orderedTrieRoot } from './trie.ts';

/** A block's receipts as `eth_getBlockReceipts` gives them: the root that they make, and every log in them. */
export type ProvenReceipts = { readonly root: Hex; readonly logs: readonly RawLog[] };

/** Throws `ShapeError` for what is no list of receipts in the order of the block. */
export function parseReceipts(value: unknown, head: Head): ProvenReceipts {
  if (!Array.isArray(value)) throw new ShapeError('eth_getBlockReceipts', 'not a list');
  const logs: RawLog[] = [];
  const encoded = value.map((one, index) => {
    const receipt = record(one, 'receipt');
    if (parseQuantity(receipt['transactionIndex'], 'receipt transactionIndex') !== index)
      throw new ShapeError('eth_getBlockReceipts', 'not in the order of the block');
    const own = parseLogs(receipt['logs']);
    if (own.some(({ blockHash }) => blockHash !== head.hash)) throw new ShapeError('eth_getBlockReceipts', 'of another block');
    logs.push(...own);
    return encode(receipt, own);
  });
  return { root: orderedTrieRoot(encoded), logs };
}

/** EIP-2718 and EIP-658; before Byzantium a state root stands in the place of the status. */
function encode(receipt: Readonly<Record<string, unknown>>, logs: readonly RawLog[]): Uint8Array {
  const type = receipt['type'] == null ? 0 : parseQuantity(receipt['type'], 'receipt type');
  const outcome = receipt['root'] == null ? number(receipt['status'], 'receipt status') : parseBytes(receipt['root'], 'receipt root');
  const fields: RlpItem[] = [
    outcome,
    number(receipt['cumulativeGasUsed'], 'receipt cumulativeGasUsed'),
    parseBytes(receipt['logsBloom'], 'receipt logsBloom'),
    logs.map(({ address, topics, data }) => [address, [...topics], data]),
  ];
  // A deposit of the OP Stack says by which nonce it ran (specification: "Deposit Receipt").
  if (type === DEPOSIT && receipt['depositReceiptVersion'] != null)
    fields.push(number(receipt['depositNonce'], 'depositNonce'), number(receipt['depositReceiptVersion'], 'depositReceiptVersion'));
  const rlp = hexToBytes(toRlp(fields as Parameters<typeof toRlp>[0]) as Hex);
  return type === 0 ? rlp : concatBytes([Uint8Array.of(type), rlp]);
}

type RlpItem = Hex | readonly RlpItem[];

const DEPOSIT = 0x7e;

function number(value: unknown, what: string): Hex {
  const digits = parseQuantity(value, what).toString(16);
  if (digits === '0') return '0x';
  return digits.length % 2 === 0 ? `0x${digits}` : `0x0${digits}`;
}
