import { BPS } from '../lib/math.ts';
import { weiToUsd8Floor } from '../lib/usd.ts';
import { drawPaths, seedOf } from '../risk/paths.ts';
import type { PriceMoves } from '../risk/price-moves.ts';
import { chanceOf } from './bids/belief.ts';
import { type BidBook, missedBps, nameOf } from './bids/book.ts';
import { keptOf, type Outlook } from './outlook.ts';
import type { Plan } from './types.ts';

/** Shares in basis points, money as stated: pure figures for people and records. */
export type ExecutionRisk = {
  /** That it liquidates. What is neither included nor reverted is missed. */
  readonly includedBps: number;
  /** That it is the block's turn and its profit check, or anything else, fails: mined in the public mempool, dropped from a bundle. */
  readonly revertedBps: number;
  /** What it makes less than quoted, of that: 5%, half, and 95% of the paths lose no more. Below zero it makes more. */
  readonly slippageBps: { readonly p5: number; readonly p50: number; readonly p95: number };
  /** Over all that may happen: missed for nothing, reverted for its gas where that is paid. */
  readonly expectedProfitWei: bigint;
  readonly expectedProfitUsd8: bigint;
  /** Once it is in a block, 5% of the paths leave less. */
  readonly worstProfitWei: bigint;
  readonly worstProfitUsd8: bigint;
  readonly paths: number;
  readonly seed: number;
  /** How many blocks' moves the paths are drawn from; missing ones are normal. */
  readonly blocksSeen: number;
};

/** How a transaction of ours ended. */
export type OwnOutcome = {
  readonly channel: 'bundle' | 'public';
  readonly surplusUsd: number;
  readonly shareBps: number;
  readonly outcome: 'included' | 'reverted' | 'missed';
};

/** What the odds of being included are told from. */
export type Odds = {
  readonly channel: 'bundle' | 'public';
  readonly book: BidBook;
  readonly outcomes: readonly OwnOutcome[];
};

export const PATHS = 256;
const WORST = 0.05;
const WHOLE = 10_000;
/** As many outcomes of our own, at that size and share, weigh as much as what is believed without them. */
const BELIEF_WEIGHT = 10;
/** What is believed of a transaction in the public mempool. */
const PUBLIC_CHANCE = 0.9;
/** What is believed of reverts that no move of the pools explains. */
const ODD_REVERT_CHANCE = 0.01;
const ODD_REVERT_WEIGHT = 50;
/** How far, as standard deviations, an outcome tells of other sizes (in decades) and shares (in basis points). */
const SIZE_REACH = 0.5;
const SHARE_REACH = 1_000;

/** The risk of carrying out a plan. Pure; the seed is of block and position. */
export function riskOf(plan: Plan, moves: PriceMoves, odds: Odds): ExecutionRisk | undefined {
  if (plan.outlook === undefined) return undefined;
  const simulation = simulate(plan, plan.outlook, moves, odds);
  for (;;) {
    const step = simulation.next();
    if (step.done) return step.value;
  }
}

/** The same path by path, for whoever has something else to do in between: the plan's exchanges done again on the mirrored pools, moved as they may move. */
export function* simulate(plan: Plan, outlook: Outlook, moves: PriceMoves, odds: Odds): Generator<void, ExecutionRisk> {
  const seed = seedOf(`${outlook.block}/${plan.candidate.deployment}/${nameOf(plan.candidate)}`);
  const seconds = Math.max(1, outlook.timestamp - (moves.timestamp ?? outlook.timestamp));
  const paths = outlook.replayable ? drawPaths(moves, plan.pools, seconds, PATHS, seed) : [];
  const grosses: (bigint | undefined)[] = [];
  for (const path of paths) {
    const still = [...path.values()].every((move) => move === 0);
    grosses.push(still ? plan.grossWei : outlook.grossWei((pool) => path.get(pool.identity.address) ?? 0));
    if (!still) yield;
  }
  if (paths.length === 0) grosses.push(plan.grossWei);
  return { ...tellOf(plan, outlook, grosses, odds), paths: paths.length, seed, blocksSeen: moves.blocks };
}

function tellOf(
  plan: Plan,
  outlook: Outlook,
  grosses: readonly (bigint | undefined)[],
  odds: Odds,
): Omit<ExecutionRisk, 'paths' | 'seed' | 'blocksSeen'> {
  const leastWei = leastGrossOf(plan, outlook);
  const revertWei = odds.channel === 'public' ? -plan.gasWei : 0n;
  const profits = grosses.map((grossWei) => (grossWei === undefined || grossWei < leastWei ? undefined : keptOf(grossWei, plan)));
  const failing = profits.filter((profitWei) => profitWei === undefined).length / profits.length;
  const [landing, odd] = chancesOf(plan, outlook, odds);
  const reverting = 1 - (1 - failing) * (1 - odd);
  const made = profits.map((profitWei) => Number(profitWei ?? revertWei));
  const mean = made.reduce((sum, profitWei) => sum + profitWei, 0) / made.length;
  const expectedProfitWei = BigInt(Math.round(landing * ((1 - odd) * mean + odd * Number(revertWei))));
  const worstProfitWei = BigInt(Math.floor(quantile(made, WORST)));
  const usd8 = (wei: bigint) => weiToUsd8Floor(wei, outlook.numeraireUsd8);
  const quoted = Number(plan.grossWei);
  const slips = grosses.map((grossWei) => (grossWei === undefined ? WHOLE : ((quoted - Number(grossWei)) / quoted) * WHOLE));
  const slip = (part: number) => Math.round(quantile(slips, part));
  return {
    includedBps: Math.round(landing * (1 - reverting) * WHOLE),
    revertedBps: Math.round(landing * reverting * WHOLE),
    slippageBps: { p5: slip(WORST), p50: slip(0.5), p95: slip(1 - WORST) },
    ...{ expectedProfitWei, expectedProfitUsd8: usd8(expectedProfitWei), worstProfitWei, worstProfitUsd8: usd8(worstProfitWei) },
  };
}

/** Less than this reverts, as the Executor is told: gas and the minimum have to be left after the bid. */
function leastGrossOf(plan: Plan, { minProfitWei }: Outlook): bigint {
  const surplusWei = plan.grossWei - plan.gasWei;
  const keptWei = surplusWei - plan.bidWei;
  return keptWei <= 0n ? plan.gasWei : plan.gasWei + (minProfitWei * surplusWei + keptWei - 1n) / keptWei;
}

/** That a block takes it, and that it then reverts for another reason than the pools. */
function chancesOf(plan: Plan, { numeraireUsd8 }: Outlook, { channel, book, outcomes }: Odds): readonly [landing: number, odd: number] {
  const surplusWei = plan.grossWei - plan.gasWei;
  const surplusUsd = Number(weiToUsd8Floor(surplusWei, numeraireUsd8)) / 1e8;
  const shareBps = surplusWei > 0n ? Number((plan.bidWei * BPS) / surplusWei) : 0;
  const alike = outcomes.filter((one) => one.channel === channel);
  const believed = channel === 'public' ? PUBLIC_CHANCE : bundleChance(plan, surplusUsd, shareBps, book);
  let [weights, landed, reverted, mined] = [0, 0, 0, 0];
  for (const one of alike) {
    const weight = likeness(one, surplusUsd, channel === 'public' ? one.shareBps : shareBps);
    weights += weight;
    if (one.outcome !== 'missed') landed += weight;
    if (one.outcome !== 'missed') mined++;
    if (one.outcome === 'reverted') reverted++;
  }
  return [
    (landed + BELIEF_WEIGHT * believed) / (weights + BELIEF_WEIGHT),
    (reverted + ODD_REVERT_WEIGHT * ODD_REVERT_CHANCE) / (mined + ODD_REVERT_WEIGHT),
  ];
}

/** A share that has missed lately for the same liquidation is met by a rival who bids at least as much. */
function bundleChance({ candidate }: Plan, surplusUsd: number, shareBps: number, book: BidBook): number {
  const chance = chanceOf(book.belief, Math.max(surplusUsd, 1), shareBps);
  const missed = missedBps(book, [nameOf(candidate)]);
  if (missed === undefined) return chance;
  const known = chanceOf(book.belief, Math.max(surplusUsd, 1), missed);
  return known >= 1 ? chance : Math.max(0, chance - known) / (1 - known);
}

function likeness(one: OwnOutcome, surplusUsd: number, shareBps: number): number {
  const decades = Math.log10(Math.max(one.surplusUsd, 1)) - Math.log10(Math.max(surplusUsd, 1));
  return Math.exp(-0.5 * ((decades / SIZE_REACH) ** 2 + ((one.shareBps - shareBps) / SHARE_REACH) ** 2));
}

/** Such that of further draws of the same kind that part is expected below it. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = Math.min(Math.max(part * (sorted.length + 1) - 1, 0), sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (place - low);
}
