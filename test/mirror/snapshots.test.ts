import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getHead } from '../../src/chain/actions/getHead.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import { ByteReader, ByteWriter } from '../../src/lib/bytes.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Hex } from '../../src/lib/types.ts';
import { type Keeping, keepSets, setsIn } from '../../src/mirror/keeping.ts';
import { Mirror } from '../../src/mirror/mirror.ts';
import { decodeSnapshot, SnapshotError } from '../../src/mirror/snapshots/format.ts';
import { restoringFrom, type SnapshotEvent, SnapshotService } from '../../src/mirror/snapshots/service.ts';
import { SnapshotStore } from '../../src/mirror/snapshots/store.ts';
import { type Keeper, takeSnapshot } from '../../src/mirror/snapshots/take.ts';
import { EarlierDouble } from '../support/earlier-double.ts';
import { fileOf, restoring } from '../support/kept.ts';
import { account, call, TallyChain } from '../support/tally-chain.ts';
import { TallyMirror } from '../support/tally-mirror.ts';

const CHAIN_ID = 31337;

/** A Tally's mirror that keeps whom it has seen. */
class KeepingTally extends TallyMirror {
  readonly keeping: Keeping = {
    shape: `tally 1 ${this.id}`,
    keep: () => keepSets([this.known]),
    restore: (pieces) => {
      const [known] = setsIn(pieces, 1);
      for (const address of known!) this.know(address);
    },
  };
}

let chain: TallyChain;
let pool: RpcPool;
let folder = '';
let told: SnapshotEvent[] = [];

beforeAll(async () => {
  chain = await TallyChain.start();
  await chain.act(...Array.from({ length: 20 }, (_, index) => call.change(account(index), BigInt(index + 1))));
  await chain.mineEmpty(5);
  pool = await RpcPool.open([new SecretUrl(chain.http)]);
});
afterAll(async () => {
  pool.close();
  await chain.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiff-snapshots-'));
  told = [];
});
afterEach(() => rm(folder, { recursive: true }));

async function synced(tally = new KeepingTally(chain.tally)): Promise<{ mirror: Mirror; tally: KeepingTally }> {
  return { tally, mirror: await Mirror.sync(pool, [tally], { multicall3: chain.multicall3, auditLimit: 0 }) };
}

/** A snapshot in the folder, of the chain as it is. */
async function save(chainId = CHAIN_ID): Promise<void> {
  const { mirror } = await synced();
  const service = new SnapshotService(new SnapshotStore(folder), chainId, (event) => told.push(event));
  expect(await service.take(mirror)).toBe(true);
  await chain.mineEmpty(70);
}

const newest = () => restoringFrom(new SnapshotStore(folder), pool, CHAIN_ID, (event) => told.push(event));
const files = async () => (await readdir(join(folder, 'snapshots'))).sort();
const reasons = () => told.flatMap((event) => ('reason' in event ? event.reason : []));

describe('values as bytes', () => {
  it('are read as they were written', () => {
    const bytes = (length: number) =>
      fc.uint8Array({ minLength: length, maxLength: length }).map((all) => `0x${Buffer.from(all).toString('hex')}` as Hex);
    const values = fc.record({
      amounts: fc.array(fc.bigInt({ min: -(2n ** 256n) + 1n, max: 2n ** 256n - 1n }), { maxLength: 300 }),
      address: bytes(20),
      hash: bytes(32),
      number: fc.maxSafeNat(),
      filters: fc.array(
        fc.record(
          { addresses: fc.array(bytes(20), { maxLength: 3 }), topics0: fc.array(bytes(32), { maxLength: 3 }) },
          { requiredKeys: ['topics0'] },
        ),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(values, ({ amounts, address, hash, number, filters }) => {
        const writer = new ByteWriter();
        writer.number(amounts.length);
        for (const amount of amounts) writer.bigint(amount);
        writer.address(address);
        writer.hash(hash);
        writer.number(number);
        writer.filters(filters);
        const bytes = writer.take();
        const reader = new ByteReader(bytes);
        expect(reader.list(() => reader.bigint())).toEqual(amounts);
        expect([reader.address(), reader.hash(), reader.number(), reader.filters()]).toEqual([address, hash, number, filters]);
        expect(reader.done).toBe(true);
        const short = new ByteReader(bytes.subarray(0, bytes.length - 1));
        expect(() => [short.list(() => short.bigint()), short.address(), short.hash(), short.number(), short.filters()]).toThrow(
          RangeError,
        );
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe('a snapshot', () => {
  it('is refused when it is torn, or changed, at any byte', async () => {
    const file = await fileOf((await synced()).mirror);
    expect(decodeSnapshot(file).entries).toHaveLength(1);
    fc.assert(
      fc.property(fc.nat({ max: file.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        expect(() => decodeSnapshot(file.subarray(0, at))).toThrow(SnapshotError);
        const changed = Buffer.from(file);
        changed[at]! ^= change;
        expect(() => decodeSnapshot(changed)).toThrow(SnapshotError);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('lets a start go on from where it was taken, and asks for no older log', async () => {
    await save();
    await chain.act(call.change(account(1), 5n), call.change(account(77), 8n));
    await chain.mineEmpty(70);
    const kept = await newest();
    expect(kept).toBeDefined();
    const rpc = new EarlierDouble(pool, (await chain.block()).number);
    const tally = new KeepingTally(chain.tally);
    await Mirror.sync(rpc, [tally], { multicall3: chain.multicall3, auditLimit: 0, restoring: kept });
    expect(tally.state()).toEqual((await synced()).tally.state());
    const [used] = told.filter((event) => event.kind === 'used');
    const asked = rpc.calls.flatMap(({ params: [filter] }) => Number(Object(filter).fromBlock ?? Number.POSITIVE_INFINITY));
    expect(Math.min(...asked)).toBe(used!.first.number + 1);
  });

  it('that is torn makes way for the one before it, which is told in one line', async () => {
    await save();
    await save();
    const [, last] = await files();
    const file = join(folder, 'snapshots', last!);
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(0, Math.floor(whole.length / 2)));
    expect(await newest()).toBeDefined();
    expect(told.filter(({ kind }) => kind === 'refused')).toEqual([
      { kind: 'refused', file, reason: 'it is torn: its checksum does not fit' },
    ]);
  });

  it('of another chain, of an older version, of a branch that is gone, or of a block that is not final, is not used', async () => {
    await save(1);
    expect(await newest()).toBeUndefined();
    expect(reasons()).toEqual(['it is of chain 1']);

    const older = join(folder, 'snapshots', '999999999999.snapshot');
    await writeFile(older, 'bailiff snapshot 0\nwhatever it was');
    await newest();
    expect(reasons()).toContain('it is of another version');

    told = [];
    const { mirror } = await synced();
    await new SnapshotService(new SnapshotStore(folder), CHAIN_ID, () => {}).take(mirror);
    const { number } = mirror.head;
    await newest();
    expect(reasons()).toContain(`its block ${number} is not final yet`);

    told = [];
    await chain.rollback(3);
    await chain.act(call.change(account(5), 1n));
    await chain.mineEmpty(70);
    expect(await newest()).toBeUndefined();
    expect(reasons()).toContain(`its block ${number} is of another branch, or of another chain`);
  });

  it('is abandoned when a block is taken back while it is taken, and leaves no file behind', async () => {
    const { mirror } = await synced();
    const store = new SnapshotStore(folder);
    const service = new SnapshotService(store, CHAIN_ID, (event) => told.push(event));
    let asked = 0;
    const keeper: Keeper = {
      head: mirror.head,
      kept: () => mirror.kept(),
      settled: () => mirror.settled(),
      get retreats() {
        return asked++;
      },
    };
    expect(await service.take(keeper)).toBe(false);
    expect(told).toMatchObject([{ kind: 'abandoned' }]);
    expect(await files()).toEqual([]);
  });

  it('goes on beside the stream: what changes meanwhile is read anew after it', async () => {
    const { mirror, tally } = await synced();
    const parts: Uint8Array[] = [];
    let acted = false;
    const drain = async () => {
      if (acted) return;
      acted = true;
      await chain.act(call.change(account(2), 1_000n), call.change(account(501), 4n));
      const head = await getHead(pool, 'latest');
      await mirror.onHeads({ kind: 'extended', added: [head], arrivedAtMs: 0 });
    };
    const taken = await takeSnapshot(mirror, CHAIN_ID, { add: (part) => void parts.push(Buffer.from(part)), drain });
    expect(taken).toMatchObject({ kind: 'taken' });
    expect(taken.kind === 'taken' && taken.last.number - taken.first.number).toBe(1);
    const again = new KeepingTally(chain.tally);
    await Mirror.sync(pool, [again], { multicall3: chain.multicall3, auditLimit: 0, restoring: restoring(Buffer.concat(parts)) });
    expect(again.state()).toEqual(tally.state());
  });

  it('is one of four at most', async () => {
    const { mirror } = await synced();
    const service = new SnapshotService(new SnapshotStore(folder), CHAIN_ID, () => {});
    for (let round = 0; round < 6; round++) {
      await chain.act();
      await mirror.onHeads({ kind: 'extended', added: [await getHead(pool, 'latest')], arrivedAtMs: 0 });
      expect(await service.take(mirror)).toBe(true);
    }
    expect(await files()).toHaveLength(4);
    expect((await files()).at(-1)).toContain(String(mirror.head.number));
  });
});

describe('a history that is gone through', () => {
  it('is gone on with where an earlier start was cut short', async () => {
    const store = new SnapshotStore(folder);
    const service = new SnapshotService(store, CHAIN_ID, (event) => told.push(event), 0);
    const stop = new Error('killed');
    let saved = 0;
    const cut = Mirror.sync(pool, [new KeepingTally(chain.tally)], {
      ...{ multicall3: chain.multicall3, auditLimit: 0 },
      discovered: (kept, at) => {
        saved = kept[0]!.to;
        service.discovered(kept, at);
        throw stop;
      },
    });
    await expect(cut).rejects.toBe(stop);
    await service.stop();
    expect(saved).toBeGreaterThan(10);

    const rpc = new EarlierDouble(pool, (await chain.block()).number);
    const tally = new KeepingTally(chain.tally);
    await Mirror.sync(rpc, [tally], { multicall3: chain.multicall3, auditLimit: 0, restoring: await newest() });
    expect(tally.state()).toEqual((await synced()).tally.state());
    const asked = rpc.calls.flatMap(({ params: [filter] }) => Number(Object(filter).fromBlock ?? Number.POSITIVE_INFINITY));
    expect(Math.min(...asked)).toBe(saved + 1);
  });
});
