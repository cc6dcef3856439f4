/** A chain with Perp v2, makers, traders by seed, followed by the keeper's own mirror. */
import { type Abi, type Address, decodeFunctionResult, encodeFunctionData, type Hex } from 'viem';
import { type Anvil, SLOT_SECONDS, startAnvil } from '../../../scripts/devnet/anvil.ts';
import { SetupChain } from '../../../scripts/devnet/chain.ts';
import { devAccount } from '../../../scripts/devnet/keys.ts';
import { deployFeeds } from '../../../scripts/devnet/oracle/feeds.ts';
import type { Feed } from '../../../scripts/devnet/oracle/report.ts';
import { signTransmit } from '../../../scripts/devnet/oracle/transmit.ts';
import type { PerpArtifacts } from '../../../scripts/devnet/perp-v2/contracts.ts';
import { deployPerp, lower, type Perp, type PerpMarketAt, type PerpMarketSpec } from '../../../scripts/devnet/perp-v2/deploy.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { rpc, rpcBatch } from '../../../scripts/devnet/rpc.ts';
import { erc20Abi, ownContracts } from '../../../scripts/devnet/tokens.ts';
import { decodeAggregate3, encodeAggregate3 } from '../../../src/chain/multicall.ts';
import type { ViewAnswer, ViewCall } from '../../../src/lib/types.ts';

export const MARKETS: readonly PerpMarketSpec[] = [
  { symbol: 'ETH', feed: 'ETH / USD', usd: 2_000, depthUsd: 3_000_000 },
  { symbol: 'BTC', feed: 'BTC / USD', usd: 40_000, depthUsd: 4_000_000 },
  { symbol: 'SOL', feed: 'SOL / USD', usd: 50, depthUsd: 400_000 },
];
const MAX_UINT256 = 2n ** 256n - 1n;
const WAD = 10n ** 18n;
const USDC = 10n ** 6n;
const GAS = 4_000_000;
/** As many as fit into a block with the gas that each names. */
const PER_BLOCK = 14;
const MAKER_RANGES = [0.1, 0.3];
const SPACING = 200;

type Contract = { readonly at: Address; readonly abi: Abi };
type Sent = { readonly hash: Hex; readonly label: string };
type Receipt = { readonly transactionHash: Hex; readonly status: Hex; readonly gasUsed: Hex };

export class PerpWorld {
  readonly anvil: Anvil;
  readonly chain: SetupChain;
  readonly perp: Perp;
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly multicall3: Address;
  readonly traders: readonly Address[];
  readonly makers: readonly Address[];
  #sent: Sent[] = [];

  private constructor(parts: Pick<PerpWorld, 'anvil' | 'chain' | 'perp' | 'feeds' | 'multicall3' | 'traders' | 'makers'>) {
    this.anvil = parts.anvil;
    this.chain = parts.chain;
    this.perp = parts.perp;
    this.feeds = parts.feeds;
    this.multicall3 = parts.multicall3;
    this.traders = parts.traders;
    this.makers = parts.makers;
  }

  /** Deployed, with makers in every market and the traders' deposits, no positions yet. */
  static async open({ traders, markets = MARKETS }: { traders: number; markets?: readonly PerpMarketSpec[] }): Promise<PerpWorld> {
    const anvil = await startAnvil();
    try {
      const chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
      await chain.prepare();
      const own = await ownContracts();
      const multicall3 = chain.deploy('multicall3', own['Multicall3']!);
      const settlement = chain.deploy('USDC', own['DevToken']!, ['USD Coin', 'USDC', 6]);
      const token = chain.deploy('WETH', own['DevToken']!, ['Wrapped ether', 'WETH', 18]);
      const priced = [...markets, { feed: 'USDC / USD', usd: 1 }];
      const specs = priced.map(({ feed, usd }) => ({ name: feed, decimals: 8, initialAnswer: usd8(usd) }));
      const feeds = Object.fromEntries((await deployFeeds(chain, specs)).map((feed) => [feed.name, feed]));
      const collateral = { token, feed: feeds[markets[0]!.feed]! };
      const perp = await deployPerp(chain, { settlement, collateral, feeds, markets });
      const people = (first: number, count: number) =>
        Array.from({ length: count }, (_, i): Address => `0x${(first + i).toString(16).padStart(40, '0')}`);
      const world = new PerpWorld({
        ...{ anvil, chain, perp, feeds, multicall3: lower(multicall3) },
        ...{ traders: people(0x7ade_0000, traders), makers: people(0x3a4e_0000, 2) },
      });
      await rpc(anvil.rpcUrl, 'anvil_autoImpersonateAccount', [true]);
      await rpc(anvil.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00']);
      for (const maker of world.makers) await world.deposit(maker, 50_000_000n * USDC);
      await world.mine();
      for (const market of perp.markets)
        for (const [place, maker] of world.makers.entries())
          for (const width of MAKER_RANGES) await world.provide(maker, market, width, market.depthUsd / 4 / (place + 1));
      await world.mine();
      return world;
    } catch (error) {
      await anvil.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.anvil.stop();
  }

  contract(
    name: 'clearingHouse' | 'vault' | 'accountBalance' | 'exchange' | 'clearingHouseConfig' | 'insuranceFund' | 'orderBook',
  ): Contract {
    const artifact = `${name[0]!.toUpperCase()}${name.slice(1)}` as keyof PerpArtifacts;
    return { at: this.perp[name], abi: this.perp.artifacts[artifact].abi };
  }

  // ---- doing

  /** Queues a transaction in anybody's name. It may revert. */
  async send(from: Address, { at, abi }: Contract, functionName: string, args: readonly unknown[], label = functionName): Promise<void> {
    const data = encodeFunctionData({ abi, functionName, args: [...args] });
    const transaction = { from, to: at, data, gas: `0x${GAS.toString(16)}` };
    this.#sent.push({ hash: await rpc<Hex>(this.anvil.rpcUrl, 'eth_sendTransaction', [transaction]), label });
    if (this.#sent.length % PER_BLOCK === 0) await this.#mineOne();
  }

  #mined = 0;
  readonly #receipts: Receipt[] = [];

  async #mineOne(): Promise<void> {
    await rpc(this.anvil.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00']);
    await rpc(this.anvil.rpcUrl, 'evm_mine');
    this.#receipts.push(...(await rpc<Receipt[]>(this.anvil.rpcUrl, 'eth_getBlockReceipts', ['latest'])));
    this.#mined = this.#sent.length;
  }

  /** Mines what was sent; a block at least. Returns, by label, how many went through and how many did not. */
  async mine(): Promise<Map<string, { done: number; reverted: number }>> {
    if (this.#sent.length === 0 || this.#mined < this.#sent.length) await this.#mineOne();
    const status = new Map(this.#receipts.splice(0).map((receipt) => [receipt.transactionHash, receipt.status]));
    const counts = new Map<string, { done: number; reverted: number }>();
    for (const { hash, label } of this.#sent.splice(0)) {
      const count = counts.get(label) ?? { done: 0, reverted: 0 };
      counts.set(label, count);
      if (status.get(hash) === '0x1') count.done++;
      else count.reverted++;
    }
    this.#mined = 0;
    return counts;
  }

  /** Queues gas money, settlement tokens, and their deposit. */
  async deposit(account: Address, amount: bigint, token = this.perp.settlement): Promise<void> {
    await rpc(this.anvil.rpcUrl, 'anvil_setBalance', [account, `0x${(10n ** 24n).toString(16)}`]);
    await this.#mint(account, amount, token);
    await this.send(account, { at: token, abi: erc20Abi }, 'approve', [this.perp.vault, MAX_UINT256]);
    await this.send(account, this.contract('vault'), 'deposit', [token, amount]);
  }

  /** Queues a deposit that the deployer makes for another account. */
  async depositFor(account: Address, amount: bigint): Promise<void> {
    const { settlement, vault } = this.perp;
    const { address } = this.chain.deployer;
    await this.#mint(address, amount, settlement);
    await this.send(address, { at: settlement, abi: erc20Abi }, 'approve', [vault, MAX_UINT256]);
    await this.send(address, this.contract('vault'), 'depositFor', [account, settlement, amount]);
    await this.mine();
    // The deployer's own transactions count their nonces by themselves.
    await this.chain.fund([address], 10n ** 26n);
  }

  async #mint(account: Address, amount: bigint, token: Address): Promise<void> {
    const mint = [
      { type: 'function', name: 'mint', stateMutability: 'nonpayable', inputs: [{ type: 'address' }, { type: 'uint256' }], outputs: [] },
    ];
    await this.send(this.chain.deployer.address, { at: token, abi: mint as Abi }, 'mint', [account, amount]);
  }

  /** Queues liquidity around the market's first price. */
  async provide(maker: Address, { base, usd }: PerpMarketAt, width: number, depthUsd: number): Promise<void> {
    const tick = Math.log(usd) / Math.log(1.0001);
    const span = Math.log(1 + width) / Math.log(1.0001);
    const order = {
      baseToken: base,
      base: wad(depthUsd / 2 / usd),
      quote: wad(depthUsd / 2),
      lowerTick: Math.floor((tick - span) / SPACING) * SPACING,
      upperTick: Math.ceil((tick + span) / SPACING) * SPACING,
      ...{ minBase: 0n, minQuote: 0n, useTakerBalance: false, deadline: MAX_UINT256 },
    };
    await this.send(maker, this.contract('clearingHouse'), 'addLiquidity', [order]);
  }

  /** Queues a trade: a quote amount paid (long) or taken (short). */
  async trade(trader: Address, base: Address, side: 'long' | 'short', quoteUsd: number): Promise<void> {
    const order = {
      ...{ baseToken: base, isBaseToQuote: side === 'short', isExactInput: side === 'long', amount: wad(quoteUsd) },
      ...{ oppositeAmountBound: 0n, deadline: MAX_UINT256, sqrtPriceLimitX96: 0n, referralCode: `0x${'0'.repeat(64)}` },
    };
    await this.send(trader, this.contract('clearingHouse'), 'openPosition', [order], side);
  }

  async close(trader: Address, base: Address): Promise<void> {
    const order = {
      ...{ baseToken: base, sqrtPriceLimitX96: 0n, oppositeAmountBound: 0n },
      deadline: MAX_UINT256,
      referralCode: `0x${'0'.repeat(64)}`,
    };
    await this.send(trader, this.contract('clearingHouse'), 'closePosition', [order]);
  }

  /** Queues a feed's next transmission. */
  async price(symbol: string, usd: number): Promise<void> {
    const market = this.market(symbol);
    const { raw } = await signTransmit(this.anvil.rpcUrl, this.feeds[market.feed]!, usd8(usd));
    this.#sent.push({ hash: await rpc<Hex>(this.anvil.rpcUrl, 'eth_sendRawTransaction', [raw]), label: 'price' });
  }

  async pass(seconds: number): Promise<void> {
    await rpc(this.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [seconds]);
    await this.mine();
    await rpc(this.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [SLOT_SECONDS]);
  }

  // ---- asking

  market(symbol: string): PerpMarketAt {
    return this.perp.markets.find((market) => market.symbol === symbol)!;
  }

  async read<T>({ at, abi }: Contract, functionName: string, args: readonly unknown[]): Promise<T> {
    const data = encodeFunctionData({ abi, functionName, args: [...args] });
    return decodeFunctionResult({
      abi,
      functionName,
      data: await rpc<Hex>(this.anvil.rpcUrl, 'eth_call', [{ to: at, data }, 'latest']),
    }) as T;
  }

  balanceOf(holder: Address, token = this.perp.settlement): Promise<bigint> {
    return this.read({ at: token, abi: erc20Abi }, 'balanceOf', [holder]);
  }

  /** Views at the latest block, one answer each; with a timestamp, as of a block that has it. */
  async views(calls: readonly ViewCall[], timestamp?: number): Promise<ViewAnswer[]> {
    const chunks: ViewCall[][] = [];
    for (let from = 0; from < calls.length; from += 25) chunks.push(calls.slice(from, from + 25));
    const overrides = timestamp === undefined ? [] : [{}, { time: `0x${timestamp.toString(16)}` }];
    const answers = await rpcBatch<Hex>(
      this.anvil.rpcUrl,
      chunks.map((chunk) => ({
        method: 'eth_call',
        params: [{ to: this.multicall3, data: encodeAggregate3(chunk), gas: '0x11e1a300' }, 'latest', ...overrides],
      })),
    );
    return chunks.flatMap((chunk, place) => decodeAggregate3(answers[place]!, chunk.length));
  }
}

/** Deposits and opens a position for each trader: most of them lean, some in two markets, some with WETH as collateral. */
export async function populate(world: PerpWorld, seed: number, leverage: readonly [number, number] = [1, 9.5]): Promise<void> {
  const prng = new Prng(seed);
  for (const trader of world.traders) {
    const marginUsd = prng.logBetween(60, 3_000);
    await world.deposit(trader, BigInt(Math.floor(marginUsd * 1e6)));
    if (prng.next() < 0.15) await world.deposit(trader, wad(marginUsd / 2_000), world.perp.collateral);
    const exposure = marginUsd * prng.between(...leverage);
    const markets = prng.next() < 0.25 ? [prng.pick(world.perp.markets), prng.pick(world.perp.markets)] : [prng.pick(world.perp.markets)];
    for (const { base } of markets) await world.trade(trader, base, prng.next() < 0.5 ? 'long' : 'short', exposure / markets.length);
  }
  await world.mine();
}

export function wad(value: number): bigint {
  return (BigInt(Math.round(value * 1e9)) * WAD) / 10n ** 9n;
}

export function usd8(value: number): bigint {
  return BigInt(Math.round(value * 1e8));
}
