import { type Hex, parseAbi } from 'viem';
import { afterEach, describe, expect, it } from 'vitest';
import { decide, LIMITS, type Limits, type PoolState } from '../../scripts/devnet/arbitrage/decide.ts';
import { Arbitrageur, fundArbitrageur } from '../../scripts/devnet/arbitrageur.ts';
import { assetOf, START_PRICES_USD8 } from '../../scripts/devnet/assets.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { Prng } from '../../scripts/devnet/prng.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';

const poolAbi = parseAbi(['function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint8, bool)']);
const feedAbi = parseAbi(['function latestAnswer() view returns (int256)']);
const FEE = 500;

let fixture: Fixture | undefined;
afterEach(async () => {
  await fixture?.stop();
  fixture = undefined;
});

async function start(seed: number) {
  fixture = await createFixture();
  await fundArbitrageur(fixture.chain, fixture.market);
  return { fixture, arbitrageur: new Arbitrageur({ rpcUrl: fixture.anvil.rpcUrl, market: fixture.market, seed }) };
}

/** Lets the arbitrageur see the latest block and mines what it sends; its transactions' hashes in the order of the block. */
async function step({ anvil }: Fixture, arbitrageur: Arbitrageur) {
  const trades = await arbitrageur.onBlock(Number(await rpc<Hex>(anvil.rpcUrl, 'eth_blockNumber')));
  await rpc(anvil.rpcUrl, 'evm_mine');
  const block = await rpc<{ transactions: Hex[] }>(anvil.rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
  return { trades, transactions: block.transactions };
}

/** WETH's price in the deepest pool, over the oracle's. */
async function wethGap({ chain, market }: Fixture): Promise<number> {
  const pool = market.uniswap.pools.find(({ token0, token1, fee }) => [token0, token1].sort().join() === 'USDC,WETH' && fee === FEE)!;
  const [sqrtPriceX96] = await chain.read<readonly [bigint]>(pool.address, poolAbi, 'slot0');
  const perToken0 = (Number(sqrtPriceX96) / 2 ** 96) ** 2;
  const wethInUsdc = (pool.token0 === 'WETH' ? perToken0 : 1 / perToken0) * 1e12;
  const [eth, usdc] = await Promise.all(
    ['WETH', 'USDC'].map((symbol) => chain.read<bigint>(market.sources[symbol]!, feedAbi, 'latestAnswer')),
  );
  return (wethInUsdc * Number(usdc)) / Number(eth) - 1;
}

describe('the arbitrageur', () => {
  it('follows a fall of the price a block late, over several blocks, and stops at the edge of the fee', async () => {
    const { fixture, arbitrageur } = await start(1);
    await fixture.setPrice('ETH / USD', 2_700_00000000n);
    expect(await wethGap(fixture)).toBeCloseTo(0.111, 2);
    expect((await step(fixture, arbitrageur)).trades).toEqual([]);
    const gaps: number[] = [];
    for (let block = 0; block < 40; block++) {
      const { trades, transactions } = await step(fixture, arbitrageur);
      expect(transactions).toHaveLength(trades.length);
      gaps.push(await wethGap(fixture));
    }
    expect(gaps[0]).toBeGreaterThan(0.05);
    expect(gaps.at(-1)).toBeLessThan(FEE / 1e6 + LIMITS.threshold);
    expect(gaps.at(-1)).toBeGreaterThan(0);
  }, 60_000);

  it('follows a rise as well', async () => {
    const { fixture, arbitrageur } = await start(2);
    await fixture.setPrice('ETH / USD', 3_200_00000000n);
    for (let block = 0; block < 40; block++) await step(fixture, arbitrageur);
    const gap = await wethGap(fixture);
    expect(gap).toBeGreaterThan(-FEE / 1e6 - LIMITS.threshold);
    expect(gap).toBeLessThan(0);
  }, 60_000);

  it('sends the same transactions for the same seed, others for another', async () => {
    const run = async (seed: number) => {
      const { fixture, arbitrageur } = await start(seed);
      await fixture.setPrice('ETH / USD', 2_800_00000000n);
      const hashes: Hex[] = [];
      for (let block = 0; block < 4; block++) hashes.push(...(await step(fixture, arbitrageur)).transactions);
      await fixture.stop();
      return hashes;
    };
    const first = await run(5);
    expect(first.length).toBeGreaterThan(3);
    expect(await run(5)).toEqual(first);
    expect(await run(6)).not.toEqual(first);
  }, 60_000);

  it('waits while earlier trades are not mined', async () => {
    const { fixture, arbitrageur } = await start(1);
    await fixture.setPrice('ETH / USD', 2_700_00000000n);
    await rpc(fixture.anvil.rpcUrl, 'evm_mine');
    const height = Number(await rpc<Hex>(fixture.anvil.rpcUrl, 'eth_blockNumber'));
    expect((await arbitrageur.onBlock(height)).length).toBeGreaterThan(0);
    expect(await arbitrageur.onBlock(height)).toEqual([]);
  }, 60_000);
});

describe('its decision', () => {
  const prices = Object.fromEntries(['WETH', 'WBTC', 'LINK', 'USDC', 'DAI'].map((s) => [s, START_PRICES_USD8[assetOf(s).feed]!]));
  const eager: Limits = { ...LIMITS, idle: 0 };
  /** Pools whose price is twice the fair one. */
  const pools: PoolState[] = ['WETH', 'WBTC', 'LINK'].map((token0) => {
    const fair = (Number(prices[token0]) / Number(prices['DAI'])) * 10 ** (18 - assetOf(token0).decimals);
    return { token0, token1: 'DAI', fee: 3000, sqrtPriceX96: BigInt(Math.floor(Math.sqrt(2 * fair) * 2 ** 96)) };
  });
  const usdOf = ({ tokenIn, amountIn }: { tokenIn: string; amountIn: bigint }) =>
    Number((amountIn * prices[tokenIn]!) / 10n ** BigInt(assetOf(tokenIn).decimals)) / 1e8;

  it('spends no more than its limits in a block', () => {
    const limits = { ...eager, maxUsdPerBlock: 5e6, maxUsdPerPool: 2e6 };
    const trades = decide(pools, prices, new Prng(1), limits);
    expect(trades).toHaveLength(3);
    for (const trade of trades) expect(usdOf(trade)).toBeLessThanOrEqual(2e6);
    expect(trades.reduce((sum, trade) => sum + usdOf(trade), 0)).toBeLessThanOrEqual(5e6);
  });

  it('sells to a pool what is too dear there', () => {
    for (const trade of decide(pools, prices, new Prng(1), eager)) expect(trade.tokenOut).toBe('DAI');
  });

  it('leaves alone what is nearer than the fee and the threshold', () => {
    const near = pools.map((pool) => ({ ...pool, sqrtPriceX96: BigInt(Math.floor(Number(pool.sqrtPriceX96) / Math.sqrt(2 / 1.004))) }));
    expect(decide(near, prices, new Prng(1), eager)).toEqual([]);
  });
});
