/** The block builder: pools, sealer, slot clock and faults in one, and what the control API may ask of them. */
import { type Address, type Hex, keccak256 } from 'viem';
import { BundlePool } from './bundles.ts';
import { Chain } from './chain.ts';
import { Faults } from './faults.ts';
import type { Log } from './log.ts';
import { Mempool } from './mempool.ts';
import { OrderFlow } from './order-flow.ts';
import { PrivatePool } from './private-pool.ts';
import type { Command, Reorged, ReorgTransactions, SealedBlock, Status } from './protocol.ts';
import { type RelayMethod, relayMethods } from './relay.ts';
import { Sealer } from './seal.ts';
import { Slots } from './slots.ts';

/** Chain seconds per block. */
const SLOT_SECONDS = 12;
const MAX_BLOCKS_KEPT = 512;
const MAX_REORG_DEPTH = 128;
/** Part of the slot that choosing may take. */
const BUDGET_SHARE = 0.5;
const MIN_BUDGET_MS = 250;

export type BuilderOptions = { rpcUrl: string; coinbase: Address; slotMs: number; log: Log };

export class Builder {
  readonly chain: Chain;
  readonly faults = new Faults();
  readonly methods: ReadonlyMap<string, RelayMethod>;
  readonly #bundles = new BundlePool();
  readonly #privates = new PrivatePool();
  readonly orderFlow = new OrderFlow();
  readonly #mempool: Mempool;
  readonly #sealer: Sealer;
  readonly #slots: Slots;
  readonly #log: Log;
  readonly #blocks: SealedBlock[] = [];
  readonly #waiters = new Set<(block: SealedBlock) => void>();
  #slotsToMiss = 0;
  /** Chain time by which the next block is later than one slot. */
  #extraSeconds = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(chain: Chain, mempool: Mempool, { slotMs, log }: BuilderOptions) {
    this.chain = chain;
    this.#mempool = mempool;
    this.#log = log;
    const pools = { bundles: this.#bundles, privates: this.#privates, orderFlow: this.orderFlow };
    const budgetMs = Math.max(MIN_BUDGET_MS, slotMs * BUDGET_SHARE);
    this.#sealer = new Sealer({ chain, mempool, log, budgetMs, ...pools });
    this.#slots = new Slots(slotMs, () => this.#slot());
    this.methods = relayMethods({ chain, ...pools });
  }

  /** Takes the chain over; slots stay held until `resume`. */
  static async open(options: BuilderOptions): Promise<Builder> {
    const chain = await Chain.takeOver(options.rpcUrl, options.coinbase, SLOT_SECONDS);
    const mempool = await Mempool.open(chain);
    return new Builder(chain, mempool, options);
  }

  resume(): void {
    this.#slots.resume();
  }

  async close(): Promise<void> {
    this.#slots.hold();
    await this.#last.catch(() => undefined);
    this.#mempool.close();
    this.chain.close();
  }

  /** Throws an Error with one clear line when the command cannot be done. */
  async control(command: Command): Promise<unknown> {
    switch (command.cmd) {
      case 'status':
        return this.#status();
      case 'seal':
        return this.#seal();
      case 'hold':
        this.#slots.hold();
        // Held means held: a block that is being sealed is waited for.
        await this.#last.catch(() => undefined);
        return this.#status();
      case 'resume':
        this.#slots.resume();
        return this.#status();
      case 'missSlots':
        this.#slotsToMiss = command.count;
        return this.#status();
      case 'warp':
        this.#extraSeconds += command.seconds;
        return this.#status();
      case 'fault':
        this.faults.add(command.fault);
        return this.#status();
      case 'clearFaults':
        this.faults.clear();
        return this.#status();
      case 'blocks':
        return this.#blocks.filter(({ number }) => number >= command.from);
      case 'waitForBlock':
        return this.#waitForBlock(command.number, command.timeoutMs);
      case 'bundles':
        return this.#bundles.states(command.number);
      case 'reorg':
        return this.#exclusive(() => this.#reorg(command.depth, command.transactions));
    }
  }

  #status(): Status {
    return {
      coinbase: this.chain.coinbase,
      chainId: this.chain.chainId,
      slotMs: this.#slots.slotMs,
      held: this.#slots.held,
      head: this.chain.head.number,
      bundlesWaiting: this.#bundles.waiting(),
      privateWaiting: this.#privates.waiting(),
      auctionsWaiting: this.orderFlow.waiting(),
      nextSlotMs: this.#slots.nextMs(),
      faults: this.faults.list(),
      slotsToMiss: this.#slotsToMiss,
    };
  }

  async #slot(): Promise<void> {
    if (this.#slotsToMiss > 0) {
      this.#slotsToMiss -= 1;
      this.#extraSeconds += SLOT_SECONDS;
      this.#log('slot.missed', { head: this.#blocks.at(-1)?.number });
      return;
    }
    // A slot whose block could not be sealed is a missed slot, whatever the cause; the next one tries again.
    await this.#seal().catch((error: Error) => this.#log('seal.failed', { head: this.#blocks.at(-1)?.number, error: error.message }));
  }

  #seal(): Promise<SealedBlock> {
    return this.#exclusive(async () => {
      const block = await this.#sealer.seal(SLOT_SECONDS + this.#extraSeconds);
      this.#extraSeconds = 0;
      this.#blocks.push(block);
      if (this.#blocks.length > MAX_BLOCKS_KEPT) this.#blocks.shift();
      this.#log('block.sealed', { ...block });
      for (const waiter of [...this.#waiters]) waiter(block);
      return block;
    });
  }

  #waitForBlock(number: number, timeoutMs: number): Promise<SealedBlock> {
    const known = this.#blocks.find((block) => block.number >= number);
    if (known) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const waiter = (block: SealedBlock) => {
        if (block.number < number) return;
        finish();
        resolve(block);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`block ${number} was not sealed within ${timeoutMs} ms; the last was ${this.#blocks.at(-1)?.number}`));
      }, timeoutMs);
      const finish = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      this.#waiters.add(waiter);
    });
  }

  async #reorg(depth: number, transactions: ReorgTransactions): Promise<Reorged> {
    const { number: head } = this.chain.head;
    if (depth > Math.min(MAX_REORG_DEPTH, head))
      throw new Error(`cannot reorg ${depth} blocks: head is ${head}, at most ${MAX_REORG_DEPTH}`);
    const removed: Hex[][] = [];
    for (let number = head - depth + 1; number <= head; number++) removed.push(await this.chain.rawTransactions(number));
    // NOTE: what the last block took from a bundle is still in the mirror, and would be taken for a loss of our making, and put back.
    this.#mempool.forget(removed.flat().map((raw) => keccak256(raw)));
    const { hash } = await this.chain.reorg(depth, transactions === 'keep' ? removed : []);
    const orphaned = transactions === 'keep' ? [] : removed.flat();
    if (transactions === 'return') await this.chain.submit(orphaned);
    const from = head - depth + 1;
    const stale = this.#blocks.findIndex(({ number }) => number >= from);
    if (stale >= 0) this.#blocks.splice(stale);
    const reorged: Reorged = { from, to: head, newHead: hash, orphaned: orphaned.map((raw) => keccak256(raw)) };
    this.#log('chain.reorged', { from, to: head, newHead: hash, transactions });
    return reorged;
  }

  /** One after the other: blocks, reorgs. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.catch(() => undefined).then(work);
    this.#last = done;
    return done;
  }
}
