/** What is learnt of the gas that transactions use; that it comes close on a real chain is held in test/risk/calibration.test.ts. */
import { expect, test } from 'vitest';
import { GasUse, MANY } from '../../src/strategy/gas.ts';
import { TRANSACTION_GAS } from '../../src/strategy/terms.ts';
import type { Plan } from '../../src/strategy/types.ts';

const plan = (protocol: string, gasUnits: bigint) => ({ candidate: { protocol }, gasUnits }) as unknown as Plan;

test('each protocol has its own share, and the whole estimate while nothing is known', () => {
  const use = new GasUse();
  use.note([plan('aave-v3', 800_000n)], 600_000n);
  use.note([plan('aave-v3', 400_000n)], 330_000n);
  expect(use.usedBps('aave-v3')).toBe(7_750n);
  expect(use.usedBps('perp-v2')).toBe(10_000n);
});

test('what a transaction takes by itself counts once for all that share it', () => {
  const use = new GasUse();
  use.note([plan('aave-v3', TRANSACTION_GAS + 400_000n), plan('aave-v3', TRANSACTION_GAS + 600_000n)], TRANSACTION_GAS + 1_000_000n);
  expect(use.usedBps('aave-v3')).toBe(10_000n);
});

test('nothing is learnt from several protocols in one, nor from what no node can have measured', () => {
  const use = new GasUse();
  use.note([plan('aave-v3', 800_000n), plan('morpho-blue', 800_000n)], 900_000n);
  use.note([plan('aave-v3', 800_000n)], 21_000n);
  use.note([plan('aave-v3', 800_000n)], 30_000_000n);
  expect(use.usedBps('aave-v3')).toBe(10_000n);
});

test('what tokens cost now outweighs what they cost long ago', () => {
  const use = new GasUse();
  for (let count = 0; count < 100; count++) use.note([plan('aave-v3', 800_000n)], 500_000n);
  for (let count = 0; count < 64; count++) use.note([plan('aave-v3', 800_000n)], 720_000n);
  expect(use.usedBps('aave-v3')).toBe(9_000n);
});

test('many in one transaction tell what many need: the most of the latest of them, however little it is', () => {
  const use = new GasUse();
  const many = Array.from({ length: MANY }, () => plan('aave-v3', TRANSACTION_GAS + 174_000n));
  const few = many.slice(1);
  use.note(few, 600_000n);
  expect(use.usedOfManyBps('aave-v3')).toBe(10_000n);
  for (const used of [500_000n, 400_000n, 100_000n]) use.note(many, used);
  expect(use.usedOfManyBps('aave-v3')).toBe(5_000n);
  for (let count = 0; count < 16; count++) use.note(many, 450_000n);
  expect(use.usedOfManyBps('aave-v3')).toBe(4_500n);
});
