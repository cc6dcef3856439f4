import { sequenceOf } from '../execution/sequence.ts';
import { encodeExecute } from '../lib/encode-steps.ts';
import type { Head } from '../lib/types.ts';
import type { FeedId, Moment } from '../oracles/types.ts';
import { Watch } from '../risk/candidates.ts';
import { type DecisionWorld, decideBlock } from './decide.ts';
import type { Settings } from './settings.ts';

const FALL_PERCENT = 20n;
const MOST_CANDIDATES = 60;
const LONGEST_MS = 2_000;

/**
 * Plans a few crashes that have not happened and throws the plans away: code that has never run is several times slower, and the first crash is the one
 * that counts. Sends and signs nothing.
 */
export function warmUp(world: DecisionWorld, settings: Settings, head: Head): void {
  const until = performance.now() + LONGEST_MS;
  const next = world.next();
  const watch = new Watch();
  watch.judge(world.protocols, next, head.number);
  // One price after another: if all fell alike, no position's health would change.
  for (const feed of new Set(world.protocols.flatMap((protocol) => protocol.feeds()))) {
    if (performance.now() > until) return;
    const at = fallen(next, feed);
    const { candidates } = watch.foresee(world.protocols, at, head.number + 1);
    const { decisions, terms } = decideBlock(world, settings, candidates.slice(0, MOST_CANDIDATES), head, at, 0n);
    const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
    if (terms !== undefined && plans.length > 0) encodeExecute(sequenceOf(plans, 1n, terms.surcharge, terms, head.number));
  }
}

function fallen(at: Moment, feed: FeedId): Moment {
  return {
    ...at,
    answer(asked) {
      const known = at.answer(asked);
      return known === undefined || asked !== feed ? known : { ...known, answer: (known.answer * (100n - FALL_PERCENT)) / 100n };
    },
  };
}
