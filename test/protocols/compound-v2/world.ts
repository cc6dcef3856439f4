/** A devnet with Venus and its borrowers, followed; and a contract with plenty of everything, which runs what options say inside a call. */
import { type Abi, type Address, decodeFunctionResult, encodeFunctionData, type Hex, toFunctionSelector } from 'viem';
import { SLOT_SECONDS } from '../../../scripts/devnet/anvil.ts';
import { type Artifact, compileUnit } from '../../../scripts/devnet/compile.ts';
import { createFixture, type Fixture } from '../../../scripts/devnet/fixture.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { erc20Abi } from '../../../scripts/devnet/tokens.ts';
import type { VenusBorrower } from '../../../scripts/devnet/venus/borrowers.ts';
import type { Edition, MarketSpec, Venus, VenusMarket } from '../../../scripts/devnet/venus/deploy.ts';
import { openVenus } from '../../../scripts/devnet/venus/open.ts';
import type { Step } from '../../../src/lib/steps.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { FeedAnswer, FeedId, Moment } from '../../../src/oracles/types.ts';
import { CompoundV2 } from '../../../src/protocols/compound-v2/compound-v2.ts';
import type { Account } from '../../../src/protocols/compound-v2/state.ts';
import { ChainFollower } from '../../support/chain-follower.ts';
import { Sender } from '../aave-v3/sender.ts';

export const RUNNER: Address = '0x00000000000000000000000000000000000a11ce';
const MAX_UINT256 = 2n ** 256n - 1n;
/** Whose answer is an error code. */
const CODED = ['liquidateBorrow(address,uint256,address)', 'redeem(uint256)', 'redeemUnderlying(uint256)', 'accrueInterest()'].map((name) =>
  toFunctionSelector(name),
);

export type Place = { readonly number: number; readonly timestamp: number };
/** What the steps changed of each token, in order; or that they revert. */
export type Outcome = readonly bigint[] | 'reverts';

export class CompoundWorld {
  readonly fixture: Fixture;
  readonly venus: Venus;
  readonly borrowers: readonly VenusBorrower[];
  readonly sender: Sender;
  readonly feeds = new Feeds();
  readonly protocol: CompoundV2;
  readonly follower: ChainFollower;
  readonly #runner: Artifact;

  private constructor(fixture: Fixture, venus: Venus, borrowers: readonly VenusBorrower[], runner: Artifact) {
    this.fixture = fixture;
    this.venus = venus;
    this.borrowers = borrowers;
    this.sender = new Sender(fixture);
    this.#runner = runner;
    this.protocol = this.#mirrored(this.feeds);
    this.follower = new ChainFollower(fixture.anvil.rpcUrl, fixture.market.multicall3, [this.protocol, this.feeds]);
  }

  /** Anchored at the latest block. */
  static async open({
    positions,
    seed,
    markets,
    edition = 'pools',
  }: {
    readonly positions: number;
    readonly seed: number;
    readonly markets?: readonly MarketSpec[];
    readonly edition?: Edition;
  }): Promise<CompoundWorld> {
    const fixture = await createFixture();
    const { chain, market } = fixture;
    const { venus, borrowers } = await openVenus(chain, market.tokens, market.feeds, {
      ...{ positions, seed, edition },
      ...(markets === undefined ? {} : { markets }),
    });
    const unit = await compileUnit({
      ...{ name: 'step runner', solc: 'solc-0.8.27', entries: ['test/protocols/compound-v2/contracts/StepRunner.sol'] },
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    });
    const world = new CompoundWorld(fixture, venus, borrowers, unit['StepRunner']!);
    await world.sender.open();
    const code = await rpc<Hex>(chain.rpcUrl, 'eth_call', [{ data: unit['StepRunner']!.bytecode }, 'latest']);
    await world.enrich(RUNNER);
    await world.sender.mine();
    await rpc(chain.rpcUrl, 'anvil_setCode', [RUNNER, code]);
    // Others sent in the deployer's name meanwhile: its nonce is counted anew.
    await chain.prepare();
    await world.follower.anchor();
    return world;
  }

  /** Plenty of every token, and allowances for every market. */
  async enrich(account: Address): Promise<void> {
    await this.sender.enrich(account);
    for (const { symbol, address, native } of this.venus.markets)
      if (!native) await this.sender.call(account, this.fixture.market.tokens[symbol]!, erc20Abi as Abi, 'approve', [address, MAX_UINT256]);
  }

  market(symbol: string): VenusMarket {
    return this.venus.markets.find((one) => one.symbol === symbol)!;
  }

  /** Queues a call of a market, in the functions that most have. */
  act(from: Address, market: VenusMarket, functionName: string, args: readonly unknown[], value = 0n): Promise<void> {
    const { VBNB, VBep20Delegate } = this.venus.artifacts;
    const { abi } = market.native ? VBNB : VBep20Delegate;
    return this.sender.send(from, market.address, encodeFunctionData({ abi, functionName, args: [...args] }), functionName, value);
  }

  /** Queues a call of the comptroller. Of overloaded functions it is the one with so many arguments. */
  rule(functionName: string, args: readonly unknown[], from: Address = this.fixture.chain.deployer.address): Promise<void> {
    const item = this.venus.abi.find((one) => one.type === 'function' && one.name === functionName && one.inputs.length === args.length);
    return this.sender.call(from, this.venus.comptroller, [item!], functionName, args);
  }

  now(): Moment {
    return momentOf(this.follower.head, this.feeds);
  }

  /** A block after the mirrored one, with prices (by feed name) that are transmitted in it too. */
  later(blocks = 1, prices: Readonly<Record<string, bigint>> = {}): Moment {
    const { head } = this.follower;
    const pending = new Map<FeedId, FeedAnswer>();
    for (const [name, answer] of Object.entries(prices)) {
      const proxy = lower(this.fixture.market.feeds[name]!.proxy);
      pending.set(proxy, { ...this.feeds.answer(proxy)!, answer });
    }
    const answer = (feed: FeedId) => pending.get(feed) ?? this.feeds.answer(feed);
    const timestamp = head.timestamp + blocks * SLOT_SECONDS;
    return { number: head.number + blocks, timestamp, baseFeeWei: head.baseFeeWei, answer };
  }

  /** Transmits prices, each mined, and follows. */
  async price(prices: Readonly<Record<string, bigint>>): Promise<void> {
    for (const [name, answer] of Object.entries(prices)) await this.fixture.setPrice(name, answer);
    await this.follower.advance();
  }

  /** Mines what was queued, and follows. */
  async mine(): Promise<ReadonlyMap<string, number>> {
    const { done } = await this.sender.mine();
    await this.follower.advance();
    return done;
  }

  account(slot: number): Account {
    return this.protocol.state.accounts[slot]!;
  }

  slotOf(address: Address): number {
    return this.protocol.state.slots.get(lower(address))!;
  }

  /** The same deployment, followed by somebody else. Not anchored yet. */
  another(): { readonly protocol: CompoundV2; readonly feeds: Feeds; readonly follower: ChainFollower } {
    const feeds = new Feeds();
    const protocol = this.#mirrored(feeds);
    return { protocol, feeds, follower: new ChainFollower(this.fixture.anvil.rpcUrl, this.fixture.market.multicall3, [protocol, feeds]) };
  }

  /** What the steps change of the tokens at a block to come, on the latest state; without effect. */
  async run(steps: readonly Step[], tokens: readonly Address[], { number, timestamp }: Place): Promise<Outcome> {
    const calls = steps.map(callOf);
    const data = encodeFunctionData({ abi: this.#runner.abi, functionName: 'run', args: [calls, tokens] });
    const block = { number: hex(number), time: hex(timestamp) };
    try {
      const answer = await rpc<Hex>(this.sender.url, 'eth_call', [{ from: RUNNER, to: RUNNER, data }, 'latest', {}, block]);
      return decodeFunctionResult({ abi: this.#runner.abi, functionName: 'run', data: answer }) as readonly bigint[];
    } catch {
      return 'reverts';
    }
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

  #mirrored(feeds: Feeds): CompoundV2 {
    const { comptroller, fromBlock } = this.venus;
    const native = lower(this.fixture.market.tokens['WETH']!);
    return new CompoundV2({ name: 'venus', comptroller: lower(comptroller), fromBlock }, native, feeds);
  }
}

function callOf(step: Step) {
  if (step.kind === 'approve') {
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [step.spender, step.amountRaw] });
    return { target: step.token, value: 0n, data, patched: `0x${'0'.repeat(40)}`, offset: 0n, coded: false };
  }
  if (step.kind !== 'call') throw new Error(`no ${step.kind} is expected here`);
  const { target, valueWei: value, data, patch } = step;
  if (patch !== undefined && (!('token' in patch) || patch.offset === 'value')) throw new Error('no such patch is expected here');
  const coded = CODED.includes(data.slice(0, 10) as Hex);
  return { target, value, data, coded, patched: patch?.token ?? `0x${'0'.repeat(40)}`, offset: BigInt(patch?.offset ?? 0) };
}

export function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

function hex(value: number): Hex {
  return `0x${value.toString(16)}`;
}
