/**
 * The price contracts that are told by their getters, and how each answers. Sources: BGD Labs' `aave-capo` and `cl-synchronicity-price-adapter`; the contract of
 * each is named at its entry. What none of these answers to the unit is opaque.
 */
import type { Address, ViewCall } from '../lib/types.ts';
import { toAddress, viewCall } from '../lib/words.ts';
import type { Formula } from './sources.ts';

export type Shape = {
  readonly kind: Formula['kind'];
  /** Getters of the price contracts that it asks: their answers come first in `answer`. */
  readonly over: readonly string[];
  /** Getters of what never changes. */
  readonly constants: readonly string[];
  /** Getters of what is read once a block. */
  readonly words: readonly string[];
  /** What it asks other contracts, found by its constants; read once a block too, after `words`. */
  elsewhere?(constants: readonly bigint[]): ViewCall;
  answer(over: readonly bigint[], words: readonly bigint[], constants: readonly bigint[], timestamp: number): bigint | undefined;
};

/** Larger powers than any token has are nobody's decimals. */
const MAX_DECIMALS = 36n;
/** PriceCapAdapterBase.SCALING_FACTOR, and what the growth was scaled by before there was one. */
const GROWTH_SCALE = 1_000_000n;
const BPS = 10_000n;

const snapshot = ['getSnapshotRatio', 'getSnapshotTimestamp'] as const;
type Growth = { readonly ratio: bigint; readonly snapshot: bigint; readonly since: bigint; readonly growth: bigint };

/** PriceCapAdapterBase.latestAnswer: base * min(ratio, what it may have grown to) / 10^decimals. */
function capped(base: bigint, { ratio, snapshot: from, since, growth }: Growth, scale: bigint, decimals: bigint, timestamp: number) {
  const seconds = BigInt(timestamp) - since;
  if (seconds < 0n) return undefined;
  const most = from + (growth * seconds) / scale;
  return scaled(base, most < ratio ? most : ratio, decimals);
}

/** A price times a ratio, rounded towards zero; 0 where either is not positive. */
function scaled(price: bigint, ratio: bigint, decimals: bigint): bigint | undefined {
  const one = power(decimals);
  if (one === undefined) return undefined;
  return price <= 0n || ratio <= 0n ? 0n : (price * ratio) / one;
}

function power(decimals: bigint): bigint | undefined {
  return decimals < 0n || decimals > MAX_DECIMALS ? undefined : 10n ** decimals;
}

/** PriceCapAdapterBase, by how its growth is told; with a feed for the ratio (CLRatePriceCapAdapter) or any other provider. */
function growthCap(growth: string, scale: bigint, byFeed: boolean): Shape {
  return {
    kind: 'ratio',
    over: byFeed ? ['BASE_TO_USD_AGGREGATOR', 'RATIO_PROVIDER'] : ['BASE_TO_USD_AGGREGATOR'],
    constants: ['RATIO_DECIMALS'],
    words: [...(byFeed ? [] : ['getRatio']), ...snapshot, growth],
    answer: (over, words, [decimals], timestamp) => {
      const [base, ratio, from, since, perSecond] = [...over, ...words];
      return capped(base!, { ratio: ratio!, snapshot: from!, since: since!, growth: perSecond! }, scale, decimals!, timestamp);
    },
  };
}

/** The adapters for staked tokens before there were caps: a feed, and a ratio that the token's own contract answers. */
function plainRatio(feed: string, provider: string, view: string, decimals: bigint | 'RATIO_DECIMALS', ofOneShare = false): Shape {
  const ask = viewCall(`function ${view}`);
  const places = (constants: readonly bigint[]) => (decimals === 'RATIO_DECIMALS' ? constants[1]! : decimals);
  return {
    kind: 'ratio',
    over: [feed],
    constants: [provider, ...(decimals === 'RATIO_DECIMALS' ? [decimals] : [])],
    words: [],
    elsewhere: (constants) => {
      const to = toAddress(BigInt.asUintN(160, constants[0]!));
      return ofOneShare ? ask(to, power(places(constants)) ?? 0n) : ask(to);
    },
    answer: ([price], [ratio], constants) => scaled(price!, ratio!, places(constants)),
  };
}

/** A price that is set, and answered by a getter of its own too. */
function fixed(getter: string): Shape {
  return { kind: 'fixed', over: [], constants: [], words: [getter], answer: (_, [price]) => price };
}

/** The special before the general: the first that answers as its contract does is taken. */
export const SHAPES: readonly Shape[] = [
  {
    // EURPriceCapAdapterStable
    kind: 'capped',
    over: ['ASSET_TO_USD_AGGREGATOR', 'BASE_TO_USD_AGGREGATOR'],
    constants: ['RATIO_DECIMALS'],
    words: ['getPriceCapRatio'],
    answer: ([asset, base], [ratio], [decimals]) => {
      const one = power(decimals!);
      if (one === undefined) return undefined;
      const most = (base! * ratio!) / one;
      return asset! > most ? most : asset;
    },
  },
  {
    // PendlePriceCapAdapter
    kind: 'discount',
    over: ['ASSET_TO_USD_AGGREGATOR'],
    constants: ['MATURITY', 'PERCENTAGE_FACTOR', 'SECONDS_PER_YEAR'],
    words: ['discountRatePerYear'],
    answer: ([asset], [rate], [maturity, whole, year], timestamp) => {
      if (asset! <= 0n) return 0n;
      if (year! <= 0n || whole! <= 0n) return undefined;
      const left = maturity! - BigInt(timestamp);
      const discount = left > 0n ? (left * rate!) / year! : 0n;
      return discount > whole! ? undefined : (asset! * (whole! - discount)) / whole!;
    },
  },
  {
    // PriceCapAdapterStable
    kind: 'capped',
    over: ['ASSET_TO_USD_AGGREGATOR'],
    constants: [],
    words: ['getPriceCap'],
    answer: ([asset], [cap]) => (asset! > cap! ? cap : asset! <= 0n ? 0n : asset),
  },
  growthCap('getMaxRatioGrowthPerSecondScaled', GROWTH_SCALE, true),
  growthCap('getMaxRatioGrowthPerSecond', 1n, true),
  growthCap('getMaxRatioGrowthPerSecondScaled', GROWTH_SCALE, false),
  growthCap('getMaxRatioGrowthPerSecond', 1n, false),
  {
    // A ratio without a cap, under the names of PriceCapAdapterBase.
    kind: 'ratio',
    over: ['BASE_TO_USD_AGGREGATOR'],
    constants: ['RATIO_DECIMALS'],
    words: ['getRatio'],
    answer: ([base], [ratio], [decimals]) => scaled(base!, ratio!, decimals!),
  },
  {
    // CLSynchronicityPriceAdapterPegToBase
    kind: 'cross',
    over: ['ASSET_TO_PEG', 'PEG_TO_BASE'],
    constants: ['DECIMALS', 'DENOMINATOR'],
    words: [],
    answer: ([asset, peg], _, [decimals, denominator]) => {
      const one = power(decimals!);
      if (one === undefined || denominator! <= 0n) return undefined;
      return asset! <= 0n || peg! <= 0n ? 0n : (asset! * peg! * one) / denominator!;
    },
  },
  {
    // CLSynchronicityPriceAdapterBaseToPeg
    kind: 'cross',
    over: ['ASSET_TO_PEG', 'BASE_TO_PEG'],
    constants: ['DECIMALS'],
    words: [],
    answer: ([asset, base], _, [decimals]) => {
      const one = power(decimals!);
      if (one === undefined) return undefined;
      return asset! <= 0n || base! <= 0n ? 0n : (asset! * one) / base!;
    },
  },
  {
    // FixedRatioSynchronicityPriceAdapterBaseToPeg
    kind: 'cross',
    over: ['BASE_TO_PEG'],
    constants: ['PRICE_RATIO', 'MULTIPLIER'],
    words: [],
    answer: ([base], _, [ratio, multiplier]) => (base! <= 0n ? 0n : (ratio! * multiplier!) / (BPS * base!)),
  },
  // WstETH-, CbEth-, Matic-, sDAI-, sDAIGnosisChain- and CLrETHSynchronicityPriceAdapter
  plainRatio('ETH_TO_BASE', 'STETH', 'getPooledEthByShares(uint256)', 18n, true),
  plainRatio('CBETH_TO_BASE', 'RATE_PROVIDER', 'exchangeRate()', 18n),
  plainRatio('MATIC_TO_BASE', 'RATE_PROVIDER', 'getRate()', 18n),
  plainRatio('DAI_TO_USD', 'RATE_PROVIDER', 'chi()', 27n),
  plainRatio('DAI_TO_BASE', 'sDAI', 'convertToAssets(uint256)', 'RATIO_DECIMALS', true),
  plainRatio('ETH_TO_USD', 'RETH', 'getExchangeRate()', 18n),
  // GhoOracle, RepFixedPriceAdapter, CLBaseCurrencySynchronicityPriceAdapter, FixedPriceAdapter
  fixed('GHO_PRICE'),
  fixed('PRICE'),
  fixed('BASE_CURRENCY_UNIT'),
  fixed('price'),
];

const names = new Set(SHAPES.flatMap(({ over, constants, words }) => [...over, ...constants, ...words]));

/** Every getter that any shape has, as a call. */
export const GETTERS: ReadonlyMap<string, (address: Address) => ViewCall> = new Map(
  [...names].map((name) => [name, viewCall(`function ${name}()`)]),
);
