/** A small sample of `scripts/thin/main.ts`: amounts chosen by profit against half of each debt and against all that is allowed, carried out. */
import { expect, test } from 'vitest';
import { crash } from '../../scripts/thin/crash.ts';

test('a crash of a market with thin pools leaves more with our amounts', { timeout: 300_000 }, async () => {
  const { by, candidates } = await crash(3, 40);
  expect(candidates).toBeGreaterThan(10);
  for (const made of Object.values(by)) expect(made.liquidations).toBeGreaterThan(3);
  expect(by.ours.profitUsd).toBeGreaterThan(by.largest.profitUsd);
  expect(by.ours.profitUsd).toBeGreaterThan(by['close factor'].profitUsd);
});
