import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
async function start(...mirrored: TallyMirror[]) {
  const mirror = await Mirror.sync(pool, mirrored, { multicall3: chain.multicall3, auditLimit: 4 });
  const heads = new Heads(pool, mirror.recent);
  const updates: MirrorUpdate[] = [];
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
    updates.push(...seen);
    return seen;
  };
  return { mirror, heads, catchUp, updates, [Symbol.dispose]: () => heads.close() };
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

  it('needs two calls for a block', async () => {
    const tally = new TallyMirror(chain.tally);
    using run = await start(tally);
    await chain.act(call.change(account(1), 1n));
    await run.catchUp();
    calls = [];
    for (let i = 0; i < 10; i++) {
      await chain.act(call.change(account(i), 1n));
      await run.catchUp();
    }
    expect(calls).toHaveLength(20);
    expect(new Set(calls)).toEqual(new Set(['eth_getLogs', 'eth_call']));
  });
});
