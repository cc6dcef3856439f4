import type { AddressBook } from '../config/addressBook.ts';
import type { Config } from '../config/config.ts';
import { connect } from '../connect.ts';
import { checkMarket } from '../guard/limits.ts';
import type { Address, Hex } from '../lib/types.ts';
import { restoringFrom } from '../mirror/snapshots/service.ts';
import { SnapshotStore } from '../mirror/snapshots/store.ts';
import { decideBlock } from '../pipeline/decide.ts';
import { type PositionRow, positionRows } from '../pipeline/positions.ts';
import type { Settings } from '../pipeline/settings.ts';
import { Watch } from '../risk/candidates.ts';
import { emptyBook } from '../strategy/bids/book.ts';
import { type ExecutionRisk, riskOf } from '../strategy/risk.ts';
import type { Decision, Plan } from '../strategy/types.ts';
import { progressTo } from '../telemetry/progress.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { tellSnapshots } from '../telemetry/tell-snapshots.ts';
import { World } from '../world.ts';

/** Every position with debt, worst health first, at the end of one block. */
export type Survey = {
  readonly block: { readonly number: number; readonly hash: Hex; readonly timestamp: number };
  readonly positions: readonly PositionRow[];
};

/** One pass over the chain: syncs, judges every position at the next block, plans what can be liquidated, as `run` would, and ends. Sends nothing. */
export async function survey(config: Config, { log }: Telemetry): Promise<Survey> {
  const { rpc, book } = await connect(config);
  try {
    const world = await World.open(
      {
        ...{ rpc, book, executor: config.executor, choices: config.choices },
        restoring: await restoringFrom(new SnapshotStore(config.dataDir), rpc, rpc.chainId, tellSnapshots(log.event)),
      },
      progressTo((fields) => log.event('sync.progress', fields)),
    );
    const { number, hash, timestamp } = world.head;
    log.event('sync.done', { block: number, hash, positions: world.protocols.reduce((sum, protocol) => sum + protocol.count(), 0) });
    const at = world.next();
    return {
      block: { number, hash, timestamp },
      positions: positionRows(world.protocols, at, decide(config, book, world), riskBy(config, world)),
    };
  } finally {
    rpc.close();
  }
}

/** Nothing is signed and no tip is asked for: what is told is what the block's own base fee allows. */
export function settingsToShow({ executor, strategy, limits, oracle }: Config, { wrappedNative, feedHeartbeats }: AddressBook): Settings {
  const bounds = { ...oracle, heartbeatSeconds: feedHeartbeats };
  return { executor, sender: undefined, own: new Set<Address>(), wrappedNative, limits, oracle: bounds, ...strategy };
}

function decide(config: Config, book: AddressBook, world: World): readonly Decision[] {
  const at = world.next();
  const { limits } = config;
  const settings = settingsToShow(config, book);
  const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
  const { decisions } = decideBlock(world, settings, candidates, world.head, at, 0n, { moves: world.priceMoves });
  return decisions.map((decision): Decision => {
    if (decision.kind === 'skip') return decision;
    const { candidate, debtAsset, collateralAsset, repayUsd8 } = decision.plan;
    const { protocol, market, aliases } = candidate;
    const figures = {
      protocol,
      market,
      aliases,
      tokens: [debtAsset, collateralAsset],
      repayUsd8,
    };
    const verdict = checkMarket(figures, limits);
    return verdict.ok ? decision : { kind: 'skip', candidate, skip: verdict.skip };
  });
}

/** As a keeper without outcomes of its own sees it: what moves the pools was not followed either. */
function riskBy({ relays }: Config, { priceMoves }: World): (plan: Plan) => ExecutionRisk | undefined {
  const channel = relays.publicMempool === 'only' ? 'public' : 'bundle';
  return (plan) => riskOf(plan, priceMoves, { channel, book: emptyBook(), outcomes: [] });
}
