/** Aave's price oracle: one source an asset, another oracle to fall back on, and a currency that all prices are in. */
import type { Address, Head } from '../lib/types.ts';
import { addressOf, uintOf, viewCall } from '../lib/words.ts';
import { Journal } from '../mirror/journal.ts';
import { MirrorError, type Reading } from '../mirror/types.ts';
import { resolveSource } from './resolve.ts';
import { fixedSource, type LiveSource, oracleSource, withFallback } from './sources.ts';

const baseCurrencyOf = viewCall('function BASE_CURRENCY()');
const baseUnitOf = viewCall('function BASE_CURRENCY_UNIT()');
const fallbackOf = viewCall('function getFallbackOracle()');
const sourceOfAsset = viewCall('function getSourceOfAsset(address)');
const priceOfAsset = viewCall('function getAssetPrice(address)');

const NO_ADDRESS: Address = `0x${'0'.repeat(40)}`;

export type AaveOracle = {
  readonly address: Address;
  /** The token that prices are in; undefined for USD. */
  readonly base: Address | undefined;
  /** One whole unit of the base currency, as prices are written. */
  readonly unit: bigint;
  readonly fallback: Address | undefined;
};

/** Throws a MirrorError when there is no such oracle. */
export function* readAaveOracle(address: Address): Reading<AaveOracle> {
  const [currency, unitWord, fallbackWord] = yield [baseCurrencyOf(address), baseUnitOf(address), fallbackOf(address)];
  const base = addressOf(currency);
  const unit = uintOf(unitWord);
  const fallback = addressOf(fallbackWord);
  if (base === undefined || unit === undefined || unit === 0n || fallback === undefined)
    throw new MirrorError(`no Aave oracle at ${address}`);
  return { address, base: noneIfZero(base), unit, fallback: noneIfZero(fallback) };
}

/** What AaveOracle.getAssetPrice answers for an asset, confirmed at the block. Undefined for one that nobody prices. */
export function* aaveSource(asset: Address, oracle: AaveOracle, block: Head): Reading<LiveSource | undefined> {
  // NOTE: the base currency is never asked of a source, nor is it ever wrong.
  if (asset === oracle.base) return fixedSource(asset, oracle.unit);
  const [listed] = yield [sourceOfAsset(oracle.address, asset)];
  const address = addressOf(listed);
  const fallback = oracle.fallback === undefined ? undefined : yield* asking(oracle.fallback, asset);
  if (address === undefined || address === NO_ADDRESS) return fallback;
  const source = yield* resolveSource(address, block);
  return fallback === undefined ? source : withFallback(source, fallback);
}

function* asking(oracle: Address, asset: Address): Reading<LiveSource> {
  const call = priceOfAsset(oracle, asset);
  const source = oracleSource(oracle, call);
  source.ingest(yield [call], new Journal());
  return source;
}

function noneIfZero(address: Address): Address | undefined {
  return address === NO_ADDRESS ? undefined : address;
}
