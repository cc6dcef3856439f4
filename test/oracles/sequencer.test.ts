/** What an L2's uptime feed tells, block by block; the feed is a double, the chain is not. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Anvil, startAnvil } from '../../scripts/devnet/anvil.ts';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { ownContracts } from '../../scripts/devnet/tokens.ts';
import { SequencerFeed } from '../../src/oracles/sequencer.ts';
import { ChainFollower } from '../support/chain-follower.ts';
import { adapterDoubles } from './contracts.ts';

const SINCE = 1_700_000_000n;

let anvil: Anvil;
let chain: SetupChain;
let multicall3: Address;
let uptime: Address;
let doubles: Awaited<ReturnType<typeof adapterDoubles>>;

const lower = (address: Address) => address.toLowerCase() as Address;

beforeAll(async () => {
  anvil = await startAnvil();
  chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
  await chain.prepare();
  doubles = await adapterDoubles();
  multicall3 = chain.deploy('Multicall3', (await ownContracts())['Multicall3']!);
  uptime = lower(chain.deploy('uptime', doubles['UptimeFeedDouble']!, []));
  await chain.mine();
}, 120_000);
afterAll(async () => {
  await anvil?.stop();
});

async function tell(status: bigint, startedAt: bigint): Promise<void> {
  chain.call(uptime, doubles['UptimeFeedDouble']!.abi, 'set', [status, startedAt]);
  await chain.mine();
}

test('each block has the word of its own time, and takes it back', async () => {
  await tell(0n, SINCE);
  const feed = new SequencerFeed(uptime);
  const follower = new ChainFollower(anvil.rpcUrl, multicall3, [feed]);
  await follower.anchor();
  expect(feed.told).toEqual({ answer: 0n, startedAt: SINCE });
  const { number } = follower.head;
  await tell(1n, SINCE + 100n);
  await follower.advance();
  expect(feed.told).toEqual({ answer: 1n, startedAt: SINCE + 100n });
  await tell(0n, SINCE + 900n);
  await follower.advance();
  expect(feed.told).toEqual({ answer: 0n, startedAt: SINCE + 900n });
  follower.takeBackTo(number);
  expect(feed.told).toEqual({ answer: 0n, startedAt: SINCE });
});

test('what is no feed tells nothing', async () => {
  const feed = new SequencerFeed(lower(multicall3));
  const follower = new ChainFollower(anvil.rpcUrl, multicall3, [feed]);
  await follower.anchor();
  expect(feed.told).toEqual({ answer: undefined, startedAt: undefined });
});
