/** The mirror against the contracts' own views: 500 accounts and 100 blocks of trading, with funding and moving prices. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { intOf, uintOf } from '../../../src/lib/words.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import { calls } from '../../../src/protocols/perp-v2/reads.ts';
import { isWorkedOut } from '../../../src/protocols/perp-v2/state.ts';
import { type Followed, figures, follow, later } from './followed.ts';
import { PerpWorld, populate, wad } from './world.ts';

const TRADERS = 500;
const BLOCKS = 100;
/** Traders who sometimes add liquidity. */
const MAKERS = 8;
/** Of accounts a block: each is compared several times on the way. */
const COMPARED = 10;

let world: PerpWorld;
let followed: Followed;

beforeAll(async () => {
  world = await PerpWorld.open({ traders: TRADERS });
  await populate(world, 5);
  followed = await follow(world);
});
afterAll(async () => {
  await world?.stop();
});

/** What differs from the views at the latest block, or as of a later timestamp. */
async function differences(slots: readonly number[], at: Moment, timestamp?: number): Promise<string[]> {
  const { protocol } = followed;
  const { contracts, accounts, markets } = protocol.state;
  const lens = protocol.lens(at);
  const asked = slots.map((slot) => accounts[slot]!).filter(isWorkedOut);
  const answers = await world.views(
    [
      ...asked.flatMap(({ address }) => [
        calls.accountValue(contracts.clearingHouse, address),
        calls.requirement(contracts.accountBalance, address),
      ]),
      ...[...markets.keys()].map((base) => calls.markPrice(contracts.accountBalance, base)),
    ],
    timestamp,
  );
  const found: string[] = [];
  const hold = (what: string, ours: bigint | undefined, theirs: bigint | undefined) => {
    if (ours !== theirs || ours === undefined) found.push(`${what}: ours ${ours}, theirs ${theirs}`);
  };
  for (const [place, account] of asked.entries()) {
    const standing = lens.standing(account);
    hold(`value of ${account.address}`, standing.ok ? standing.valueWad : undefined, intOf(answers[2 * place]));
    hold(`requirement of ${account.address}`, standing.ok ? standing.requirementWad : undefined, intOf(answers[2 * place + 1]));
  }
  for (const [place, market] of [...markets.values()].entries()) {
    const now = lens.market(market);
    hold(`mark price of ${market.symbol}`, typeof now === 'string' ? undefined : now.markWad, uintOf(answers[2 * asked.length + place]));
  }
  return found;
}

function everyone(): number[] {
  return followed.protocol.state.accounts.map((_, slot) => slot);
}

test('accounts, requirements and mark prices are equal to the views over blocks of trading', async () => {
  const prng = new Prng(11);
  const usd = new Map(world.perp.markets.map((market) => [market.symbol, market.usd]));
  const done = new Map<string, number>();
  const found: string[] = await differences(everyone(), momentOf(followed.follower.head, followed.feeds));
  expect(found).toEqual([]);
  for (let block = 0; block < BLOCKS; block++) {
    for (let i = 0; i < 4; i++) await act(prng);
    if (block % 3 === 0) {
      const { symbol } = prng.pick(world.perp.markets);
      usd.set(symbol, usd.get(symbol)! * prng.between(0.985, 1.015));
      await world.price(symbol, usd.get(symbol)!);
    }
    for (const [label, count] of await world.mine()) done.set(label, (done.get(label) ?? 0) + count.done);
    if (block % 25 === 24) await world.pass(3_600);
    await followed.follower.advance();
    const slots = Array.from({ length: COMPARED }, (_, i) => (block * COMPARED + i) % followed.protocol.state.accounts.length);
    found.push(...(await differences(slots, momentOf(followed.follower.head, followed.feeds))));
  }
  found.push(...(await differences(everyone(), momentOf(followed.follower.head, followed.feeds))));
  expect(found).toEqual([]);
  expect(await followed.follower.audit()).toEqual([]);
  for (const kind of ['long', 'short', 'closePosition', 'addLiquidity', 'removeLiquidity', 'withdraw', 'deposit', 'price'])
    expect([kind, done.get(kind) ?? 0]).not.toEqual([kind, 0]);
});

test('a later block is foreseen: funding, averages and mark price at its timestamp', async () => {
  for (const seconds of [1, 12, 600, 4_000]) {
    const at = later(followed, seconds);
    expect([seconds, await differences(everyone().slice(0, 60), at, at.timestamp)]).toEqual([seconds, []]);
  }
});

test('taken back, the blocks leave the state as it was, and followed again they end as a fresh sync does', async () => {
  const { follower, protocol } = followed;
  const from = follower.head.number;
  const before = structure();
  for (let block = 0; block < 6; block++) {
    for (let i = 0; i < 5; i++) await act(new Prng(block * 10 + i));
    await world.mine();
  }
  await follower.advance();
  const after = structure();
  expect(after).not.toEqual(before);
  follower.takeBackTo(from);
  expect(structure()).toEqual(before);
  await follower.advance();
  expect(structure()).toEqual(after);
  const fresh = await follow(world);
  expect(figures(fresh.protocol.state)).toEqual(figures(protocol.state));
});

/** All of the mirror's state in lines, in an order of its own: a change taken back may leave a map in another one. */
function structure(): string[] {
  const { markets, accounts, slots, ...rest } = followed.protocol.state;
  const told = (value: unknown) =>
    JSON.stringify(value, (key, part: unknown) => {
      if (key === 'market') return undefined;
      if (typeof part === 'bigint') return `${part}n`;
      return part instanceof Map ? [...part].sort(([one], [other]) => (one < other ? -1 : 1)) : part;
    });
  return [...markets.values(), ...accounts, slots, rest].map(told);
}

async function act(prng: Prng): Promise<void> {
  const { perp } = world;
  const trader = prng.pick(world.traders);
  const { base } = prng.pick(perp.markets);
  const dice = prng.next();
  if (dice < 0.25) await world.trade(trader, base, 'long', prng.logBetween(20, 3_000));
  else if (dice < 0.5) await world.trade(trader, base, 'short', prng.logBetween(20, 3_000));
  else if (dice < 0.62) {
    const held = await world.read<readonly `0x${string}`[]>(world.contract('accountBalance'), 'getBaseTokens', [trader]);
    if (held[0] !== undefined) await world.close(trader, held[0]);
  } else if (dice < 0.7) await world.deposit(trader, BigInt(Math.floor(prng.between(5, 400) * 1e6)));
  else if (dice < 0.8)
    await world.send(trader, world.contract('vault'), 'withdraw', [perp.settlement, BigInt(Math.floor(prng.between(1, 20) * 1e6))]);
  else if (dice < 0.88)
    await world.provide(prng.pick(world.traders.slice(0, MAKERS)), prng.pick(perp.markets), prng.between(0.02, 0.2), prng.between(10, 100));
  else if (dice < 0.94) await shrink(prng);
  else await world.deposit(trader, wad(prng.between(0.01, 0.2)), perp.collateral);
}

/** A maker takes some liquidity back. */
async function shrink(prng: Prng): Promise<void> {
  const makers = followed.protocol.state.accounts.filter(({ places }) => [...places.values()].some(({ orders }) => orders.size > 0));
  const { address, places } = prng.pick(makers);
  const place = [...places.values()].find(({ orders }) => orders.size > 0)!;
  const { lower, upper, liquidity } = [...place.orders.values()][0]!;
  const order = {
    ...{ baseToken: place.market.base, lowerTick: lower, upperTick: upper, liquidity: prng.next() < 0.5 ? liquidity : liquidity / 10n },
    ...{ minBase: 0n, minQuote: 0n, deadline: 2n ** 256n - 1n },
  };
  await world.send(address, world.contract('clearingHouse'), 'removeLiquidity', [order]);
}
