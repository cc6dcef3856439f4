/** The adaptive curve against the values that its authors publish, and against a contract written from the same formula. */
import { type Abi, encodeFunctionData, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFixture, type Fixture } from '../../../scripts/devnet/fixture.ts';
import { morphoArtifacts } from '../../../scripts/devnet/morpho/contracts.ts';
import { idOf, NO_ADDRESS } from '../../../scripts/devnet/morpho/deploy.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import {
  adaptiveRate,
  INITIAL_RATE_AT_TARGET,
  MAX_RATE_AT_TARGET,
  MIN_RATE_AT_TARGET,
  wExp,
} from '../../../src/protocols/morpho-blue/adaptive-curve.ts';

const WAD = 10n ** 18n;
const DAY = 86_400n;
const YEAR = 365n * DAY;

const used = (percent: bigint) => ({ totalBorrowAssets: percent * WAD, totalSupplyAssets: 100n * WAD });
const yearly = (rate: bigint) => Number(rate * YEAR) / 1e18;

describe('the published values (morpho-blue-irm, AdaptiveCurveIrmTest)', () => {
  test('a market’s first rates: a quarter of the initial one unused, four times it all lent, itself at the target', () => {
    expect(yearly(adaptiveRate(used(0n), 0n, 0n))).toBeCloseTo(0.01, 6);
    expect(adaptiveRate(used(100n), 0n, 0n)).toBe(4n * INITIAL_RATE_AT_TARGET);
    expect(adaptiveRate(used(90n), 0n, 0n)).toBe(INITIAL_RATE_AT_TARGET);
  });

  // The authors allow a tenth, for their own approximation of the average.
  test.each([
    ['all lent for five days', used(100n), 5n * DAY, 0.22976],
    ['nothing lent for five days', used(0n), 5n * DAY, 0.00724],
    ['ten years at the target', used(90n), 10n * YEAR, 0.04],
  ])('%s', (_, market, elapsed, expected) => {
    const rate = yearly(adaptiveRate(market, INITIAL_RATE_AT_TARGET, elapsed));
    expect(Math.abs(rate / expected - 1)).toBeLessThan(0.1);
  });

  test('the rate at target keeps between 0.1% and 200% a year', () => {
    expect(adaptiveRate(used(90n), MAX_RATE_AT_TARGET, YEAR)).toBe(MAX_RATE_AT_TARGET);
    // Start and end count for a quarter each, the middle for a half.
    const rising = (INITIAL_RATE_AT_TARGET + 3n * MAX_RATE_AT_TARGET) / 4n;
    expect(adaptiveRate(used(100n), INITIAL_RATE_AT_TARGET, 100n * YEAR)).toBe((4n * WAD * rising) / WAD);
    const falling = (INITIAL_RATE_AT_TARGET + 3n * MIN_RATE_AT_TARGET) / 4n;
    expect(yearly(adaptiveRate(used(0n), INITIAL_RATE_AT_TARGET, 100n * YEAR))).toBeCloseTo(yearly(falling) / 4, 9);
  });

  test('the exponential is within a hundredth of e^x, and clipped at both ends', () => {
    for (let x = -20; x <= 90; x += 0.37)
      expect(Math.abs(Number(wExp(BigInt(Math.round(x * 1e18)))) / 1e18 / Math.exp(x) - 1)).toBeLessThan(0.01);
    expect(wExp(-41_446_531_673_892_822_313n)).toBe(0n);
    expect(wExp(10n ** 30n)).toBe(wExp(93_859_467_695_000_404_319n));
  });
});

describe('the contract', () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await createFixture();
  });
  afterAll(() => fixture?.stop());

  test('answers the same to the unit, for any state and time', async () => {
    const { adaptiveIrm } = await morphoArtifacts();
    const { chain } = fixture;
    // Whoever is named as Morpho may set the rate at target.
    const irm = chain.deploy('IRM', adaptiveIrm, [chain.deployer.address]);
    await chain.mine();
    const random = new Prng(11);
    const params = { loanToken: NO_ADDRESS, collateralToken: NO_ADDRESS, oracle: NO_ADDRESS, irm, lltv: 1n };
    const { timestamp } = await rpc<{ timestamp: Hex }>(fixture.anvil.rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
    for (let round = 0; round < 12; round++) {
      chain.call(irm, adaptiveIrm.abi, 'borrowRate', [params, marketOf(random, Number(timestamp))]);
      await chain.mine();
      const start = await chain.read<bigint>(irm, adaptiveIrm.abi, 'rateAtTarget', [idOf(params)]);
      for (let sample = 0; sample < 40; sample++) {
        const market = marketOf(random, Number(timestamp));
        const elapsed = BigInt(Math.round(random.logBetween(1, 3e8)));
        const data = encodeFunctionData({ abi: adaptiveIrm.abi as Abi, functionName: 'borrowRateView', args: [params, market] });
        const time = `0x${(market.lastUpdate + elapsed).toString(16)}`;
        const answer = await rpc<Hex>(fixture.anvil.rpcUrl, 'eth_call', [{ to: irm, data }, 'latest', {}, { time }]);
        expect(adaptiveRate(market, start, elapsed)).toBe(BigInt(answer));
      }
    }
  });
});

function marketOf(random: Prng, lastUpdate: number) {
  const totalSupplyAssets = BigInt(Math.round(random.logBetween(1, 1e15))) * 10n ** 9n;
  const totalBorrowAssets = (totalSupplyAssets * BigInt(Math.round(random.next() * 1e9))) / 1_000_000_000n;
  const shares = { totalSupplyShares: totalSupplyAssets, totalBorrowShares: totalBorrowAssets };
  return { totalSupplyAssets, totalBorrowAssets, ...shares, lastUpdate: BigInt(lastUpdate), fee: 0n };
}
