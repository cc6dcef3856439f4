/** What an option says that is left after a part, against what is really there a block after that part was taken. */
import { expect } from 'vitest';
import type { Option, Regime } from '../../src/protocols/types.ts';

/** A block's interest, of the most that may be taken. */
const NEARLY = 20_000n;

/** Something of a regime, in sixteenths. */
export function partOf({ regimes }: Option, sixteenths: bigint): bigint {
  const { minRaw, maxRaw } = regimes[0]!;
  return minRaw + ((maxRaw - minRaw) * sixteenths) / 16n;
}

export function expectNearly(said: readonly Regime[], found: readonly Regime[], what: string): void {
  const ends = (regimes: readonly Regime[]) => regimes.flatMap(({ minRaw, maxRaw }) => [minRaw, maxRaw]);
  expect(said.length, what).toBe(found.length);
  const mostRaw = found.at(-1)?.maxRaw ?? 0n;
  for (const [place, saidRaw] of ends(said).entries()) {
    const foundRaw = ends(found)[place]!;
    const apart = saidRaw > foundRaw ? saidRaw - foundRaw : foundRaw - saidRaw;
    expect(apart, `${what}: ${saidRaw} for ${foundRaw}`).toBeLessThanOrEqual(mostRaw / NEARLY + 2n);
  }
}
