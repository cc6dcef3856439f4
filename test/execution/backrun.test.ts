import { describe, expect, it } from 'vitest';
import { agrees } from '../../src/execution/backrun-doubt.ts';
import { Slots, subsets } from '../../src/execution/backrun-slots.ts';
import type { Rehearsed } from '../../src/execution/rehearse.ts';
import { bundleName } from '../../src/execution/sender.ts';

const OWNER = `0x${'a1'.repeat(20)}` as const;

describe('the names of a block’s bundles', () => {
  it('are version 4 UUIDs, the same for the same owner, block and slot and no other', () => {
    const names = [bundleName(OWNER, 7, 0), bundleName(OWNER, 7, 1), bundleName(OWNER, 8, 0), bundleName(`0x${'b2'.repeat(20)}`, 7, 0)];
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(names).size).toBe(4);
    expect(bundleName(OWNER, 7, 0)).toBe(names[0]);
  });

  it('that an earlier view of the block used and this one does not are left over, and so is what went behind nothing', () => {
    const slots = new Slots(OWNER, 7, 1);
    expect(slots.next()).toBe(bundleName(OWNER, 7, 1));
    expect(slots.unused(4)).toEqual([0, 2, 3].map((slot) => bundleName(OWNER, 7, slot)));
    expect(new Slots(OWNER, 7, 0).unused(1)).toEqual([bundleName(OWNER, 7, 0)]);
  });

  it('given for a replacement come first', () => {
    const slots = new Slots(OWNER, 7, 0, ['mine']);
    expect([slots.next(), slots.next()]).toEqual(['mine', bundleName(OWNER, 7, 0)]);
  });
});

it('subsets keep the order, the whole first and the empty one last', () => {
  expect(subsets(['a', 'b'])).toEqual([['a', 'b'], ['a'], ['b'], []]);
});

describe('a simulation agrees with what was sent', () => {
  const sent = (gasUnits: bigint, gasLimit: bigint): Rehearsed =>
    ({ plans: [{ grossWei: 1_000_000n }], sequence: {}, data: '0x', gasLimit, gasUnits }) as unknown as Rehearsed;
  const found = (gasUnits: bigint, failed: readonly object[] = []) =>
    ({ transactions: [sent(gasUnits, 0n)], failed, simulated: true }) as unknown as Parameters<typeof agrees>[1];

  it('while the gas between costs a hundredth of the gross at most', () => {
    expect(agrees([sent(10_000n, 30_000n)], found(20_000n), 1n)).toBe(true);
    expect(agrees([sent(10_000n, 30_000n)], found(20_001n), 1n)).toBe(false);
    expect(agrees([sent(20_001n, 30_000n)], found(10_000n), 1n)).toBe(false);
  });

  it('and the gas stays clear of the limit that was signed', () => {
    expect(agrees([sent(9_500n, 10_000n)], found(9_500n), 1n)).toBe(true);
    expect(agrees([sent(9_500n, 10_000n)], found(9_501n), 1n)).toBe(false);
  });

  it('not where a liquidation failed', () => {
    expect(agrees([sent(10_000n, 30_000n)], found(10_000n, [{}]), 1n)).toBe(false);
  });
});
