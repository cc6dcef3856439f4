/** A position that thin pools do not take at once, over the blocks of a real chain in which an arbitrageur brings them back. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Block, Crashed, expectedUsd } from '../../scripts/thin/over-blocks.ts';

const BLOCKS = 7;
const CLEARLY = 1.1;

let crashed: Crashed;
let atOnce: readonly Block[];

beforeAll(async () => {
  crashed = await Crashed.open(1, 40);
  atOnce = await crashed.live(BLOCKS, undefined);
}, 240_000);
afterAll(() => crashed?.stop());

const chosen = ({ plans }: Block) => plans.map(({ option, repayRaw, route, told }) => ({ option, repayRaw, route, told }));

test('slices make clearly more than all at once where nobody else comes, and say what is left', { timeout: 120_000 }, async () => {
  const sliced = await crashed.live(BLOCKS, 0.95);
  expect(expectedUsd(sliced, 0)).toBeGreaterThan(expectedUsd(atOnce, 0) * CLEARLY);
  expect(expectedUsd(sliced, 0.05)).toBeGreaterThan(expectedUsd(atOnce, 0.05) * CLEARLY);
  expect(sliced.filter(({ plans }) => plans.length > 0).length).toBeGreaterThanOrEqual(3);
  const [first] = sliced[0]!.plans;
  expect(Number(first!.told?.['laterRepayRaw'])).toBeGreaterThan(0);
  expect(first!.laterUsd8).toBeGreaterThan(0n);
});

test('the choice is the same as without patience where rivals come at once', { timeout: 120_000 }, async () => {
  const hurried = await crashed.live(1, 0);
  expect(hurried.map(chosen)).toEqual(atOnce.slice(0, 1).map(chosen));
});
