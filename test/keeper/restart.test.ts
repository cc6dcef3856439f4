/** A start from a snapshot, held against one from nothing, on real contracts. */
import { type Abi, encodeFunctionData, parseAbi } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentsOf } from '../../scripts/devnet/deployments.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { Rpc } from '../../src/chain/types.ts';
import { type AddressBook, resolveAddressBook } from '../../src/config/addressBook.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address, Hex } from '../../src/lib/types.ts';
import type { Restoring } from '../../src/mirror/snapshots/restore.ts';
import { AaveV3Market } from '../../src/protocols/aave-v3/market.ts';
import { CompoundV2 } from '../../src/protocols/compound-v2/compound-v2.ts';
import { CompoundV3 } from '../../src/protocols/compound-v3/compound-v3.ts';
import { MorphoBlue } from '../../src/protocols/morpho-blue/morpho-blue.ts';
import type { Protocol, Slot } from '../../src/protocols/types.ts';
import { World } from '../../src/world.ts';
import { EarlierDouble } from '../support/earlier-double.ts';
import { fileOf, restoring } from '../support/kept.ts';

const aaveAbi = parseAbi([
  'function borrow(address asset, uint256 amount, uint256 mode, uint16 referral, address onBehalfOf)',
  'function transfer(address to, uint256 amount) returns (bool)',
]);
const morphoAbi = parseAbi([
  'function borrow((address loanToken, address collateralToken, address oracle, address irm, uint256 lltv) params, uint256 assets, uint256 shares, address onBehalf, address receiver)',
]);
const venusAbi = parseAbi(['function borrow(uint256 amount) returns (uint256)']);
const cometAbi = parseAbi(['function withdraw(address asset, uint256 amount)']);
const NEIGHBOUR: Address = `0x${'9e'.repeat(20)}`;
const encode = (abi: Abi, functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi, functionName, args: [...args] });

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

type Row = { readonly key: string; readonly said: unknown };
type Say = (protocol: Protocol, slot: Slot, world: World) => unknown;

/** What is said of every position, whatever slots they are at. */
function positionsOf(world: World, say: Say): readonly Row[] {
  const rows = world.protocols.flatMap((protocol) =>
    Array.from(protocol.slots(), (slot) => ({
      key: `${protocol.id} ${protocol.marketOf(slot)} ${protocol.accountOf(slot)}`,
      said: say(protocol, slot, world),
    })),
  );
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1));
}

const allOf: Say = (protocol, slot, world) => {
  const at = world.next();
  return { verdict: protocol.judge(slot, at), view: protocol.view(slot, at) };
};

/** What is owed, in units that interest does not change. */
const debtsOf: Say = (protocol, slot) => {
  if (protocol instanceof AaveV3Market) return [...protocol.state.accounts.read(slot).owed.values()].map(String);
  if (protocol instanceof MorphoBlue) return String(protocol.state.positions[slot]!.borrowShares);
  if (protocol instanceof CompoundV2)
    return Array.from(protocol.state.accounts[slot]!.holdings.values(), ({ principal }) => String(principal));
  return protocol instanceof CompoundV3 ? protocol.state.accounts.map(({ principal }) => String(principal)) : '';
};

/** Every third position of each protocol borrows a little more, and every fifth of Aave's gives some of its collateral away. */
async function act(world: World): Promise<void> {
  const send = async (from: Address, to: Address, data: Hex) => {
    await rpc(fixture.anvil.rpcUrl, 'anvil_setBalance', [from, '0xde0b6b3a7640000']);
    await rpc(fixture.anvil.rpcUrl, 'eth_sendTransaction', [{ from, to, data, gas: '0x1e8480' }]);
  };
  await rpc(fixture.anvil.rpcUrl, 'anvil_autoImpersonateAccount', [true]);
  for (const protocol of world.protocols)
    for (const slot of protocol.slots()) {
      const account = protocol.accountOf(slot);
      const debt = protocol.view(slot, world.now()).debt[0]?.asset;
      if (slot % 3 !== 0 || debt === undefined) continue;
      if (protocol instanceof AaveV3Market) {
        const { addresses, byAsset } = protocol.state;
        await send(account, addresses.pool, encode(aaveAbi, 'borrow', [debt, 5n, 2n, 0, account]));
        const [collateral] = protocol.view(slot, world.now()).collateral;
        if (slot % 5 === 0 && collateral !== undefined)
          await send(account, byAsset.get(collateral.asset)!.aToken, encode(aaveAbi, 'transfer', [NEIGHBOUR, 7n]));
      } else if (protocol instanceof MorphoBlue) {
        const { market } = protocol.state.positions[slot]!;
        await send(account, protocol.state.morpho, encode(morphoAbi, 'borrow', [market.params, 3n, 0n, account, account]));
      } else if (protocol instanceof CompoundV2) {
        const holding = [...protocol.state.accounts[slot]!.holdings.values()].find(({ principal }) => principal > 0n);
        if (holding !== undefined) await send(account, holding.market.address, encode(venusAbi, 'borrow', [9n]));
      } else if (protocol instanceof CompoundV3)
        await send(account, protocol.state.comet, encode(cometAbi, 'withdraw', [debt, 1_000_000n]));
    }
  await rpc(fixture.anvil.rpcUrl, 'evm_mine');
}

describe('a start from a snapshot', () => {
  it.each([0.6, 0.8])('ends where one from nothing does (taken after %f of the history)', async (part) => {
    const taken = await open(new EarlierDouble(pool, Math.floor(last * part)));
    await expectSame(await fileOf(taken.keeper), last);
  });

  it('reads those anew whom logs have named since', async () => {
    const before = await open(new EarlierDouble(pool, last));
    const file = await fileOf(before.keeper);
    await act(before);
    const now = Number(await pool.request('eth_blockNumber', []));
    await expectSame(file, now);
    const moved = positionsOf(await open(new EarlierDouble(pool, now)), debtsOf);
    const still = positionsOf(before, debtsOf);
    const changed = new Set(
      moved.filter((row, place) => JSON.stringify(row) !== JSON.stringify(still[place])).map(({ key }) => key.split('/')[0]),
    );
    expect([...changed].sort()).toEqual(['aave-v3', 'compound-v2', 'compound-v3', 'morpho-blue']);
  });
});

async function expectSame(file: Uint8Array, now: number): Promise<void> {
  const restored: string[] = [];
  const again = await open(new EarlierDouble(pool, now), restoring(file, restored));
  const fresh = await open(new EarlierDouble(pool, now));
  expect(positionsOf(again, allOf)).toEqual(positionsOf(fresh, allOf));
  expect(restored.length).toBeGreaterThan(1);
  for (const id of restored) expect(again.distrust(id)).toBeUndefined();
}
