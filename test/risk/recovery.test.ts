import { expect, test } from 'vitest';
import type { Pool } from '../../src/liquidity/pool.ts';
import { movedBy } from '../../src/liquidity/replay.ts';
import { Recovery } from '../../src/risk/recovery.ts';
import { poolBetween, TOKENS } from '../support/random-pools.ts';

const [BASE, QUOTE] = TOKENS as [(typeof TOKENS)[0], (typeof TOKENS)[0]];
const AT_ORACLE = poolBetween(BASE, QUOTE, new Map([BASE, QUOTE].map((token) => [token, 0])), shape(), 0);
const POOL = AT_ORACLE.identity.address;
const OFF = 0.05;
const worth = () => ({ priceUsd8: 100_000_000n, decimals: 18 });
const FALLEN = movedBy(AT_ORACLE, -OFF)!;

function shape() {
  return { kind: 'v2', fee: 3000, offset: 0, size: 10_000, positions: [] } as const;
}

function seen(pools: readonly Pool[], worthOf: Parameters<Recovery['observe']>[1] = worth): Recovery {
  const recovery = new Recovery();
  for (const pool of pools) recovery.observe([pool], worthOf);
  return recovery;
}

const times = (count: number, pools: readonly Pool[]) => Array.from({ length: count }, () => pools).flat();

test('a pool that comes back in the next block recovers, on the side on which it was seen to', () => {
  const recovery = seen(times(20, [AT_ORACLE, FALLEN]));
  expect(recovery.share(POOL, true)).toBeGreaterThan(0.8);
  expect(recovery.share(POOL, false)).toBe(0);
});

test('a pool that comes back by a half is told by that', () => {
  const share = seen(times(40, [AT_ORACLE, FALLEN, movedBy(AT_ORACLE, -OFF / 2)!])).share(POOL, true);
  expect(share).toBeGreaterThan(0.4);
  expect(share).toBeLessThan(0.85);
});

test('one that stays off does not recover, nor does one without evidence or without an oracle', () => {
  expect(seen(times(20, [FALLEN])).share(POOL, true)).toBe(0);
  expect(seen([]).share(POOL, true)).toBe(0);
  expect(seen(times(20, [AT_ORACLE, FALLEN]), () => undefined).share(POOL, true)).toBe(0);
});

test('what is still to be bought back is the gap to the oracle, less the fee', () => {
  const recovery = seen([FALLEN]);
  expect(recovery.moveOf(FALLEN)).toBeCloseTo(OFF - 0.003, 3);
  expect(recovery.moveOf(AT_ORACLE)).toBe(0);
});
