import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, FaultProxy } from '../../scripts/devnet/fault-proxy.ts';
import { Heads } from '../../src/chain/heads.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { ChainNotice } from '../../src/chain/types.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import { Mirror } from '../../src/mirror/mirror.ts';
import type { MirrorUpdate } from '../../src/mirror/reports.ts';
import { account, call, TallyChain } from '../support/tally-chain.ts';
import { TallyMirror } from '../support/tally-mirror.ts';

let chain: TallyChain;
let pool: RpcPool;
let calls: string[] = [];
const notify = (notice: ChainNotice) => {
  if (notice.kind === 'call') calls.push(notice.method);
};

beforeAll(async () => {
  chain = await TallyChain.start();
  await chain.act(call.change(account(1), 100n), call.bear(5n));
  await chain.mineEmpty(80);
  pool = await RpcPool.open([new SecretUrl(chain.ws)], { notify });
});
afterAll(async () => {
  pool.close();
  await chain.stop();
});
beforeEach(() => {
  calls = [];
});

/** Mirrors as the keeper does, one event at a time. */
async function start(...args: (TallyMirror | { depth?: number })[]) {
  const mirrored = args.filter((arg) => arg instanceof TallyMirror);
  const options = args.filter((arg) => !(arg instanceof TallyMirror));
  const mirror = await Mirror.sync(pool, mirrored, { multicall3: chain.multicall3, auditLimit: 4, ...options[0] });
  const heads = new Heads(pool, mirror.recent);
  /** Until the mirror stands at the chain's newest block. */
  const catchUp = async () => {
    const { hash } = await chain.block();
    const seen: MirrorUpdate[] = [];
    while (mirror.head.hash !== hash) {
      const event = await heads.next(mirror.head);
      if (event === null) throw new Error('closed');
      const update = await mirror.onHeads(event);
      if (update.resynced) heads.restart(mirror.recent);
      seen.push(update);
    }
    return seen;
  };
  return { mirror, heads, catchUp, [Symbol.dispose]: () => heads.close() };
}

const fresh = async () => {
  const tally = new TallyMirror(chain.tally);
  await Mirror.sync(pool, [tally], { multicall3: chain.multicall3, auditLimit: 0 });
  return tally.state();
};

describe('a mirror', () => {
  it('follows logs, reads and contracts born within the block', async () => {
    const tally = new TallyMirror(chain.tally);
    using run = await start(tally);
    await chain.act(call.change(account(1), -30n), call.change(account(2), 7n), call.setRate(9n));
    await chain.act(call.bear(11n), call.bump(0n, 2n), call.bump(1n, 3n));
    const updates = await run.catchUp();
    expect(updates.flatMap(({ blocks }) => blocks.flatMap(({ mismatches, failures }) => [...mismatches, ...failures]))).toEqual([]);
    expect(tally.balances).toEqual(
      new Map([
        [account(1), 70n],
        [account(2), 7n],
      ]),
    );
    expect([...tally.children.values()]).toEqual([7n, 14n]);
    expect(tally.rate).toBe(9n);
    expect(tally.state()).toEqual(await fresh());
  });

  it('takes back what a reorg removes', async () => {
    const tally = new TallyMirror(chain.tally);
    using run = await start(tally);
    const before = tally.state();
    for (let i = 0; i < 5; i++) await chain.act(call.change(account(3), 1n), call.bear(1n), call.setRate(BigInt(100 + i)));
    await run.catchUp();
    expect(tally.state()).not.toEqual(before);
    await chain.reorg(5);
    const updates = await run.catchUp();
    expect(updates.flatMap(({ removed }) => removed)).toHaveLength(5);
    expect(updates.every(({ resynced }) => !resynced)).toBe(true);
    expect(tally.state()).toEqual(before);
  });

  it('needs two calls for a block, whatever the number of the mirrored', async () => {
    const tallies = Array.from({ length: 6 }, (_, i) => new TallyMirror(chain.tally, { id: `tally-${i}` }));
    using run = await start(...tallies);
    await chain.act(call.change(account(1), 1n));
    await run.catchUp();
    calls = [];
    for (let i = 0; i < 10; i++) {
      await chain.act(call.change(account(i), 1n));
      await run.catchUp();
    }
    // Now and then, beside it, one is proved by its receipts.
    const folding = calls.filter((method) => method !== 'eth_getBlockReceipts');
    expect(calls.length - folding.length).toBeLessThanOrEqual(4);
    expect(folding).toHaveLength(20);
    expect(new Set(folding)).toEqual(new Set(['eth_getLogs', 'eth_call']));
  });

  it('reports a difference to the chain as a value, and is right again after a re-anchor', async () => {
    const tally = new TallyMirror(chain.tally);
    using run = await start(tally);
    const account1 = tally.balances.get(account(1))!;
    for (const who of tally.balances.keys()) tally.balances.set(who, tally.balances.get(who)! + 1n);
    await chain.act();
    const mismatches = (await run.catchUp()).flatMap(({ blocks }) => blocks.flatMap((block) => block.mismatches));
    expect(mismatches).toHaveLength(4);
    expect(mismatches[0]).toMatchObject({ id: 'tally', subject: expect.stringMatching(/^account 0x/) });
    run.mirror.reanchor('tally');
    expect(run.mirror.live('tally')).toBe(false);
    await chain.act();
    expect((await run.catchUp()).flatMap(({ blocks }) => blocks.flatMap(({ anchored }) => anchored))).toEqual(['tally']);
    expect(tally.balances.get(account(1))).toBe(account1);
    expect(tally.state()).toEqual(await fresh());
  });

  it.each(['apply', 'ingest'] as const)('goes on with the others when one throws in %s, and has it back', async (where) => {
    const [good, bad] = [new TallyMirror(chain.tally, { id: 'good' }), new TallyMirror(chain.tally, { id: 'bad' })];
    using run = await start(good, bad);
    bad.breaks = where;
    await chain.act(call.change(account(20), 1n));
    const [first] = (await run.catchUp()).flatMap(({ blocks }) => blocks);
    expect(first?.failures).toMatchObject([{ id: 'bad', during: where, error: { message: `told to break in ${where}` } }]);
    expect([run.mirror.live('good'), run.mirror.live('bad')]).toEqual([true, false]);
    bad.breaks = null;
    // An account that appears while it is down has to be discovered for its new anchor.
    await chain.act(call.change(account(21), 5n), call.bear(2n));
    const [second] = (await run.catchUp()).flatMap(({ blocks }) => blocks);
    expect(second).toMatchObject({ failures: [], anchored: ['bad'] });
    await chain.act(call.change(account(21), 1n));
    await run.catchUp();
    expect(bad.state()).toEqual(good.state());
    expect(good.anchors).toBe(1);
  });

  it('pauses longer and longer with one that does not come back, and reports each attempt once', async () => {
    const bad = new TallyMirror(chain.tally, { id: 'bad' });
    using run = await start(bad);
    bad.breaks = 'anchor';
    run.mirror.reanchor('bad');
    const failedAt: number[] = [];
    for (let i = 1; i <= 16; i++) {
      await chain.act();
      const blocks = (await run.catchUp()).flatMap((update) => update.blocks);
      if (blocks.some(({ failures }) => failures.length > 0)) failedAt.push(i);
    }
    expect(failedAt).toEqual([1, 3, 7, 15]);
  });

  it('takes back a reorg over a block in which one was anchored anew', async () => {
    const tally = new TallyMirror(chain.tally);
    using run = await start(tally);
    await chain.act(call.change(account(1), 3n));
    await run.catchUp();
    run.mirror.reanchor('tally');
    await chain.act(call.change(account(1), 4n));
    await run.catchUp();
    await chain.act(call.change(account(1), 5n));
    await run.catchUp();
    await chain.fork(3, 2, call.change(account(30), 6n), call.bear(1n));
    await run.catchUp();
    expect(tally.state()).toEqual(await fresh());
    expect(tally.balances.get(account(30))).toBe(6n);
  });

  it.each([
    ['its journal', { depth: 4 }, 6],
    ['its anchor', { depth: 128 }, 70],
  ])('syncs from scratch after a reorg that reaches below %s', async (_, options, depth) => {
    await chain.mineEmpty(80);
    const tally = new TallyMirror(chain.tally);
    using run = await start(tally, options);
    for (let i = 0; i < 5; i++) await chain.act(call.change(account(40 + i), 1n));
    await run.catchUp();
    await chain.fork(depth, 3, call.change(account(50), 2n));
    const updates = await run.catchUp();
    expect(updates.map(({ resynced }) => resynced)).toContain(true);
    expect(tally.state()).toEqual(await fresh());
    await chain.act(call.change(account(50), 1n));
    expect((await run.catchUp()).every(({ resynced }) => !resynced)).toBe(true);
    expect(tally.state()).toEqual(await fresh());
  });

  it('anchors at the head what is younger than the finalised block', async () => {
    const { number } = await chain.block();
    const [old, young] = [
      new TallyMirror(chain.tally, { id: 'old' }),
      new TallyMirror(chain.tally, { id: 'young', fromBlock: number - 3 }),
    ];
    using run = await start(old, young);
    expect(young.state()).toEqual({ ...(old.state() as object), balances: (young.state() as { balances: unknown }).balances });
    await chain.act(call.bear(3n), call.setRate(77n));
    await run.catchUp();
    expect(young.children).toEqual(old.children);
    expect(young.rate).toBe(77n);
  });

  it('rejects naming the address when the contract is nowhere', async () => {
    const nowhere = new TallyMirror(account(99));
    const synced = Mirror.sync(pool, [nowhere], { multicall3: chain.multicall3, auditLimit: 0 });
    await expect(synced).rejects.toThrow(`no Tally at ${account(99)}`);
  });

  it('takes in more while it runs', async () => {
    const [tally, later] = [new TallyMirror(chain.tally), new TallyMirror(chain.tally, { id: 'later' })];
    using run = await start(tally);
    await chain.act(call.change(account(60), 1n));
    await run.catchUp();
    await run.mirror.add([later]);
    expect(later.state()).toEqual(tally.state());
    await chain.act(call.change(account(60), 1n), call.bear(1n));
    await run.catchUp();
    expect(later.state()).toEqual(tally.state());
    await expect(run.mirror.add([new TallyMirror(account(99), { id: 'nowhere' })])).rejects.toThrow(account(99));
    await chain.act();
    expect((await run.catchUp()).flatMap(({ blocks }) => blocks.flatMap(({ failures }) => failures))).toEqual([]);
  });
});

it('takes in more even when its head was reorganised away meanwhile', async () => {
  await chain.mineEmpty(80);
  await chain.act(call.change(account(61), 1n));
  const [tally, later] = [new TallyMirror(chain.tally), new TallyMirror(chain.tally, { id: 'later' })];
  using run = await start(tally);
  await chain.fork(1, 2, call.change(account(61), 9n));
  await run.mirror.add([later]);
  expect([tally.state(), later.state()]).toEqual([await fresh(), await fresh()]);
  await chain.act(call.change(account(61), 1n));
  await run.catchUp();
  expect([tally.state(), later.state()]).toEqual([await fresh(), await fresh()]);
});

describe('a mirror whose endpoint fails', () => {
  let proxy: FaultProxy;
  beforeEach(async () => {
    proxy = await FaultProxy.start(chain.http);
  });
  afterEach(() => proxy.stop());

  it.each([
    ['drops its sockets and refuses new ones', () => proxy.down(), () => proxy.up()],
    ['never answers', () => setFault({ kind: 'silent' }), () => setFault({ kind: 'none' })],
    [
      'cannot answer calls',
      () => setFault({ kind: 'error', methods: ['eth_call'], code: -32603, message: 'internal error' }),
      () => setFault({ kind: 'none' }),
    ],
  ])('changes nothing while it %s, and catches up then', async (_, breaks, mends) => {
    const flaky = await RpcPool.open([new SecretUrl(proxy.ws)], { timeoutMs: 200 });
    const tally = new TallyMirror(chain.tally);
    const mirror = await Mirror.sync(flaky, [tally], { multicall3: chain.multicall3, auditLimit: 2 });
    const heads = new Heads(flaky, mirror.recent, { timeoutMs: 200 });
    const updates: MirrorUpdate[] = [];
    const following = (async () => {
      for (let event = await heads.next(mirror.head); event !== null; event = await heads.next(mirror.head))
        updates.push(await mirror.onHeads(event));
    })();
    await breaks();
    for (let i = 0; i < 4; i++) await chain.act(call.change(account(70 + i), 1n), call.setRate(BigInt(i)));
    await mends();
    const { hash } = await chain.block();
    await expect.poll(() => mirror.head.hash).toBe(hash);
    heads.close();
    await following;
    flaky.close();
    expect(updates.flatMap(({ blocks }) => blocks.flatMap(({ failures, mismatches }) => [...failures, ...mismatches]))).toEqual([]);
    expect(tally.state()).toEqual(await fresh());
  });

  async function setFault(fault: Fault): Promise<void> {
    proxy.fault = fault;
  }
});
