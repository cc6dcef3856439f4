/** Price sources of every kind against what their contracts answer, on a real chain. */
import type { Abi, Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Head, ViewAnswer } from '../../src/lib/types.ts';
import { intOf } from '../../src/lib/words.ts';
import { Journal } from '../../src/mirror/journal.ts';
import { Feeds } from '../../src/oracles/feeds.ts';
import { momentOf } from '../../src/oracles/moment.ts';
import { latestAnswerOf, resolveSources } from '../../src/oracles/resolve.ts';
import type { LiveSource } from '../../src/oracles/sources.ts';
import type { FeedId, Moment } from '../../src/oracles/types.ts';
import { ChainFollower } from '../support/chain-follower.ts';
import { adapterDoubles } from './contracts.ts';

const WAD = 10n ** 18n;
const ETHER = 3_000_00000000n;

let fixture: Fixture;
let feeds: Feeds;
let follower: ChainFollower;
let doubles: Awaited<ReturnType<typeof adapterDoubles>>;
let ether: FeedId;
let at: Record<string, Address>;

beforeAll(async () => {
  fixture = await createFixture({ positions: 0 });
  doubles = await adapterDoubles();
  ether = lower(fixture.market.feeds['ETH / USD']!.proxy);
  const dollar = lower(fixture.market.feeds['USDC / USD']!.proxy);
  const deploy = (name: string, args: readonly unknown[]) => lower(fixture.chain.deploy(name, doubles[name]!, args));
  const stable = deploy('StableCapDouble', [dollar, 1_00000000n]);
  at = {
    feed: ether,
    adapter: lower(fixture.market.sources['wstETH']!),
    stable,
    // Its cap grows by 1% a day; the ratio stands far below it.
    growing: deploy('GrowthCapDouble', [ether, (12n * WAD) / 10n, (12n * WAD * 10n ** 6n) / 1_000n / 86_400n, (11n * WAD) / 10n]),
    // And one that has run into it.
    capped: deploy('GrowthCapDouble', [ether, (12n * WAD) / 10n, (12n * WAD * 10n ** 6n) / 1_000n / 86_400n, 2n * WAD]),
    overStable: deploy('GrowthCapDouble', [stable, (12n * WAD) / 10n, 0n, (11n * WAD) / 10n]),
    lying: deploy('LyingAdapterDouble', [ether]),
    set: deploy('SetPriceDouble', [5_00000000n]),
    zero: deploy('SetPriceDouble', [0n]),
    nothing: lower(fixture.market.multicall3),
  };
  await fixture.chain.mine();
  feeds = new Feeds();
  follower = new ChainFollower(fixture.anvil.rpcUrl, fixture.market.multicall3, [feeds]);
  await follower.anchor();
}, 120_000);
afterAll(async () => {
  await fixture?.stop();
});

const lower = (address: Address) => address.toLowerCase() as Address;

async function resolved(): Promise<Record<string, LiveSource>> {
  const sources = await follower.perform(resolveSources(Object.values(at), follower.head), follower.head);
  feeds.want(sources.flatMap((source) => source.feeds));
  await fixture.chain.mine();
  await follower.advance();
  return Object.fromEntries(Object.keys(at).map((name, place) => [name, sources[place]!]));
}

/** What each contract answers at a block. */
async function answers(head: Head): Promise<Record<string, bigint | undefined>> {
  const calls = Object.values(at).map((address) => latestAnswerOf(address));
  const read = await follower.call(calls, head);
  return Object.fromEntries(Object.keys(at).map((name, place) => [name, intOf(read[place])]));
}

function prices(sources: Record<string, LiveSource>, moment: Moment): Record<string, bigint | undefined> {
  const priced = Object.entries(sources).map(([name, source]) => {
    const price = source.price(moment);
    return [name, price.ok ? price.price : undefined];
  });
  return Object.fromEntries(priced);
}

/** Reads what the sources ask for at the head. */
async function ingest(sources: Record<string, LiveSource>, journal: Journal): Promise<void> {
  for (const source of Object.values(sources)) {
    const read: readonly ViewAnswer[] = await follower.call(source.reads(), follower.head);
    source.ingest(read, journal);
  }
}

async function call(address: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<void> {
  fixture.chain.call(address, abi, functionName, args);
  await fixture.chain.mine();
  await follower.advance();
}

const known = ({ nothing: _, zero: __, ...rest }: Record<string, bigint | undefined>) => rest;

test('every kind is told apart, and priced as it answers', async () => {
  const sources = await resolved();
  expect(Object.fromEntries(Object.entries(sources).map(([name, { kind, feeds }]) => [name, `${kind} ${feeds.length}`]))).toEqual({
    ...{ feed: 'feed 1', adapter: 'ratio 1', stable: 'capped 1', growing: 'ratio 1', capped: 'ratio 1', overStable: 'ratio 1' },
    ...{ lying: 'opaque 0', set: 'opaque 0', zero: 'opaque 0', nothing: 'opaque 0' },
  });
  await ingest(sources, new Journal());
  const ours = prices(sources, momentOf(follower.head, feeds));
  expect(known(ours)).toEqual(known(await answers(follower.head)));
  // An answer of 0 is none, as Aave's oracle takes it; so is a call that reverts.
  expect([ours['zero'], ours['nothing']]).toEqual([undefined, undefined]);
});

test('a pending update moves what stands on its feed, and nothing else', async () => {
  const sources = await resolved();
  await ingest(sources, new Journal());
  const now = momentOf(follower.head, feeds);
  const next = ETHER - 123_45678901n;
  const pending: Moment = {
    ...now,
    answer: (feed) => (feed === ether ? { ...now.answer(feed)!, answer: next } : now.answer(feed)),
  };
  const said = prices(sources, pending);
  const before = prices(sources, now);
  const moved = Object.keys(at).filter((name) => said[name] !== before[name]);
  expect(moved).toEqual(['feed', 'adapter', 'growing', 'capped']);
  await fixture.setPrice('ETH / USD', next);
  await follower.advance();
  const after = await answers(follower.head);
  // The time has moved the capped one a little further than said.
  for (const name of ['feed', 'adapter', 'growing']) expect(said[name]).toBe(after[name]);
  await fixture.setPrice('ETH / USD', ETHER);
  await follower.advance();
});

test('a growing cap is followed to the second', async () => {
  const sources = await resolved();
  await ingest(sources, new Journal());
  const { timestamp, number, baseFeeWei } = follower.head;
  const seen = new Set<bigint | undefined>();
  for (const seconds of [12, 3_600, 86_400]) {
    const said = prices(sources, {
      number: number + 1,
      timestamp: follower.head.timestamp + seconds,
      baseFeeWei,
      answer: (feed) => feeds.answer(feed),
    });
    await rpc(fixture.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [seconds]);
    await fixture.chain.mine();
    await follower.advance();
    expect(said['capped']).toBe((await answers(follower.head))['capped']);
    seen.add(said['capped']);
  }
  expect(follower.head.timestamp).toBe(timestamp + 12 + 3_600 + 86_400);
  expect(seen.size).toBe(3);
  await rpc(fixture.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [12]);
});

test('what is read once a block follows the chain, and can be taken back', async () => {
  const sources = await resolved();
  const journal = new Journal();
  await ingest(sources, journal);
  const before = prices(sources, momentOf(follower.head, feeds));
  await call(at['growing']!, doubles['GrowthCapDouble']!.abi, 'setRatio', [(115n * WAD) / 100n]);
  await call(at['set']!, doubles['SetPriceDouble']!.abi, 'setPrice', [6_00000000n]);
  await call(at['stable']!, doubles['StableCapDouble']!.abi, 'setPriceCap', [98_000_000n]);
  journal.begin();
  await ingest(sources, journal);
  const undo = journal.take();
  const moment = momentOf(follower.head, feeds);
  const after = prices(sources, moment);
  expect(known(after)).toEqual(known(await answers(follower.head)));
  for (const name of ['growing', 'set', 'stable', 'overStable']) expect(after[name], name).not.toBe(before[name]);
  undo();
  for (const name of ['growing', 'set', 'stable', 'overStable']) expect(prices(sources, moment)[name], name).toBe(before[name]);
});
