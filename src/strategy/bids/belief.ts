import { LEVELS, RIVALS, type RivalShares } from './rivals.ts';

/** How an auction of ours ended: what was bid on (gross profit less gas), and at which share of it. */
export type Evidence = { readonly surplusUsd: number; readonly shareBps: number; readonly won: boolean };

/**
 * What is believed of the best rival's share at one size. Rivals bid as in the real auctions but for a shift of the logit of their shares, which our own
 * outcomes tell: so few of them suffice to follow rivals that have become more or less eager.
 */
type Node = {
  readonly decade: number;
  /** For each shift of SHIFTS the chance of a rival below each of EDGES. */
  readonly shifted: readonly Float64Array[];
  /** What our own outcomes say of each shift: log likelihood. */
  readonly told: Float64Array;
  /** Chance of a rival below each of EDGES, over all shifts. */
  readonly below: Float64Array;
};
/** Nodes by size, `STEP` decades apart. Never changed: learning makes a new one. */
export type Belief = readonly Node[];

const BPS = 10_000;
const COARSE_BPS = 100;
const FINE_BPS = 25;
const FINE_FROM_BPS = 9_000;
const COARSE = FINE_FROM_BPS / COARSE_BPS;
/** Shares at which chances are kept: denser where the bids for small ones crowd. */
const EDGES: readonly number[] = [
  ...Array.from({ length: COARSE }, (_, index) => index * COARSE_BPS),
  ...Array.from({ length: (BPS - FINE_FROM_BPS) / FINE_BPS + 1 }, (_, index) => FINE_FROM_BPS + index * FINE_BPS),
];
const STEP = 0.25;
const SHIFTS: readonly number[] = Array.from({ length: 33 }, (_, index) => (index - 16) / 4);
/** How far, as a standard deviation of the logit, rivals are thought to have moved since the real auctions. */
const MOVED = 0.5;
/** How far, in decades, an outcome tells of other sizes. */
const REACH = 0.25;
const LEAST_WEIGHT = 0.01;
/** Of our outcomes about the last so many count: rivals change. */
const MEMORY = 200;
/** An outcome counts as half of one: rivals' shapes are only roughly those of the prior, and taken at its word it would be overheard. */
const CREDENCE = 0.5;
/** No outcome is thought impossible: builders have other reasons too. */
const SURPRISE = 0.01;
/** How much more weight shares near the peak have. */
const SHARPNESS = 8;
/** Chance that a bundle was not seen by whoever built the block, whatever it bid. */
const UNSEEN = 0.2;

/** The belief before the first auction of our own. Figures from one half of the real auctions (rivals.ts). */
export function priorBelief(): Belief {
  return PRIOR;
}

/** The belief after an outcome. A bid that won says that the rival's share was below it, one that lost that it was not; most of all at sizes near by. */
export function learn(belief: Belief, { surplusUsd, shareBps, won }: Evidence): Belief {
  if (!(surplusUsd > 0)) return belief;
  const at = within(belief, Math.log10(surplusUsd));
  return belief.map((node) => {
    const weight = Math.exp(-0.5 * ((node.decade - at) / REACH) ** 2);
    if (weight < LEAST_WEIGHT) return node;
    const told = node.told.map((sum, index) => {
      const chance = chanceIn(node.shifted[index]!, shareBps);
      const likelihood = SURPRISE + (1 - 2 * SURPRISE) * (won ? chance : 1 - chance);
      return sum * (1 - weight / MEMORY) + CREDENCE * weight * Math.log(likelihood);
    });
    return { ...node, told, below: mixed(node.shifted, told) };
  });
}

/** Probability that the best rival bids less than `shareBps` of what is bid on. */
export function chanceOf(belief: Belief, surplusUsd: number, shareBps: number): number {
  const { low, high, part } = around(belief, surplusUsd);
  return chanceIn(low.below, shareBps) * (1 - part) + chanceIn(high.below, shareBps) * part;
}

/**
 * The share in basis points that maximises P(win | share, size) x (1 - share): not the very peak, which follows the accidents of few auctions, but the mean of
 * all shares, those weighing most that are nearly as good. Two looks over the edges: some microseconds.
 *
 * @param missedBps a share at which the same liquidation has missed: either its rival bids at least that much, or the block's builder never saw it
 */
export function bestShareBps(belief: Belief, surplusUsd: number, missedBps?: number): number {
  const { low, high, part } = around(belief, surplusUsd);
  const known = missedBps === undefined ? 0 : chanceOf(belief, surplusUsd, missedBps);
  const unseen = UNSEEN / (UNSEEN + (1 - UNSEEN) * (1 - known));
  const worth = new Float64Array(EDGES.length);
  let most = 0;
  for (let edge = 1; edge < EDGES.length; edge++) {
    let chance = low.below[edge]! * (1 - part) + high.below[edge]! * part;
    if (missedBps !== undefined && known < 1) chance = unseen * chance + ((1 - unseen) * Math.max(0, chance - known)) / (1 - known);
    worth[edge] = chance * (BPS - EDGES[edge]!);
    most = Math.max(most, worth[edge]!);
  }
  if (most === 0) return 0;
  let [weights, weighted] = [0, 0];
  for (let edge = 1; edge < EDGES.length; edge++) {
    const weight = (worth[edge]! / most) ** SHARPNESS * (EDGES[edge]! - EDGES[edge - 1]!);
    weights += weight;
    weighted += weight * EDGES[edge]!;
  }
  return Math.round(weighted / weights);
}

function around(belief: Belief, surplusUsd: number): { readonly low: Node; readonly high: Node; readonly part: number } {
  const at = (within(belief, Math.log10(surplusUsd)) - belief[0]!.decade) / STEP;
  const index = Math.min(Math.floor(at), belief.length - 2);
  return { low: belief[index]!, high: belief[index + 1]!, part: at - index };
}

/** Beyond the sizes that were seen, the nearest of them stands in. */
function within(belief: Belief, decade: number): number {
  return Math.min(Math.max(decade, belief[0]!.decade), belief.at(-1)!.decade);
}

function chanceIn(below: Float64Array, shareBps: number): number {
  if (shareBps >= BPS) return below.at(-1)!;
  const edge =
    shareBps < FINE_FROM_BPS ? Math.max(0, Math.floor(shareBps / COARSE_BPS)) : COARSE + Math.floor((shareBps - FINE_FROM_BPS) / FINE_BPS);
  const part = Math.max(0, (shareBps - EDGES[edge]!) / (EDGES[edge + 1]! - EDGES[edge]!));
  return below[edge]! + (below[edge + 1]! - below[edge]!) * part;
}

/** The shifts weighed by what was thought before and what was told since. */
function mixed(shifted: readonly Float64Array[], told: Float64Array): Float64Array {
  const logs = SHIFTS.map((shift, index) => told[index]! - 0.5 * (shift / MOVED) ** 2);
  const most = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const below = new Float64Array(EDGES.length);
  for (const [index, weight] of weights.entries())
    for (let edge = 0; edge < below.length; edge++) below[edge]! += (weight / total) * shifted[index]![edge]!;
  return below;
}

/** A share whose logit is moved; 0 and 1 stay. */
function moved(shareBps: number, shift: number): number {
  if (shareBps <= 0 || shareBps >= BPS) return shareBps;
  return BPS / (1 + ((BPS - shareBps) / shareBps) * Math.exp(-shift));
}

function sharesAt(rivals: readonly RivalShares[], decade: number): readonly number[] {
  const found = rivals.findLastIndex((row, place) => row.decade <= decade && place < rivals.length - 1);
  const [low, high] = [rivals[Math.max(0, found)]!, rivals[Math.max(0, found) + 1]!];
  const part = (decade - low.decade) / (high.decade - low.decade);
  return low.sharesBps.map((share, level) => share + (high.sharesBps[level]! - share) * part);
}

/** Chance of a rival below a share, evenly between one quantile and the next. Who bids everything is not beaten by anything. */
function chanceAmong(shares: readonly number[], chances: readonly number[], shareBps: number): number {
  const next = shares.findIndex((share) => share >= shareBps);
  if (next <= 0) return 0;
  const [from, to] = [shares[next - 1]!, shares[next]!];
  return chances[next - 1]! + ((chances[next]! - chances[next - 1]!) * (shareBps - from)) / (to - from);
}

function priorOf(rivals: readonly RivalShares[]): Belief {
  const [first, last] = [rivals[0]!.decade, rivals.at(-1)!.decade];
  const chances = [0, ...LEVELS.map((level) => level / 100), 1];
  return Array.from({ length: Math.round((last - first) / STEP) + 1 }, (_, index) => {
    const decade = first + index * STEP;
    const shares = [0, ...sharesAt(rivals, decade), BPS];
    const shifted = SHIFTS.map((shift) => Float64Array.from(EDGES, (edge) => chanceAmong(shares, chances, moved(edge, -shift))));
    const told = new Float64Array(SHIFTS.length);
    return { decade, shifted, told, below: mixed(shifted, told) };
  });
}

const PRIOR = priorOf(RIVALS);
