import type { Surcharge } from '../chain/rollup.ts';
import type { Head } from '../lib/types.ts';
import type { Depth, Exchange, FlashSource } from '../liquidity/types.ts';
import type { AggregatorBook } from '../oracles/ocr-aggregators.ts';
import type { Carried } from '../oracles/pull/pyth.ts';
import type { FeedAnswer, FeedId, Moment } from '../oracles/types.ts';
import { carrying } from '../protocols/carrying.ts';
import type { Option, Protocol } from '../protocols/types.ts';
import type { PriceMoves } from '../risk/price-moves.ts';
import type { Recovery } from '../risk/recovery.ts';
import type { Candidate } from '../risk/types.ts';
import { type BidBook, emptyBook } from '../strategy/bids/book.ts';
import { planBlock } from '../strategy/block.ts';
import type { GasUse } from '../strategy/gas.ts';
import type { Patience } from '../strategy/patience.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Decision, SkipReason } from '../strategy/types.ts';
import { Belief, type OracleWorld } from './believe.ts';
import type { Settings } from './settings.ts';
import { termsAt } from './terms.ts';

/** The mirrored chain, as far as deciding needs it. */
export type DecisionWorld = OracleWorld & {
  readonly protocols: readonly Protocol[];
  readonly flashes: readonly FlashSource[];
  /** What the chain charges a transaction of one liquidation beyond its gas. */
  readonly surcharge: Surcharge;
  /** What updates the feeds, for judging updates that are not mined yet. */
  readonly aggregators: AggregatorBook;
  /** How the pools' prices have moved while they were followed. */
  readonly priceMoves: PriceMoves;
  /** How fast they come back to the oracles' prices. */
  readonly recovery: Recovery;
  /** What our transactions use of the gas that they are estimated at. */
  readonly gasUse: GasUse;
  /** The block that will include us, with what pending updates will have written by then. */
  next(pending?: ReadonlyMap<FeedId, FeedAnswer>): Moment;
  /** Why a market is not acted on, or undefined. */
  suspended(protocol: Protocol): string | undefined;
};

/** Of those who look on and never bid. */
const UNTAUGHT = emptyBook();

/** What a liquidation that rests on these feeds has to write before it, at a moment in which that holds already. */
export type Carry = (feeds: readonly FeedId[]) => Carried | undefined;

/** Beyond the mirrored chain. */
export type Circumstances = {
  /** What our own bids have taught; nothing where nobody bids. */
  readonly own?: BidBook;
  readonly carry?: Carry;
  /** Where it is exchanged: at the mirrored pools, or at what others of ours will have left of them. */
  readonly venue?: Exchange | undefined;
  /** How the pools have moved, where they may move again before the block takes it. */
  readonly moves?: PriceMoves | undefined;
  /** What may be left for later blocks, where another one can be waited for. */
  readonly patience?: Patience | undefined;
  /** As many liquidations as there is time for. */
  readonly mostPlans?: number;
};

export type Decided = { readonly decisions: readonly Decision[]; readonly terms: Terms | undefined; readonly after: Depth | undefined };

/** A plan or a named reason for each candidate, and the depth that all plans leave. `terms` is undefined where the native token has no price. Pure. */
export function decideBlock(
  world: DecisionWorld,
  settings: Settings,
  candidates: readonly Candidate[],
  head: Head,
  at: Moment,
  tipWei: bigint,
  circumstances: Circumstances = {},
): Decided {
  const { own = UNTAUGHT, carry = () => undefined, venue = world.venue } = circumstances;
  const terms = termsIn(termsAt(settings, world, head, at, tipWei, own), circumstances);
  const protocols = new Map(world.protocols.map((protocol) => [protocol.id, protocol]));
  const protocolOf = (candidate: Candidate) => protocols.get(candidate.deployment)!;
  const decisions: Decision[] = [];
  const plannable: Candidate[] = [];
  const carriedFor = (protocol: Protocol, { slot }: Candidate) => carry(protocol.prices(slot, at).flatMap(({ source }) => source.feeds));
  const belief = new Belief(world, settings.oracle, at);
  for (const candidate of candidates) {
    const protocol = protocolOf(candidate);
    const skip =
      obstacleTo(world, protocol, settings, terms) ??
      belief.doubt(protocol, candidate.slot) ??
      unpaid(carriedFor(protocol, candidate), () => protocol.options(candidate.slot, at), settings);
    if (skip === undefined) plannable.push(candidate);
    else decisions.push({ kind: 'skip', candidate, skip });
  }
  if (terms === undefined) return { decisions, terms, after: undefined };
  const market = { venue, flashes: world.flashes, usd: world.usd };
  const optionsOf = (candidate: Candidate): readonly Option[] => {
    const protocol = protocolOf(candidate);
    const options = protocol.options(candidate.slot, at);
    const carried = carriedFor(protocol, candidate);
    return carried === undefined ? options : options.map((option) => carrying(option, carried));
  };
  const { decisions: made, after } = planBlock(plannable, optionsOf, market, terms, at);
  const planned = made.map((decision) => explained(decision, protocolOf, at));
  return { decisions: [...decisions, ...planned], terms, after };
}

function termsIn(terms: Terms | undefined, { moves, patience, mostPlans }: Circumstances): Terms | undefined {
  if (terms === undefined) return undefined;
  const paced = { ...terms, ...(mostPlans !== undefined && { mostPlans }) };
  return moves === undefined ? paced : { ...paced, moves, unhurried: true, ...(patience && { patience }) };
}

/** A protocol may know why it offers nothing. */
function explained(decision: Decision, protocolOf: (candidate: Candidate) => Protocol, at: Moment): Decision {
  if (decision.kind !== 'skip' || decision.skip.reason !== 'no-option') return decision;
  const refusal = protocolOf(decision.candidate).refusal?.(decision.candidate.slot, at);
  return refusal === undefined ? decision : { ...decision, skip: refusal };
}

/** An update is paid for before the liquidation brings anything: its fee has to be in the Executor already. */
function unpaid(carried: Carried | undefined, options: () => readonly Option[], settings: Settings): SkipReason | undefined {
  if (carried === undefined || carried.short.size === 0) return undefined;
  for (const { financing } of options()) {
    const executor = financing.kind === 'margin' ? financing.margin.executor : settings.executor;
    const heldWei = executor && carried.short.get(executor);
    if (executor === undefined || heldWei === undefined) continue;
    return { reason: 'no-update-fee', figures: { executor, heldWei: String(heldWei), feeWei: String(carried.feeWei) } };
  }
  return undefined;
}

function obstacleTo(world: DecisionWorld, protocol: Protocol, settings: Settings, terms: Terms | undefined): SkipReason | undefined {
  const cause = world.suspended(protocol);
  if (cause !== undefined) return { reason: 'suspended', figures: { cause } };
  if (terms === undefined) return { reason: 'no-usd-price', figures: { token: settings.wrappedNative } };
  return undefined;
}
