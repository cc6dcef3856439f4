/** USD prices of tokens: from named feeds, else from an Aave market's oracle. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { MirrorError } from '../../src/mirror/types.ts';
import { Feeds } from '../../src/oracles/feeds.ts';
import { momentOf } from '../../src/oracles/moment.ts';
import { UsdBook } from '../../src/oracles/usd.ts';
import { ChainFollower } from '../support/chain-follower.ts';

let fixture: Fixture;
let token: Record<string, Address>;
let provider: Address;

const lower = (address: Address) => address.toLowerCase() as Address;

beforeAll(async () => {
  fixture = await createFixture({ positions: 0 });
  token = Object.fromEntries(Object.entries(fixture.market.tokens).map(([symbol, address]) => [symbol, lower(address)]));
  provider = lower(fixture.market.aave.poolAddressesProvider);
}, 120_000);
afterAll(async () => {
  await fixture?.stop();
});

async function follow(named: Record<string, string>, market: Address | undefined, wanted: readonly Address[]) {
  const feeds = new Feeds();
  const proxies = Object.entries(named).map(([symbol, feed]): [Address, Address] => [
    token[symbol]!,
    lower(fixture.market.feeds[feed]!.proxy),
  ]);
  const usd = new UsdBook(new Map(proxies), market === undefined ? [] : [market], feeds);
  usd.want(wanted);
  const follower = new ChainFollower(fixture.anvil.rpcUrl, fixture.market.multicall3, [usd, feeds]);
  await follower.anchor();
  return { usd, feeds, follower };
}

/** What Aave's oracle answers. */
const oracleSays = (symbol: string) =>
  fixture.chain.read<bigint>(fixture.market.aave.oracle, fixture.market.aave.artifacts['AaveOracle']!.abi, 'getAssetPrice', [
    token[symbol],
  ]);

test('every token of the market is priced as Aave prices it, with its decimals', async () => {
  const { usd, feeds, follower } = await follow({}, provider, Object.values(token));
  const at = momentOf(follower.head, feeds);
  for (const symbol of Object.keys(token)) expect(usd.usd8(token[symbol]!, at)?.priceUsd8, symbol).toBe(await oracleSays(symbol));
  expect(['WETH', 'USDC', 'WBTC'].map((symbol) => usd.usd8(token[symbol]!, at)?.decimals)).toEqual([18, 6, 8]);
  expect(await follower.audit()).toEqual([]);
});

test('a named feed comes first', async () => {
  const { usd, feeds, follower } = await follow({ WETH: 'BTC / USD' }, provider, [token['WETH']!, token['WBTC']!]);
  const at = momentOf(follower.head, feeds);
  expect(usd.usd8(token['WETH']!, at)?.priceUsd8).toBe(await oracleSays('WBTC'));
});

test('without a market only named tokens have a price', async () => {
  const { usd, feeds, follower } = await follow({ WETH: 'ETH / USD' }, undefined, [token['WETH']!, token['WBTC']!]);
  const at = momentOf(follower.head, feeds);
  expect(usd.usd8(token['WETH']!, at)?.priceUsd8).toBe(await oracleSays('WETH'));
  expect(usd.usd8(token['WBTC']!, at)).toBeUndefined();
});

test('what is no token has no price', async () => {
  const { usd, feeds, follower } = await follow({}, provider, [lower(fixture.market.multicall3)]);
  expect(usd.usd8(lower(fixture.market.multicall3), momentOf(follower.head, feeds))).toBeUndefined();
});

test('wanting a token anew says so, and a new source of a wanted token asks for a new anchor', async () => {
  const { usd, follower } = await follow({}, provider, [token['LINK']!]);
  expect(usd.want([token['LINK']!])).toBe(false);
  const { oracle, artifacts } = fixture.market.aave;
  const setSource = (symbol: string, source: string) =>
    fixture.chain.call(oracle, artifacts['AaveOracle']!.abi, 'setAssetSources', [[token[symbol]!], [fixture.market.sources[source]!]]);
  setSource('BAL', 'LINK');
  await fixture.chain.mine();
  await follower.advance();
  setSource('LINK', 'BAL');
  await fixture.chain.mine();
  await expect(follower.advance()).rejects.toThrow(MirrorError);
  expect(usd.want([token['BAL']!])).toBe(true);
  await follower.anchor();
  expect(await follower.audit()).toEqual([]);
});
