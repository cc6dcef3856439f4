/** What only a new anchor can follow: pools with terms of their own, and Venus' liquidator contract with debts in VAI. In the order of the tests. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VenusBorrower } from '../../../scripts/devnet/venus/borrowers.ts';
import { type Gate, setGate } from './gate.ts';
import { holdsAt, ways } from './ways.ts';
import { CompoundWorld, lower, RUNNER } from './world.ts';

const WAD = 10n ** 18n;
const TREASURY_WAD = WAD / 3n;
const FALL = { 'ETH / USD': 2_800_00000000n, 'BTC / USD': 87_500_00000000n, 'LINK / USD': 13_90000000n };

let world: CompoundWorld;
let gate: Gate;
beforeAll(async () => {
  world = await CompoundWorld.open({ positions: 60, seed: 9 });
});
afterAll(() => world?.fixture.stop());

const wad = (bps: bigint) => bps * 10n ** 14n;
const simple = (symbol: string): VenusBorrower =>
  world.borrowers.find(({ collateral, debt }) => collateral.length === 1 && debt.length === 1 && collateral[0]!.market.symbol === symbol)!;

function healthOf(slot: number): bigint {
  const verdict = world.protocol.judge(slot, world.later());
  return verdict.kind === 'unknown' ? 0n : verdict.healthFactorWad;
}

/** Follows a block that cannot be folded in, as the sync engine does. */
async function anchorAfter(what: string): Promise<void> {
  await expect(world.follower.advance()).rejects.toThrow(what);
  await world.follower.anchor();
}

test('a pool counts for those who chose it while it is active, and everybody’s terms where it has none and falls back', async () => {
  const borrower = simple('WBTC');
  const [{ market: held }, { market: owed }] = [borrower.collateral[0]!, borrower.debt[0]!];
  const slot = () => world.slotOf(borrower.address);
  await world.rule('createPool', ['bitcoin']);
  await world.rule('addPoolMarkets', [
    [1n, 1n],
    [held.address, owed.address],
  ]);
  await world.rule('setIsBorrowAllowed', [1n, owed.address, true]);
  await world.rule('setLiquidationIncentive', [1n, held.address, wad(10_500n)]);
  await world.rule('setCollateralFactor', [1n, held.address, wad(8_800n), wad(9_000n)]);
  await world.sender.mine();
  await anchorAfter('PoolCreated');
  const outside = healthOf(slot());
  await world.rule('enterPool', [1n], borrower.address);
  await world.mine();
  const inside = healthOf(slot());
  expect(inside).toBeGreaterThan(outside);
  await world.undone(async () => {
    await world.price({ 'BTC / USD': 70_000_00000000n });
    expect((await holdsAt(world)).some((way) => way.slot === slot())).toBe(true);
    await world.rule('removePoolMarket', [1n, held.address]);
    await world.rule('setAllowCorePoolFallback', [1n, true]);
    await world.mine();
    expect((await holdsAt(world)).some((way) => way.slot === slot())).toBe(true);
  });
  await world.rule('setPoolActive', [1n, false]);
  await world.mine();
  expect(healthOf(slot())).toBeLessThan(inside);
  expect(await world.follower.audit()).toEqual([]);
});

test('through the liquidator contract amounts are the contracts’ own, its part of the bonus taken off', async () => {
  const without = await direct();
  gate = await setGate(world, TREASURY_WAD);
  await anchorAfter('New');
  await world.undone(async () => {
    await world.price(FALL);
    const found = await holdsAt(world);
    expect(found.length).toBe(without.length);
    for (const [place, { option }] of found.entries()) {
      const { maxRaw } = option.regimes[0]!;
      const received = (one: typeof option) => one.flow(maxRaw).find(({ deltaRaw }) => deltaRaw > 0n)!.deltaRaw;
      expect(received(option)).toBeLessThan(received(without[place]!.option));
    }
  });
});

/** What there is to do before there is a gate. */
async function direct() {
  let found: ReturnType<typeof ways> = [];
  await world.undone(async () => {
    await world.price(FALL);
    found = ways(world);
  });
  return found;
}

test('nobody is liquidated past the liquidator contract, nor whom it shields, nor where transfers are paused', () =>
  world.undone(async () => {
    await world.price(FALL);
    const [first] = ways(world);
    const account = world.protocol.accountOf(first!.slot);
    const { abi } = world.venus.artifacts.Liquidator;
    await world.sender.call(world.fixture.chain.deployer.address, gate.address, abi, 'restrictLiquidation', [account]);
    await world.mine();
    expect(ways(world).map(({ slot }) => slot)).not.toContain(first!.slot);
    expect(await refused(first!)).toBe('reverts');
    expect(world.protocol.refusal(first!.slot, world.later())?.reason).toBe('not-admitted');
    await world.sender.call(world.fixture.chain.deployer.address, gate.address, abi, 'unrestrictLiquidation', [account]);
    await world.mine();
    expect(ways(world).map(({ slot }) => slot)).toContain(first!.slot);
    await world.rule('_setActionsPaused', [[world.market('WBTC').address], [6], true]);
    await world.mine();
    const bitcoin = lower(world.fixture.market.tokens['WBTC']!);
    expect((await holdsAt(world)).map(({ option }) => option.collateralAsset)).not.toContain(bitcoin);
    await world.sender.call(world.fixture.chain.deployer.address, gate.address, abi, 'setTreasuryPercent', [WAD / 2n]);
    await world.mine();
    await holdsAt(world);
  }));

function refused({ option }: ReturnType<typeof ways>[number]) {
  return world.run(option.steps(option.regimes[0]!.minRaw, [], RUNNER), [], world.later());
}

test('a debt in VAI counts, with its interest; a large one has to be liquidated before any other', () =>
  world.undone(async () => {
    const safe = (address: Address) => healthOf(world.slotOf(address)) > wad(13_000n) && healthOf(world.slotOf(address)) < wad(20_000n);
    const borrower = world.borrowers.find(({ address, collateral }) => collateral.length === 1 && safe(address))!;
    const slot = world.slotOf(borrower.address);
    const before = healthOf(slot);
    const { abi } = world.venus.artifacts.VAIController;
    const mint = async (from: Address, amount: bigint) => world.sender.call(from, gate.vaiController, abi, 'mintVAI', [amount]);
    await mint(borrower.address, 40n * WAD);
    expect((await world.mine()).get('mintVAI')).toBe(1);
    const owing = healthOf(slot);
    expect(owing).toBeLessThan(before);
    expect(await world.follower.audit()).toEqual([]);
    await world.price({ 'ETH / USD': 1_000_00000000n, 'BTC / USD': 30_000_00000000n, 'LINK / USD': 4_00000000n });
    expect((await holdsAt(world, world.later(50_000))).some((way) => way.slot === slot)).toBe(true);
    const liquidator = world.venus.artifacts.Liquidator.abi;
    const deployer = world.fixture.chain.deployer.address;
    const [way] = ways(world).filter((one) => one.slot === slot);
    await world.sender.call(deployer, gate.address, liquidator, 'setMinLiquidatableVAI', [39n * WAD]);
    await world.sender.call(deployer, gate.address, liquidator, 'resumeForceVAILiquidate', []);
    await world.mine();
    expect(ways(world).some((one) => one.slot === slot)).toBe(false);
    expect(await refused(way!)).toBe('reverts');
    await world.sender.call(deployer, gate.address, liquidator, 'setMinLiquidatableVAI', [41n * WAD]);
    await world.mine();
    expect((await holdsAt(world)).some((one) => one.slot === slot)).toBe(true);
  }));
