/** The one anvil that this builder drives, in the builder's words. Nothing else in this folder names an RPC method of the chain's. */
import { type Address, type Hex, hexToBigInt, numberToHex } from 'viem';
import { sendInOrder } from './ordered-send.ts';
import { recoverSigner } from './recover.ts';
import { Rpc, RpcFailure, type RpcResult } from './rpc.ts';
import { type Decoded, decodeTransaction, type Transaction } from './transaction.ts';

/** A searcher's bundle has a handful; a second's worth of recovering is too much for any. */
const MAX_DECODED = 2_000;

/** How many successors of a dropped transaction are looked after: more than one sender gets in between two looks at the pool. */
const SUCCESSORS = 6;

export type PooledPlace = { hash: Hex; from: Address; nonce: number };
export type Head = { number: number; hash: Hex; timestamp: number };
export type NextBlock = { parent: Head; baseFeeWei: bigint; gasLimit: bigint; poolPending: number };
export type MinedBlock = Head & { txs: Hex[]; gasUsed: number; baseFeeWei: bigint };
export type MinedReceipt = { hash: Hex; succeeded: boolean };

/** A pool transaction as anvil describes it (`txpool_content`, full pending subscription). */
export type RpcTransaction = Record<string, unknown>;

type RpcBlock = { number: Hex; hash: Hex; timestamp: Hex; transactions: Hex[]; gasUsed: Hex; gasLimit: Hex; baseFeePerGas: Hex };

export class Chain {
  readonly rpc: Rpc;
  readonly chainId: number;
  readonly coinbase: Address;
  readonly slotSeconds: number;
  #head: Head;

  private constructor(rpc: Rpc, chainId: number, coinbase: Address, slotSeconds: number, head: Head) {
    this.#head = head;
    this.rpc = rpc;
    this.chainId = chainId;
    this.coinbase = coinbase;
    this.slotSeconds = slotSeconds;
  }

  /** Takes over sealing: from here on no block comes but by `mine`. Throws when the chain is not an anvil with `--order fifo`. */
  static async takeOver(rpcUrl: string, coinbase: Address, slotSeconds: number): Promise<Chain> {
    const rpc = new Rpc(rpcUrl);
    const chainId = Number(hexToBigInt((await rpc.call('eth_chainId')) as Hex));
    const info = (await rpc.call('anvil_nodeInfo')) as { transactionOrder?: string };
    if (info.transactionOrder !== 'fifo') throw new Error('anvil must run with --order fifo: the builder orders blocks by the pool order');
    await rpc.call('anvil_setAutomine', false);
    await rpc.call('anvil_setIntervalMining', 0);
    // The pending view that users call against is then the very block that is sealed next.
    await rpc.call('anvil_setBlockTimestampInterval', slotSeconds);
    await rpc.call('anvil_setCoinbase', coinbase);
    const head = toHead(await rpc.call('eth_getBlockByNumber', 'latest', false));
    return new Chain(rpc, chainId, coinbase, slotSeconds, head);
  }

  /** Known without asking, since nobody else seals. */
  get head(): Head {
    return this.#head;
  }

  async next(): Promise<NextBlock> {
    const [latest, info, status] = await this.#all([
      { method: 'eth_getBlockByNumber', params: ['latest', false] },
      { method: 'anvil_nodeInfo', params: [] },
      { method: 'txpool_status', params: [] },
    ]);
    // NOTE: nodeInfo's base fee is that of the next block, the latest header's is not.
    const { baseFee, gasLimit } = (info as { environment: { baseFee: Hex; gasLimit: Hex } }).environment;
    this.#head = toHead(latest);
    return {
      parent: this.#head,
      baseFeeWei: hexToBigInt(baseFee),
      gasLimit: hexToBigInt(gasLimit),
      poolPending: Number((status as { pending: Hex }).pending),
    };
  }

  /** The header fields that a simulation on an older state needs. Throws when there is no such block. */
  async block(tag: Hex | 'latest'): Promise<Head & { baseFeeWei: bigint; gasUsed: bigint; gasLimit: bigint }> {
    const block = (await this.rpc.call('eth_getBlockByNumber', tag, false)) as RpcBlock | null;
    if (!block) throw new RpcFailure(`no block ${tag}`);
    return {
      ...toHead(block),
      baseFeeWei: hexToBigInt(block.baseFeePerGas),
      gasUsed: hexToBigInt(block.gasUsed),
      gasLimit: hexToBigInt(block.gasLimit),
    };
  }

  async nonces(addresses: Iterable<Address>, tag: Hex | 'latest' = 'latest'): Promise<Map<Address, number>> {
    const distinct = [...new Set(addresses)];
    const answers = await this.#all(distinct.map((address) => ({ method: 'eth_getTransactionCount', params: [address, tag] })));
    return new Map(distinct.map((address, index) => [address, Number(answers[index])]));
  }

  /**
   * Decodes signed transactions and recovers their senders. Throws an Error that names the first bad one.
   */
  decode(raws: readonly Hex[]): Transaction[] {
    if (raws.length > MAX_DECODED) throw new Error(`more than ${MAX_DECODED} transactions`);
    return raws.map((raw, index) => {
      let decoded: Decoded;
      try {
        decoded = decodeTransaction(raw, this.chainId);
      } catch (error) {
        throw new Error(`txs[${index}]: ${(error as Error).message}`);
      }
      const { transaction, signed } = decoded;
      const from = recoverSigner(signed);
      if (!from) throw new Error(`txs[${index}]: bad signature`);
      return { ...transaction, from, call: { ...transaction.call, from } };
    });
  }

  /** eth_simulateV1 as it is; `simulate.ts` gives it meaning. */
  simulateV1(payload: unknown, state: Hex | 'latest'): Promise<unknown> {
    return this.rpc.call('eth_simulateV1', payload, state);
  }

  async poolContent(): Promise<RpcTransaction[]> {
    const { pending } = (await this.rpc.call('txpool_content')) as { pending: Record<Address, Record<string, RpcTransaction>> };
    return Object.values(pending).flatMap((byNonce) => Object.values(byNonce));
  }

  /** Those of the transactions that are still in the pool. */
  async pooled(hashes: readonly Hex[]): Promise<RpcTransaction[]> {
    const results = await this.rpc.batch(hashes.map((hash) => ({ method: 'eth_getTransactionByHash', params: [hash] })));
    return pendingOnes(results);
  }

  /**
   * Takes transactions out of the pool. Anvil drops their successors with them, even one that came in this very moment; so the next few of
   * each sender are looked up first and answered here, known or not.
   * NOTE: in one batch, because anvil does the whole batch in one go: a lookup and a drop of separate requests leave a gap of milliseconds.
   */
  async drop(transactions: readonly PooledPlace[]): Promise<RpcTransaction[]> {
    const last = new Map<Address, number>();
    for (const { from, nonce } of transactions) last.set(from, Math.max(nonce, last.get(from) ?? 0));
    const lookups = [...last].flatMap(([from, nonce]) =>
      Array.from({ length: SUCCESSORS }, (_, index) => ({
        method: 'eth_getTransactionBySenderAndNonce',
        params: [from, numberToHex(nonce + 1 + index)],
      })),
    );
    const drops = transactions.map(({ hash }) => ({ method: 'anvil_dropTransaction', params: [hash] }));
    const results = await this.rpc.batch([...lookups, ...drops]);
    return pendingOnes(results.slice(0, lookups.length));
  }

  submit(raws: readonly Hex[]): Promise<RpcResult[]> {
    return sendInOrder(this.rpc.url, raws);
  }

  /** What `mine` would include now, in order. */
  async pendingOrder(): Promise<Hex[]> {
    return ((await this.rpc.call('eth_getBlockByNumber', 'pending', false)) as RpcBlock).transactions;
  }

  /** Exactly one block of what is in the pool. */
  async mine(timestamp: number): Promise<MinedBlock> {
    await this.rpc.call('evm_mine', { timestamp, blocks: 1 });
    const block = (await this.rpc.call('eth_getBlockByNumber', 'latest', false)) as RpcBlock;
    this.#head = toHead(block);
    return {
      ...this.#head,
      txs: block.transactions,
      gasUsed: Number(block.gasUsed),
      baseFeeWei: hexToBigInt(block.baseFeePerGas),
    };
  }

  async receipts(blockHash: Hex): Promise<MinedReceipt[]> {
    const receipts = (await this.rpc.call('eth_getBlockReceipts', blockHash)) as { transactionHash: Hex; status: Hex }[];
    return receipts.map(({ transactionHash, status }) => ({ hash: transactionHash, succeeded: status === '0x1' }));
  }

  /** The signed bytes of a block's transactions, in order. */
  async rawTransactions(number: number): Promise<Hex[]> {
    const block = (await this.rpc.call('eth_getBlockByNumber', numberToHex(number), false)) as RpcBlock;
    return (await this.#all(block.transactions.map((hash) => ({ method: 'eth_getRawTransactionByHash', params: [hash] })))) as Hex[];
  }

  /**
   * Replaces the last `depth` blocks; `blocks[i]` are the signed transactions of the i-th new one, in order, whatever the pool holds.
   * NOTE: an empty block mined again on the same parent would have the same hash, hence another coinbase: another builder's blocks.
   */
  async reorg(depth: number, blocks: readonly (readonly Hex[])[]): Promise<Head> {
    const other: Address = `${this.coinbase.slice(0, -1)}${this.coinbase.endsWith('0') ? '1' : '0'}` as Address;
    await this.rpc.call('anvil_setCoinbase', other);
    try {
      const txBlockPairs = blocks.flatMap((raws, index) => raws.map((raw) => [raw, index]));
      await this.rpc.call('anvil_reorg', depth, txBlockPairs);
    } finally {
      await this.rpc.call('anvil_setCoinbase', this.coinbase);
    }
    this.#head = toHead(await this.rpc.call('eth_getBlockByNumber', 'latest', false));
    return this.#head;
  }

  close(): void {
    this.rpc.close();
  }

  async #all(calls: readonly { method: string; params: readonly unknown[] }[]): Promise<unknown[]> {
    const results = await this.rpc.batch(calls);
    return results.map((result, index) => {
      if (!result.ok) throw new RpcFailure(`${calls[index]!.method}: ${result.message}`);
      return result.value;
    });
  }
}

function pendingOnes(results: readonly RpcResult[]): RpcTransaction[] {
  return results.flatMap((result) => {
    const transaction = result.ok ? (result.value as RpcTransaction | null) : null;
    return transaction && transaction['blockHash'] === null ? [transaction] : [];
  });
}

function toHead(block: unknown): Head {
  const { number, hash, timestamp } = block as RpcBlock;
  return { number: Number(number), hash, timestamp: Number(timestamp) };
}
