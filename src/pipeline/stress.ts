/** What would follow if prices moved: the same judging and planning as in a block, on prices that might come. Pure. */
import type { Address, Head } from '../lib/types.ts';
import { rawToUsd8Floor, weiToUsd8Floor } from '../lib/usd.ts';
import { withDepth } from '../liquidity/exchanges.ts';
import type { Depth } from '../liquidity/types.ts';
import type { FeedAnswer, FeedId, Moment } from '../oracles/types.ts';
import { Watch } from '../risk/candidates.ts';
import { answersUnder, combined, type Moves, PPM, scaled } from '../risk/shocks.ts';
import type { Candidate } from '../risk/types.ts';
import type { Decision, Plan } from '../strategy/types.ts';
import { arbitraged } from './arbitrage.ts';
import { type DecisionWorld, decideBlock } from './decide.ts';
import type { Settings } from './settings.ts';

export type StressWorld = DecisionWorld & {
  readonly head: Head;
  /** The feeds that move when this token's own price does. */
  feedsOf(token: Address): readonly FeedId[];
};

/** What a sale of all that is seized does to a token's price at the pools. */
export type Impact = { readonly token: Address; readonly soldRaw: bigint; readonly movePpm: bigint };

export type Figures = {
  readonly liquidatable: number;
  readonly debtUsd8: bigint;
  /** What collateral does not cover any more. */
  readonly badDebtUsd8: bigint;
  readonly planned: number;
  readonly repayUsd8: bigint;
  readonly seizedUsd8: bigint;
  readonly gasUsd8: bigint;
  readonly bidUsd8: bigint;
  readonly profitUsd8: bigint;
};
export type Row = { readonly decision: Decision; readonly debtUsd8: bigint; readonly collateralUsd8: bigint };
export type Round = {
  readonly moves: Moves;
  readonly figures: Figures;
  readonly rows: readonly Row[];
  readonly impacts: readonly Impact[];
};
export type Point = Pick<Figures, 'liquidatable' | 'debtUsd8' | 'profitUsd8'> & { readonly part: number };

/** About so much is sold to learn a pool's price without moving it. */
const PROBE_USD8 = 10_00000000n;

/**
 * Round by round: what the moves make liquidatable and what a block's plans would do, then the same once more on the pools as that leaves them and with the
 * prices of what was sold as low as the pools' are: oracles follow the market, and in a crash the market is what was just sold into. Whoever was planned for in
 * one round is left out of those after it.
 *
 * @param rounds at most so many; fewer where nothing more follows
 */
export function stress(world: StressWorld, settings: Settings, shocks: Moves, rounds: number): readonly Round[] {
  const done: Round[] = [];
  const taken = new Set<string>();
  let moves = shocks;
  let depth: Depth | undefined;
  while (done.length < rounds) {
    const at = world.next(answersUnder(moves, world.next()));
    const before = depth ?? marketAt(world, at);
    const here = onPrices(world, moves, before);
    const candidates = candidatesAt(here, at, world.head).filter((candidate) => !taken.has(keyOf(candidate)));
    if (done.length > 0 && candidates.length === 0) break;
    const { decisions } = decideBlock(here, settings, candidates, world.head, at, 0n);
    const rows = decisions.map((decision) => rowOf(world, decision, at));
    const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
    const { impacts, after } = sell(world, plans, before, at);
    done.push({ moves, rows, impacts, figures: figuresOf(world, rows, settings.wrappedNative, at) });
    for (const { candidate } of plans) taken.add(keyOf(candidate));
    const further = movesOf(world, impacts);
    if (further.size === 0) break;
    moves = combined(moves, further);
    depth = after;
  }
  return done;
}

/** Liquidatable debt and a block's profit on the way to the moves, in equal parts. */
export function curve(world: StressWorld, settings: Settings, shocks: Moves, parts: number): readonly Point[] {
  return Array.from({ length: parts + 1 }, (_, part) => {
    const moves = scaled(shocks, part, parts);
    const at = world.next(answersUnder(moves, world.next()));
    const here = onPrices(world, moves, marketAt(world, at));
    const { decisions } = decideBlock(here, settings, candidatesAt(here, at, world.head), world.head, at, 0n);
    const { liquidatable, debtUsd8, profitUsd8 } = figuresOf(
      world,
      decisions.map((decision) => rowOf(world, decision, at)),
      settings.wrappedNative,
      at,
    );
    return { part, liquidatable, debtUsd8, profitUsd8 };
  });
}

/**
 * The world in which the moves have happened, for guards that compare an answer with the one before: a move that is asked about is no reason to doubt it.
 */
function onPrices(world: StressWorld, moves: Moves, depth: Depth): DecisionWorld {
  const moved = (feed: FeedId, answer: FeedAnswer | undefined, at: Moment) => answer && (answersUnder(moves, at).get(feed) ?? answer);
  return {
    protocols: world.protocols,
    venue: withDepth(world.venue, depth),
    usd: world.usd,
    flashes: world.flashes,
    surcharge: world.surcharge,
    aggregators: world.aggregators,
    priceMoves: world.priceMoves,
    recovery: world.recovery,
    gasUse: world.gasUse,
    next: (pending) => world.next(pending),
    suspended: (protocol) => world.suspended(protocol),
    sequencer: () => world.sequencer(),
    feed: (feed) => {
      const state = world.feed(feed);
      return state && moves.has(feed) ? { ...state, before: moved(feed, state.before, world.next()) } : state;
    },
  };
}

/** The pools at prices that have moved: the market moves first, and oracles follow it. */
function marketAt(world: StressWorld, at: Moment): Depth {
  const tokens = [...new Set(world.protocols.flatMap((protocol) => protocol.tokens()))];
  const now = world.next();
  const moved = tokens.filter((token) => world.usd.usd8(token, now)?.priceUsd8 !== world.usd.usd8(token, at)?.priceUsd8);
  return arbitraged(world.venue, world.usd, tokens, new Set(moved), at);
}

function candidatesAt(world: DecisionWorld, at: Moment, head: Head): readonly Candidate[] {
  return new Watch().foresee(world.protocols, at, head.number + 1).candidates;
}

function rowOf({ protocols }: DecisionWorld, decision: Decision, at: Moment): Row {
  const { deployment, slot } = decision.kind === 'plan' ? decision.plan.candidate : decision.candidate;
  const { debtUsd8, collateralUsd8 } = protocols.find(({ id }) => id === deployment)!.view(slot, at);
  return { decision, debtUsd8, collateralUsd8 };
}

function figuresOf({ usd }: DecisionWorld, rows: readonly Row[], native: Address, at: Moment): Figures {
  const nativeUsd8 = usd.usd8(native, at)?.priceUsd8 ?? 0n;
  const plans = rows.flatMap(({ decision }) => (decision.kind === 'plan' ? [decision.plan] : []));
  const sum = <T>(all: readonly T[], of: (one: T) => bigint) => all.reduce((total, one) => total + of(one), 0n);
  return {
    liquidatable: rows.length,
    debtUsd8: sum(rows, ({ debtUsd8 }) => debtUsd8),
    badDebtUsd8: sum(rows, ({ debtUsd8, collateralUsd8 }) => (debtUsd8 > collateralUsd8 ? debtUsd8 - collateralUsd8 : 0n)),
    planned: plans.length,
    repayUsd8: sum(plans, ({ repayUsd8 }) => repayUsd8),
    seizedUsd8: sum(plans, ({ collateralAsset, seizedRaw }) => usdOf(usd, collateralAsset, seizedRaw, at)),
    gasUsd8: sum(plans, ({ gasWei }) => weiToUsd8Floor(gasWei, nativeUsd8)),
    bidUsd8: sum(plans, ({ bidWei }) => weiToUsd8Floor(bidWei, nativeUsd8)),
    profitUsd8: sum(plans, ({ profitUsd8 }) => profitUsd8),
  };
}

/** Everything that was seized, sold for what was repaid, one after another. */
function sell(world: StressWorld, plans: readonly Plan[], before: Depth, at: Moment): { impacts: readonly Impact[]; after: Depth } {
  let after = before;
  const sold = new Map<Address, { amountRaw: bigint; into: Set<Address> }>();
  for (const { collateralAsset: token, debtAsset, seizedRaw } of plans) {
    const fill = token === debtAsset ? undefined : world.venue.quoteIn(token, debtAsset, seizedRaw, after);
    if (fill?.ok !== true) continue;
    after = after.after(fill);
    const entry = sold.get(token) ?? { amountRaw: 0n, into: new Set() };
    entry.amountRaw += seizedRaw;
    entry.into.add(debtAsset);
    sold.set(token, entry);
  }
  const impacts = Array.from(sold, ([token, { amountRaw, into }]): Impact => {
    const price = world.usd.usd8(token, at);
    const probeRaw = price === undefined || price.priceUsd8 <= 0n ? 0n : (PROBE_USD8 * 10n ** BigInt(price.decimals)) / price.priceUsd8;
    const changes = [...into].flatMap((other) => {
      const [first, last] = [before, after].map((depth) => world.venue.quoteIn(token, other, probeRaw, depth));
      return probeRaw > 0n && first?.ok && last?.ok && first.amountOutRaw > 0n
        ? [(last.amountOutRaw * PPM) / first.amountOutRaw - PPM]
        : [];
    });
    return { token, soldRaw: amountRaw, movePpm: changes.reduce((least, change) => (change < least ? change : least), 0n) };
  });
  return { impacts: impacts.toSorted((a, b) => Number(a.movePpm - b.movePpm)), after };
}

function movesOf(world: StressWorld, impacts: readonly Impact[]): Moves {
  const moves = new Map<FeedId, bigint>();
  for (const { token, movePpm } of impacts) {
    if (movePpm >= 0n) continue;
    for (const feed of world.feedsOf(token)) {
      const factor = PPM + movePpm;
      const known = moves.get(feed);
      if (known === undefined || factor < known) moves.set(feed, factor);
    }
  }
  return moves;
}

function usdOf(usd: DecisionWorld['usd'], token: Address, amountRaw: bigint, at: Moment): bigint {
  const price = usd.usd8(token, at);
  return price === undefined ? 0n : rawToUsd8Floor(amountRaw, price);
}

function keyOf({ deployment, market, account }: Candidate): string {
  return `${deployment}/${market}/${account}`;
}
