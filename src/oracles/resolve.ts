/**
 * Finds out what kind of contract answers a price. Only what its own answer confirms counts as decoded; everything else is read every block
 * and never moved by a pending update.
 */
import type { Address, Head, ViewAnswer } from '../lib/types.ts';
import { addressOf, intOf, viewCall } from '../lib/words.ts';
import { Journal } from '../mirror/journal.ts';
import type { Reading } from '../mirror/types.ts';
import { ConfirmedSource } from './confirmed.ts';
import { answerOf } from './feeds.ts';
import { GETTERS, SHAPES, type Shape } from './shapes.ts';
import { feedSource, formulaSource, type LiveSource, opaqueSource } from './sources.ts';
import { together } from './together.ts';
import type { FeedAnswer, FeedId, Moment } from './types.ts';

export const latestAnswerOf = viewCall('function latestAnswer()');
const aggregatorOf = viewCall('function aggregator()');
/** PythAggregatorV3: a feed without an aggregator behind it, over a price that is pulled. */
const pythOf = viewCall('function pyth()');
const latestRoundDataOf = viewCall('function latestRoundData()');

/** A staked token over a capped stablecoin over a feed is three deep; nothing real is much deeper. */
const MAX_DEPTH = 4;

type Getters = ReadonlyMap<string, ViewAnswer>;
/** Rounds of the feeds met while resolving: they need not be mirrored yet. */
type Rounds = Map<FeedId, FeedAnswer>;

/** The source behind each address, confirmed at the block. */
export function resolveSources(addresses: readonly Address[], block: Head): Reading<LiveSource[]> {
  return together(addresses.map((address) => resolveSource(address, block)));
}

export function* resolveSource(address: Address, block: Head): Reading<LiveSource> {
  const source = yield* resolve(address, block, new Map(), 1);
  return source.kind === 'opaque' ? source : new ConfirmedSource(source, latestAnswerOf(address));
}

function* resolve(address: Address, block: Head, rounds: Rounds, depth: number): Reading<LiveSource> {
  // Anchoring is never taken back: a journal that records nothing.
  const journal = new Journal();
  const [own, round, aggregator, pyth, ...answers] = yield [
    latestAnswerOf(address),
    latestRoundDataOf(address),
    aggregatorOf(address),
    pythOf(address),
    ...[...GETTERS.values()].map((call) => call(address)),
  ];
  const theirs = intOf(own);
  const getters: Getters = new Map([...GETTERS.keys()].map((name, place) => [name, answers[place]!]));
  const candidates: LiveSource[] = [];
  if (theirs !== undefined && depth < MAX_DEPTH)
    for (const shape of SHAPES) {
      const parts = fits(shape, getters) ? yield* resolveParts(shape, getters, block, rounds, depth) : undefined;
      if (parts !== undefined) candidates.push(built(shape, address, getters, parts));
    }
  const answer = answerOf(round);
  if (theirs !== undefined && answer !== undefined && (addressOf(aggregator) ?? addressOf(pyth)) !== undefined) {
    rounds.set(address, answer);
    candidates.push(feedSource(address));
  }
  const moment: Moment = { ...block, answer: (feed) => rounds.get(feed) };
  for (const candidate of candidates) {
    candidate.ingest(yield candidate.reads(), journal);
    const said = candidate.answer(moment);
    if (said.ok && said.answer === theirs) return candidate;
  }
  const opaque = opaqueSource(address, latestAnswerOf(address));
  opaque.ingest([own!], journal);
  return opaque;
}

function fits({ over, constants, words }: Shape, getters: Getters): boolean {
  return (
    over.every((name) => addressOf(getters.get(name)) !== undefined) &&
    [...constants, ...words].every((name) => intOf(getters.get(name)) !== undefined)
  );
}

/** Undefined where nothing that it stands on could move: reading its answer tells as much. */
function* resolveParts(
  { kind, over }: Shape,
  getters: Getters,
  block: Head,
  rounds: Rounds,
  depth: number,
): Reading<readonly LiveSource[] | undefined> {
  const addresses = over.map((name) => addressOf(getters.get(name))!);
  const parts = yield* together(addresses.map((address) => resolve(address, block, rounds, depth + 1)));
  return kind === 'fixed' || parts.some((part) => part.kind !== 'opaque') ? parts : undefined;
}

function built(shape: Shape, address: Address, getters: Getters, parts: readonly LiveSource[]): LiveSource {
  const constants = shape.constants.map((name) => intOf(getters.get(name))!);
  return formulaSource({
    kind: shape.kind,
    address,
    parts,
    words: [
      ...shape.words.map((name) => GETTERS.get(name)!(address)),
      ...(shape.elsewhere === undefined ? [] : [shape.elsewhere(constants)]),
    ],
    answer: (over, words, timestamp) => shape.answer(over, words, constants, timestamp),
  });
}
