/**
 * Finds out what kind of contract answers a price. Only what its own answer confirms counts as decoded; everything else is read every block
 * and never moved by a pending update.
 */
import type { Address, Head, ViewAnswer, ViewCall } from '../lib/types.ts';
import { addressOf, intOf, uintOf, viewCall } from '../lib/words.ts';
import { Journal } from '../mirror/journal.ts';
import type { Reading } from '../mirror/types.ts';
import { answerOf } from './feeds.ts';
import { cappedSource, feedSource, type GrowthCap, type LiveSource, opaqueSource, ratioSource } from './sources.ts';
import { together } from './together.ts';
import type { FeedAnswer, FeedId, Moment } from './types.ts';

export const latestAnswerOf = viewCall('function latestAnswer()');

const probes = {
  latestAnswer: latestAnswerOf,
  aggregator: viewCall('function aggregator()'),
  latestRoundData: viewCall('function latestRoundData()'),
  // BGD's PriceCapAdapterBase and its heirs (staked tokens).
  baseToUsd: viewCall('function BASE_TO_USD_AGGREGATOR()'),
  ratio: viewCall('function getRatio()'),
  ratioDecimals: viewCall('function RATIO_DECIMALS()'),
  snapshotRatio: viewCall('function getSnapshotRatio()'),
  snapshotTimestamp: viewCall('function getSnapshotTimestamp()'),
  growth: viewCall('function getMaxRatioGrowthPerSecond()'),
  growthScaled: viewCall('function getMaxRatioGrowthPerSecondScaled()'),
  // BGD's PriceCapAdapterStable.
  assetToUsd: viewCall('function ASSET_TO_USD_AGGREGATOR()'),
  priceCap: viewCall('function getPriceCap()'),
};
type Probe = keyof typeof probes;
const PROBES = Object.keys(probes) as Probe[];

/** PriceCapAdapterBase.SCALING_FACTOR. */
const GROWTH_SCALE = 1_000_000n;
const MAX_RATIO_DECIMALS = 36n;
/** A staked token over a capped stablecoin over a feed is three deep; nothing real is deeper. */
const MAX_DEPTH = 3;

type Probed = { readonly address: Address; readonly answers: Readonly<Record<Probe, ViewAnswer>> };

/** The source behind each address, confirmed at the block. */
export function resolveSources(addresses: readonly Address[], block: Head): Reading<LiveSource[]> {
  return together(addresses.map((address) => resolveSource(address, block)));
}

export function* resolveSource(address: Address, block: Head): Reading<LiveSource> {
  const answers = new Map<FeedId, FeedAnswer>();
  const decoded = yield* decode(address, answers, 1);
  const read = yield [latestAnswerOf(address), ...(decoded?.reads() ?? [])];
  // Anchoring is never taken back: a journal that records nothing.
  const journal = new Journal();
  if (decoded !== undefined) {
    decoded.ingest(read.slice(1), journal);
    const moment: Moment = { ...block, answer: (feed) => answers.get(feed) };
    const price = decoded.price(moment);
    if (price.ok && price.price === intOf(read[0])) return decoded;
  }
  const opaque = opaqueSource(address, latestAnswerOf(address));
  opaque.ingest(read.slice(0, 1), journal);
  return opaque;
}

function* decode(address: Address, answers: Map<FeedId, FeedAnswer>, depth: number): Reading<LiveSource | undefined> {
  if (depth > MAX_DEPTH) return undefined;
  const read = yield PROBES.map((probe) => probes[probe](address));
  const probed: Probed = { address, answers: Object.fromEntries(PROBES.map((probe, place) => [probe, read[place]!])) as Probed['answers'] };
  const overBase = ratioParts(probed) ?? capParts(probed);
  if (overBase !== undefined) {
    const base = yield* decode(overBase.base, answers, depth + 1);
    return base === undefined ? undefined : overBase.build(base);
  }
  const round = answerOf(probed.answers.latestRoundData);
  if (round === undefined || addressOf(probed.answers.aggregator) === undefined) return undefined;
  answers.set(address, round);
  return feedSource(address);
}

type OverBase = { readonly base: Address; build(base: LiveSource): LiveSource };

function ratioParts({ address, answers }: Probed): OverBase | undefined {
  const base = addressOf(answers.baseToUsd);
  const decimals = uintOf(answers.ratioDecimals);
  if (base === undefined || decimals === undefined || decimals > MAX_RATIO_DECIMALS || intOf(answers.ratio) === undefined) return undefined;
  const cap = growthCap(address, answers);
  return { base, build: (source) => ratioSource(address, source, probes.ratio(address), Number(decimals), cap) };
}

function growthCap(address: Address, answers: Probed['answers']): GrowthCap | null {
  if (uintOf(answers.snapshotRatio) === undefined) return null;
  const scaled = uintOf(answers.growthScaled) !== undefined;
  return {
    snapshotRatio: probes.snapshotRatio(address),
    snapshotTimestamp: probes.snapshotTimestamp(address),
    growthPerSecond: scaled ? probes.growthScaled(address) : probes.growth(address),
    growthScale: scaled ? GROWTH_SCALE : 1n,
  };
}

function capParts({ address, answers }: Probed): OverBase | undefined {
  const base = addressOf(answers.assetToUsd);
  if (base === undefined || intOf(answers.priceCap) === undefined) return undefined;
  const capCall: ViewCall = probes.priceCap(address);
  return { base, build: (source) => cappedSource(address, source, capCall) };
}
