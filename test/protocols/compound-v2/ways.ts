/** Options held to the contracts. */
import { expect } from 'vitest';
import type { Option } from '../../../src/protocols/types.ts';
import { isTwice } from './calls.ts';
import { type CompoundWorld, RUNNER } from './world.ts';

export type Way = { readonly slot: number; readonly option: Option };

export function ways(world: CompoundWorld, at = world.later()): readonly Way[] {
  return [...world.protocol.slots()].flatMap((slot) => world.protocol.options(slot, at).map((option) => ({ slot, option })));
}

/**
 * More than an option's largest amount. Of two calls the second may be held down by how little the first leaves short, which a block's interest changes: they
 * have to be accepted in this block too, where it is less.
 */
export function beyond(option: Option): bigint {
  const { maxRaw } = option.regimes.at(-1)!;
  return maxRaw + maxRaw / (isTwice(option) ? 1_000n : 1_000_000n) + 1_000n;
}

/** Each option's least, middle and largest amount bring what was said, and in the next block more than the largest is refused; no audit differs. */
export async function holdsAt(world: CompoundWorld, at = world.later()): Promise<readonly Way[]> {
  const found = ways(world, at);
  const [said, got]: [unknown[], unknown[]] = [[], []];
  for (const { option } of found) {
    const { minRaw, maxRaw } = option.regimes[0]!;
    const tokens = [...new Set([option.debtAsset, option.collateralAsset])];
    for (const amountRaw of [minRaw, (minRaw + maxRaw) / 2n, maxRaw]) {
      const flows = option.flow(amountRaw);
      said.push(tokens.map((token) => flows.reduce((sum, { asset, deltaRaw }) => (asset === token ? sum + deltaRaw : sum), 0n)));
      got.push(await world.run(option.steps(amountRaw, [], RUNNER), tokens, at));
    }
    if (at.number > world.follower.head.number + 1) continue;
    said.push('reverts');
    got.push(await world.run(option.steps(beyond(option), [], RUNNER), tokens, at));
  }
  expect(got).toEqual(said);
  expect(await world.follower.audit()).toEqual([]);
  return found;
}
