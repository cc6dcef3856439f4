/**
 * Seals one block: (1) reads where the chain stands, (2) chooses bundles and private transactions by simulation, (3) orders the public
 * ones behind, (4) arranges the pool so, (5) has exactly one block mined, (6) checks that it is what was built, (7) puts back what was
 * taken out of the pool and not included.
 */
import type { Address, Hex } from 'viem';
import { Arranger } from './arrange.ts';
import { type Assembly, assemble, type Candidate } from './assemble.ts';
import type { Bundle, BundlePool } from './bundles.ts';
import type { Chain, MinedBlock, NextBlock } from './chain.ts';
import type { Log } from './log.ts';
import type { Mempool, PoolTransaction } from './mempool.ts';
import type { OrderFlow } from './order-flow.ts';
import type { PrivatePool } from './private-pool.ts';
import type { SealedBlock, SkippedBundle } from './protocol.ts';
import { orderPublic, type PublicOrder } from './public-order.ts';
import { simulate } from './simulate.ts';
import { tipPerGasWei } from './transaction.ts';

const MAX_PUBLIC = 1_000;
const MAX_PARKED = 2_000;
/** How often a block is built anew because the chain refused part of it. */
const MAX_BUILDS = 4;

type TopCandidate = Candidate & { bundle?: Bundle };
type Building = {
  readAt: number;
  next: NextBlock;
  number: number;
  timestamp: number;
  pool: PoolTransaction[];
  nonces: Map<Address, number>;
};
type Built = { assembly: Assembly<TopCandidate>; publics: PublicOrder; arranged: boolean };

export class Sealer {
  readonly #chain: Chain;
  readonly #bundles: BundlePool;
  readonly #privates: PrivatePool;
  readonly #orderFlow: OrderFlow;
  readonly #mempool: Mempool;
  readonly #arranger: Arranger;
  readonly #log: Log;
  readonly #budgetMs: number;
  /** Public transactions that the pool does not take back while the base fee is above their cap. */
  #parked: PoolTransaction[] = [];

  /** `budgetMs`: when it is used up, what has been chosen so far is sealed. */
  constructor(parts: {
    chain: Chain;
    bundles: BundlePool;
    privates: PrivatePool;
    orderFlow: OrderFlow;
    mempool: Mempool;
    log: Log;
    budgetMs: number;
  }) {
    this.#chain = parts.chain;
    this.#bundles = parts.bundles;
    this.#privates = parts.privates;
    this.#orderFlow = parts.orderFlow;
    this.#mempool = parts.mempool;
    this.#arranger = new Arranger(parts.chain, parts.mempool, parts.log);
    this.#log = parts.log;
    this.#budgetMs = parts.budgetMs;
  }

  /** One block, `seconds` of chain time after its parent. */
  async seal(seconds: number): Promise<SealedBlock> {
    const startedAt = performance.now();
    const candidates: TopCandidate[] = [];
    const building = await this.#read(seconds, candidates);
    let built: Built | undefined;
    try {
      built = await this.#build(building, candidates, startedAt);
      const simulatedAt = new Date();
      const block = await this.#chain.mine(building.timestamp);
      await this.#check(block, built, building);
      return this.#report(block, built, simulatedAt, startedAt);
    } finally {
      await this.#putBack(building, built);
    }
  }

  async #read(seconds: number, candidates: TopCandidate[]): Promise<Building> {
    await this.#unpark();
    const readAt = performance.now();
    const next = await this.#chain.next();
    const number = next.parent.number + 1;
    const timestamp = next.parent.timestamp + seconds;
    for (const bundle of this.#bundles.due(number, timestamp)) candidates.push({ ...bundle, tier: 0, bundle });
    for (const transaction of [...this.#privates.due(number).map((one) => one.transaction), ...this.#orderFlow.due(number)]) {
      candidates.push({ id: transaction.hash, tier: 1, transactions: [transaction], mayRevert: new Set() });
    }
    const senders = candidates.flatMap(({ transactions }) => transactions.map(({ from }) => from));
    const nonces = await this.#chain.nonces([...senders, ...this.#mempool.senders()]);
    const pool = await this.#mempool.ready(next.poolPending, nonces);
    await this.#chain.submit(this.#mempool.takeLost().flatMap(({ raw }) => raw ?? []));
    const unknown = pool.map(({ from }) => from).filter((from) => !nonces.has(from));
    for (const [address, nonce] of await this.#chain.nonces(unknown)) nonces.set(address, nonce);
    return { readAt, next, number, timestamp, pool, nonces };
  }

  async #build(building: Building, candidates: readonly TopCandidate[], startedAt: number): Promise<Built> {
    const { next, number, timestamp, pool, nonces } = building;
    const { baseFeeWei, gasLimit } = next;
    const block = { state: 'latest' as const, number, timestamp, baseFeeWei, gasLimit, coinbase: this.#chain.coinbase };
    const refused: Assembly<TopCandidate>['skipped'] = [];
    for (let attempt = 0; ; attempt++) {
      const assembly = await assemble({
        candidates: attempt < MAX_BUILDS ? candidates.filter((candidate) => refused.every((skip) => skip.candidate !== candidate)) : [],
        nonces,
        baseFeeWei,
        gasLimit,
        simulate: (transactions) => simulate(this.#chain, block, transactions),
        timeLeft: () => performance.now() - startedAt < this.#budgetMs,
      });
      assembly.skipped.push(...refused);
      const top = assembly.taken.flatMap(({ candidate }) => candidate.transactions);
      const after = new Map(nonces);
      for (const { from, nonce } of top) after.set(from, nonce + 1);
      const publics = orderPublic(pool, after, baseFeeWei, MAX_PUBLIC);
      const inOrder = pool.length === publics.ordered.length && pool.every((transaction, index) => transaction === publics.ordered[index]);
      if (top.length === 0 && inOrder && attempt === 0) return { assembly, publics, arranged: false };
      const arranged = await this.#arranger.arrange(pool, top, publics.ordered);
      if (arranged.kind === 'done') return { assembly, publics, arranged: true };
      this.#mempool.forget(top.map(({ hash }) => hash).filter((hash) => pool.every((transaction) => transaction.hash !== hash)));
      const { candidate } = assembly.taken.find((taken) => taken.candidate.transactions.some(({ hash }) => hash === arranged.hash))!;
      refused.push({ candidate, reason: `refused by the chain's pool: ${arranged.reason}` });
    }
  }

  /** Says loudly where the block is not what was built. */
  async #check(block: MinedBlock, { assembly, publics, arranged }: Built, { number, pool }: Building): Promise<void> {
    if (block.number !== number) this.#log('block.unexpected', { number: block.number, expected: number });
    if (!arranged) return;
    const pinned = new Set(pool.filter(({ raw }) => raw === undefined).map(({ hash }) => hash));
    const mined = block.txs.filter((hash) => !pinned.has(hash));
    const top = assembly.taken.flatMap(({ candidate }) => candidate.transactions.map(({ hash }) => hash));
    const planned = publics.ordered.map(({ hash }) => hash);
    const included = new Set(mined);
    const publicOrder = mined.slice(top.length).filter((hash) => planned.includes(hash));
    const plannedOrder = planned.filter((hash) => included.has(hash) && !pinned.has(hash));
    if (!top.every((hash, index) => mined[index] === hash) || !plannedOrder.every((hash, index) => publicOrder[index] === hash)) {
      this.#log('block.disordered', { number: block.number, built: [...top, ...planned], mined: block.txs });
    }
    if (top.length === 0) return;
    const succeeded = new Map((await this.#chain.receipts(block.hash)).map((receipt) => [receipt.hash, receipt.succeeded]));
    for (const { transaction, succeeded: expected } of assembly.taken.flatMap(({ effects }) => effects)) {
      if (succeeded.get(transaction.hash) === expected) continue;
      this.#log('bundle.diverged', {
        number: block.number,
        hash: transaction.hash,
        simulated: expected,
        mined: succeeded.get(transaction.hash),
      });
    }
  }

  #report(block: MinedBlock, { assembly }: Built, simulatedAt: Date, startedAt: number): SealedBlock {
    const sealedAt = new Date();
    const taken = assembly.taken.filter(({ candidate }) => candidate.bundle);
    for (const { candidate } of taken) this.#bundles.settle(candidate.bundle!, 'taken', undefined, simulatedAt, sealedAt);
    const skipped: SkippedBundle[] = [];
    for (const { candidate, reason } of assembly.skipped) {
      if (candidate.bundle) {
        this.#bundles.settle(candidate.bundle, 'skipped', reason, simulatedAt, sealedAt);
        skipped.push({ ...identity(candidate.bundle), reason });
      } else {
        this.#log('private.waiting', { hash: candidate.id, reason });
      }
    }
    const privateTxs = assembly.taken.filter(({ candidate }) => !candidate.bundle).map(({ candidate }) => candidate.id as Hex);
    this.#privates.settle(block.txs, block.number);
    this.#orderFlow.settle(block.txs, block.number);
    this.#bundles.pass(block.number);
    return {
      number: block.number,
      hash: block.hash,
      timestamp: block.timestamp,
      baseFeeWei: String(block.baseFeeWei),
      gasUsed: block.gasUsed,
      txs: block.txs,
      bundles: taken.map(({ candidate, revenueWei, gasUsed }) => ({
        ...identity(candidate.bundle!),
        txs: candidate.transactions.map(({ hash }) => hash),
        revenueWei: String(revenueWei),
        gasUsed: Number(gasUsed),
      })),
      skipped,
      privateTxs,
      sealMs: Math.round((performance.now() - startedAt) * 10) / 10,
    };
  }

  /**
   * What was not for this block, and what was lost meanwhile (dropping a transaction also drops a successor that came in that moment).
   * After a failure it is the whole pool. What the pool already has, or will never take again, it refuses by itself.
   */
  async #putBack({ pool, readAt }: Building, built: Built | undefined): Promise<void> {
    if (built && !built.arranged) return;
    this.#mempool.guard(readAt);
    const arrivals = built ? this.#mempool.since(readAt) : [];
    const back = built ? [...new Set([...built.publics.kept, ...arrivals])] : pool;
    const movable = back.filter(({ raw }) => raw !== undefined);
    const results = await this.#chain.submit(movable.map(({ raw }) => raw!));
    for (const [index, result] of results.entries()) {
      if (!result.ok && /base fee|fee cap/i.test(result.message)) this.#park(movable[index]!);
    }
  }

  #park(transaction: PoolTransaction): void {
    this.#mempool.forget([transaction.hash]);
    this.#parked.push(transaction);
    if (this.#parked.length > MAX_PARKED)
      this.#log('public.refused', { hash: this.#parked.shift()!.hash, reason: 'too many below the base fee' });
  }

  async #unpark(): Promise<void> {
    if (this.#parked.length === 0) return;
    const { baseFeeWei } = await this.#chain.next();
    const ready = this.#parked.filter((transaction) => tipPerGasWei(transaction, baseFeeWei) >= 0n);
    const results = await this.#chain.submit(ready.map(({ raw }) => raw!));
    const settled = new Set(ready.filter((_, index) => results[index]!.ok || !/base fee|fee cap/i.test(messageOf(results[index]!))));
    this.#parked = this.#parked.filter((transaction) => !settled.has(transaction));
  }
}

function messageOf(result: { ok: boolean; message?: string }): string {
  return result.message ?? '';
}

function identity({ hash, signer, replacementUuid }: Bundle) {
  return { bundleHash: hash, signer, ...(replacementUuid === undefined ? {} : { replacementUuid }) };
}
