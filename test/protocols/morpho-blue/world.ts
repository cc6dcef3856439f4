/** A devnet with Morpho Blue and its borrowers, followed; and somebody who has plenty of everything to liquidate them with. */
import {
  type Abi,
  type Address,
  decodeAbiParameters,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  parseAbi,
  parseEventLogs,
} from 'viem';
import { SLOT_SECONDS } from '../../../scripts/devnet/anvil.ts';
import { createFixture, type Fixture } from '../../../scripts/devnet/fixture.ts';
import type { MorphoBorrower } from '../../../scripts/devnet/morpho/borrowers.ts';
import { MARKETS, type MarketSpec, type Morpho } from '../../../scripts/devnet/morpho/deploy.ts';
import { openMorpho } from '../../../scripts/devnet/morpho/open.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { FeedAnswer, FeedId, Moment, UsdPrices } from '../../../src/oracles/types.ts';
import type { BadDebt } from '../../../src/protocols/morpho-blue/liquidation.ts';
import { MorphoBlue, type MorphoBlueDeployment } from '../../../src/protocols/morpho-blue/morpho-blue.ts';
import { ChainFollower } from '../../support/chain-follower.ts';
import { type Receipt, Sender } from '../aave-v3/sender.ts';

export const LIQUIDATOR: Address = '0x00000000000000000000000000000000000a11ce';
/** EventsLib: the compiler leaves a library's events out of the contract's own ABI. */
export const morphoEvents = parseAbi([
  'event Liquidate(bytes32 indexed id, address indexed caller, address indexed borrower, uint256 repaidAssets, uint256 repaidShares, uint256 seizedAssets, uint256 badDebtAssets, uint256 badDebtShares)',
  'event FlashLoan(address indexed caller, address indexed token, uint256 assets)',
]);
const MAX_UINT256 = 2n ** 256n - 1n;

export type Attempt = { readonly borrower: Address; readonly seizedAssets: bigint; readonly repaidShares: bigint };
export type Outcome = { readonly seizedRaw: bigint; readonly repaidRaw: bigint } | 'reverts';
export type Settings = {
  readonly positions: number;
  readonly seed: number;
  readonly badDebt?: BadDebt;
  readonly markets?: readonly MarketSpec[];
  /** Borrowers of Aave beside them. */
  readonly aavePositions?: number;
};

export class MorphoWorld {
  readonly fixture: Fixture;
  readonly morpho: Morpho;
  readonly borrowers: readonly MorphoBorrower[];
  readonly sender: Sender;
  readonly feeds = new Feeds();
  /** Nothing here is valued in dollars. */
  readonly usd: UsdPrices = { usd8: () => undefined };
  readonly protocol: MorphoBlue;
  readonly follower: ChainFollower;

  private constructor(fixture: Fixture, morpho: Morpho, borrowers: readonly MorphoBorrower[], badDebt: BadDebt) {
    this.fixture = fixture;
    this.morpho = morpho;
    this.borrowers = borrowers;
    this.sender = new Sender(fixture);
    this.protocol = new MorphoBlue(deploymentOf(morpho), this.feeds, this.usd, badDebt);
    this.follower = new ChainFollower(fixture.anvil.rpcUrl, fixture.market.multicall3, [this.protocol, this.feeds]);
  }

  /** Anchored at the latest block. */
  static async open({ positions, seed, badDebt = 'realise', markets = MARKETS, aavePositions = 0 }: Settings): Promise<MorphoWorld> {
    const fixture = await createFixture({ positions: aavePositions, seed });
    const { chain, market } = fixture;
    const { morpho, borrowers } = await openMorpho(chain, market.tokens, market.feeds, { positions, seed, markets });
    const world = new MorphoWorld(fixture, morpho, borrowers, badDebt);
    await world.sender.open();
    await world.enrich(LIQUIDATOR);
    await world.sender.mine();
    // Others sent in the deployer's name meanwhile: its nonce is counted anew.
    await chain.prepare();
    await world.follower.anchor();
    return world;
  }

  /** Plenty of every token, and allowances for Morpho. */
  async enrich(account: Address): Promise<void> {
    await this.sender.enrich(account);
    const abi = this.fixture.market.aave.artifacts['WETH9']!.abi;
    for (const token of Object.values(this.fixture.market.tokens))
      await this.sender.call(account, token, abi, 'approve', [this.morpho.morpho, MAX_UINT256]);
  }

  /** Queues a call of Morpho. */
  call(from: Address, functionName: string, args: readonly unknown[]): Promise<void> {
    return this.sender.call(from, this.morpho.morpho, this.abi, functionName, args);
  }

  get abi(): Abi {
    return this.morpho.artifacts.morpho.abi;
  }

  now(): Moment {
    return momentOf(this.follower.head, this.feeds);
  }

  /** A block after the mirrored one, with prices (by feed name) that are transmitted in it too. */
  later(seconds = SLOT_SECONDS, prices: Readonly<Record<string, bigint>> = {}): Moment {
    const { head } = this.follower;
    const pending = new Map<FeedId, FeedAnswer>();
    for (const [name, answer] of Object.entries(prices)) {
      const proxy = lower(this.fixture.market.feeds[name]!.proxy);
      pending.set(proxy, { ...this.feeds.answer(proxy)!, answer });
    }
    const answer = (feed: FeedId) => pending.get(feed) ?? this.feeds.answer(feed);
    return { number: head.number + 1, timestamp: head.timestamp + seconds, baseFeeWei: head.baseFeeWei, answer };
  }

  /** Transmits prices, each mined, and follows. */
  async price(prices: Readonly<Record<string, bigint>>): Promise<void> {
    for (const [name, answer] of Object.entries(prices)) await this.fixture.setPrice(name, answer);
    await this.follower.advance();
  }

  slotsOf(account: Address): number[] {
    return [...this.protocol.slots()].filter((slot) => this.protocol.accountOf(slot) === lower(account));
  }

  /** The same deployment, followed by somebody else with another wish. Not anchored yet. */
  another(badDebt: BadDebt): { readonly protocol: MorphoBlue; readonly feeds: Feeds; readonly follower: ChainFollower } {
    const feeds = new Feeds();
    const protocol = new MorphoBlue(deploymentOf(this.morpho), feeds, this.usd, badDebt);
    return { protocol, feeds, follower: new ChainFollower(this.fixture.anvil.rpcUrl, this.fixture.market.multicall3, [protocol, feeds]) };
  }

  /** What Morpho itself would do at these timestamps, on the latest state: the calls alone, one for each, without effect. */
  async ask(attempts: readonly (Attempt & { readonly timestamp: number })[]): Promise<Outcome[]> {
    const calls = attempts.map((attempt) => ({
      method: 'eth_call',
      params: [{ from: LIQUIDATOR, to: this.morpho.morpho, data: this.#dataOf(attempt) }, 'latest', {}, { time: hex(attempt.timestamp) }],
    }));
    const answers = await Promise.all(calls.map((call) => rpc<Hex>(this.sender.url, call.method, call.params).catch(() => undefined)));
    return answers.map((answer) => {
      if (answer === undefined) return 'reverts';
      const [seizedRaw, repaidRaw] = decodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], answer);
      return { seizedRaw, repaidRaw };
    });
  }

  /** What Morpho answers to a call at that timestamp, on the latest state; undefined where it reverts. Without effect. */
  async answers(from: Address, functionName: string, args: readonly unknown[], timestamp: number): Promise<unknown> {
    const data = encodeFunctionData({ abi: this.abi, functionName, args: [...args] });
    const call = [{ from, to: this.morpho.morpho, data }, 'latest', {}, { time: hex(timestamp) }];
    const answer = await rpc<Hex>(this.sender.url, 'eth_call', call).catch(() => undefined);
    return answer === undefined ? undefined : (decodeFunctionResult({ abi: this.abi, functionName, data: answer }) ?? null);
  }

  /** Mines the call. */
  async liquidate(attempt: Attempt): Promise<Receipt> {
    await this.sender.send(LIQUIDATOR, this.morpho.morpho, this.#dataOf(attempt), 'liquidate');
    return (await this.sender.mine()).receipts.at(-1)!;
  }

  /** Morpho's own word about a mined liquidation. */
  liquidationIn(receipt: Receipt) {
    return parseEventLogs({ abi: morphoEvents, eventName: 'Liquidate', logs: receipt.logs as never[] })[0]?.args;
  }

  /** Runs `act`, then takes back both the chain and what was followed of it. */
  async undone(act: () => Promise<void>): Promise<void> {
    const before = this.follower.head.number;
    await this.fixture.chain.prepare();
    try {
      await this.sender.undone(act);
    } finally {
      this.follower.takeBackTo(before);
    }
  }

  #dataOf({ borrower, seizedAssets, repaidShares }: Attempt): Hex {
    const slot = this.slotsOf(borrower)[0]!;
    const label = this.protocol.marketOf(slot);
    const market = this.morpho.markets.find(({ id }) => label.endsWith(id.slice(2, 10)))!;
    return encodeFunctionData({
      abi: this.abi,
      functionName: 'liquidate',
      args: [market.params, borrower, seizedAssets, repaidShares, '0x'],
    });
  }
}

export function deploymentOf({ morpho, preLiquidationFactory, fromBlock }: Morpho): MorphoBlueDeployment {
  return { name: 'morpho', morpho: lower(morpho), preLiquidationFactory: lower(preLiquidationFactory), fromBlock };
}

export function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

function hex(value: number): Hex {
  return `0x${value.toString(16)}`;
}
