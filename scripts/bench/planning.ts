/** From candidates to plans: pairs, amounts, routes and lenders searched for all of them, at the depth that those before leave. */
import { decideBlock } from '../../src/pipeline/decide.ts';
import type { Settings } from '../../src/pipeline/settings.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { type Bench, medianMs, type Result } from './result.ts';
import { mirrored, openScene } from './scene.ts';

const SIZES = [1, 34, 100] as const;
const RUNS = 7;
const ETH_FALLS_TO_USD8 = 2_650_00000000n;
const USD8 = 10n ** 8n;

async function run(): Promise<Result[]> {
  const scene = await openScene();
  await scene.fixture.setPrice('ETH / USD', ETH_FALLS_TO_USD8);
  const { world } = await mirrored(scene);
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
    let plans = 0;
    const decide = () => {
      const { decisions } = decideBlock(world, settings, chosen, world.head, world.next(), 0n);
      plans = decisions.filter(({ kind }) => kind === 'plan').length;
    };
    const ours = await medianMs(RUNS, decide);
    results.push({
      name: `planning ${size} candidate${size === 1 ? '' : 's'}`,
      ours,
      unit: 'ms',
      notes: `${plans} of them worth it; no peer installed`,
    });
  }
  return results;
}

export const planning: Bench = { name: 'planning', about: 'plans for 1, 34 and 100 candidates', run };
