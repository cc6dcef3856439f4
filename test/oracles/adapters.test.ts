/** The adapters of Aave's markets at random answers and times, against what their contracts answer. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { Prng } from '../../scripts/devnet/prng.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
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
const ROUNDS = 20;
const YEAR = 365 * 86_400;

let fixture: Fixture;
let feeds: Feeds;
let follower: ChainFollower;
let doubles: Awaited<ReturnType<typeof adapterDoubles>>;
let at: Record<string, Address>;
let rate: Address;
let sources: Record<string, LiveSource>;

const lower = (address: Address) => address.toLowerCase() as Address;
const proxy = (name: string): FeedId => lower(fixture.market.feeds[name]!.proxy);

beforeAll(async () => {
  fixture = await createFixture({ positions: 0 });
  doubles = await adapterDoubles();
  const [ether, bitcoin, dollar] = [proxy('ETH / USD'), proxy('BTC / USD'), proxy('USDC / USD')];
  const deploy = (name: string, args: readonly unknown[]) => lower(fixture.chain.deploy(name, doubles[name]!, args));
  rate = deploy('RateDouble', [(12n * WAD) / 10n]);
  const bitcoinInEther = deploy('BaseToPegDouble', [ether, bitcoin, 18]);
  at = {
    feedRatio: deploy('FeedRatioCapDouble', [ether, bitcoinInEther]),
    euro: deploy('EuroCapDouble', [ether, bitcoin, 3_000_000n]),
    discount: deploy('DiscountDouble', [dollar, BigInt(YEAR / 4), WAD / 10n]),
    pegToBase: deploy('PegToBaseDouble', [ether, bitcoin, 8, 10n ** 16n]),
    overCross: deploy('PegToBaseDouble', [ether, bitcoinInEther, 8, 10n ** 26n]),
    baseToPeg: bitcoinInEther,
    fixedRatio: deploy('FixedRatioDouble', [ether]),
    pooled: deploy('PooledRatioDouble', [ether, rate]),
    exchanged: deploy('ExchangeRatioDouble', [ether, rate]),
    fixed: deploy('FixedPriceDouble', [1_00000000n]),
    cappedBitcoin: deploy('StableCapDouble', [bitcoin, 100_000_00000000n]),
  };
  await fixture.chain.mine();
  feeds = new Feeds();
  follower = new ChainFollower(fixture.anvil.rpcUrl, fixture.market.multicall3, [feeds]);
  await follower.anchor();
  const resolved = await follower.perform(resolveSources(Object.values(at), follower.head), follower.head);
  sources = Object.fromEntries(Object.keys(at).map((name, place) => [name, resolved[place]!]));
  feeds.want(resolved.flatMap((source) => source.feeds));
}, 120_000);
afterAll(async () => {
  await fixture?.stop();
});

/** What each contract answers at the head, and what ours are worth at a moment: 0 and less is no price. */
async function theirs(): Promise<Record<string, bigint | undefined>> {
  const read = await follower.call(
    Object.values(at).map((address) => latestAnswerOf(address)),
    follower.head,
  );
  return Object.fromEntries(Object.keys(at).map((name, place) => [name, intOf(read[place])]));
}

function ours(moment: Moment): Record<string, bigint | undefined> {
  return Object.fromEntries(
    Object.entries(sources).map(([name, source]) => {
      const said = source.answer(moment);
      return [name, said.ok ? said.answer : undefined];
    }),
  );
}

async function ingest(): Promise<void> {
  for (const source of Object.values(sources)) source.ingest(await follower.call(source.reads(), follower.head), new Journal());
}

test('each is known for what it is, with the feeds that move it', () => {
  expect(Object.fromEntries(Object.entries(sources).map(([name, { kind, feeds: on }]) => [name, `${kind} ${on.length}`]))).toEqual({
    ...{ feedRatio: 'ratio 2', euro: 'capped 2', discount: 'discount 1', pegToBase: 'cross 2', overCross: 'cross 2' },
    ...{ baseToPeg: 'cross 2', fixedRatio: 'cross 1', pooled: 'ratio 1', exchanged: 'ratio 1', fixed: 'fixed 0' },
    ...{ cappedBitcoin: 'capped 1' },
  });
});

test('said before the block exists, at pending answers and later times, they answer as their contracts then do', async () => {
  const random = new Prng(7);
  const within = (least: number, most: number) => Math.floor(random.between(least, most));
  for (let round = 0; round < ROUNDS; round++) {
    const pending = new Map([
      [proxy('ETH / USD'), BigInt(within(1_00000000, 9_000_00000000))],
      [proxy('BTC / USD'), BigInt(within(1_000_00000000, 150_000_00000000))],
      [proxy('USDC / USD'), BigInt(within(50_000_000, 150_000_000))],
    ]);
    const seconds = within(1, YEAR / 60);
    await fixture.chain.call(rate, doubles['RateDouble']!.abi, 'setRate', [BigInt(within(1, 2_000_000)) * 10n ** 12n]);
    await fixture.chain.mine();
    await follower.advance();
    await ingest();
    const head = follower.head;
    // Each transmission has its block; the last one is the moment that was foretold.
    const timestamp = head.timestamp + pending.size * seconds;
    const moment: Moment = {
      ...{ number: head.number + pending.size, timestamp, baseFeeWei: head.baseFeeWei },
      answer: (feed) => {
        const known = feeds.answer(feed);
        const next = pending.get(feed);
        return next === undefined || known === undefined ? known : { ...known, answer: next };
      },
    };
    const said = ours(moment);
    await rpc(fixture.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [seconds]);
    for (const name of ['ETH / USD', 'BTC / USD', 'USDC / USD']) await fixture.setPrice(name, pending.get(proxy(name))!);
    await follower.advance();
    await rpc(fixture.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [12]);
    expect(follower.head.timestamp).toBe(timestamp);
    const answers = await theirs();
    expect(said).toEqual(answers);
    expect(Object.values(answers).every((answer) => answer !== undefined)).toBe(true);
  }
});

test('a price that is set follows whoever sets it', async () => {
  fixture.chain.call(at['fixed']!, doubles['FixedPriceDouble']!.abi, 'setPrice', [2_00000000n]);
  await fixture.chain.mine();
  await follower.advance();
  await ingest();
  expect(sources['fixed']!.price(momentOf(follower.head, feeds))).toMatchObject({ ok: true, price: 2_00000000n });
});
