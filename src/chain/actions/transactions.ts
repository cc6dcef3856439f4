import type { Address, Hex, RawLog } from '../../lib/types.ts';
import { parseAddress, parseBigQuantity, parseHash, parseLogs, parseQuantity, record } from '../parse.ts';
import type { CallOptions, Rpc } from '../types.ts';

export type Receipt = {
  readonly transactionHash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly transactionIndex: number;
  readonly status: 'success' | 'reverted';
  readonly from: Address;
  readonly to: Address | null;
  readonly contractAddress: Address | null;
  readonly gasUsed: bigint;
  readonly effectiveGasPriceWei: bigint;
  /** What an OP-stack chain charges for L1 data; 0 elsewhere. */
  readonly l1FeeWei: bigint;
  /** What its operator charges beside that, since Isthmus; 0 elsewhere. */
  readonly operatorFeeWei: bigint;
  readonly logs: readonly RawLog[];
};

/** Hands a signed transaction to the public mempool. Rejects with kind `rejected` (`already known`, nonce, funds, fee): the message has the node's words. */
export function sendRawTransaction(rpc: Rpc, signed: Hex, options?: CallOptions): Promise<Hex> {
  return rpc.ask({ method: 'eth_sendRawTransaction', params: [signed] }, (result) => parseHash(result, 'eth_sendRawTransaction'), options);
}

/** Null while the transaction is in no block of the endpoint's chain. */
export function getReceipt(rpc: Rpc, transactionHash: Hex, options?: CallOptions): Promise<Receipt | null> {
  return rpc.ask(
    { method: 'eth_getTransactionReceipt', params: [transactionHash] },
    (result) => (result === null ? null : parseReceipt(result)),
    options,
  );
}

function parseReceipt(result: unknown): Receipt {
  const receipt = record(result, 'receipt');
  const addressOrNull = (key: string) => (receipt[key] == null ? null : parseAddress(receipt[key], `receipt ${key}`));
  return {
    transactionHash: parseHash(receipt['transactionHash'], 'receipt transactionHash'),
    blockNumber: parseQuantity(receipt['blockNumber'], 'receipt blockNumber'),
    blockHash: parseHash(receipt['blockHash'], 'receipt blockHash'),
    transactionIndex: parseQuantity(receipt['transactionIndex'], 'receipt transactionIndex'),
    status: parseQuantity(receipt['status'], 'receipt status') === 1 ? 'success' : 'reverted',
    from: parseAddress(receipt['from'], 'receipt from'),
    to: addressOrNull('to'),
    contractAddress: addressOrNull('contractAddress'),
    gasUsed: parseBigQuantity(receipt['gasUsed'], 'receipt gasUsed'),
    effectiveGasPriceWei: parseBigQuantity(receipt['effectiveGasPrice'], 'receipt effectiveGasPrice'),
    l1FeeWei: receipt['l1Fee'] == null ? 0n : parseBigQuantity(receipt['l1Fee'], 'receipt l1Fee'),
    operatorFeeWei: operatorFeeOf(receipt),
    logs: parseLogs(receipt['logs']),
  };
}

/** OP Stack specification, Isthmus: gas used x scalar / 1e6 + constant; Jovian, whose receipts tell of a data footprint: gas used x scalar x 100 + constant. */
function operatorFeeOf(receipt: Readonly<Record<string, unknown>>): bigint {
  const { operatorFeeScalar, operatorFeeConstant, daFootprintGasScalar } = receipt;
  if (operatorFeeScalar == null || operatorFeeConstant == null) return 0n;
  const scaled = parseBigQuantity(receipt['gasUsed'], 'receipt gasUsed') * parseBigQuantity(operatorFeeScalar, 'receipt operatorFeeScalar');
  const variable = daFootprintGasScalar == null ? scaled / 1_000_000n : scaled * 100n;
  return variable + parseBigQuantity(operatorFeeConstant, 'receipt operatorFeeConstant');
}
