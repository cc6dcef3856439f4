/** A devnet with a double of Compound III and its borrowers, followed; and somebody who has plenty of everything. */
import type { Address } from 'viem';
import type { Artifact } from '../../../scripts/devnet/compile.ts';
import type { CometBorrower } from '../../../scripts/devnet/compound-v3/borrowers.ts';
import { type Comet, type CometSpec, USDC_MARKET } from '../../../scripts/devnet/compound-v3/deploy.ts';
import { openComet } from '../../../scripts/devnet/compound-v3/open.ts';
import { createFixture, type Fixture } from '../../../scripts/devnet/fixture.ts';
import { ownContracts } from '../../../scripts/devnet/tokens.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import type { FeedAnswer, FeedId, Moment, UsdPrices } from '../../../src/oracles/types.ts';
import { CompoundV3 } from '../../../src/protocols/compound-v3/compound-v3.ts';
import { ChainFollower } from '../../support/chain-follower.ts';
import { Sender } from '../aave-v3/sender.ts';
import { type CometChain, cometAbi, LIQUIDATOR, later, lower } from './chain.ts';
import { priceFeedDoubles } from './doubles.ts';

const MAX_UINT256 = 2n ** 256n - 1n;
const SLOT_SECONDS = 12;

/** Base of 18 decimals at a fixed price, as cWETHv3: all feeds answer in ETH. The discount is the whole of the penalty. */
export const WETH_MARKET: CometSpec = {
  ...{ name: 'cWETHv3', base: 'WETH', reservesUsd: 90_000, targetReservesUsd: 300_000, borrowMinUsd: 10, storeFrontPriceFactorBps: 10_000 },
  assets: [
    { symbol: 'WBTC', borrow: 8_000, liquidate: 8_500, liquidation: 9_500 },
    { symbol: 'LINK', borrow: 7_000, liquidate: 7_500, liquidation: 9_000 },
  ],
};

export type Settings = { readonly positions: number; readonly seed: number; readonly spec?: CometSpec; readonly wide?: boolean };

export class CometWorld implements CometChain {
  readonly fixture: Fixture;
  readonly market: Comet;
  readonly borrowers: readonly CometBorrower[];
  readonly doubles: Record<string, Artifact>;
  readonly sender: Sender;
  readonly feeds = new Feeds();
  /** Nothing here is valued in dollars. */
  readonly usd: UsdPrices = { usd8: () => undefined };
  readonly protocol: CompoundV3;
  readonly follower: ChainFollower;

  private constructor(fixture: Fixture, market: Comet, borrowers: readonly CometBorrower[], doubles: Record<string, Artifact>) {
    this.fixture = fixture;
    this.market = market;
    this.borrowers = borrowers;
    this.doubles = doubles;
    this.sender = new Sender(fixture);
    this.protocol = new CompoundV3(this.deployment, this.feeds, this.usd);
    this.follower = new ChainFollower(this.url, this.multicall3, [this.protocol, this.feeds]);
  }

  /** Anchored at the latest block. `wide`: the market's assets stand behind fourteen others, across the sixteenth. */
  static async open({ positions, seed, spec = USDC_MARKET, wide = false }: Settings): Promise<CometWorld> {
    const fixture = await createFixture();
    const { chain, market } = fixture;
    const doubles = await priceFeedDoubles();
    const feed = (name: string) => market.feeds[name]!.proxy;
    const deploy = (name: string, args: readonly unknown[]) => chain.deploy(name, doubles[name]!, args);
    const priceFeeds: Record<string, Address> =
      spec.base === 'WETH'
        ? {
            WETH: deploy('SetPriceFeedDouble', [10n ** 8n]),
            WBTC: deploy('ReverseMultiplicativePriceFeedDouble', [feed('BTC / USD'), feed('ETH / USD')]),
            LINK: deploy('ReverseMultiplicativePriceFeedDouble', [feed('LINK / USD'), feed('ETH / USD')]),
          }
        : {
            WBTC: deploy('MultiplicativePriceFeedDouble', [feed('BTC / USD'), feed('USDC / USD')]),
            LINK: deploy('ScalingPriceFeedDouble', [feed('LINK / USD')]),
          };
    const { DevToken } = await ownContracts();
    const before = Array.from({ length: wide ? 14 : 0 }, (_, i) => chain.deploy('filler', DevToken!, [`Filler ${i}`, `FILL${i}`, 18]));
    await chain.mine();
    const { comet, borrowers } = await openComet(chain, market.tokens, market.feeds, { positions, seed, spec, before, priceFeeds });
    const world = new CometWorld(fixture, comet, borrowers, doubles);
    await world.sender.open();
    await world.enrich(LIQUIDATOR);
    await world.sender.mine();
    // Others sent in the deployer's name meanwhile: its nonce is counted anew.
    await chain.prepare();
    await world.follower.anchor();
    return world;
  }

  get url(): string {
    return this.fixture.anvil.rpcUrl;
  }

  get multicall3(): Address {
    return this.fixture.market.multicall3;
  }

  get comet(): Address {
    return lower(this.market.comet);
  }

  get accounts(): number {
    return this.borrowers.length;
  }

  get deployment() {
    return { name: this.market.spec.name, comet: this.comet, fromBlock: this.market.fromBlock };
  }

  /** Plenty of every token, and allowances for Comet. */
  async enrich(account: Address): Promise<void> {
    await this.sender.enrich(account);
    const abi = this.fixture.market.aave.artifacts['WETH9']!.abi;
    for (const token of Object.values(this.fixture.market.tokens))
      await this.sender.call(account, token, abi, 'approve', [this.comet, MAX_UINT256]);
  }

  /** The liquidator is rich already. */
  async fund(): Promise<void> {}

  /** Queues a call of Comet. */
  call(from: Address, functionName: string, args: readonly unknown[]): Promise<void> {
    return this.sender.call(from, this.comet, cometAbi, functionName, args);
  }

  /** The next block, with prices (by feed name) that are transmitted in it too. */
  next(prices: Readonly<Record<string, bigint>> = {}, seconds = SLOT_SECONDS): Moment {
    const pending = new Map<FeedId, FeedAnswer>();
    for (const [name, answer] of Object.entries(prices)) {
      const proxy = lower(this.fixture.market.feeds[name]!.proxy);
      pending.set(proxy, { ...this.feeds.answer(proxy)!, answer });
    }
    return later(this, seconds, pending);
  }

  /** Transmits prices, each mined, and follows. */
  async price(prices: Readonly<Record<string, bigint>>): Promise<void> {
    for (const [name, answer] of Object.entries(prices)) await this.fixture.setPrice(name, answer);
    await this.follower.advance();
  }

  fall(share: number): Promise<void> {
    const names = { 'ETH / USD': 3_000e8, 'BTC / USD': 95_000e8, 'LINK / USD': 15.2e8 };
    const fallen = Object.entries(names).filter(([name]) => this.market.spec.base !== 'WETH' || name !== 'ETH / USD');
    return this.price(Object.fromEntries(fallen.map(([name, price]) => [name, BigInt(Math.round(price * share))])));
  }

  slotOf(account: Address): number {
    return [...this.protocol.slots()].find((slot) => this.protocol.accountOf(slot) === lower(account))!;
  }

  /** The same market, followed by somebody else. Not anchored yet. */
  another() {
    const feeds = new Feeds();
    const protocol = new CompoundV3(this.deployment, feeds, this.usd);
    return { protocol, feeds, follower: new ChainFollower(this.url, this.multicall3, [protocol, feeds]) };
  }

  async undone(act: () => Promise<void>): Promise<void> {
    const before = this.follower.head.number;
    await this.fixture.chain.prepare();
    try {
      await this.sender.undone(act);
    } finally {
      this.follower.takeBackTo(before);
    }
  }

  close(): Promise<void> {
    return this.fixture.stop();
  }
}
