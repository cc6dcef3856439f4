import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../scripts/devnet/fault-proxy.ts';
import { getHead } from '../../src/chain/actions/getHead.ts';
import { Heads } from '../../src/chain/heads.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { ChainNotice, HeadEvent } from '../../src/chain/types.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Head, Hex } from '../../src/lib/types.ts';
import { account, call, TallyChain } from '../support/tally-chain.ts';

let chain: TallyChain;
let proxy: FaultProxy;
let spare: FaultProxy;
const open: { close(): void }[] = [];

beforeAll(async () => {
  chain = await TallyChain.start();
  await chain.mineEmpty(140);
});
afterAll(() => chain.stop());
beforeEach(async () => {
  proxy = await FaultProxy.start(chain.http);
  spare = await FaultProxy.start(chain.http);
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  await proxy.stop();
  await spare.stop();
});

/** Follows the chain as the mirror would, by nothing but the events. */
class Follower {
  readonly heads: Heads;
  readonly notices: ChainNotice[] = [];
  readonly events: HeadEvent[] = [];
  #at: Head[];

  constructor(pool: RpcPool, known: readonly Head[]) {
    this.#at = [...known];
    this.heads = new Heads(pool, known, { timeoutMs: 500, notify: (notice) => void this.notices.push(notice) });
    open.push(this.heads);
  }

  get head(): Head {
    return this.#at.at(-1)!;
  }

  get sources(): string[] {
    return this.notices.flatMap((notice) => (notice.kind === 'heads-from' ? [`${notice.by} ${notice.host}`] : []));
  }

  /** Until it stands at this block; each block's parent must be the one before. */
  async reach(hash: Hex): Promise<void> {
    while (this.head.hash !== hash) {
      const event = await this.heads.next(this.head);
      if (event === null) throw new Error('closed');
      this.events.push(event);
      if (event.kind === 'lost') this.#at = [event.head];
      if (event.kind === 'reorg') for (const removed of event.removed) expect(this.#at.pop()).toEqual(removed);
      if (event.kind !== 'lost') for (const added of event.added) this.#follow(added);
    }
  }

  #follow(added: Head): void {
    expect(added.parentHash).toBe(this.head.hash);
    this.#at.push(added);
  }
}

async function follow(urls: readonly string[], options: { depth?: number } = {}) {
  const pool = await RpcPool.open(
    urls.map((url) => new SecretUrl(url)),
    { timeoutMs: 500 },
  );
  open.push(pool);
  const tip = await getHead(pool, 'latest');
  const known: Head[] = [tip];
  while (known.length <= (options.depth ?? 10)) known.unshift(await getHead(pool, { hash: known[0]!.parentHash }));
  return new Follower(pool, known);
}

const tip = async () => (await chain.block()).hash;

describe.each(['ws', 'http'] as const)('heads over %s', (scheme) => {
  it('come in order, each on its parent', async () => {
    const follower = await follow([proxy[scheme]]);
    for (let i = 0; i < 5; i++) await chain.act();
    await follower.reach(await tip());
    expect(follower.events.every(({ kind }) => kind === 'extended')).toBe(true);
  });

  it('see another block of the same height', async () => {
    const follower = await follow([proxy[scheme]]);
    await chain.act(call.change(account(1), 1n));
    const before = await chain.block();
    await follower.reach(before.hash);
    await chain.reorg(1);
    const after = await chain.block();
    expect(after.number).toBe(before.number);
    expect(after.hash).not.toBe(before.hash);
    await follower.reach(after.hash);
    expect(follower.events.at(-1)).toMatchObject({ kind: 'reorg', removed: [{ hash: before.hash }], added: [{ hash: after.hash }] });
  });

  it('see a chain that became shorter', async () => {
    const follower = await follow([proxy[scheme]]);
    for (let i = 0; i < 4; i++) await chain.act();
    await follower.reach(await tip());
    await chain.rollback(3);
    await chain.act(call.change(account(2), 1n));
    await follower.reach(await tip());
    expect(follower.events.at(-1)).toMatchObject({ kind: 'reorg', removed: { length: 3 }, added: { length: 1 } });
  });

  it('walk back over a reorg of 128 blocks', async () => {
    const follower = await follow([proxy[scheme]], { depth: 130 });
    const depth = 128;
    await chain.fork(depth, depth, call.change(account(3), 1n));
    await follower.reach(await tip());
    const removed = follower.events.flatMap((event) => (event.kind === 'reorg' ? event.removed : []));
    expect(removed.length).toBe(depth);
    expect(follower.events.some(({ kind }) => kind === 'lost')).toBe(false);
  });

  it('fill the gap after an outage, and are back within two blocks of the endpoint', async () => {
    const follower = await follow([proxy[scheme]]);
    for (let i = 0; i < 6; i++) {
      await chain.act();
      await follower.reach(await tip());
    }
    await proxy.down();
    for (let i = 0; i < 20; i++) await chain.act();
    const missed = await tip();
    await proxy.up();
    await follower.reach(missed);
    expect(follower.events.some(({ kind }) => kind === 'lost')).toBe(false);
    await chain.act();
    await follower.reach(await tip());
  });
});

describe('heads', () => {
  it('are lost when no common ancestor is within reach', async () => {
    const follower = await follow([proxy.ws], { depth: 2 });
    await chain.fork(10, 11, call.change(account(4), 1n));
    await follower.reach(await tip());
    expect(follower.events.map(({ kind }) => kind)).toContain('lost');
  });

  it('reach a slow follower in order, without what came and went meanwhile', async () => {
    const follower = await follow([proxy.ws]);
    const start = follower.head;
    await chain.act(call.change(account(1), 1n));
    await chain.fork(1, 1, call.change(account(5), 1n));
    for (let i = 0; i < 10; i++) await chain.act();
    const { hash, number } = await chain.block();
    await expect.poll(() => follower.heads.tip.hash).toBe(hash);
    await follower.reach(hash);
    expect(follower.events).toMatchObject([{ kind: 'extended', added: { length: number - start.number } }]);
  });

  it('come from the next endpoint while the first is gone, and from the first again', async () => {
    const follower = await follow([proxy.ws, spare.http]);
    await chain.act();
    await follower.reach(await tip());
    await proxy.down();
    await chain.act();
    await follower.reach(await tip());
    await proxy.up();
    await expect.poll(() => follower.heads.host).toBe(proxy.host);
    await chain.act();
    await follower.reach(await tip());
    expect(follower.sources).toEqual([`subscription ${proxy.host}`, `polling ${spare.host}`, `subscription ${proxy.host}`]);
  });

  it('are asked for anew when a subscription has fallen silent', async () => {
    const follower = await follow([proxy.ws]);
    for (let i = 0; i < 6; i++) {
      await chain.act();
      await follower.reach(await tip());
    }
    proxy.fault = { kind: 'mute' };
    await chain.act();
    await follower.reach(await tip());
    expect(follower.notices).toContainEqual(expect.objectContaining({ kind: 'heads-late' }));
    expect(proxy.calls.filter((method) => method === 'eth_subscribe').length).toBeGreaterThan(1);
  });

  it('come from the endpoint that is ahead when the preferred one is behind', async () => {
    const old = await getHead(await openPool(proxy.http), 'latest');
    for (let i = 0; i < 8; i++) await chain.act();
    const block = await rawBlock(old.number);
    proxy.fault = { kind: 'result', results: { eth_getBlockByNumber: block } };
    const pool = await openPool(proxy.http, spare.http);
    const follower = new Follower(pool, [old]);
    await follower.reach(await tip());
    expect(follower.heads.host).toBe(spare.host);
  });

  it('are linked as soon as the endpoint can tell their parents', async () => {
    const follower = await follow([proxy.ws]);
    proxy.fault = { kind: 'error', methods: ['eth_getBlockByNumber', 'eth_getBlockByHash'], code: -32000, message: 'header not found' };
    for (let i = 0; i < 3; i++) await chain.act();
    await chain.fork(2, 3, call.change(account(6), 1n));
    await expect.poll(() => proxy.calls.filter((method) => method === 'eth_getBlockByHash').length).toBeGreaterThan(1);
    proxy.fault = { kind: 'none' };
    await follower.reach(await tip());
  });

  it('are late after five of the gaps seen here, whatever the timestamps say', async () => {
    const follower = await follow([proxy.ws]);
    expect(follower.heads.freshness()).toMatchObject({ fresh: true, gapMs: null });
    for (let i = 0; i < 5; i++) {
      await chain.act();
      await follower.reach(await tip());
      await expect.poll(() => follower.heads.freshness().waitedMs).toBeGreaterThan(20);
    }
    const { gapMs } = follower.heads.freshness();
    expect(gapMs).toBeGreaterThan(20);
    await expect.poll(() => follower.heads.freshness().fresh, { interval: 5 }).toBe(false);
    expect(follower.heads.freshness().waitedMs).toBeGreaterThan(5 * gapMs!);
    await expect
      .poll(async () => {
        await chain.act();
        await follower.reach(await tip());
        return follower.heads.freshness().fresh;
      })
      .toBe(true);
  });

  it('cost a polled endpoint about one call a block', async () => {
    const follower = await follow([proxy.http]);
    const beat = async (blocks: number) => {
      const began = performance.now();
      for (let i = 1; i <= blocks; i++) {
        await chain.act();
        await new Promise((resolve) => setTimeout(resolve, began + i * 120 - performance.now()));
      }
      await follower.reach(await tip());
    };
    await beat(8);
    proxy.calls.length = 0;
    await beat(16);
    expect(proxy.calls.length).toBeLessThanOrEqual(16 * 1.5);
  }, 15_000);
});

async function openPool(...urls: string[]): Promise<RpcPool> {
  const pool = await RpcPool.open(
    urls.map((url) => new SecretUrl(url)),
    { timeoutMs: 500 },
  );
  open.push(pool);
  return pool;
}

async function rawBlock(number: number): Promise<unknown> {
  return (await openPool(chain.http)).request('eth_getBlockByNumber', [`0x${number.toString(16)}`, false]);
}
