/** A pool of snxUSD and wrapped ether beside a Synthetix world: the real Uniswap v3. */
import { type Address, encodeFunctionData, parseAbi } from 'viem';
import { compileUnit } from '../../../scripts/devnet/compile.ts';
import { lower, sqrtPriceX96Of } from '../../../scripts/devnet/perp-v2/deploy.ts';
import { uniswapContracts } from '../../../scripts/devnet/uniswap/contracts.ts';
import type { SynthetixWorld } from './world.ts';

const FEE_PIPS = 500;
const RANGE_TICKS = 887_270;
const WAD = 10n ** 18n;
const LIQUIDITY = 20_000n * WAD;
const ETHER_IN = 1_000n * WAD;
const poolAbi = parseAbi(['function initialize(uint160 sqrtPriceX96)']);
const actorAbi = parseAbi(['function mint(address pool, int24 lower, int24 upper, uint128 liquidity)']);
const wethAbi = parseAbi(['function deposit() payable', 'function transfer(address to, uint256 amount) returns (bool)']);

/** Mined; about a million dollars deep on each side. @returns the factory, and the block to look for its pools from */
export async function openPool(world: SynthetixWorld, usd: number): Promise<{ readonly factory: Address; readonly fromBlock: number }> {
  const { chain, weth, snx } = world;
  const { UniswapV3Factory } = await uniswapContracts();
  const own = await compileUnit({
    name: 'test contracts',
    solc: 'solc-0.8.27',
    entries: ['test/support/contracts/PoolActor.sol', 'scripts/devnet/contracts/DevToken.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  const fromBlock = (await chain.blockNumber()) + 1;
  const factory = lower(chain.deploy('factory', UniswapV3Factory));
  const actor = lower(chain.deploy('actor', own['PoolActor']!));
  chain.call(factory, UniswapV3Factory.abi, 'createPool', [weth, snx.usd, FEE_PIPS]);
  await chain.mine();
  const pool = lower(await chain.read<Address>(factory, UniswapV3Factory.abi, 'getPool', [weth, snx.usd, FEE_PIPS]));
  chain.call(pool, poolAbi, 'initialize', [sqrtPriceX96Of(weth < snx.usd ? usd : 1 / usd)]);
  const deposit = encodeFunctionData({ abi: wethAbi, functionName: 'deposit' });
  chain.send(chain.deployer, { to: weth, value: ETHER_IN, data: deposit, label: 'deposit' });
  chain.call(weth, wethAbi, 'transfer', [actor, ETHER_IN]);
  world.call(snx.usd, 'SynthDouble', 'mint', [actor, 10n ** 7n * WAD]);
  chain.call(actor, actorAbi, 'mint', [pool, -RANGE_TICKS, RANGE_TICKS, LIQUIDITY]);
  await chain.mine();
  return { factory, fromBlock };
}
