/** One crash of a market with thin pools, and what each policy makes of its first block, by real contracts on snapshots of one chain. */
import { weiToUsd8Floor } from '../../src/lib/usd.ts';
import { termsAt } from '../../src/pipeline/terms.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { emptyBook } from '../../src/strategy/bids/book.ts';
import { planBlock } from '../../src/strategy/block.ts';
import { packTransactions } from '../../src/strategy/packing.ts';
import { Prng } from '../devnet/prng.ts';
import type { Stage } from '../risk/stage.ts';
import { crashedStage } from './crashed.ts';
import { narrowed, POLICIES, type Policy } from './policies.ts';

const USD8 = 1e8;
/** Of what the devnet's pools hold otherwise, and of what a price loses. */
const DEPTH = [0.005, 0.1] as const;
const FALLS: Readonly<Record<string, readonly [number, number]>> = {
  'ETH / USD': [0.08, 0.3],
  'BTC / USD': [0.05, 0.25],
  'LINK / USD': [0.1, 0.35],
};

export type Made = { readonly liquidations: number; readonly repaidUsd: number; readonly profitUsd: number };
export type Crash = {
  readonly seed: number;
  readonly depth: number;
  readonly ethFall: number;
  readonly candidates: number;
  readonly by: Readonly<Record<Policy, Made>>;
};

export async function crash(seed: number, positions: number): Promise<Crash> {
  const random = new Prng(seed * 7_919);
  const depth = random.logBetween(...DEPTH);
  const falls = Object.fromEntries(Object.entries(FALLS).map(([feed, range]) => [feed, random.between(...range)]));
  const stage = await crashedStage(seed, positions, depth, falls);
  try {
    const { world } = stage;
    const at = stage.next();
    const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
    const made: Partial<Record<Policy, Made>> = {};
    for (const policy of POLICIES) made[policy] = await makes(stage, policy);
    return { seed, depth, ethFall: falls['ETH / USD']!, candidates: candidates.length, by: made as Record<Policy, Made> };
  } finally {
    await stage.stop();
  }
}

/** Plans the next block, carries it out on a snapshot, and counts what was really left. */
async function makes(stage: Stage, policy: Policy): Promise<Made> {
  const { world, settings } = stage;
  const at = stage.next();
  const told = termsAt(settings, world, world.head, at, 0n, emptyBook());
  if (told === undefined) throw new Error('the native token has no price');
  const terms = { ...told, unhurried: true as const };
  const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
  const market = { venue: world.venue, flashes: world.flashes, usd: world.usd };
  const { decisions } = planBlock(
    candidates,
    ({ deployment, slot }) => {
      const protocol = world.protocols.find(({ id }) => id === deployment)!;
      const { debt } = protocol.view(slot, at);
      const owedRaw = (asset: string) => debt.find((holding) => holding.asset === asset)!.amountRaw;
      return protocol.options(slot, at).map((option) => narrowed(option, owedRaw(option.debtAsset), policy));
    },
    market,
    terms,
    at,
  );
  const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
  const realised = await stage.tried([], packTransactions(plans, terms), terms);
  const profitWei = realised.reduce((sum, { made, gasWei }) => sum + (made === undefined ? 0n : made.grossWei - made.bidWei) - gasWei, 0n);
  if (realised.some(({ made }) => made === undefined)) throw new Error(`a transaction of "${policy}" reverted`);
  return {
    liquidations: plans.length,
    repaidUsd: plans.reduce((sum, { repayUsd8 }) => sum + Number(repayUsd8), 0) / USD8,
    profitUsd: Number(weiToUsd8Floor(profitWei, terms.numeraireUsd8)) / USD8,
  };
}
