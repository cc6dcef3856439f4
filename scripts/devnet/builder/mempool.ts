/**
 * The public transactions in anvil's pool, mirrored with their signed bytes and in order of arrival from a subscription of full bodies.
 * The bytes are what makes reordering possible: taken out of the pool, a transaction can only come back as what its sender sent.
 * NOTE: reading the pool (`txpool_content`) costs anvil half a millisecond a transaction; the mirror costs nothing when a block is due.
 */
import {
  type Address,
  formatTransaction,
  type Hex,
  serializeTransaction,
  type TransactionSerializable,
  type RpcTransaction as ViemRpcTransaction,
} from 'viem';
import type { Chain, RpcTransaction } from './chain.ts';
import { keccak256 } from './keccak.ts';
import { Subscription } from './subscription.ts';

const MAX_MIRRORED = 20_000;
/**
 * How late the subscription may tell of something that was lost.
 * NOTE: it lags by 40 ms when several transactions come at once (Nagle's algorithm against delayed acknowledgements).
 */
const GUARD_MS = 500;

export type PoolTransaction = {
  hash: Hex;
  from: Address;
  nonce: number;
  gas: bigint;
  maxFeeWei: bigint;
  maxTipWei: bigint;
  /** undefined: cannot be sent again (impersonated sender, blob), so it has to stay where it stands in the pool. */
  raw: Hex | undefined;
  arrivedAt: number;
};

export class Mempool {
  readonly #chain: Chain;
  readonly #subscription: Subscription;
  /** By arrival (a Map keeps its order). */
  readonly #known = new Map<Hex, PoolTransaction>();
  /** Sender and nonce to hash: a place in the pool has one occupant. */
  readonly #places = new Map<string, Hex>();
  /** What came in within this time (performance.now()) and is gone was dropped by us, not by its sender. */
  #guarded = { from: 0, until: 0 };
  #lost: PoolTransaction[] = [];

  private constructor(chain: Chain, subscription: Subscription) {
    this.#chain = chain;
    this.#subscription = subscription;
  }

  static async open(chain: Chain): Promise<Mempool> {
    const url = new URL(chain.rpc.url);
    url.protocol = 'ws:';
    const subscription = new Subscription(url.href, ['newPendingTransactions', true]);
    const mempool = new Mempool(chain, subscription);
    subscription.onItem((item) => mempool.#arrive(item as RpcTransaction));
    await subscription.opened();
    for (const transaction of await chain.poolContent()) mempool.#arrive(transaction);
    return mempool;
  }

  senders(): Address[] {
    return [...this.#known.values()].map(({ from }) => from);
  }

  /**
   * What stands ready in the pool, by arrival. `pending` is anvil's own count, `nonces` each sender's next: when the mirror, less what was
   * mined, has another number, the pool itself is read.
   */
  async ready(pending: number, nonces: ReadonlyMap<Address, number>): Promise<PoolTransaction[]> {
    for (const { hash, from, nonce } of this.#known.values()) if (nonce < (nonces.get(from) ?? 0)) this.forget([hash]);
    if (this.#known.size !== pending) await this.#reread();
    return [...this.#known.values()];
  }

  /** Arrivals since this moment (performance.now()). */
  since(moment: number): PoolTransaction[] {
    return [...this.#known.values()].filter(({ arrivedAt }) => arrivedAt >= moment);
  }

  /** What the chain told of outside the subscription. */
  learn(transactions: readonly RpcTransaction[]): PoolTransaction[] {
    for (const transaction of transactions) this.#arrive(transaction);
    return transactions.flatMap(({ hash }) => this.#known.get(hash as Hex) ?? []);
  }

  /** Something of ours was dropped from the pool since `from` (performance.now()), and with it, perhaps, what had only just come in. */
  guard(from: number): void {
    this.#guarded = { from, until: performance.now() + GUARD_MS };
  }

  /** What was found to be lost like that; each is named once. */
  takeLost(): PoolTransaction[] {
    return this.#lost.splice(0);
  }

  forget(hashes: Iterable<Hex>): void {
    for (const hash of hashes) {
      const known = this.#known.get(hash);
      if (!known) continue;
      this.#known.delete(hash);
      if (this.#places.get(placeOf(known)) === hash) this.#places.delete(placeOf(known));
    }
  }

  close(): void {
    this.#subscription.close();
  }

  async #reread(): Promise<void> {
    const askedAt = performance.now();
    const content = await this.#chain.poolContent();
    const present = new Set(content.map(({ hash }) => hash as Hex));
    // NOTE: what the subscription told of meanwhile may be newer than the answer.
    const absent = [...this.#known.values()].filter(({ hash, arrivedAt }) => !present.has(hash) && arrivedAt < askedAt);
    const { from, until } = this.#guarded;
    this.#lost.push(...absent.filter(({ arrivedAt }) => arrivedAt >= from && arrivedAt <= until));
    this.forget(absent.map(({ hash }) => hash));
    for (const transaction of content) this.#arrive(transaction);
  }

  #arrive(transaction: RpcTransaction): void {
    if (this.#known.has(transaction['hash'] as Hex)) return;
    const arrived = toPoolTransaction(transaction);
    const replaced = this.#places.get(placeOf(arrived));
    if (replaced) this.forget([replaced]);
    this.#known.set(arrived.hash, arrived);
    this.#places.set(placeOf(arrived), arrived.hash);
    if (this.#known.size > MAX_MIRRORED) this.forget([this.#known.keys().next().value!]);
  }
}

function placeOf({ from, nonce }: PoolTransaction): string {
  return `${from}:${nonce}`;
}

function toPoolTransaction(rpc: RpcTransaction): PoolTransaction {
  const formatted = formatTransaction(rpc as unknown as ViemRpcTransaction);
  const maxFeeWei = formatted.maxFeePerGas ?? formatted.gasPrice ?? 0n;
  return {
    hash: formatted.hash,
    from: formatted.from.toLowerCase() as Address,
    nonce: formatted.nonce,
    gas: formatted.gas,
    maxFeeWei,
    maxTipWei: formatted.maxPriorityFeePerGas ?? maxFeeWei,
    raw: signedBytes(formatted),
    arrivedAt: performance.now(),
  };
}

function signedBytes(formatted: ReturnType<typeof formatTransaction>): Hex | undefined {
  const { input, r, s, v, yParity, type, chainId, nonce, to, gas, value, gasPrice, maxFeePerGas, maxPriorityFeePerGas, accessList } =
    formatted;
  if (r === undefined || s === undefined || BigInt(r) === 0n || type === 'eip4844') return undefined;
  const fees = type === 'legacy' || type === 'eip2930' ? { gasPrice } : { maxFeePerGas, maxPriorityFeePerGas };
  const lists = type === 'legacy' ? {} : { accessList, ...(type === 'eip7702' ? { authorizationList: formatted.authorizationList } : {}) };
  const fields = { type, nonce, to, gas, value, data: input, ...(chainId === undefined ? {} : { chainId }), ...fees, ...lists };
  try {
    const raw = serializeTransaction(fields as TransactionSerializable, { r, s, ...(v === undefined ? {} : { v }), yParity: yParity ?? 0 });
    return keccak256(raw) === formatted.hash ? raw : undefined;
  } catch {
    return undefined;
  }
}
