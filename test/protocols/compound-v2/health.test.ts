/** Judgements and amounts against the contracts themselves, at blocks to come. */
import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng } from '../../../scripts/devnet/prng.ts';
import type { Step } from '../../../src/lib/steps.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import { beyond } from './ways.ts';
import { CompoundWorld, type Outcome, RUNNER } from './world.ts';

const POSITIONS = 520;
const YEAR_BLOCKS = 2_628_000;

let world: CompoundWorld;
beforeAll(async () => {
  world = await CompoundWorld.open({ positions: POSITIONS, seed: 21 });
});
afterAll(() => world?.fixture.stop());

const falls: Readonly<Record<string, bigint>>[] = [
  {},
  { 'ETH / USD': 2_950_00000000n, 'BTC / USD': 92_300_00000000n },
  { 'ETH / USD': 2_100_00000000n, 'BTC / USD': 60_000_00000000n, 'LINK / USD': 8_00000000n },
];

test('what the logs told is what the contracts answer, for every market and account', async () => {
  expect(world.protocol.count()).toBe(POSITIONS);
  expect(await world.follower.audit()).toEqual([]);
});

/** The least that anybody could try: one unit of each debt for each collateral, after accruing any choice of the other markets. */
function attempts(slot: number): readonly (readonly Step[])[] {
  const { address, holdings } = world.account(slot);
  const abi = [...world.venus.artifacts.VBep20Delegate.abi, ...world.venus.artifacts.VBNB.abi];
  const call = (target: `0x${string}`, functionName: string, args: readonly unknown[], valueWei = 0n): Step => ({
    ...{ kind: 'call', target, valueWei },
    data: encodeFunctionData({
      abi: abi.filter((item) => item.type === 'function' && item.name === functionName && item.inputs.length === args.length),
      ...{ functionName, args: [...args] },
    }),
  });
  const all = [...holdings.values()];
  return all.flatMap((debt) =>
    debt.principal === 0n
      ? []
      : all.flatMap((collateral) => {
          if (collateral.tokens === 0n) return [];
          const { market } = debt;
          const repay: readonly Step[] = market.native
            ? [call(market.address, 'liquidateBorrow', [address, collateral.market.address], 1n)]
            : [
                { kind: 'approve', token: market.underlying, spender: market.address, amountRaw: 1n },
                call(market.address, 'liquidateBorrow', [address, 1n, collateral.market.address]),
              ];
          // The two of the call accrue anyhow.
          const others = all
            .filter((one) => one !== debt && one !== collateral)
            .map((one) => call(one.market.address, 'accrueInterest', []));
          return Array.from({ length: 2 ** others.length }, (_, choice) => [
            ...others.filter((_, place) => (choice >> place) % 2 === 1),
            ...repay,
          ]);
        }),
  );
}

/** Whether the contracts let any of them happen. */
async function isLet(slot: number, at: Moment): Promise<boolean> {
  for (const steps of attempts(slot)) if ((await world.run(steps, [], at)) !== 'reverts') return true;
  return false;
}

test.each([
  { prices: falls[0]!, every: 4 },
  { prices: falls[1]!, every: 1 },
])('positions are liquidatable exactly when the contracts let them be, at any later block, after $prices', ({ prices, every }) =>
  world.undone(async () => {
    await world.price(prices);
    const random = new Prng(5);
    const judged: boolean[] = [];
    const said: boolean[] = [];
    for (const slot of world.protocol.slots()) {
      if (slot % every !== 0) continue;
      const at = world.later(Math.round(random.logBetween(1, YEAR_BLOCKS)));
      judged.push(world.protocol.judge(slot, at).kind === 'liquidatable');
      said.push(await isLet(slot, at));
    }
    expect(judged).toEqual(said);
    expect(new Set(judged).size).toBe(2);
  }),
);

test.each([
  { prices: falls[1]!, every: 1 },
  { prices: falls[2]!, every: 3 },
])('amounts are the contracts’ own to the unit, over the whole of each regime, after $prices', ({ prices, every }) =>
  world.undone(async () => {
    await world.price(prices);
    const random = new Prng(6);
    const said: Outcome[] = [];
    const got: Promise<Outcome>[] = [];
    for (const slot of world.protocol.slots()) {
      if (slot % every !== 0) continue;
      const at = world.later(Math.round(random.logBetween(1, 3_000)));
      for (const option of world.protocol.options(slot, at)) {
        const { minRaw, maxRaw } = option.regimes[0]!;
        const some = minRaw + ((maxRaw - minRaw) * BigInt(Math.floor(random.next() * 1e6))) / 1_000_000n;
        const tokens = [...new Set([option.debtAsset, option.collateralAsset])];
        for (const amountRaw of slot % 4 === 0 ? new Set([minRaw, some, maxRaw]) : [some]) {
          said.push(tokens.map((token) => changeOf(option.flow(amountRaw), token)));
          got.push(world.run(option.steps(amountRaw, [], RUNNER), tokens, at));
        }
      }
    }
    expect(said.length).toBeGreaterThan(200);
    expect(await Promise.all(got)).toEqual(said);
  }),
);

function changeOf(flows: readonly { readonly asset: string; readonly deltaRaw: bigint }[], token: string): bigint {
  return flows.reduce((sum, { asset, deltaRaw }) => (asset === token ? sum + deltaRaw : sum), 0n);
}

test('the largest amount is the largest that the contracts take in the next block, and they take it in this one', () =>
  world.undone(async () => {
    await world.price(falls[1]!);
    const at = world.later();
    const [taken, refused]: [Outcome[], Outcome[]] = [[], []];
    for (const slot of [...world.protocol.slots()].filter((_, index) => index % 3 === 0))
      for (const option of world.protocol.options(slot, at)) {
        const { maxRaw } = option.regimes[0]!;
        for (const place of [at, world.follower.head]) taken.push(await world.run(option.steps(maxRaw, [], RUNNER), [], place));
        refused.push(await world.run(option.steps(beyond(option), [], RUNNER), [], at));
      }
    expect(taken.length).toBeGreaterThan(60);
    expect(taken).not.toContain('reverts');
    expect(new Set(refused)).toEqual(new Set(['reverts']));
  }));

test('the block at which interest makes a position liquidatable is the contracts’ own', async () => {
  const verdicts: boolean[] = [];
  const expected: boolean[] = [];
  for (const slot of [...world.protocol.slots()].filter((_, index) => index % 12 === 0)) {
    const liquidatableIn = (blocks: number) => world.protocol.judge(slot, world.later(blocks)).kind === 'liquidatable';
    if (liquidatableIn(1) || !liquidatableIn(3 * YEAR_BLOCKS)) continue;
    let [healthy, due] = [1, 3 * YEAR_BLOCKS];
    while (due - healthy > 1) {
      const middle = Math.floor((healthy + due) / 2);
      if (liquidatableIn(middle)) due = middle;
      else healthy = middle;
    }
    for (const at of [world.later(healthy), world.later(due)]) verdicts.push(await isLet(slot, at));
    expected.push(false, true);
  }
  expect(expected.length).toBeGreaterThan(30);
  expect(verdicts).toEqual(expected);
});
