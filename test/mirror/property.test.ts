import fc from 'fast-check';
import { encodeFunctionData } from 'viem';
import { describe, expect, it } from 'vitest';
import { Heads } from '../../src/chain/heads.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Hex } from '../../src/lib/types.ts';
import { Mirror } from '../../src/mirror/mirror.ts';
import { account, call, TallyChain, tallyAbi } from '../support/tally-chain.ts';
import { TallyMirror } from '../support/tally-mirror.ts';

const ACCOUNTS = 6;
/** More for a soak: `MIRROR_RUNS=500`. */
const RUNS = Number(process.env['MIRROR_RUNS'] ?? 12);

/** NOTE: a chain for each run: after some thousand blocks made and rolled back, anvil loses the state that a deep rollback needs. */
async function setUp() {
  const chain = await TallyChain.start({ flags: ['--slots-in-an-epoch', '72'] });
  await chain.act(call.change(account(0), 1_000n), call.bear(1n));
  await chain.mineEmpty(150);
  const pool = await RpcPool.open([new SecretUrl(chain.ws)]);
  const tearDown = async () => {
    pool.close();
    await chain.stop();
  };
  return { chain, pool, tearDown };
}

const action: fc.Arbitrary<Hex> = fc.oneof(
  fc.record({ who: fc.nat(ACCOUNTS - 1), by: fc.bigInt(-50n, 50n) }).map(({ who, by }) => call.change(account(who), by)),
  fc.bigInt(1n, 9n).map(call.bear),
  fc.record({ index: fc.bigInt(0n, 20n), by: fc.bigInt(1n, 9n) }).map(({ index, by }) => call.bump(index, by)),
  fc.bigInt(0n, 1_000n).map(call.setRate),
);
const block = fc.array(action, { maxLength: 3 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('blocks' as const), blocks: fc.array(block, { minLength: 1, maxLength: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fork' as const),
      depth: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 8 }) }, { weight: 1, arbitrary: fc.integer({ min: 9, max: 128 }) }),
      blocks: fc.array(block, { minLength: 1, maxLength: 6 }),
    }),
  },
  // Also lets the mirror look only now and then, so that it meets several changes at once.
  { weight: 2, arbitrary: fc.constant({ kind: 'look' as const }) },
);

describe('any sequence of blocks and reorgs', () => {
  it(
    'ends in the state of a fresh sync, which is what the contracts themselves say',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), async (steps) => {
          const { chain, pool, tearDown } = await setUp();
          const tally = new TallyMirror(chain.tally);
          const mirror = await Mirror.sync(pool, [tally], { multicall3: chain.multicall3, auditLimit: 3 });
          const heads = new Heads(pool, mirror.recent);
          try {
            let room = (await chain.block()).number - mirror.recent[0]!.number;
            for (const one of steps) {
              if (one.kind === 'look') await look(chain, mirror, heads);
              if (one.kind === 'fork') {
                const depth = Math.min(one.depth, room);
                await chain.rollback(depth);
                // NOTE: a chain that became shorter says nothing until it grows again; a fresh rate tells the branches apart.
                await chain.act(call.setRate(BigInt(depth)));
                room += 1 - depth;
              }
              if (one.kind === 'look') continue;
              for (const calls of one.blocks) await chain.act(...calls);
              room = Math.min(room + one.blocks.length, 128);
            }
            await look(chain, mirror, heads);
            expect(mirror.live('tally')).toBe(true);
            const fresh = new TallyMirror(chain.tally);
            await Mirror.sync(pool, [fresh], { multicall3: chain.multicall3, auditLimit: 0 });
            expect(tally.state()).toEqual(fresh.state());
            expect(Object.fromEntries([...tally.balances].filter(([, balance]) => balance !== 0n))).toEqual(await balances(chain, mirror));
            // The undo journal did it: nothing was read anew after the first anchor.
            expect(tally.anchors).toBe(1);
          } finally {
            heads.close();
            await tearDown();
          }
        }),
        { numRuns: RUNS, seed: 20_260_101, endOnFailure: true },
      );
    },
    RUNS * 10_000,
  );
});

/** Follows to the chain's newest block; on the way nothing may differ or fail. */
async function look(chain: TallyChain, mirror: Mirror, heads: Heads): Promise<void> {
  const { hash } = await chain.block();
  while (mirror.head.hash !== hash) {
    const event = await heads.next(mirror.head);
    if (event === null) throw new Error('closed');
    const update = await mirror.onHeads(event);
    expect(update.resynced).toBe(false);
    for (const { mismatches, failures } of update.blocks) expect([...mismatches, ...failures]).toEqual([]);
  }
}

async function balances(chain: TallyChain, mirror: Mirror): Promise<Record<string, bigint>> {
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => account(n));
  const calls = accounts.map((who) => ({
    to: chain.tally,
    data: encodeFunctionData({ abi: tallyAbi, functionName: 'balanceOf', args: [who] }),
  }));
  const answers = await mirror.views.callAt(mirror.head.hash, calls);
  const values = answers.map(({ data }) => BigInt.asIntN(256, BigInt(data)));
  return Object.fromEntries(accounts.map((who, i) => [who, values[i]!] as const).filter(([, value]) => value !== 0n));
}
