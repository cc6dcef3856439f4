/** Uniswap v3 with real liquidity: factory, position manager, router, quoter, and the pools of pools.ts at the starting prices. */
import type { Address } from 'viem';
import { amountOf, assetOf } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import { erc20Abi, provideTokens } from '../tokens.ts';
import { uniswapContracts } from './contracts.ts';
import { POOLS, type PoolSpec } from './pools.ts';
import { startSqrtPriceX96, ticksAround } from './price.ts';

/** NOTE: the position manager's own description contract draws pictures of positions; nothing here looks at them. */
const NO_DESCRIPTOR = '0x0000000000000000000000000000000000000000';
const MAX_UINT256 = 2n ** 256n - 1n;

export type Pool = { address: Address; token0: string; token1: string; fee: number };
export type Uniswap = {
  factory: Address;
  positionManager: Address;
  swapRouter: Address;
  quoter: Address;
  pools: Pool[];
  fromBlock: number;
};

/** The deployer is the liquidity provider. `tokens` by symbol, already mined. @param depth of the pools, as a part of what pools.ts says */
export async function deployUniswap(chain: SetupChain, tokens: Record<string, Address>, depth = 1): Promise<Uniswap> {
  const specs = POOLS.map((spec) => ({ ...spec, usd: spec.usd * depth }));
  const contracts = await uniswapContracts();
  const fromBlock = (await chain.blockNumber()) + 1;
  const { abi: factoryAbi } = contracts.UniswapV3Factory;
  const { abi: managerAbi } = contracts.NonfungiblePositionManager;
  const weth = tokens['WETH']!;
  const factory = chain.deploy('uniswap factory', contracts.UniswapV3Factory);
  const positionManager = chain.deploy('position manager', contracts.NonfungiblePositionManager, [factory, weth, NO_DESCRIPTOR]);
  const swapRouter = chain.deploy('swap router', contracts.SwapRouter, [factory, weth]);
  const quoter = chain.deploy('quoter', contracts.QuoterV2, [factory, weth]);
  chain.call(factory, factoryAbi, 'enableFeeAmount', [100, 1]);

  const needed = new Map<string, bigint>();
  for (const { pair, usd } of specs) {
    for (const symbol of pair) needed.set(symbol, (needed.get(symbol) ?? 0n) + amountOf(assetOf(symbol), usd / 2));
  }
  for (const [symbol, amount] of needed) {
    provideTokens(chain, tokens, chain.deployer, symbol, amount);
    chain.call(tokens[symbol]!, erc20Abi, 'approve', [positionManager, MAX_UINT256]);
  }
  for (const spec of specs) {
    const { token0, token1, sqrtPriceX96 } = ordered(spec, tokens);
    const args = [tokens[token0], tokens[token1], spec.fee, sqrtPriceX96];
    chain.call(positionManager, managerAbi, 'createAndInitializePoolIfNecessary', args);
  }
  for (const spec of specs)
    for (const args of positions(spec, tokens, chain.deployer.address)) chain.call(positionManager, managerAbi, 'mint', [args]);
  await chain.mine();

  const pools: Pool[] = [];
  for (const spec of specs) {
    const { token0, token1 } = ordered(spec, tokens);
    const address = await chain.read<Address>(factory, factoryAbi, 'getPool', [tokens[token0], tokens[token1], spec.fee]);
    pools.push({ address, token0, token1, fee: spec.fee });
  }
  return { factory, positionManager, swapRouter, quoter, pools, fromBlock };
}

function ordered({ pair: [a, b] }: PoolSpec, tokens: Record<string, Address>) {
  const [token0, token1] = BigInt(tokens[a]!) < BigInt(tokens[b]!) ? [a, b] : [b, a];
  return { token0, token1, sqrtPriceX96: startSqrtPriceX96(assetOf(token0), assetOf(token1)) };
}

function positions(spec: PoolSpec, tokens: Record<string, Address>, recipient: Address) {
  const { token0, token1, sqrtPriceX96 } = ordered(spec, tokens);
  return spec.ranges.map(({ width, share }) => ({
    token0: tokens[token0],
    token1: tokens[token1],
    fee: spec.fee,
    ...ticksAround(sqrtPriceX96, width, spec.fee),
    amount0Desired: amountOf(assetOf(token0), (spec.usd * share) / 2),
    amount1Desired: amountOf(assetOf(token1), (spec.usd * share) / 2),
    amount0Min: 0n,
    amount1Min: 0n,
    recipient,
    deadline: MAX_UINT256,
  }));
}
