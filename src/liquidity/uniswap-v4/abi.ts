import { parseAbi, toFunctionSelector } from 'viem';
import { topicOf, viewCall } from '../../lib/words.ts';

/** What is called while the manager is unlocked, and what unlocks it (`IPoolManager`); of the wrapped native token what turns it into the native one and back. */
export const managerAbi = parseAbi([
  'struct PoolKey { address currency0; address currency1; uint24 fee; int24 tickSpacing; address hooks; }',
  'struct SwapParams { bool zeroForOne; int256 amountSpecified; uint160 sqrtPriceLimitX96; }',
  'function unlock(bytes data) returns (bytes)',
  'function swap(PoolKey key, SwapParams params, bytes hookData) returns (int256)',
  'function sync(address currency)',
  'function settle() payable returns (uint256)',
  'function take(address currency, address to, uint256 amount)',
]);
export const tokenAbi = parseAbi([
  'function transfer(address to, uint256 amount) returns (bool)',
  'function withdraw(uint256 amount)',
  'function deposit() payable',
]);

export const VIEW = {
  extsload: viewCall('function extsload(bytes32 slot)'),
  balanceOf: viewCall('function balanceOf(address account)'),
} as const;

/** `IExttload`: a word of transient storage. */
export const EXTTLOAD = toFunctionSelector('exttload(bytes32)');
export const UNLOCK_CALLBACK = toFunctionSelector('unlockCallback(bytes)');

export const TOPIC = {
  initialize: topicOf('event Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)'),
  modifyLiquidity: topicOf('event ModifyLiquidity(bytes32,address,int24,int24,int256,bytes32)'),
  swap: topicOf('event Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)'),
  protocolFeeUpdated: topicOf('event ProtocolFeeUpdated(bytes32,uint24)'),
} as const;
