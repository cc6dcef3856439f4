/**
 * Morpho's Chainlink-based oracles (morpho-blue-oracles: MorphoChainlinkOracleV2), taken apart into their feeds, so that a pending update moves
 * them. Any contract may be an oracle: what is decoded counts only while it agrees with the oracle's own answer at the mirrored block.
 */
import type { Address, Head, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { addressOf, uintOf, viewCall } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { Reading } from '../../mirror/types.ts';
import { resolveSource } from '../../oracles/resolve.ts';
import type { LiveSource } from '../../oracles/sources.ts';
import { together } from '../../oracles/together.ts';
import type { FeedId, Moment } from '../../oracles/types.ts';
import { NO_ADDRESS, type Oracle } from './state.ts';

/** The price as a function of feeds, and of words that are read once a block. */
export interface DecodedOracle {
  readonly feeds: readonly FeedId[];
  /** Undefined where a part of it is missing. */
  price(at: Moment): bigint | undefined;
  reads(): readonly ViewCall[];
  /** Takes the answers to `reads()`, in order. */
  ingest(answers: readonly ViewAnswer[], journal: Journal): void;
}

const probes = [
  'BASE_VAULT',
  'BASE_VAULT_CONVERSION_SAMPLE',
  'QUOTE_VAULT',
  'QUOTE_VAULT_CONVERSION_SAMPLE',
  'BASE_FEED_1',
  'BASE_FEED_2',
  'QUOTE_FEED_1',
  'QUOTE_FEED_2',
  'SCALE_FACTOR',
].map((name) => viewCall(`function ${name}()`));
const convertToAssets = viewCall('function convertToAssets(uint256)');

type Vault = { readonly call: ViewCall | undefined };

/** Undefined for an oracle of another kind. */
export function* decodeOracle(address: Address, block: Head): Reading<DecodedOracle | undefined> {
  const answers = yield probes.map((probe) => probe(address));
  const [baseVault, , quoteVault, , ...feeds] = answers.slice(0, 8).map((answer) => addressOf(answer));
  const [baseSample, quoteSample, scale] = [uintOf(answers[1]), uintOf(answers[3]), uintOf(answers[8])];
  if (baseVault === undefined || quoteVault === undefined || baseSample === undefined || quoteSample === undefined) return undefined;
  if (scale === undefined || scale === 0n || feeds.some((feed) => feed === undefined)) return undefined;
  const sources = yield* together(feeds.map((feed) => sourceOf(feed!, block)));
  const vault = (at: Address, sample: bigint): Vault => ({ call: at === NO_ADDRESS ? undefined : convertToAssets(at, sample) });
  return chainlinkOracle(scale, sources.slice(0, 2), sources.slice(2), vault(baseVault, baseSample), vault(quoteVault, quoteSample));
}

/** ChainlinkDataFeedLib.getPrice: no feed counts as 1. */
function* sourceOf(feed: Address, block: Head): Reading<LiveSource | undefined> {
  return feed === NO_ADDRESS ? undefined : yield* resolveSource(feed, block);
}

/** MorphoChainlinkOracleV2.price: scale * (base assets * base feeds) / (quote assets * quote feeds), rounded down. */
function chainlinkOracle(
  scale: bigint,
  base: readonly (LiveSource | undefined)[],
  quote: readonly (LiveSource | undefined)[],
  baseVault: Vault,
  quoteVault: Vault,
): DecodedOracle {
  const sources = [...base, ...quote].filter((source) => source !== undefined);
  // VaultLib.getAssets: no vault counts as 1.
  const words: { base: bigint | undefined; quote: bigint | undefined } = {
    base: baseVault.call === undefined ? 1n : undefined,
    quote: quoteVault.call === undefined ? 1n : undefined,
  };
  return {
    feeds: [...new Set(sources.flatMap(({ feeds }) => feeds))],
    price(at) {
      const over = product(words.base, base, at);
      const under = product(words.quote, quote, at);
      return over === undefined || under === undefined || under === 0n ? undefined : (scale * over) / under;
    },
    reads: () => [
      ...sources.flatMap((source) => source.reads()),
      ...[baseVault.call, quoteVault.call].filter((call) => call !== undefined),
    ],
    ingest(answers, journal) {
      let from = 0;
      for (const source of sources) {
        const own = source.reads().length;
        source.ingest(answers.slice(from, from + own), journal);
        from += own;
      }
      if (baseVault.call !== undefined) journal.set(words, 'base', uintOf(answers[from++]));
      if (quoteVault.call !== undefined) journal.set(words, 'quote', uintOf(answers[from]));
    },
  };
}

function product(assets: bigint | undefined, sources: readonly (LiveSource | undefined)[], at: Moment): bigint | undefined {
  let result = assets;
  for (const source of sources) {
    if (source === undefined) continue;
    const price = source.price(at);
    if (!price.ok || result === undefined) return undefined;
    result *= price.price;
  }
  return result;
}

/**
 * The oracle's answer at a moment, scaled by 1e36.
 *
 * @param now the mirrored block, whose answer is known
 */
export function priceAt(oracle: Oracle, at: Moment, now: Moment): bigint | undefined {
  const decoded = believed(oracle, now);
  return decoded === undefined ? oracle.answer : decoded.price(at);
}

/** What was decoded has to agree with the known answer, or that answer stands. */
export function believed({ answer, decoded }: Oracle, now: Moment): DecodedOracle | undefined {
  return answer !== undefined && decoded?.price(now) === answer ? decoded : undefined;
}
