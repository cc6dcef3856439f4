/**
 * Keeps the devnet's pools near the oracle, imperfectly: it knows the oracle's prices a block late, has a limit of capital per block, leaves
 * small gaps alone and overlooks a pool now and then. Its trades are ordinary public transactions, the same for the same seed and chain.
 */
import { type Address, decodeFunctionResult, encodeFunctionData, type Hex, numberToHex, parseAbi } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { CHAIN_ID } from './anvil.ts';
import { amountFor, decide, LIMITS, type Limits, type PoolState, type Trade } from './arbitrage/decide.ts';
import { ASSETS, startPriceUsd8 } from './assets.ts';
import type { SetupChain } from './chain.ts';
import { followBlocks } from './follow.ts';
import { devAccount } from './keys.ts';
import type { Market } from './market.ts';
import { Prng } from './prng.ts';
import { rpc, rpcBatch } from './rpc.ts';
import { erc20Abi, provideTokens } from './tokens.ts';

/** What it holds of each token at the start. */
const CAPITAL_USD = 200e6;
const ETH_WEI = 10n ** 24n;
const MAX_UINT256 = 2n ** 256n - 1n;
const TIP_WEI = 1_000_000_000n;
/** A swap over many ticks. */
const GAS_LIMIT = 1_500_000n;
/** Multiplied by the seed, it keeps one seed's blocks apart from another's. */
const SEED_STRIDE = 1_000_003;

const abi = parseAbi([
  'function latestAnswer() view returns (int256)',
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint8, bool)',
  'struct Swap { address tokenIn; address tokenOut; uint24 fee; address recipient; uint256 deadline; uint256 amountIn; uint256 amountOutMinimum; uint160 sqrtPriceLimitX96; }',
  'function exactInputSingle(Swap params) payable returns (uint256 amountOut)',
]);

export type ArbitrageMarket = Pick<Market, 'tokens' | 'sources' | 'uniswap'>;

/** Gives the arbitrageur's account tokens of every kind, and the router leave to take them. All is mined on return. */
export async function fundArbitrageur(chain: SetupChain, { tokens, uniswap }: ArbitrageMarket): Promise<void> {
  const account = devAccount('arbitrageur');
  await chain.fund([account.address], ETH_WEI);
  for (const asset of ASSETS) {
    provideTokens(chain, tokens, account, asset.symbol, amountFor(asset.symbol, CAPITAL_USD, startPriceUsd8(asset)));
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [uniswap.swapRouter, MAX_UINT256] });
    chain.send(account, { to: tokens[asset.symbol]!, data, gas: 60_000n, label: `arbitrageur: approve ${asset.symbol}` });
  }
  await chain.mine();
}

export type ArbitrageurOptions = { rpcUrl: string; market: ArbitrageMarket; seed: number; limits?: Limits };

export class Arbitrageur {
  readonly #rpcUrl: string;
  readonly #market: ArbitrageMarket;
  readonly #seed: number;
  readonly #limits: Limits;
  readonly #account: PrivateKeyAccount = devAccount('arbitrageur');

  constructor({ rpcUrl, market, seed, limits = LIMITS }: ArbitrageurOptions) {
    this.#rpcUrl = rpcUrl;
    this.#market = market;
    this.#seed = seed;
    this.#limits = limits;
  }

  /** To be called once for each new block. Sends what it decides on and returns it; nothing while earlier trades are still waiting. */
  async onBlock(blockNumber: number): Promise<Trade[]> {
    const [waiting, nonce, baseFeeWei] = await this.#standing(blockNumber);
    if (waiting) return [];
    const [prices, pools] = await Promise.all([this.#prices(blockNumber - 1), this.#pools(blockNumber)]);
    const trades = decide(pools, prices, new Prng(this.#seed * SEED_STRIDE + blockNumber), this.#limits);
    const signed = await Promise.all(trades.map((trade, index) => this.#sign(trade, nonce + index, baseFeeWei)));
    // NOTE: one at a time: anvil takes a batch's transactions in any order, and order is part of what a seed promises.
    for (const raw of signed) await rpc(this.#rpcUrl, 'eth_sendRawTransaction', [raw]);
    return trades;
  }

  async #standing(blockNumber: number): Promise<[waiting: boolean, nonce: number, baseFeeWei: bigint]> {
    const { address } = this.#account;
    const [pending, mined, block] = await rpcBatch<Hex | { baseFeePerGas: Hex }>(this.#rpcUrl, [
      { method: 'eth_getTransactionCount', params: [address, 'pending'] },
      { method: 'eth_getTransactionCount', params: [address, 'latest'] },
      { method: 'eth_getBlockByNumber', params: [numberToHex(blockNumber), false] },
    ]);
    return [pending !== mined, Number(mined), BigInt((block as { baseFeePerGas: Hex }).baseFeePerGas)];
  }

  async #prices(blockNumber: number): Promise<Record<string, bigint>> {
    const symbols = Object.keys(this.#market.sources);
    const answers = await this.#read<bigint>(
      symbols.map((symbol) => this.#market.sources[symbol]!),
      'latestAnswer',
      blockNumber,
    );
    return Object.fromEntries(symbols.map((symbol, index) => [symbol, answers[index]!]));
  }

  async #pools(blockNumber: number): Promise<PoolState[]> {
    const { pools } = this.#market.uniswap;
    const slots = await this.#read<readonly [bigint]>(
      pools.map(({ address }) => address),
      'slot0',
      blockNumber,
    );
    return pools.map(({ token0, token1, fee }, index) => ({ token0, token1, fee, sqrtPriceX96: slots[index]![0] }));
  }

  async #read<T>(addresses: readonly Address[], functionName: 'latestAnswer' | 'slot0', blockNumber: number): Promise<T[]> {
    const data = encodeFunctionData({ abi, functionName });
    const calls = addresses.map((to) => ({ method: 'eth_call', params: [{ to, data }, numberToHex(Math.max(0, blockNumber))] }));
    const answers = await rpcBatch<Hex>(this.#rpcUrl, calls);
    return answers.map((answer) => decodeFunctionResult({ abi, functionName, data: answer }) as T);
  }

  #sign(trade: Trade, nonce: number, baseFeeWei: bigint): Promise<Hex> {
    const { tokens, uniswap } = this.#market;
    const { fee, amountIn, sqrtPriceLimitX96 } = trade;
    const swap = {
      tokenIn: tokens[trade.tokenIn]!,
      tokenOut: tokens[trade.tokenOut]!,
      ...{ fee, amountIn, sqrtPriceLimitX96, amountOutMinimum: 0n, recipient: this.#account.address, deadline: MAX_UINT256 },
    };
    return this.#account.signTransaction({
      ...{ type: 'eip1559', chainId: CHAIN_ID, nonce, to: uniswap.swapRouter, gas: GAS_LIMIT },
      ...{ maxPriorityFeePerGas: TIP_WEI, maxFeePerGas: 3n * baseFeeWei + TIP_WEI },
      data: encodeFunctionData({ abi, functionName: 'exactInputSingle', args: [swap] }),
    });
  }
}

/** Lets it work beside the chain, in this process, until `stop`. Fund it first. */
export function startArbitrageur(options: ArbitrageurOptions & { onError(error: unknown): void }): { stop(): Promise<void> } {
  const arbitrageur = new Arbitrageur(options);
  const stop = new AbortController();
  const following = followBlocks(options.rpcUrl, {
    signal: stop.signal,
    onBlock: async (blockNumber) => void (await arbitrageur.onBlock(blockNumber)),
    onError: options.onError,
  });
  return {
    stop: () => {
      stop.abort();
      return following;
    },
  };
}
