import type { Config } from '../config/config.ts';
import { checkMarket } from '../guard/limits.ts';
import type { Address, Hex } from '../lib/types.ts';
import type { SyncProgress } from '../mirror/reports.ts';
import { type PositionRow, positionRows } from '../pipeline/positions.ts';
import { termsAt } from '../pipeline/terms.ts';
import { Watch } from '../risk/candidates.ts';
import { planBlock } from '../strategy/block.ts';
import type { Decision } from '../strategy/types.ts';
import type { Log } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { World } from '../world.ts';
import { connect } from './connect.ts';

const PROGRESS_EVERY_MS = 1_000;

/** Every position with debt, worst health first, at the end of one block. */
export type Survey = {
  readonly block: { readonly number: number; readonly hash: Hex; readonly timestamp: number };
  readonly positions: readonly PositionRow[];
};

/** One pass over the chain: syncs, judges every position at the next block, plans what can be liquidated, as `run` would, and ends. Sends nothing. */
export async function survey(config: Config, { log }: Telemetry): Promise<Survey> {
  const { rpc, book } = await connect(config);
  try {
    const world = await World.open({ rpc, book, executor: config.executor }, saying(log));
    const { number, hash, timestamp } = world.head;
    log.event('sync.done', { block: number, hash, positions: world.protocols.reduce((sum, protocol) => sum + protocol.count(), 0) });
    const at = world.next();
    return { block: { number, hash, timestamp }, positions: positionRows(world.protocols, at, decide(config, book.wrappedNative, world)) };
  } finally {
    rpc.close();
  }
}

/** Progress for people: now and then, not for every block. */
function saying(log: Log): (progress: SyncProgress) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (progress) => {
    if (performance.now() - last < PROGRESS_EVERY_MS) return;
    last = performance.now();
    log.event('sync.progress', progress);
  };
}

function decide(config: Config, wrappedNative: Address, world: World): readonly Decision[] {
  const at = world.next();
  const { executor, strategy, limits } = config;
  // Nothing is signed and no tip is asked for: what is told is what the block's own base fee allows.
  const settings = { executor, sender: undefined, own: new Set<Address>(), wrappedNative, limits, ...strategy };
  const terms = termsAt(settings, world.usd, world.head, at, 0n);
  const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
  if (terms === undefined)
    return candidates.map((candidate) => ({
      kind: 'skip',
      candidate,
      skip: { reason: 'no-usd-price', figures: { token: wrappedNative } },
    }));
  const protocols = new Map(world.protocols.map((protocol) => [`${protocol.name}/${protocol.market}`, protocol]));
  const market = { venue: world.venue, flashes: world.flashes, usd: world.usd };
  const planned = planBlock(
    candidates,
    (candidate) => protocols.get(`${candidate.protocol}/${candidate.market}`)?.options(candidate.slot, at) ?? [],
    market,
    terms,
    at,
  );
  return planned.map((decision): Decision => {
    if (decision.kind === 'skip') return decision;
    const { candidate, debtAsset, collateralAsset, repayUsd8 } = decision.plan;
    const figures = {
      protocol: candidate.protocol,
      market: candidate.market,
      marketAddress: undefined,
      tokens: [debtAsset, collateralAsset],
      repayUsd8,
    };
    const verdict = checkMarket(figures, limits);
    return verdict.ok ? decision : { kind: 'skip', candidate, skip: verdict.skip };
  });
}
