/** A chain with Synthetix v3 perps: two markets, three collaterals, traders by seed. */
import { type Abi, type Address, encodeFunctionData, type Hex } from 'viem';
import { aaveContracts } from '../../../scripts/devnet/aave/contracts.ts';
import { type Anvil, SLOT_SECONDS, startAnvil } from '../../../scripts/devnet/anvil.ts';
import { SetupChain } from '../../../scripts/devnet/chain.ts';
import { devAccount } from '../../../scripts/devnet/keys.ts';
import { deployFeeds } from '../../../scripts/devnet/oracle/feeds.ts';
import type { Feed } from '../../../scripts/devnet/oracle/report.ts';
import { signTransmit } from '../../../scripts/devnet/oracle/transmit.ts';
import { lower } from '../../../scripts/devnet/perp-v2/deploy.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { SynthetixArtifacts } from '../../../scripts/devnet/synthetix/contracts.ts';
import { deploySynthetix, type PerpsAt, pythUpdate, type Synthetix, writePyth } from '../../../scripts/devnet/synthetix/deploy.ts';
import { ownContracts } from '../../../scripts/devnet/tokens.ts';

export const ETH_PRICE_ID: Hex = `0x${'e7'.repeat(32)}`;
export const ETH = 100n;
export const BTC = 200n;
export const SNX_USD = 0n;
export const S_ETH = 2n;
export const S_BTC = 3n;
const FIRST_USD = { ETH: 2_000, BTC: 40_000 };
const WAD = 10n ** 18n;
const GAS = 16_000_000n;
const PER_CALL = 15;

export type Deposit = { readonly account: bigint; readonly collateral: bigint; readonly amount: bigint };
export type Order = { readonly account: bigint; readonly market: bigint; readonly size: bigint };

export class SynthetixWorld {
  readonly anvil: Anvil;
  readonly chain: SetupChain;
  readonly snx: Synthetix;
  readonly btc: Feed;
  /** Of wrapped ether and of snxUSD, outside the protocol. */
  readonly ethFeed: Feed;
  readonly usdFeed: Feed;
  readonly multicall3: Address;
  readonly weth: Address;
  /** In dollars, as last written. */
  readonly price = { ...FIRST_USD };

  private constructor(parts: Pick<SynthetixWorld, 'anvil' | 'chain' | 'snx' | 'btc' | 'ethFeed' | 'usdFeed' | 'multicall3' | 'weth'>) {
    this.anvil = parts.anvil;
    this.chain = parts.chain;
    this.snx = parts.snx;
    this.btc = parts.btc;
    this.ethFeed = parts.ethFeed;
    this.usdFeed = parts.usdFeed;
    this.multicall3 = parts.multicall3;
    this.weth = parts.weth;
  }

  /** Ether's price is Pyth's, bitcoin's Chainlink's. Windows let about 7 ETH and 0.4 BTC go in half a minute unless said otherwise. */
  static async open({ windowMultiplier = WAD / 500n }: { windowMultiplier?: bigint } = {}): Promise<SynthetixWorld> {
    const anvil = await startAnvil();
    try {
      const chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
      await chain.prepare();
      const own = await ownContracts();
      const multicall3 = lower(chain.deploy('multicall3', own['Multicall3']!));
      const weth = lower(chain.deploy('WETH', (await aaveContracts())['WETH9']!));
      const [btc, ethFeed, usdFeed] = await deployFeeds(chain, [
        { name: 'BTC / USD', decimals: 8, initialAnswer: usd8(FIRST_USD.BTC) },
        { name: 'ETH / USD', decimals: 8, initialAnswer: usd8(FIRST_USD.ETH) },
        { name: 'USD / USD', decimals: 8, initialAnswer: usd8(1) },
      ]);
      const eth = { kind: 'pyth', priceId: ETH_PRICE_ID, usd: FIRST_USD.ETH } as const;
      const bitcoin = { kind: 'chainlink', feed: lower(btc!.proxy) } as const;
      const snx = await deploySynthetix(
        chain,
        [
          { id: ETH, symbol: 'ETH', from: eth, skewScale: 100_000n * WAD, windowMultiplier },
          { id: BTC, symbol: 'BTC', from: bitcoin, skewScale: 5_000n * WAD, windowMultiplier },
        ],
        [
          { id: S_ETH, symbol: 'sETH', from: eth, skewScale: 1_000n * WAD },
          { id: S_BTC, symbol: 'sBTC', from: bitcoin, skewScale: 0n },
        ],
      );
      return new SynthetixWorld({ anvil, chain, snx, btc: btc!, ethFeed: ethFeed!, usdFeed: usdFeed!, multicall3, weth });
    } catch (error) {
      await anvil.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.anvil.stop();
  }

  // ---- doing: each mines

  async create(accounts: readonly bigint[]): Promise<void> {
    for (const part of parts(accounts)) this.#crowd('create', [part]);
    await this.chain.mine();
  }

  /** Below zero: withdrawn. */
  async deposit(deposits: readonly Deposit[]): Promise<void> {
    for (const part of parts(deposits)) {
      for (const { collateral, amount } of part)
        if (amount > 0n) this.call(this.tokenOf(collateral), 'SynthDouble', 'mint', [this.snx.crowd, amount]);
      this.#crowd('deposit', [part]);
    }
    await this.chain.mine();
  }

  /** Committed in one block, settled at the prices of the next. */
  async trade(orders: readonly Order[]): Promise<void> {
    await this.commit(orders);
    await this.settle(orders.map(({ account }) => account));
  }

  async commit(orders: readonly Order[]): Promise<void> {
    for (const part of parts(orders)) this.#crowd('commit', [part]);
    await this.chain.mine();
  }

  async settle(accounts: readonly bigint[]): Promise<void> {
    for (const { settlement, id } of this.snx.markets)
      this.call(settlement, 'MockPythERC7412Wrapper', 'setBenchmarkPrice', [wad(this.usd(id))]);
    for (const part of parts(accounts)) this.#crowd('settle', [part]);
    await this.chain.mine();
  }

  async payDebt(account: bigint, amount: bigint): Promise<void> {
    this.call(this.snx.usd, 'SynthDouble', 'mint', [this.snx.crowd, amount]);
    this.#crowd('payDebt', [account, amount]);
    await this.chain.mine();
  }

  /** Prices as of the next block, in one block. */
  async setPrices({ eth = this.price.ETH, btc }: { eth?: number; btc?: number }): Promise<void> {
    this.price.ETH = eth;
    await writePyth(this.chain, this.snx, { priceId: ETH_PRICE_ID, usd: eth }, (await this.now()) + SLOT_SECONDS);
    if (btc !== undefined) {
      this.price.BTC = btc;
      const { raw } = await signTransmit(this.anvil.rpcUrl, this.btc, usd8(btc));
      await rpc<Hex>(this.anvil.rpcUrl, 'eth_sendRawTransaction', [raw]);
    }
    await this.chain.mine();
  }

  /** One block, so much later. */
  async pass(seconds: number): Promise<void> {
    await rpc(this.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [seconds]);
    await this.chain.mine();
    await rpc(this.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [SLOT_SECONDS]);
  }

  /** The market's owner. Queued alone. */
  call(to: Address, name: keyof SynthetixArtifacts, functionName: string, args: readonly unknown[]): void {
    this.chain.call(to, this.snx.artifacts[name].abi as Abi, functionName, args);
  }

  // ---- asking

  market(id: bigint): PerpsAt {
    return this.snx.markets.find((market) => market.id === id)!;
  }

  usd(id: bigint): number {
    return id === ETH || id === S_ETH ? this.price.ETH : this.price.BTC;
  }

  tokenOf(collateral: bigint): Address {
    return collateral === SNX_USD ? this.snx.usd : this.snx.synths.find(({ id }) => id === collateral)!.token;
  }

  read<T>(name: keyof SynthetixArtifacts, functionName: string, args: readonly unknown[], at: Address = this.snx.perpsMarket): Promise<T> {
    return this.chain.read<T>(at, this.snx.artifacts[name].abi as Abi, functionName, args);
  }

  async now(): Promise<number> {
    return Number((await rpc<{ timestamp: Hex }>(this.anvil.rpcUrl, 'eth_getBlockByNumber', ['latest', false])).timestamp);
  }

  blobOf(usd: number, publishTime: number): Promise<Hex> {
    return pythUpdate(this.chain, this.snx, ETH_PRICE_ID, usd8(usd), publishTime);
  }

  #crowd(functionName: string, args: readonly unknown[]): void {
    const data = encodeFunctionData({ abi: this.snx.artifacts.Crowd.abi as Abi, functionName, args });
    this.chain.send(this.chain.deployer, { to: this.snx.crowd, data, gas: GAS, label: functionName });
  }
}

/** Gives each account collateral of one to three kinds and a position in one or both markets, longs in the majority. */
export async function populate(
  world: SynthetixWorld,
  seed: number,
  accounts: readonly bigint[],
  leverage: readonly [number, number] = [2, 18],
): Promise<void> {
  const prng = new Prng(seed);
  const deposits: Deposit[] = [];
  const first: Order[] = [];
  const second: Order[] = [];
  for (const account of accounts) {
    const marginUsd = prng.logBetween(300, 20_000);
    const kinds = [SNX_USD, S_ETH, S_BTC].filter(() => prng.next() < 0.55);
    const held = kinds.length === 0 ? [SNX_USD] : kinds;
    for (const collateral of held) {
      const each = marginUsd / held.length;
      deposits.push({ account, collateral, amount: wad(collateral === SNX_USD ? each : each / world.usd(collateral)) });
    }
    const exposure = marginUsd * prng.between(...leverage);
    const sizeOf = (market: bigint, usd: number) => (prng.next() < 0.65 ? 1n : -1n) * wad(usd / world.usd(market));
    const both = prng.next() < 0.3;
    const [one, other] = prng.next() < 0.6 ? [ETH, BTC] : [BTC, ETH];
    first.push({ account, market: one, size: sizeOf(one, both ? exposure * 0.6 : exposure) });
    if (both) second.push({ account, market: other, size: sizeOf(other, exposure * 0.35) });
  }
  await world.create(accounts);
  await world.deposit(deposits);
  await world.trade(first);
  await world.trade(second);
}

export function ids(count: number, from = 1n): readonly bigint[] {
  return Array.from({ length: count }, (_, place) => from + BigInt(place));
}

export function wad(value: number): bigint {
  return (BigInt(Math.round(value * 1e9)) * WAD) / 10n ** 9n;
}

export function usd8(value: number): bigint {
  return BigInt(Math.round(value * 1e8));
}

function parts<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / PER_CALL) }, (_, place) => all.slice(place * PER_CALL, (place + 1) * PER_CALL));
}
