import { expect, vi } from 'vitest';
import { FaultProxy } from '../../scripts/devnet/fault-proxy.ts';
import { EndpointPlay } from './endpoint-play.ts';
import { account, call, TallyChain } from './tally-chain.ts';

const WAIT = { timeout: 75_000, interval: 50 };
const BLOCK_MS = 150;
/** Deeper than endpoints are asked to agree about. */
const HISTORY = 80;

/** One chain behind three fault proxies, for one test: tests that wait for endpoints to rest can wait side by side. */
export class EndpointStage {
  readonly chain: TallyChain;
  readonly bad: FaultProxy;
  readonly good: FaultProxy;
  readonly third: FaultProxy;
  play!: EndpointPlay;
  readonly #others: TallyChain[] = [];

  private constructor(chain: TallyChain, [bad, good, third]: readonly [FaultProxy, FaultProxy, FaultProxy]) {
    this.chain = chain;
    this.bad = bad;
    this.good = good;
    this.third = third;
  }

  static async use(work: (stage: EndpointStage) => Promise<void>): Promise<void> {
    const chain = await TallyChain.start();
    const proxies = [await FaultProxy.start(chain.http), await FaultProxy.start(chain.http), await FaultProxy.start(chain.http)] as const;
    const stage = new EndpointStage(chain, proxies);
    try {
      await chain.act(call.change(account(50), 1n));
      await chain.mineEmpty(HISTORY);
      await work(stage);
    } finally {
      await stage.play?.close();
      await Promise.all([...proxies, chain, ...stage.#others].map((one) => one.stop()));
    }
  }

  /** Starts following; the first endpoint is the preferred one. */
  async follow(...urls: readonly string[]): Promise<void> {
    this.play = await EndpointPlay.start(this.chain, urls);
  }

  /** A chain with the same contracts and another history, some blocks ahead. */
  async otherChain(chainId?: number): Promise<TallyChain> {
    const other = await TallyChain.start(chainId === undefined ? {} : { chainId });
    this.#others.push(other);
    await other.act(call.change(account(50), 2n));
    await other.mineEmpty((await this.chain.block()).number + 12 - (await other.block()).number);
    return other;
  }

  /** Blocks with logs, reads and a contract born in them. */
  async act(blocks: number): Promise<void> {
    for (let i = 0; i < blocks; i++)
      await this.chain.act(call.change(account(i), 7n), call.setRate(BigInt(i)), call.bear(1n), call.change(account(i + 1), -3n));
  }

  /** Blocks, until something comes of them: one in eight is proved, and who rests is asked again only when there is something to ask. */
  async actUntil(done: () => boolean): Promise<void> {
    const began = performance.now();
    for (; !done() && performance.now() - began < WAIT.timeout; await this.isThere()) {
      await this.act(1);
      await vi.waitUntil(done, { timeout: BLOCK_MS }).catch(() => {});
    }
    expect(done()).toBe(true);
  }

  /** The mirror stands at the chain's newest block. */
  isThere(): Promise<void> {
    return this.until(async () => expect(this.play.mirror.head).toMatchObject(await this.chain.block()));
  }

  /** The mirror has caught up, and holds what a sync from the node itself would. */
  async isRight(): Promise<void> {
    await this.isThere();
    const fresh = await this.play.fresh();
    await this.until(() => expect(this.play.tally.state()).toEqual(fresh));
  }

  get distrusted(): readonly string[] {
    return this.play.of('endpoint-distrusted').map(({ host, lie }) => `${host} ${lie}`);
  }

  async until(holds: () => void | Promise<void>): Promise<void> {
    await vi.waitFor(holds, WAIT);
  }
}
