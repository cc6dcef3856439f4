/** A start from a snapshot, held against one from nothing, on real contracts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentsOf } from '../../scripts/devnet/deployments.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { Rpc } from '../../src/chain/types.ts';
import { type AddressBook, resolveAddressBook } from '../../src/config/addressBook.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Restoring } from '../../src/mirror/snapshots/restore.ts';
import { World } from '../../src/world.ts';
import { EarlierDouble } from '../support/earlier-double.ts';
import { fileOf, restoring } from '../support/kept.ts';

let fixture: Fixture;
let pool: RpcPool;
let book: AddressBook;
let last = 0;

beforeAll(async () => {
  fixture = await createFixture({
    positions: 40,
    legacyPositions: 10,
    morphoPositions: 15,
    cometPositions: 10,
    venusPositions: 10,
    seed: 3,
  });
  const { chainId, name: _, ...deployments } = deploymentsOf(fixture.market);
  book = resolveAddressBook(chainId, undefined, lowered(deployments) as never);
  pool = await RpcPool.open([new SecretUrl(fixture.anvil.rpcUrl)]);
  last = Number(await pool.request('eth_blockNumber', []));
});
afterAll(async () => {
  pool.close();
  await fixture.stop();
});

function lowered(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json).replaceAll(/0x[0-9a-fA-F]{40}/g, (address) => address.toLowerCase()));
}

async function open(rpc: Rpc, kept?: Restoring): Promise<World> {
  return World.open({ rpc, book, executor: undefined, restoring: kept }, () => {});
}

/** All that the world says of every position, whatever slots they are at. */
function positionsOf(world: World): unknown {
  const at = world.next();
  const rows = world.protocols.flatMap((protocol) =>
    Array.from(protocol.slots(), (slot) => ({
      key: `${protocol.id} ${protocol.marketOf(slot)} ${protocol.accountOf(slot)}`,
      verdict: protocol.judge(slot, at),
      view: protocol.view(slot, at),
    })),
  );
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1));
}

describe('a start from a snapshot', () => {
  it.each([0.55, 0.7, 0.85, 0.97])('ends where one from nothing does (taken after %f of the history)', async (part) => {
    const taken = Math.floor(last * part);
    const file = await fileOf((await open(new EarlierDouble(pool, taken))).keeper);
    const restored: string[] = [];
    const rpc = new EarlierDouble(pool, last);
    const again = await open(rpc, restoring(file, restored));
    const fresh = await open(new EarlierDouble(pool, last));
    expect(positionsOf(again)).toEqual(positionsOf(fresh));
    expect(restored.length).toBeGreaterThan(1);
    for (const { id } of again.protocols.filter(({ id }) => restored.includes(id))) expect(again.distrust(id)).toBeUndefined();
  });
});
