/** Somebody who liquidates on a snapshot: what the pool really does, and then it never happened. */
import { type Address, decodeEventLog, encodeFunctionData } from 'viem';
import { SLOT_SECONDS } from '../../../scripts/devnet/anvil.ts';
import { createFixture } from '../../../scripts/devnet/fixture.ts';
import { rpcBatch } from '../../../scripts/devnet/rpc.ts';
import type { FeedAnswer, FeedId, Moment } from '../../../src/oracles/types.ts';
import type { Option } from '../../../src/protocols/types.ts';
import { Follower } from './follower.ts';
import type { Population, Scene } from './scene.ts';
import { poolAbi, type Receipt, Sender } from './sender.ts';

export const LIQUIDATOR: Address = '0x00000000000000000000000000000000000a11ce';

export type Outcome = { repaidRaw: bigint; receivedRaw: bigint; gasUsed: bigint } | 'reverts';
export type Pair = Pick<Option, 'collateralAsset' | 'debtAsset'>;

/** A followed market with a liquidator who has plenty of everything. */
export class LiquidationWorld {
  readonly fixture: Scene;
  readonly sender: Sender;
  readonly follower: Follower;

  private constructor(fixture: Scene) {
    this.fixture = fixture;
    this.sender = new Sender(fixture);
    this.follower = new Follower(fixture);
  }

  static async open(options: Population, openScene: (options: Population) => Promise<Scene> = createFixture): Promise<LiquidationWorld> {
    const world = new LiquidationWorld(await openScene(options));
    await world.sender.open();
    await world.sender.enrich(LIQUIDATOR);
    await world.sender.mine();
    await world.follower.anchor();
    return world;
  }

  /** The block that a transaction sent now is mined in, with prices (by feed name) that are transmitted in it too. */
  next(prices: Readonly<Record<string, bigint>> = {}): Moment {
    const { head, feeds } = this.follower;
    const pending = new Map<FeedId, FeedAnswer>();
    for (const [name, answer] of Object.entries(prices)) {
      const proxy = this.fixture.market.feeds[name]!.proxy.toLowerCase() as Address;
      pending.set(proxy, { ...feeds.answer(proxy)!, answer });
    }
    const answer = (feed: FeedId) => pending.get(feed) ?? feeds.answer(feed);
    return { number: head.number + 1, timestamp: head.timestamp + SLOT_SECONDS, baseFeeWei: head.baseFeeWei, answer };
  }

  /** Queues the call; `mine` then tells. */
  async attempt({ collateralAsset, debtAsset }: Pair, borrower: Address, amountRaw: bigint): Promise<void> {
    const data = encodeFunctionData({
      abi: poolAbi,
      functionName: 'liquidationCall',
      args: [collateralAsset, debtAsset, borrower, amountRaw, false],
    });
    await this.sender.send(LIQUIDATOR, this.fixture.market.aave.pool, data, 'liquidate');
  }

  /** Mines, and reads the last transaction's outcome off the pool's own event. */
  async outcome(): Promise<Outcome> {
    const { receipts } = await this.sender.mine();
    return this.#outcomeOf(receipts.at(-1)!);
  }

  /** Mines, and adds up the outcomes of all that the liquidator queued. */
  async sumOfOutcomes(): Promise<{ repaidRaw: bigint; receivedRaw: bigint } | 'reverts'> {
    const { receipts } = await this.sender.mine();
    return sumOf(receipts.map((receipt) => this.#outcomeOf(receipt)));
  }

  /** The call alone, mined and taken back. */
  liquidate(pair: Pair, borrower: Address, amountRaw: bigint): Promise<Outcome> {
    return this.sender.undone(async () => {
      await this.attempt(pair, borrower, amountRaw);
      return this.outcome();
    });
  }

  /** What each of these groups of calls comes to at a block's time, on the latest state: without effect. */
  async simulated(
    groups: readonly (readonly { readonly pair: Pair; readonly borrower: Address; readonly amountRaw: bigint }[])[],
    timestamp: number,
  ) {
    const { pool } = this.fixture.market.aave;
    const requests = groups.map((group) => {
      const calls = group.map(({ pair: { collateralAsset, debtAsset }, borrower, amountRaw }) => {
        const args = [collateralAsset, debtAsset, borrower, amountRaw, false] as const;
        return { from: LIQUIDATOR, to: pool, data: encodeFunctionData({ abi: poolAbi, functionName: 'liquidationCall', args }) };
      });
      const block = { blockOverrides: { time: `0x${timestamp.toString(16)}` }, calls };
      return { method: 'eth_simulateV1', params: [{ blockStateCalls: [block], validation: false }, 'latest'] };
    });
    const blocks = await rpcBatch<[{ calls: Pick<Receipt, 'status' | 'gasUsed' | 'logs'>[] }]>(this.sender.url, requests);
    return blocks.map(([{ calls }]) => sumOf(calls.map((call) => this.#outcomeOf(call))));
  }

  /** Runs `act`, then takes back both the chain and what was followed of it. */
  async undone(act: () => Promise<void>): Promise<void> {
    const before = this.follower.head.number;
    try {
      await this.sender.undone(act);
    } finally {
      this.follower.takeBackTo(before);
    }
  }

  #outcomeOf({ status, gasUsed, logs }: Pick<Receipt, 'status' | 'gasUsed' | 'logs'>): Outcome {
    if (status !== '0x1') return 'reverts';
    for (const { address, topics, data } of logs) {
      if (address !== this.fixture.market.aave.pool.toLowerCase()) continue;
      try {
        const { args } = decodeEventLog({ abi: poolAbi, topics, data });
        return { repaidRaw: args.debtToCover, receivedRaw: args.liquidatedCollateralAmount, gasUsed: BigInt(gasUsed) };
      } catch {
        // Another of the pool's events.
      }
    }
    throw new Error('a liquidation without its event');
  }
}

function sumOf(outcomes: readonly Outcome[]): { repaidRaw: bigint; receivedRaw: bigint } | 'reverts' {
  const sum = { repaidRaw: 0n, receivedRaw: 0n };
  for (const outcome of outcomes) {
    if (outcome === 'reverts') return outcome;
    sum.repaidRaw += outcome.repaidRaw;
    sum.receivedRaw += outcome.receivedRaw;
  }
  return sum;
}

/** What the option says it moves, in the event's terms. */
export function saidOf(option: Option, amountRaw: bigint): { repaidRaw: bigint; receivedRaw: bigint } {
  const [paid, got] = option.flow(amountRaw);
  return { repaidRaw: -paid!.deltaRaw, receivedRaw: got!.deltaRaw };
}

export function amountsOf(outcome: Outcome): { repaidRaw: bigint; receivedRaw: bigint } | 'reverts' {
  return outcome === 'reverts' ? outcome : { repaidRaw: outcome.repaidRaw, receivedRaw: outcome.receivedRaw };
}
