/**
 * Traders without a plan, on every pool of the devnet: prices wander, in calm times and in wild ones, now and then by a leap, and come back to the oracle's in the
 * end. The same for the same seed and chain. What they are about to do is known to nobody.
 */
import { decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { CHAIN_ID } from '../devnet/anvil.ts';
import { amountFor } from '../devnet/arbitrage/decide.ts';
import { type ArbitrageMarket, fundArbitrageur } from '../devnet/arbitrageur.ts';
import { assetOf } from '../devnet/assets.ts';
import type { SetupChain } from '../devnet/chain.ts';
import { devAccount } from '../devnet/keys.ts';
import { Prng } from '../devnet/prng.ts';
import { rpcBatch } from '../devnet/rpc.ts';
import { sqrtPriceX96At } from '../devnet/uniswap/price.ts';

const abi = parseAbi([
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint8, bool)',
  'struct Swap { address tokenIn; address tokenOut; uint24 fee; address recipient; uint256 deadline; uint256 amountIn; uint256 amountOutMinimum; uint160 sqrtPriceLimitX96; }',
  'function exactInputSingle(Swap params) payable returns (uint256 amountOut)',
  'function multicall(bytes[] data) payable returns (bytes[] results)',
]);

/** Of one block and token, in calm times: 8 hundredths of a percent. */
const CALM = 8e-4;
/** How often a pool is traded at in a block. */
const BUSY = 0.6;
/** How long wild times last, and how wild they are: the logarithm of the volatility wanders. */
const LASTING = 0.98;
const WILDNESS = 0.12;
const LEAP_CHANCE = 0.02;
const LEAP = 4;
/** What is left of a price's distance from the oracle's after a block. */
const STRAYING = 0.94;
/** No trade moves a price further, nor spends more. */
const MOST_MOVE = 0.03;
const MOST_USD = 5e6;
const GAS_LIMIT = 16_000_000n;
const FEE_WEI = 10_000_000_000n;
const TIP_WEI = 2_000_000_000n;
const FOREVER = 2n ** 255n;

export class NoiseTraders {
  readonly #rpcUrl: string;
  readonly #market: ArbitrageMarket;
  readonly #random: Prng;
  readonly #account: PrivateKeyAccount = devAccount('arbitrageur');
  #logVolatility = 0;

  private constructor(rpcUrl: string, market: ArbitrageMarket, seed: number) {
    this.#rpcUrl = rpcUrl;
    this.#market = market;
    this.#random = new Prng(seed);
  }

  static async open(chain: SetupChain, market: ArbitrageMarket, seed: number): Promise<NoiseTraders> {
    await fundArbitrageur(chain, market);
    return new NoiseTraders(chain.rpcUrl, market, seed);
  }

  /** The next block's trades, signed, in one transaction; to be asked for once a block. @param pricesUsd8 by symbol */
  async trades(pricesUsd8: Readonly<Record<string, bigint>>): Promise<Hex> {
    const [nonce, prices] = await this.#standing();
    this.#logVolatility = LASTING * this.#logVolatility + WILDNESS * this.#normal();
    const volatility = CALM * Math.exp(this.#logVolatility);
    const shocks = new Map(Object.keys(pricesUsd8).map((symbol) => [symbol, volatility * this.#shock()]));
    const swaps = this.#market.uniswap.pools.flatMap(({ token0, token1, fee }, index) => {
      const own = volatility * 0.4 * this.#shock();
      if (this.#random.next() >= BUSY) return [];
      const priced = (symbol: string) => ({ decimals: assetOf(symbol).decimals, priceUsd8: pricesUsd8[symbol]! });
      const fair = sqrtPriceX96At(priced(token0), priced(token1));
      const away = 2 * Math.log(Number(prices[index]!) / Number(fair));
      const move = shocks.get(token0)! - shocks.get(token1)! + own - (1 - STRAYING) * away;
      const capped = Math.max(-MOST_MOVE, Math.min(MOST_MOVE, move));
      const target = (prices[index]! * BigInt(Math.round(Math.exp(capped / 2) * 1e12))) / 1_000_000_000_000n;
      if (target === prices[index]) return [];
      const [tokenIn, tokenOut] = capped < 0 ? [token0, token1] : [token1, token0];
      return [this.#swap(tokenIn, tokenOut, fee, amountFor(tokenIn, MOST_USD, pricesUsd8[tokenIn]!), target)];
    });
    return this.#account.signTransaction({
      ...{ type: 'eip1559', chainId: CHAIN_ID, nonce, to: this.#market.uniswap.swapRouter, gas: GAS_LIMIT },
      ...{ maxPriorityFeePerGas: TIP_WEI, maxFeePerGas: FEE_WEI },
      data: encodeFunctionData({ abi, functionName: 'multicall', args: [swaps] }),
    });
  }

  #swap(tokenIn: string, tokenOut: string, fee: number, amountIn: bigint, sqrtPriceLimitX96: bigint): Hex {
    const { tokens } = this.#market;
    const swap = {
      ...{ tokenIn: tokens[tokenIn]!, tokenOut: tokens[tokenOut]!, fee, amountIn, sqrtPriceLimitX96 },
      ...{ amountOutMinimum: 0n, recipient: this.#account.address, deadline: FOREVER },
    };
    return encodeFunctionData({ abi, functionName: 'exactInputSingle', args: [swap] });
  }

  async #standing(): Promise<[nonce: number, sqrtPricesX96: bigint[]]> {
    const data = encodeFunctionData({ abi, functionName: 'slot0' });
    const reads = this.#market.uniswap.pools.map(({ address }) => ({ method: 'eth_call', params: [{ to: address, data }, 'latest'] }));
    const [nonce, ...slots] = await rpcBatch<Hex>(this.#rpcUrl, [
      { method: 'eth_getTransactionCount', params: [this.#account.address, 'latest'] },
      ...reads,
    ]);
    return [Number(nonce), slots.map((slot) => decodeFunctionResult({ abi, functionName: 'slot0', data: slot })[0])];
  }

  /** Mostly small, seldom large: of variance about 1. */
  #shock(): number {
    return this.#normal() * (this.#random.next() < LEAP_CHANCE ? LEAP : 0.85);
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random.next())) * Math.cos(2 * Math.PI * this.#random.next());
  }
}
