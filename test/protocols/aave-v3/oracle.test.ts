/** What a market's oracle may be: one that counts in ether, one that falls back on another, one whose source turns. */
import type { Abi, Address } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ASSETS } from '../../../scripts/devnet/assets.ts';
import { createFixture, type Fixture } from '../../../scripts/devnet/fixture.ts';
import { uintOf } from '../../../src/lib/words.ts';
import { MirrorError } from '../../../src/mirror/types.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import { UsdBook } from '../../../src/oracles/usd.ts';
import { AaveV3Market } from '../../../src/protocols/aave-v3/market.ts';
import { calls } from '../../../src/protocols/aave-v3/reads.ts';
import { adapterDoubles } from '../../oracles/contracts.ts';
import { ChainFollower } from '../../support/chain-follower.ts';

const WAD = 10n ** 18n;
const NO_ADDRESS = `0x${'0'.repeat(40)}`;

let fixture: Fixture;
let doubles: Awaited<ReturnType<typeof adapterDoubles>>;

beforeEach(async () => {
  fixture = await createFixture({ positions: 40, seed: 5 });
  doubles = await adapterDoubles();
}, 120_000);
afterEach(async () => {
  await fixture?.stop();
});

const lower = (address: Address) => address.toLowerCase() as Address;
const token = (symbol: string) => lower(fixture.market.tokens[symbol]!);
const proxy = (feed: string) => lower(fixture.market.feeds[feed]!.proxy);
const deploy = (name: string, args: readonly unknown[]) => lower(fixture.chain.deploy(name, doubles[name]!, args));
const oracleAbi = (): Abi => fixture.market.aave.artifacts['AaveOracle']!.abi;

async function follow() {
  const { aave, multicall3, tokens } = fixture.market;
  const feeds = new Feeds();
  const provider = lower(aave.poolAddressesProvider);
  const usd = new UsdBook(new Map([[token('WETH'), proxy('ETH / USD')]]), [provider], feeds);
  usd.want(Object.values(tokens).map(lower));
  const market = new AaveV3Market({ name: 'core', poolAddressesProvider: provider, fromBlock: aave.fromBlock }, feeds, usd);
  const follower = new ChainFollower(fixture.anvil.rpcUrl, multicall3, [market, usd, feeds]);
  await follower.anchor();
  return { feeds, usd, market, follower, now: (): Moment => momentOf(follower.head, feeds) };
}

async function next({ follower }: { follower: ChainFollower }): Promise<void> {
  await fixture.chain.mine();
  await follower.advance();
}

/** The price of LINK as the market's oracle has it, and ours. */
async function priceOfLink({ market, now }: Awaited<ReturnType<typeof follow>>, oracle: Address) {
  const price = market.state.byAsset.get(token('LINK'))!.source.price(now());
  const theirs = await fixture.chain.read<bigint>(oracle, oracleAbi(), 'getAssetPrice', [token('LINK')]).catch(() => undefined);
  return { ours: price.ok ? price.price : undefined, theirs };
}

test('a market that counts in ether is judged by its own figures, and shown in dollars', async () => {
  const { aave } = fixture.market;
  const inDollars = new Map<string, bigint>();
  for (const { symbol } of ASSETS)
    inDollars.set(symbol, await fixture.chain.read<bigint>(aave.oracle, oracleAbi(), 'getAssetPrice', [token(symbol)]));
  const oracle = lower(
    fixture.chain.deploy('AaveOracle', aave.artifacts['AaveOracle']!, [aave.poolAddressesProvider, [], [], NO_ADDRESS, token('WETH'), WAD]),
  );
  const others = ASSETS.map(({ symbol }) => symbol).filter((symbol) => symbol !== 'WETH');
  const sources = others.map((symbol) => deploy('BaseToPegDouble', [proxy('ETH / USD'), fixture.market.sources[symbol]!, 18]));
  await fixture.chain.mine();
  fixture.chain.call(oracle, oracleAbi(), 'setAssetSources', [others.map(token), sources]);
  fixture.chain.call(aave.poolAddressesProvider, aave.artifacts['PoolAddressesProvider']!.abi, 'setPriceOracle', [oracle]);
  await fixture.chain.mine();
  const world = await follow();
  const { usd, market, follower, now } = world;
  expect(await follower.audit()).toEqual([]);
  for (const [symbol, dollars] of inDollars) {
    const ours = usd.usd8(token(symbol), now())!.priceUsd8;
    // By way of 18 decimals of ether and rounded down: at most a unit less.
    expect([dollars, dollars - 1n], symbol).toContain(ours);
  }
  const at = now();
  const slots = [...market.slots()];
  const answers = await follower.call(
    slots.map((slot) => calls.userAccountData(lower(aave.pool), market.accountOf(slot))),
    follower.head,
  );
  for (const [place, slot] of slots.entries()) {
    const { collateralUsd8, debtUsd8, collateral, debt } = market.view(slot, at);
    const etherUsd8 = inDollars.get('WETH')!;
    const [theirs, theirDebt] = [0, 1].map((word) => (uintOf(answers[place], word)! * etherUsd8) / WAD);
    expect(theirs! - collateralUsd8 <= BigInt(collateral.length) && collateralUsd8 <= theirs!).toBe(true);
    expect(debtUsd8 - theirDebt! <= BigInt(debt.length + 1) && debtUsd8 >= theirDebt!).toBe(true);
    const health = uintOf(answers[place], 5)!;
    expect(market.judge(slot, at)).toMatchObject({ kind: health < WAD ? 'liquidatable' : 'healthy', healthFactorWad: health });
  }
  await fixture.setPrice('BTC / USD', 60_000_00000000n);
  await follower.advance();
  expect(await follower.audit()).toEqual([]);
  expect([60_000_00000000n, 60_000_00000000n - 1n]).toContain(usd.usd8(token('WBTC'), now())?.priceUsd8);
}, 120_000);

test('where the source answers nothing positive the fallback oracle’s word counts, even 0; where it reverts there is no price', async () => {
  const { oracle } = fixture.market.aave;
  const source = deploy('SetPriceDouble', [7_00000000n]);
  const fallback = deploy('FallbackOracleDouble', []);
  await fixture.chain.mine();
  const set = (price: bigint) => fixture.chain.call(source, doubles['SetPriceDouble']!.abi, 'setPrice', [price]);
  const setFallback = (price: bigint) =>
    fixture.chain.call(fallback, doubles['FallbackOracleDouble']!.abi, 'setAssetPrice', [token('LINK'), price]);
  fixture.chain.call(oracle, oracleAbi(), 'setAssetSources', [[token('LINK')], [source]]);
  fixture.chain.call(oracle, oracleAbi(), 'setFallbackOracle', [fallback]);
  await fixture.chain.mine();
  const world = await follow();
  const seen: (bigint | undefined)[] = [];
  const agrees = async () => {
    const { ours, theirs } = await priceOfLink(world, oracle);
    expect(ours).toBe(theirs);
    expect(await world.follower.audit()).toEqual([]);
    seen.push(ours);
  };
  await agrees();
  set(0n);
  await next(world);
  await agrees();
  setFallback(9_00000000n);
  await next(world);
  await agrees();
  set(-1n);
  await next(world);
  await agrees();
  set(8_00000000n);
  await next(world);
  await agrees();
  expect(seen).toEqual([7_00000000n, 0n, 9_00000000n, 9_00000000n, 8_00000000n]);
  // No source at all, and one that reverts.
  for (const [address, price] of [
    [NO_ADDRESS, 9_00000000n],
    [fixture.market.multicall3, undefined],
  ] as const) {
    fixture.chain.call(oracle, oracleAbi(), 'setAssetSources', [[token('LINK')], [address]]);
    await fixture.chain.mine();
    await expect(world.follower.advance()).rejects.toThrow(MirrorError);
    await world.follower.anchor();
    expect(await priceOfLink(world, oracle)).toEqual({ ours: price, theirs: price });
  }
}, 120_000);

test('a source that answers otherwise than its formula is opaque from then on, told once, and the market goes on', async () => {
  const { oracle } = fixture.market.aave;
  const turning = deploy('TurningAdapterDouble', [proxy('LINK / USD')]);
  await fixture.chain.mine();
  fixture.chain.call(oracle, oracleAbi(), 'setAssetSources', [[token('LINK')], [turning]]);
  await fixture.chain.mine();
  const world = await follow();
  const { market, usd, follower, now } = world;
  const { source } = market.state.byAsset.get(token('LINK'))!;
  expect([source.kind, source.feeds]).toEqual(['capped', [proxy('LINK / USD')]]);
  fixture.chain.call(turning, doubles['TurningAdapterDouble']!.abi, 'turn', [123n]);
  await next(world);
  // Each of the two books that hold the source finds it out for itself.
  const told = await follower.audit();
  expect(told.map((line) => line.split(':')[0])).toEqual([`price of LINK by ${turning}`, `price of ${token('LINK')} by ${turning}`]);
  expect(await follower.audit()).toEqual([]);
  expect([source.kind, source.feeds]).toEqual(['opaque', []]);
  const { ours, theirs } = await priceOfLink(world, oracle);
  expect(ours).toBe(theirs);
  fixture.chain.call(turning, doubles['TurningAdapterDouble']!.abi, 'turn', [456n]);
  await next(world);
  expect(await follower.audit()).toEqual([]);
  expect(usd.usd8(token('LINK'), now())?.priceUsd8).toBe(theirs! - 333n);
}, 120_000);
