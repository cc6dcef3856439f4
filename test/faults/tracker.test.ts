import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Prng } from '../../scripts/devnet/prng.ts';
import { FINAL_DEPTH, Tracker } from '../../src/execution/tracker.ts';
import type { ExecutionChain } from '../../src/execution/types.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { IntendedTransaction, Ledger } from '../../src/ledger/types.ts';
import type { Head, Hex } from '../../src/lib/types.ts';
import { hashOf, result, transaction } from '../ledger/fixtures.ts';

const LANE = transaction(0).lane;
const FOREIGN = 'foreign';

type Block = Head & { readonly mined: readonly Hex[]; readonly nonce: number };

/** A chain that takes whatever was once signed for the next nonce, or a stranger's transaction of the same account, and changes its mind. */
class ChainDouble {
  readonly signed: IntendedTransaction[] = [];
  readonly #random: Prng;
  readonly #all = new Map<Hex, Block>();
  blocks: Block[] = [];
  /** Receipts come from an endpoint that has not heard of the last reorganisation. */
  stale = false;
  #abandoned: readonly Block[] = [];

  constructor(random: Prng) {
    this.#random = random;
    this.#append([], 0);
  }

  get tip(): Block {
    return this.blocks.at(-1)!;
  }

  grow(): void {
    const mined: Hex[] = [];
    let { nonce } = this.tip;
    while (this.#random.next() < 0.6) {
      const candidates = this.signed.filter((one) => one.nonce === nonce);
      mined.push(candidates.length > 0 && this.#random.next() < 0.9 ? this.#random.pick(candidates).txHash : (FOREIGN as Hex));
      nonce++;
    }
    this.#append(mined, nonce);
  }

  /** Other blocks in place of the last ones: as many, one fewer or one more. */
  reorg(depth: number): readonly Block[] {
    this.#abandoned = [...this.blocks];
    const removed = this.blocks.splice(Math.max(1, this.blocks.length - depth)).reverse();
    for (let blocks = removed.length + this.#random.pick([-1, 0, 0, 1]); blocks > 0; blocks--) this.grow();
    return removed;
  }

  execution(): ExecutionChain {
    const none = () => Promise.reject(new Error('not asked for here'));
    return {
      receipt: async (txHash) => {
        const holds = ({ mined }: Block) => mined.includes(txHash);
        // Nothing at all counts only from an endpoint that knows the head.
        const block = (this.stale ? this.#abandoned.find(holds) : undefined) ?? this.blocks.find(holds);
        return (
          block && { txHash, from: LANE, succeeded: true, block: block.number, blockHash: block.hash, gasUsed: 1n, gasWei: 1n, logs: [] }
        );
      },
      nonceOf: async (_, at) => (at === undefined ? this.tip : this.#all.get(at)!).nonce,
      accounts: async (addresses, at) =>
        addresses.map(() => ({ nonce: (at === undefined ? this.tip : this.#all.get(at)!).nonce, balanceWei: 0n })),
      balanceOf: none,
      simulate: none,
      surcharges: none,
      explain: none,
      broadcast: none,
      priorityFeeWei: none,
    };
  }

  #append(mined: readonly Hex[], nonce: number): void {
    const number = this.blocks.length === 0 ? 100 : this.tip.number + 1;
    const hash = hashOf(1_000_000 + this.#all.size);
    const block = { number, hash, mined, nonce, parentHash: this.blocks.at(-1)?.hash ?? hash, timestamp: number * 12 } as unknown as Block;
    this.#all.set(hash, block);
    this.blocks.push(block);
  }
}

/** Dies in the middle of its writing now and then. */
function dying(ledger: Ledger, random: Prng, share: number): Ledger {
  return new Proxy(ledger, {
    get: (object, name) => {
      const method = (Reflect.get(object, name, object) as (...given: unknown[]) => Promise<unknown>).bind(object);
      if (name !== 'settle' && name !== 'reopen') return method;
      return async (...given: unknown[]) => {
        if (random.next() < share) throw new Error('died before');
        await method(...given);
        if (random.next() < share) throw new Error('died after');
      };
    },
  });
}

class Follower {
  readonly #chain: ChainDouble;
  readonly #ledger: Ledger;
  readonly #tracker: (head: Head) => Tracker;
  /** Where it stands. */
  at: Block;

  constructor(chain: ChainDouble, ledger: Ledger, random: Prng) {
    this.#chain = chain;
    this.#ledger = ledger;
    this.at = chain.tip;
    this.#tracker = (head) =>
      new Tracker({
        ledger: dying(ledger, random, 0.1),
        chain: chain.execution(),
        lanes: [LANE],
        ours: (number) => (number > head.number ? undefined : chain.blocks.find((block) => block.number === number)?.hash),
        settleMined: async (of, receipt) => {
          const outcome = receipt.block > of.lastBlock ? 'reverted' : 'included';
          const settled = result(of, outcome, { block: receipt.block });
          return { ...settled, mined: { ...settled.mined!, blockHash: receipt.blockHash } };
        },
      });
  }

  /** To this block of the chain, as the keeper goes: told of what was removed, or not having been there. */
  async go(to: Block, removed: readonly Block[], wasDown: boolean): Promise<void> {
    let lost = wasDown;
    const from = this.at.number;
    this.at = to;
    for (let left = removed; ; ) {
      const tracker = this.#tracker(to);
      try {
        if (lost) await tracker.recheck(Math.min(from, to.number) - FINAL_DEPTH, to);
        else if (left.length > 0) await tracker.onRemoved(left, to);
        left = [];
        await tracker.onHead(to);
        return;
      } catch (error) {
        expect((error as Error).message).toMatch(/^died/);
        lost = true;
      }
    }
  }

  async send(random: Prng, n: number): Promise<void> {
    const { number: block, nonce: next } = this.at;
    const publicly = random.next() < 0.5;
    const open = await this.#tracker(this.at).inFlight(this.at);
    if (!publicly && open.length > 0) return;
    for (let index = 0; index < 1 + Math.floor(random.between(0, 3)); index++) {
      const one = transaction(n * 10 + index, {
        lane: LANE,
        nonce: next + index,
        channel: publicly ? 'public' : 'bundle',
        targetBlock: block + 1,
        lastBlock: block + (publicly ? 3 : 1),
      });
      await this.#ledger.intend(one);
      await this.#ledger.sent(one.txHash, {});
      this.#chain.signed.push(one);
    }
  }

  async check(): Promise<void> {
    const { number, nonce: next } = this.at;
    const known = new Map((await this.#ledger.open(0)).map((one) => [one.txHash, one]));
    for (const { txHash, nonce, lastBlock } of this.#chain.signed) {
      const block = this.#chain.blocks.find(({ mined, number: at }) => mined.includes(txHash) && at <= number);
      const { status, seen } = known.get(txHash)!;
      if (block !== undefined) {
        expect([status, seen]).toEqual([
          block.number > lastBlock ? 'reverted' : 'included',
          { block: block.number, blockHash: block.hash },
        ]);
        continue;
      }
      expect(seen).toBeUndefined();
      expect(['included', 'reverted']).not.toContain(status);
      if (nonce < next || lastBlock <= number) expect(['missed', 'expired', 'replaced']).toContain(status);
    }
  }
}

const step = fc.record({
  kind: fc.constantFrom('grow', 'grow', 'send', 'send', 'behind', 'reorg', 'down'),
  depth: fc.integer({ min: 1, max: 6 }),
});

it('whatever is mined, late or elsewhere, and whenever it dies, the books are those of the chain at every head', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const random = new Prng(seed);
      const chain = new ChainDouble(random);
      const ledger = await openLedger(':memory:');
      const follower = new Follower(chain, ledger, random);
      for (const [n, { kind, depth }] of steps.entries()) {
        if (kind === 'send') {
          await follower.send(random, n + 1);
          continue;
        }
        let removed: readonly Block[] = [];
        if (kind === 'reorg') removed = chain.reorg(depth);
        else if (kind === 'down') chain.reorg(depth);
        for (let blocks = kind === 'grow' ? 1 : kind === 'behind' ? 2 : 0; blocks > 0; blocks--) chain.grow();
        // The endpoint knows the next block already.
        if (kind === 'behind') {
          await follower.go(chain.blocks.at(-2)!, removed, false);
          await follower.check();
        }
        chain.stale = random.next() < 0.2;
        await follower.go(chain.tip, removed, kind === 'down');
        // What it was told wrong it may not have believed; at the next block it hears the truth.
        if (chain.stale) {
          chain.stale = false;
          chain.grow();
          await follower.go(chain.tip, [], false);
        }
        await follower.check();
      }
      await ledger.close();
    }),
    { seed: 20_261_121, numRuns: 300 },
  );
});
