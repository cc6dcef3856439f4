import { parseAbi, toFunctionSelector } from 'viem';
import { topicOf, viewCall } from '../../lib/words.ts';

/** The calls that move tokens (`IUniswapV3PoolActions`, ERC-20). */
export const poolAbi = parseAbi([
  'function swap(address recipient, bool zeroForOne, int256 amountSpecified, uint160 sqrtPriceLimitX96, bytes data) returns (int256, int256)',
  'function flash(address recipient, uint256 amount0, uint256 amount1, bytes data)',
]);
export const tokenAbi = parseAbi(['function transfer(address to, uint256 amount) returns (bool)']);

/** The views (`IUniswapV3Factory`, `IUniswapV3PoolState`, `IUniswapV3PoolImmutables`, ERC-20). A tick is passed through `signedWord`. */
export const VIEW = {
  getPool: viewCall('function getPool(address tokenA, address tokenB, uint24 fee)'),
  slot0: viewCall('function slot0()'),
  liquidity: viewCall('function liquidity()'),
  tickSpacing: viewCall('function tickSpacing()'),
  tickBitmap: viewCall('function tickBitmap(int16 wordPosition)'),
  ticks: viewCall('function ticks(int24 tick)'),
  balanceOf: viewCall('function balanceOf(address account)'),
} as const;

/** A signed argument, as the word that stands for it. */
export function signedWord(value: number): bigint {
  return BigInt.asUintN(256, BigInt(value));
}

export const TOPIC = {
  poolCreated: topicOf('event PoolCreated(address,address,uint24,int24,address)'),
  feeAmountEnabled: topicOf('event FeeAmountEnabled(uint24,int24)'),
  initialize: topicOf('event Initialize(uint160,int24)'),
  mint: topicOf('event Mint(address,address,int24,int24,uint128,uint256,uint256)'),
  burn: topicOf('event Burn(address,int24,int24,uint128,uint256,uint256)'),
  collect: topicOf('event Collect(address,address,int24,int24,uint128,uint128)'),
  swap: topicOf('event Swap(address,address,int256,int256,uint160,uint128,int24)'),
  flash: topicOf('event Flash(address,address,uint256,uint256,uint256,uint256)'),
  collectProtocol: topicOf('event CollectProtocol(address,address,uint128,uint128)'),
} as const;

export const SWAP_CALLBACK = toFunctionSelector('uniswapV3SwapCallback(int256,int256,bytes)');
export const FLASH_CALLBACK = toFunctionSelector('uniswapV3FlashCallback(uint256,uint256,bytes)');
