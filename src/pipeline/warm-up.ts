import { draftAll } from '../execution/rehearse.ts';
import type { Head } from '../lib/types.ts';
import { withDepth } from '../liquidity/exchanges.ts';
import type { Depth } from '../liquidity/types.ts';
import type { FeedId, Moment } from '../oracles/types.ts';
import { Watch } from '../risk/candidates.ts';
import { packOne, packTransactions } from '../strategy/packing.ts';
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
  let left: Depth | undefined;
  // One price after another: if all fell alike, no position's health would change.
  for (const feed of new Set(world.protocols.flatMap((protocol) => protocol.feeds()))) {
    if (performance.now() > until) return;
    const at = fallen(next, feed);
    const candidates = watch.foresee(world.protocols, at, head.number + 1).candidates.slice(0, MOST_CANDIDATES);
    // By itself, and behind what the one before left, as the second of two updates is.
    for (const venue of left === undefined ? [world.venue] : [world.venue, withDepth(world.venue, left)]) {
      const { decisions, terms, after } = decideBlock(world, settings, candidates, head, at, 0n, { venue });
      const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
      left = after;
      if (terms !== undefined) for (const pack of [packTransactions, packOne]) draftAll(plans, terms, head.number + 1, pack);
    }
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
