/** A start with accounts that somebody told of: it does not wait for the history, and in the end it knows what any start knows. On real contracts. */
import { encodeFunctionData, parseAbi } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deploymentsOf } from '../../scripts/devnet/deployments.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { getHead } from '../../src/chain/actions/getHead.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { Answerer, CallOptions, RpcCall } from '../../src/chain/types.ts';
import { type AddressBook, resolveAddressBook } from '../../src/config/addressBook.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address } from '../../src/lib/types.ts';
import type { Told } from '../../src/mirror/told.ts';
import { discoveryTopics } from '../../src/protocols/aave-v3/fold.ts';
import type { AaveV3Market } from '../../src/protocols/aave-v3/market.ts';
import type { CompoundV3 } from '../../src/protocols/compound-v3/compound-v3.ts';
import type { Protocol } from '../../src/protocols/types.ts';
import { World } from '../../src/world.ts';
import { EarlierDouble } from '../support/earlier-double.ts';
import { fileOf } from '../support/kept.ts';

const borrowAbi = parseAbi(['function borrow(address asset, uint256 amount, uint256 mode, uint16 referral, address onBehalfOf)']);
const cometAbi = parseAbi([
  'function withdraw(address asset, uint256 amount)',
  'function transferAsset(address dst, address asset, uint256 amount)',
]);
const NEIGHBOUR: Address = `0x${'9e'.repeat(20)}`;

let fixture: Fixture;
let pool: RpcPool;
let book: AddressBook;

beforeAll(async () => {
  fixture = await createFixture({ positions: 30, morphoPositions: 8, cometPositions: 9, venusPositions: 8, seed: 4 });
  const { chainId, name: _, ...deployments } = deploymentsOf(fixture.market);
  book = resolveAddressBook(chainId, undefined, lowered(deployments) as never);
  pool = await RpcPool.open([new SecretUrl(fixture.anvil.rpcUrl)]);
});
afterAll(async () => {
  pool.close();
  await fixture.stop();
});

function lowered(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json).replaceAll(/0x[0-9a-fA-F]{40}/g, (address) => address.toLowerCase()));
}

/** Answers nothing about the markets' logs over a range until it is let go. */
class HeldHistoryDouble extends EarlierDouble {
  readonly #free = Promise.withResolvers<void>();
  held = 0;

  letGo(): void {
    this.#free.resolve();
  }

  override async ask<T>(call: RpcCall, parse: (result: unknown, from: Answerer) => T, options?: CallOptions): Promise<T> {
    const [filter] = call.params;
    if (call.method === 'eth_getLogs' && 'fromBlock' in Object(filter) && JSON.stringify(filter).includes(discoveryTopics[0]!)) {
      this.held++;
      await this.#free.promise;
    }
    return super.ask(call, parse, options);
  }
}

const only = (world: World, name: string) => world.protocols.find((protocol) => protocol.name === name)!;
const blockNumber = async () => Number(await pool.request('eth_blockNumber', []));

/** Health, by account. */
function healthOf(protocol: Protocol, world: World): Map<Address, string> {
  const at = world.now();
  return new Map(Array.from(protocol.slots(), (slot) => [protocol.accountOf(slot), JSON.stringify(protocol.judge(slot, at), bigint)]));
}

function bigint(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function send(from: Address, to: Address, data: `0x${string}`): Promise<void> {
  await rpc(fixture.anvil.rpcUrl, 'anvil_setBalance', [from, '0xde0b6b3a7640000']);
  await rpc(fixture.anvil.rpcUrl, 'eth_sendTransaction', [{ from, to, data, gas: '0x1e8480' }]);
}

/** A block in which somebody who was not told of borrows more at each of the two, and gives collateral to one whom nobody knows. */
async function actUnknown(whole: World, unknown: { readonly aave: Address; readonly comet: Address }): Promise<void> {
  await rpc(fixture.anvil.rpcUrl, 'anvil_autoImpersonateAccount', [true]);
  const [aave, comet] = [only(whole, 'aave-v3') as AaveV3Market, only(whole, 'compound-v3') as CompoundV3];
  const debt = aave.view(aave.slotOf(unknown.aave)!, whole.now()).debt[0]!.asset;
  const args = [debt, 5n, 2n, 0, unknown.aave] as const;
  await send(unknown.aave, aave.state.addresses.pool, encodeFunctionData({ abi: borrowAbi, functionName: 'borrow', args }));
  const slot = [...comet.slots()].find((each) => comet.accountOf(each) === unknown.comet)!;
  const { collateral } = comet.view(slot, whole.now());
  const move = encodeFunctionData({ abi: cometAbi, functionName: 'transferAsset', args: [NEIGHBOUR, collateral[0]!.asset, 3n] });
  await send(unknown.comet, comet.state.comet, move);
  await rpc(fixture.anvil.rpcUrl, 'evm_mine');
}

async function followed(world: World): Promise<void> {
  for (let number = world.head.number + 1; number <= (await blockNumber()); number++)
    await world.follow({ kind: 'extended', added: [await getHead(pool, { number })], arrivedAtMs: 0 });
}

it('watches them before the history is known, and everybody after it', async () => {
  const whole = await World.open({ rpc: pool, book, executor: undefined }, () => {});
  const [aaves, comets] = [healthOf(only(whole, 'aave-v3'), whole), healthOf(only(whole, 'compound-v3'), whole)];
  const borrowers = (rows: ReadonlyMap<Address, string>) => [...rows.keys()].filter((account) => account !== book['compound-v3'][0]!.comet);
  const told: Told[] = [
    ...borrowers(aaves)
      .slice(0, 12)
      .map((account) => ({ account })),
    ...borrowers(comets)
      .slice(0, 4)
      .map((account) => ({ account, protocol: 'compound-v3' })),
  ];
  const unknown = { aave: borrowers(aaves).at(-1)!, comet: borrowers(comets).at(-1)! };

  const slow = new HeldHistoryDouble(pool, await blockNumber());
  const world = await World.open({ rpc: slow, book, executor: undefined, told }, () => {});
  const [aave, comet] = [only(world, 'aave-v3'), only(world, 'compound-v3')];
  expect(world.past).toMatchObject({ told: 16, partial: ['aave-v3/core', 'compound-v3/cUSDCv3'] });
  expect([...world.past!.awaited].map((id) => id.split('/')[0]).sort()).toEqual(['compound-v2', 'morpho-blue']);
  expect(world.suspended(aave)).toBeUndefined();
  expect(world.suspended(only(world, 'morpho-blue'))).toContain('before its history is known');
  const seen = healthOf(aave, world);
  expect([...seen.keys()].sort()).toEqual(borrowers(aaves).slice(0, 12).sort());
  for (const [account, health] of seen) expect(health).toBe(aaves.get(account));
  for (const { account, protocol } of told)
    if (protocol !== undefined) expect(healthOf(comet, world).get(account)).toBe(comets.get(account));
  expect(healthOf(comet, world).has(unknown.comet)).toBe(false);
  // What is not known yet outlasts no restart.
  expect((await fileOf(world.keeper)).toString('latin1')).not.toContain('aave-v3/core');

  const gone = world.goThroughPast(new AbortController().signal);
  await actUnknown(whole, unknown);
  await followed(whole);
  await followed(world);
  expect(healthOf(aave, world).get(unknown.aave)).toBe(healthOf(only(whole, 'aave-v3'), whole).get(unknown.aave));
  expect(healthOf(comet, world).get(unknown.comet)).toBe(healthOf(only(whole, 'compound-v3'), whole).get(unknown.comet));
  expect(world.distrusted).toEqual([]);

  slow.letGo();
  await gone;
  expect(slow.held).toBeGreaterThan(0);
  expect(world.past).toBeUndefined();
  await rpc(fixture.anvil.rpcUrl, 'evm_mine');
  await followed(whole);
  await followed(world);
  for (const [place, protocol] of whole.protocols.entries()) {
    expect(world.suspended(world.protocols[place]!)).toBeUndefined();
    expect(healthOf(world.protocols[place]!, world)).toEqual(healthOf(protocol, whole));
  }
  expect((await fileOf(world.keeper)).toString('latin1')).toContain('aave-v3/core');
});
