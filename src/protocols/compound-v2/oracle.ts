/**
 * Price oracles over Chainlink's feeds, taken apart, so that a pending update moves their prices: Venus' ResilientOracle and ChainlinkOracle, and the older
 * one that knows feeds by symbol (Moonwell's too). What is found counts only while it agrees with the oracle's own answer at the mirrored block.
 */
import { encodeFunctionData, parseAbi } from 'viem';
import type { Address, Head, ViewCall } from '../../lib/types.ts';
import { addressOf, uintOf, viewCall } from '../../lib/words.ts';
import type { Reading } from '../../mirror/types.ts';
import { resolveSource } from '../../oracles/resolve.ts';
import type { LiveSource } from '../../oracles/sources.ts';
import type { Moment, Price } from '../../oracles/types.ts';
import { type Market, NO_ADDRESS } from './state.ts';

/** What a feed's answer is multiplied by. */
export type DecodedPrice = { readonly source: LiveSource; readonly scale: bigint };

/** Venus' oracles know the native token by this. */
const VENUS_NATIVE: Address = '0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
/** The comptroller's prices are those of 1e36 units, whatever a whole token is (PriceOracle.getUnderlyingPrice). */
const PRICE_DECIMALS = 36n;

const configOf = viewCall('function getTokenConfig(address)');
const feedConfigOf = viewCall('function tokenConfigs(address)');
const decimalsOf = viewCall('function decimals()');
const bySymbol = parseAbi(['function getFeed(string symbol)']);

type Asked = Pick<Market, 'underlying' | 'native' | 'decimals' | 'symbol'>;

export function* decodePrice(oracle: Address, market: Asked, block: Head): Reading<DecodedPrice | undefined> {
  const asset = market.native ? VENUS_NATIVE : market.underlying;
  const [config, ...first] = yield [configOf(oracle, asset), ...feedCalls(oracle, asset, market.symbol)];
  // ResilientOracle's TokenConfig: the asset, three oracles, whether each counts. The first is the main one.
  const [main, counts] = [addressOf(config, 1), uintOf(config, 4)];
  const behind = main === undefined || counts !== 1n ? [] : yield feedCalls(main, asset, market.symbol);
  // ChainlinkOracle's TokenConfig: the asset, its feed, how old an answer may be.
  const feeds = [addressOf(first[0], 1), addressOf(first[1]), addressOf(behind[0], 1), addressOf(behind[1])];
  const feed = feeds.find((found) => found !== undefined && found !== NO_ADDRESS);
  if (feed === undefined) return undefined;
  const [decimals] = yield [decimalsOf(feed)];
  const places = PRICE_DECIMALS - BigInt(market.decimals) - (uintOf(decimals) ?? PRICE_DECIMALS);
  return places < 0n ? undefined : { source: yield* resolveSource(feed, block), scale: 10n ** places };
}

function feedCalls(oracle: Address, asset: Address, symbol: string): readonly ViewCall[] {
  return [
    feedConfigOf(oracle, asset),
    { to: oracle, data: encodeFunctionData({ abi: bySymbol, functionName: 'getFeed', args: [symbol] }) },
  ];
}

/**
 * A market's price at a moment, as the comptroller would be answered. Not ok where it would not be: a price of 0 counts as none.
 *
 * @param now the mirrored block, whose answer is known
 */
export function priceAt(market: Market, at: Moment, now: Moment): Price {
  const decoded = believed(market, now);
  const price = decoded === undefined ? readPrice(market, at) : scaled(decoded, at);
  return price.ok && price.price === 0n ? { ok: false, reason: `the oracle has no price for ${market.symbol}` } : price;
}

/** What was decoded has to agree with the known answer, or that answer stands. */
export function believed({ answer, decoded }: Market, now: Moment): DecodedPrice | undefined {
  if (answer === undefined || decoded === undefined) return undefined;
  const price = scaled(decoded, now);
  return price.ok && price.price === answer ? decoded : undefined;
}

function scaled({ source, scale }: DecodedPrice, at: Moment): Price {
  const price = source.price(at);
  return price.ok ? { ...price, price: price.price * scale } : price;
}

function readPrice({ answer, symbol }: Market, at: Moment): Price {
  return answer === undefined
    ? { ok: false, reason: `the oracle does not answer for ${symbol}` }
    : { ok: true, price: answer, updatedAt: at.timestamp };
}
