/** The real PoolManager of Uniswap v4 beside a Uniswap world, and the package's own contracts that trade with it out of the deployer's pocket. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Abi, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import { RpcError, rpc } from '../../scripts/devnet/rpc.ts';
import type { Address } from '../../src/lib/types.ts';
import { MAX_SQRT_PRICE_X96, MIN_SQRT_PRICE_X96 } from '../../src/liquidity/concentrated/tick-math.ts';
import { NONE, type PoolKey } from '../../src/liquidity/uniswap-v4/key.ts';
import { lower, type UniswapWorld } from './uniswap.ts';

const NAMES = ['PoolManager', 'PoolSwapTest', 'PoolModifyLiquidityTestNoChecks', 'PoolDonateTest'] as const;
const WETH9 = '@aave-dao/aave-v3-origin/src/contracts/dependencies/weth/WETH9.sol';
const tokenAbi = parseAbi([
  'function mint(address to, uint256 amount)',
  'function approve(address spender, uint256 amount)',
  'function deposit() payable',
]);

const MOST = 2n ** 255n;
const RICH = 2n ** 150n;
/** Above any amount that a test trades. */
const VALUE = 2n ** 100n;
const RICH_WEI = 2n ** 110n;
const GAS = 12_000_000n;

export type Order = { readonly zeroForOne: boolean; readonly exactIn: boolean; readonly amount: bigint };

export class UniswapV4World {
  readonly world: UniswapWorld;
  readonly manager: Address;
  readonly weth: Address;
  readonly #artifacts: Readonly<Record<(typeof NAMES)[number], Artifact>>;
  readonly #swapper: Address;
  readonly #minter: Address;
  readonly #donor: Address;

  private constructor(world: UniswapWorld, artifacts: Readonly<Record<(typeof NAMES)[number], Artifact>>, weth: Artifact) {
    const { chain } = world;
    this.world = world;
    this.#artifacts = artifacts;
    this.weth = lower(chain.deploy('WETH9', weth));
    this.manager = lower(chain.deploy('PoolManager', artifacts.PoolManager, [chain.deployer.address]));
    this.#swapper = chain.deploy('PoolSwapTest', artifacts.PoolSwapTest, [this.manager]);
    this.#minter = chain.deploy('PoolModifyLiquidityTestNoChecks', artifacts.PoolModifyLiquidityTestNoChecks, [this.manager]);
    this.#donor = chain.deploy('PoolDonateTest', artifacts.PoolDonateTest, [this.manager]);
    chain.call(this.manager, artifacts.PoolManager.abi, 'setProtocolFeeController', [chain.deployer.address]);
  }

  static async on(world: UniswapWorld): Promise<UniswapV4World> {
    const { resolve } = createRequire(import.meta.url);
    const read = async (name: string) => {
      const { abi, bytecode } = JSON.parse(await readFile(resolve(`@uniswap/v4-core/out/${name}.sol/${name}.json`), 'utf8'));
      return [name, { abi, bytecode: bytecode.object, linkReferences: {} }] as const;
    };
    const settings = { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' };
    const own = await compileUnit({ name: 'wrapped native', solc: 'solc-0.8.27', entries: [WETH9], settings });
    const artifacts = Object.fromEntries(await Promise.all(NAMES.map(read))) as Record<(typeof NAMES)[number], Artifact>;
    const v4 = new UniswapV4World(world, artifacts, own['WETH9']!);
    await world.chain.mine();
    await v4.enrich();
    world.chain.send(world.chain.deployer, {
      to: v4.weth,
      data: encodeFunctionData({ abi: tokenAbi, functionName: 'deposit' }),
      value: VALUE,
      label: 'deposit',
    });
    await v4.#approve(v4.weth);
    return v4;
  }

  /** Gives the deployer native tokens for whatever a test trades: also after the chain was put back, when it is given other amounts. */
  async enrich(): Promise<void> {
    await this.world.chain.fund([this.world.chain.deployer.address], RICH_WEI);
  }

  /** New tokens, ascending, the deployer rich in each and willing to trade. */
  async tokens(count: number): Promise<Address[]> {
    const tokens = await this.world.tokens(count);
    for (const token of tokens) {
      this.world.chain.call(token, tokenAbi, 'mint', [this.world.chain.deployer.address, RICH]);
      await this.#approve(token);
    }
    return tokens;
  }

  /** Lets somebody spend a token of the deployer's. */
  approve(token: Address, spender: Address): void {
    this.world.chain.call(token, tokenAbi, 'approve', [spender, MOST]);
  }

  async #approve(token: Address): Promise<void> {
    for (const spender of [this.#swapper, this.#minter, this.#donor]) this.approve(token, spender);
    await this.world.chain.mine();
  }

  /* Queued; `chain.mine` performs it. */

  initialize(key: PoolKey, sqrtPriceX96: bigint): void {
    this.world.chain.call(this.manager, this.#artifacts.PoolManager.abi, 'initialize', [keyWords(key), sqrtPriceX96]);
  }

  /** With a hook, where it has one: for pools that are to be passed over. */
  initializeHooked(key: PoolKey, hooks: Address, sqrtPriceX96: bigint): void {
    this.world.chain.call(this.manager, this.#artifacts.PoolManager.abi, 'initialize', [{ ...keyWords(key), hooks }, sqrtPriceX96]);
  }

  modify(key: PoolKey, tickLower: number, tickUpper: number, liquidityDelta: bigint): void {
    const params = { tickLower, tickUpper, liquidityDelta, salt: `0x${'00'.repeat(32)}` };
    this.#send(this.#minter, this.#artifacts.PoolModifyLiquidityTestNoChecks.abi, 'modifyLiquidity', [keyWords(key), params, '0x'], key);
  }

  swap(key: PoolKey, order: Order): void {
    this.#send(this.#swapper, this.#artifacts.PoolSwapTest.abi, 'swap', swapArgs(key, order), key);
  }

  donate(key: PoolKey, amount0: bigint, amount1: bigint): void {
    this.#send(this.#donor, this.#artifacts.PoolDonateTest.abi, 'donate', [keyWords(key), amount0, amount1, '0x'], key);
  }

  /** @param fee twelve bits for each direction, the low ones for selling currency 0; at most 1,000 each */
  setProtocolFee(key: PoolKey, fee: number): void {
    this.world.chain.call(this.manager, this.#artifacts.PoolManager.abi, 'setProtocolFee', [keyWords(key), fee]);
  }

  /** What the order would come to in the real contracts now, or undefined where they refuse it. */
  async quote(key: PoolKey, order: Order): Promise<{ readonly amount0: bigint; readonly amount1: bigint } | undefined> {
    const { abi } = this.#artifacts.PoolSwapTest;
    const data = encodeFunctionData({ abi, functionName: 'swap', args: swapArgs(key, order) });
    const call = {
      from: this.world.chain.deployer.address,
      to: this.#swapper,
      data,
      ...sentWith(key),
      gas: `0x${(30_000_000).toString(16)}`,
    };
    try {
      const delta = decodeFunctionResult({
        abi,
        functionName: 'swap',
        data: await rpc<Hex>(this.world.rpcUrl, 'eth_call', [call, 'latest']),
      });
      return { amount0: (delta as bigint) >> 128n, amount1: BigInt.asIntN(128, delta as bigint) };
    } catch (error) {
      if (error instanceof RpcError && /revert/i.test(error.message)) return undefined;
      throw error;
    }
  }

  #send(to: Address, abi: Abi, functionName: string, args: readonly unknown[], key: PoolKey): void {
    const data = encodeFunctionData({ abi, functionName, args: [...args] });
    const value = key.currency0 === NONE ? VALUE : 0n;
    this.world.chain.send(this.world.chain.deployer, { to, data, value, gas: GAS, label: functionName });
  }
}

function sentWith(key: PoolKey): { readonly value?: Hex } {
  return key.currency0 === NONE ? { value: `0x${VALUE.toString(16)}` } : {};
}

function keyWords({ currency0, currency1, feePips, spacing }: PoolKey) {
  return { currency0, currency1, fee: feePips, tickSpacing: spacing, hooks: NONE };
}

function swapArgs(key: PoolKey, { zeroForOne, exactIn, amount }: Order): readonly unknown[] {
  const params = {
    zeroForOne,
    amountSpecified: exactIn ? -amount : amount,
    sqrtPriceLimitX96: zeroForOne ? MIN_SQRT_PRICE_X96 + 1n : MAX_SQRT_PRICE_X96 - 1n,
  };
  return [keyWords(key), params, { takeClaims: false, settleUsingBurn: false }, '0x'];
}
