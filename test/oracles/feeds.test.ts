/** Feeds through Chainlink's own proxies: new answers, a new aggregator, a reorg. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Anvil, startAnvil } from '../../scripts/devnet/anvil.ts';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { oracleArtifacts } from '../../scripts/devnet/oracle/contracts.ts';
import { deployFeeds } from '../../scripts/devnet/oracle/feeds.ts';
import type { Feed } from '../../scripts/devnet/oracle/report.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { ownContracts } from '../../scripts/devnet/tokens.ts';
import { checkFeed } from '../../src/guard/oracle.ts';
import { Feeds } from '../../src/oracles/feeds.ts';
import { ChainFollower } from '../support/chain-follower.ts';

let anvil: Anvil;
let chain: SetupChain;
let ether: Feed;
let bitcoin: Feed;
let multicall3: Address;
let proxyAbi: Awaited<ReturnType<typeof oracleArtifacts>>['proxy']['abi'];

const lower = (address: Address) => address.toLowerCase() as Address;

beforeAll(async () => {
  anvil = await startAnvil();
  chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
  await chain.prepare();
  multicall3 = chain.deploy('Multicall3', (await ownContracts())['Multicall3']!);
  const deployed = await deployFeeds(chain, [
    { name: 'ETH / USD', decimals: 8, initialAnswer: 3_000_00000000n },
    { name: 'BTC / USD', decimals: 18, initialAnswer: 90_000n * 10n ** 18n },
  ]);
  [ether, bitcoin] = deployed as [Feed, Feed];
  proxyAbi = (await oracleArtifacts()).proxy.abi;
}, 120_000);
afterAll(async () => {
  await anvil?.stop();
});

async function followed() {
  const feeds = new Feeds();
  feeds.want([lower(ether.proxy), lower(bitcoin.proxy)]);
  const follower = new ChainFollower(anvil.rpcUrl, multicall3, [feeds]);
  await follower.anchor();
  return { feeds, follower };
}

/** What consumers of the proxy are answered. */
async function latest(feed: Feed) {
  const round = await chain.read<readonly bigint[]>(feed.proxy, proxyAbi, 'latestRoundData');
  return { roundId: round[0], answer: round[1], updatedAt: Number(round[3]) };
}

/** What the guard says of the ether feed at the mirrored block, within bounds that nothing here passes. */
function doubtOf(feeds: Feeds, { head }: ChainFollower) {
  const feed = lower(ether.proxy);
  return checkFeed(feed, feeds.answer(feed), feeds.state(feed)!, head.timestamp, {
    ...{ maxFeedAgeSeconds: 1_000_000, heartbeatSeconds: {}, maxJumpBps: 10_000n },
    ...{ maxPoolDeviationBps: 10_000n, sequencerGraceSeconds: 0 },
  });
}

async function update(feed: Feed, answer: bigint): Promise<void> {
  await transmit(anvil.rpcUrl, feed, answer);
  await chain.mine();
}

test('the anchor reads answer and aggregator', async () => {
  const { feeds } = await followed();
  expect(feeds.answer(lower(ether.proxy))).toEqual(await latest(ether));
  expect(feeds.aggregator(lower(ether.proxy))).toBe(lower(ether.aggregator));
  expect(feeds.feedsOf(lower(bitcoin.aggregator))).toEqual([lower(bitcoin.proxy)]);
});

test('a transmission is the answer of its block, and can be taken back', async () => {
  const { feeds, follower } = await followed();
  const before = feeds.answer(lower(ether.proxy));
  const { number } = follower.head;
  for (const answer of [2_950_00000000n, 2_951_00000000n]) {
    await update(ether, answer);
    await follower.advance();
    expect(feeds.answer(lower(ether.proxy))).toEqual(await latest(ether));
    expect(feeds.answer(lower(ether.proxy))?.answer).toBe(answer);
  }
  follower.takeBackTo(number);
  expect(feeds.answer(lower(ether.proxy))).toEqual(before);
});

test('the round before is asked for at the anchor, and seen from then on', async () => {
  await update(ether, 2_960_00000000n);
  const earlier = await latest(ether);
  await update(ether, 2_970_00000000n);
  const { feeds, follower } = await followed();
  const now = await latest(ether);
  expect(feeds.state(lower(ether.proxy))).toMatchObject({
    ...{ answer: now, before: earlier, answeredInRound: now.roundId },
    ...{ decimals: 8n, firstDecimals: 8n },
  });
  // It has only ever had one round.
  expect(feeds.state(lower(bitcoin.proxy))).toMatchObject({ before: undefined, decimals: 18n });
  const { number } = follower.head;
  await update(ether, 2_980_00000000n);
  await follower.advance();
  expect(feeds.state(lower(ether.proxy))).toMatchObject({ answer: { answer: 2_980_00000000n }, before: now });
  follower.takeBackTo(number);
  expect(feeds.state(lower(ether.proxy))).toMatchObject({ answer: now, before: earlier });
});

test('a feed wanted later is known one block later; what is none stays unknown', async () => {
  const feeds = new Feeds();
  const follower = new ChainFollower(anvil.rpcUrl, multicall3, [feeds]);
  await follower.anchor();
  feeds.want([lower(ether.proxy), lower(multicall3)]);
  expect(feeds.answer(lower(ether.proxy))).toBeUndefined();
  await chain.mine();
  await follower.advance();
  expect(feeds.answer(lower(ether.proxy))).toEqual(await latest(ether));
  expect(feeds.answer(lower(multicall3))).toBeUndefined();
});

test('after a change of aggregator the answer is right at once, the aggregator in the next block', async () => {
  const { feeds, follower } = await followed();
  const { number } = follower.head;
  chain.call(ether.proxy, proxyAbi, 'proposeAggregator', [bitcoin.aggregator]);
  chain.call(ether.proxy, proxyAbi, 'confirmAggregator', [bitcoin.aggregator]);
  await chain.mine();
  await follower.advance();
  expect(feeds.answer(lower(ether.proxy))).toEqual(await latest(ether));
  expect(feeds.answer(lower(ether.proxy))?.answer).toBe(90_000n * 10n ** 18n);
  expect(doubtOf(feeds, follower)).toMatchObject({ reason: 'oracle-changed', figures: { phaseBefore: '1', phase: '2' } });
  await chain.mine();
  await follower.advance();
  expect(feeds.feedsOf(lower(bitcoin.aggregator)).toSorted()).toEqual([lower(ether.proxy), lower(bitcoin.proxy)].toSorted());
  // The second answer in the new phase is one of another scale.
  await update(bitcoin, 91_000n * 10n ** 18n);
  await follower.advance();
  expect(doubtOf(feeds, follower)).toMatchObject({ reason: 'oracle-changed', figures: { decimalsBefore: '8', decimals: '18' } });
  follower.takeBackTo(number);
  expect(feeds.aggregator(lower(ether.proxy))).toBe(lower(ether.aggregator));
  expect(doubtOf(feeds, follower)).toBeUndefined();
});
