/** From candidates to plans: pairs, amounts, routes and lenders searched for all of them, at the depth that those before leave. */
import { decideBlock } from '../../src/pipeline/decide.ts';
import type { Settings } from '../../src/pipeline/settings.ts';
import { termsAt } from '../../src/pipeline/terms.ts';
import { Watch } from '../../src/risk/candidates.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { emptyBook } from '../../src/strategy/bids/book.ts';
import type { Plan } from '../../src/strategy/types.ts';
import type { World } from '../../src/world.ts';
import { grow } from './grow.ts';
import { madeByPlanningAll } from './planned-all.ts';
import { type Bench, medianMs, type Result } from './result.ts';
import { mirrored, openScene } from './scene.ts';

const SIZES = [1, 34, 100, 1_000] as const;
/** So many accounts that more than the largest number of them is liquidatable. */
const ACCOUNTS = 4_000;
const RUNS = 7;
const ETH_FALLS_TO_USD8 = 2_650_00000000n;
const USD8 = 10n ** 8n;

async function run(): Promise<Result[]> {
  const scene = await openScene();
  await scene.fixture.setPrice('ETH / USD', ETH_FALLS_TO_USD8);
  const { world, market } = await mirrored(scene);
  grow(market, ACCOUNTS);
  const settings: Settings = {
    ...{
      executor: undefined,
      sender: undefined,
      own: new Set(),
      wrappedNative: scene.book.wrappedNative,
      minProfitUsd8: 5n * USD8,
      bidShare: 9_000,
    },
    limits: {
      ...{ maxBaseFeeWei: 10n ** 12n, maxGasUsd8PerDay: 10n ** 15n, maxLossUsd8PerDay: 10n ** 15n, maxPositionUsd8: 10n ** 15n },
      ...{ maxConsecutiveFailures: 10, allowTokens: undefined, denyTokens: new Set(), denyMarkets: new Set() },
    },
    oracle: {
      ...{ maxFeedAgeSeconds: 604_800, heartbeatSeconds: {}, maxJumpBps: 9_000n },
      ...{ maxPoolDeviationBps: 9_000n, sequencerGraceSeconds: 3_600 },
    },
  };
  const { candidates } = new Watch().judge(world.protocols, world.next(), world.head.number);
  const results: Result[] = [];
  for (const size of SIZES) {
    if (candidates.length < size) throw new Error(`only ${candidates.length} positions are liquidatable, not ${size}`);
    // Some of each kind: the first ones of a market are the simplest.
    const chosen = candidates.filter((_, index) => (index * size) % candidates.length < size).slice(0, size);
    let plans: readonly Plan[] = [];
    const decide = () => {
      const { decisions } = decideBlock(world, settings, chosen, world.head, world.next(), 0n);
      plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
    };
    const ours = await medianMs(RUNS, decide);
    const best = madeByAll(world, settings, chosen);
    const made = plans.reduce((sum, { profitWei }) => sum + profitWei, 0n);
    const percent = Number((made * 10_000n) / best) / 100;
    results.push({
      name: `planning ${size.toLocaleString('en-US')} candidate${size === 1 ? '' : 's'}`,
      ours,
      unit: 'ms',
      notes: `${plans.length} fit the block and are worth it; they make ${percent}% of what planning everybody makes; no peer installed`,
      figures: { plans: plans.length, percent },
    });
  }
  return results;
}

function madeByAll(world: World, settings: Settings, candidates: readonly Candidate[]): bigint {
  const at = world.next();
  const terms = termsAt(settings, world, world.head, at, 0n, emptyBook());
  if (terms === undefined) throw new Error('the native token has no price');
  const protocols = new Map(world.protocols.map((protocol) => [protocol.id, protocol]));
  const optionsOf = ({ deployment, slot }: Candidate) => protocols.get(deployment)!.options(slot, at);
  return madeByPlanningAll(candidates, optionsOf, { venue: world.venue, flashes: world.flashes, usd: world.usd }, terms, at);
}

export const planning: Bench = { name: 'planning', about: 'plans for 1 to 1,000 candidates', run };
