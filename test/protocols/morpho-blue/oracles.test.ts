/** Oracles of every kind: what a pending update moves, and what only the chain's own answer does. */
import { type Abi, type Address, encodeFunctionData } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Artifact, compileUnit } from '../../../scripts/devnet/compile.ts';
import { idOf, type MorphoMarket, NO_ADDRESS } from '../../../scripts/devnet/morpho/deploy.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { LIQUIDATOR, lower, MorphoWorld } from './world.ts';

const E36 = 10n ** 36n;
/** USDC for a whole ETH, as Morpho scales it. */
const etherPrice = (usd: bigint) => (usd * E36) / 10n ** 12n;

let world: MorphoWorld;
let doubles: Record<string, Artifact>;
let feed: (name: string) => Address;

beforeAll(async () => {
  world = await MorphoWorld.open({ positions: 4, seed: 2 });
  feed = (name) => world.fixture.market.feeds[name]!.proxy;
  doubles = await compileUnit({
    name: 'morpho oracle doubles',
    solc: 'solc-0.8.27',
    entries: ['test/protocols/morpho-blue/contracts/OracleDoubles.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
});
afterAll(() => world?.fixture.stop());

/** A market of WETH against USDC with this oracle, somebody in it with debt; and the mirror a few blocks on. */
async function borrowedAgainst(oracle: Address, blocks = 6): Promise<{ slot: number; market: MorphoMarket }> {
  const { tokens } = world.fixture.market;
  const [like] = world.morpho.markets;
  const params = { ...like!.params, oracle, irm: NO_ADDRESS };
  const market = { id: idOf(params), collateral: 'WETH', loan: 'USDC', params };
  expect(params.loanToken).toBe(tokens['USDC']);
  await world.call(LIQUIDATOR, 'createMarket', [params]);
  await world.call(LIQUIDATOR, 'supply', [params, 10n ** 12n, 0n, LIQUIDATOR, '0x']);
  await world.call(LIQUIDATOR, 'supplyCollateral', [params, 10n ** 18n, LIQUIDATOR, '0x']);
  await world.call(LIQUIDATOR, 'borrow', [params, 2_000_000_000n, 0n, LIQUIDATOR, LIQUIDATOR]);
  for (let i = 0; i < blocks; i++) await world.sender.mine();
  await world.follower.advance();
  const slot = world.slotsOf(LIQUIDATOR).find((one) => world.protocol.aliasesOf(one).includes(market.id))!;
  return { slot, market };
}

/** `_isHealthy` at one WETH of collateral and 2,000 USDC of debt: 86% of the price over the debt. */
function healthAt(usd: bigint): bigint {
  return (((usd * 10n ** 6n * 86n) / 100n) * 10n ** 18n) / 2_000_000_000n;
}

function chainlink(base: Record<string, unknown>): Address {
  const none = { vault: NO_ADDRESS, sample: 1n, feed1: NO_ADDRESS, feed2: NO_ADDRESS };
  return world.fixture.chain.deploy('oracle', world.morpho.artifacts.oracle, [
    { ...none, tokenDecimals: 18n, ...base },
    { ...none, tokenDecimals: 6n },
  ]);
}

const health = (slot: number, prices: Readonly<Record<string, bigint>> = {}) => {
  const verdict = world.protocol.judge(slot, world.later(12, prices));
  return verdict.kind === 'unknown' ? verdict.reason : verdict.healthFactorWad;
};

test('a Chainlink-based oracle of a market that came after the anchor moves with a pending update', () =>
  world.undone(async () => {
    const oracle = chainlink({ feed1: feed('ETH / USD') });
    await world.fixture.chain.mine();
    const { slot } = await borrowedAgainst(oracle);
    expect([health(slot), health(slot, { 'ETH / USD': 2_000_00000000n })]).toEqual([healthAt(3_000n), healthAt(2_000n)]);
    expect(world.protocol.feeds()).toContain(lower(feed('ETH / USD')));
    await world.price({ 'ETH / USD': 2_000_00000000n });
    expect(health(slot)).toBe(healthAt(2_000n));
    expect(await world.follower.audit()).toEqual([]);
  }));

test('until it has been taken apart, its own answer is taken', () =>
  world.undone(async () => {
    const oracle = chainlink({ feed1: feed('ETH / USD') });
    await world.fixture.chain.mine();
    const { slot } = await borrowedAgainst(oracle, 1);
    expect([health(slot), health(slot, { 'ETH / USD': 2_000_00000000n })]).toEqual([healthAt(3_000n), healthAt(3_000n)]);
  }));

test('a vault’s shares are read each block and multiplied in', () =>
  world.undone(async () => {
    const { chain } = world.fixture;
    const vault = chain.deploy('vault', doubles['VaultDouble']!);
    await chain.mine();
    const oracle = chainlink({ feed1: feed('ETH / USD'), vault, sample: 10n ** 12n });
    await chain.mine();
    const { slot } = await borrowedAgainst(oracle);
    expect([health(slot), health(slot, { 'ETH / USD': 2_000_00000000n })]).toEqual([healthAt(3_300n), healthAt(2_200n)]);
    await world.sender.call(LIQUIDATOR, vault, doubles['VaultDouble']!.abi, 'setRate', [12n * 10n ** 17n]);
    await world.sender.mine();
    await world.follower.advance();
    expect([health(slot), health(slot, { 'ETH / USD': 2_000_00000000n })]).toEqual([healthAt(3_600n), healthAt(2_400n)]);
  }));

test('any other oracle is read each block, and a pending update does not move it', () =>
  world.undone(async () => {
    const { chain } = world.fixture;
    const oracle = chain.deploy('oracle', world.morpho.artifacts.oracleMock);
    await chain.mine();
    chain.call(oracle, world.morpho.artifacts.oracleMock.abi, 'setPrice', [etherPrice(3_000n)]);
    await chain.mine();
    const { slot } = await borrowedAgainst(oracle);
    expect([health(slot), health(slot, { 'ETH / USD': 2_000_00000000n })]).toEqual([healthAt(3_000n), healthAt(3_000n)]);
    chain.call(oracle, world.morpho.artifacts.oracleMock.abi, 'setPrice', [etherPrice(2_300n)]);
    await chain.mine();
    await world.follower.advance();
    expect(health(slot)).toBe(healthAt(2_300n));
  }));

test('one that only claims to follow a feed is believed as far as its own answer agrees', () =>
  world.undone(async () => {
    const { chain } = world.fixture;
    const { abi } = doubles['LyingOracleDouble']!;
    const oracle = chain.deploy('oracle', doubles['LyingOracleDouble']!, [feed('ETH / USD'), etherPrice(3_000n)]);
    await chain.mine();
    const { slot } = await borrowedAgainst(oracle);
    expect(health(slot, { 'ETH / USD': 2_000_00000000n })).toBe(healthAt(2_000n));
    await world.sender.send(
      LIQUIDATOR,
      oracle,
      encodeFunctionData({ abi: abi as Abi, functionName: 'setPrice', args: [etherPrice(2_500n)] }),
      'lie',
    );
    await world.sender.mine();
    await world.follower.advance();
    expect([health(slot), health(slot, { 'ETH / USD': 2_000_00000000n })]).toEqual([healthAt(2_500n), healthAt(2_500n)]);
  }));

test('where the oracle reverts nothing is judged, and the rest of the deployment is', () =>
  world.undone(async () => {
    const { chain } = world.fixture;
    const oracle = chain.deploy('oracle', world.morpho.artifacts.oracleMock);
    await chain.mine();
    chain.call(oracle, world.morpho.artifacts.oracleMock.abi, 'setPrice', [etherPrice(3_000n)]);
    await chain.mine();
    const { slot, market } = await borrowedAgainst(oracle);
    await rpc(world.sender.url, 'anvil_setCode', [oracle, '0xfd']);
    await world.sender.mine();
    await world.follower.advance();
    expect(health(slot)).toBe(`oracle ${lower(market.params.oracle)} does not answer`);
    expect(world.protocol.options(slot, world.later())).toEqual([]);
    const others = [...world.protocol.slots()].filter((one) => one !== slot);
    for (const other of others) expect(typeof health(other)).toBe('bigint');
  }));
