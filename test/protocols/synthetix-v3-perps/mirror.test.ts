/** The mirror against the contracts' own views: 120 accounts over blocks of orders, prices, funding, debts and liquidations. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { intOf, uintOf } from '../../../src/lib/words.ts';
import { MirrorError } from '../../../src/mirror/types.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import { capacityAt, windowSize } from '../../../src/protocols/synthetix-v3-perps/liquidation.ts';
import { calls } from '../../../src/protocols/synthetix-v3-perps/reads.ts';
import { isExposed } from '../../../src/protocols/synthetix-v3-perps/state.ts';
import { type Followed, figures, follow, later, mirrored, views } from './followed.ts';
import { BTC, ETH, ids, type Order, populate, S_ETH, SNX_USD, SynthetixWorld, wad } from './world.ts';

const ACCOUNTS = ids(120);
const BLOCKS = 16;

let world: SynthetixWorld;
let followed: Followed;

beforeAll(async () => {
  world = await SynthetixWorld.open();
  await populate(world, 7, ACCOUNTS);
  followed = await follow(world);
  await world.pass(12);
  await followed.follower.advance();
});
afterAll(async () => {
  await world?.stop();
});

/** What differs from the views at the latest block, or as of a later timestamp; and how many of the accounts compared are liquidatable. */
async function differences(
  at: Moment,
  timestamp?: number,
): Promise<{ readonly found: string[]; readonly compared: number; readonly liquidatable: number }> {
  const { protocol } = followed;
  const { contracts, accounts, markets } = protocol.state;
  const { perpsMarket: perps } = contracts;
  const lens = protocol.lens(at);
  const places = accounts.flatMap((account) => [...account.positions.values()].map((position) => ({ account, position })));
  const answers = (
    await views(
      world,
      [
        ...accounts.flatMap(({ id }) => [
          ...[calls.availableMargin(perps, id), calls.requiredMargins(perps, id), calls.canLiquidate(perps, id)],
          ...[calls.canLiquidateMargin(perps, id), calls.debt(perps, id), calls.collateralAmount(perps, id, SNX_USD)],
        ]),
        ...[...markets.keys()].map((id) => calls.capacity(perps, id)),
        ...places.map(({ account, position }) => calls.openPosition(perps, account.id, position.market.id)),
      ],
      timestamp,
    )
  ).values();
  const next = () => answers.next().value!;
  const found: string[] = [];
  const hold = (what: string, ours: bigint | undefined, theirs: bigint | undefined) => {
    if (ours !== theirs || ours === undefined) found.push(`${what}: ours ${ours}, theirs ${theirs}`);
  };
  let liquidatable = 0;
  for (const [slot, account] of accounts.entries()) {
    const standing = lens.standing(account);
    if (!standing.ok) throw new Error(standing.reason);
    const verdict = protocol.judge(slot, at);
    const judged = isExposed(account) && verdict.kind === 'liquidatable';
    if (judged) liquidatable++;
    hold(`margin of ${account.id}`, standing.availableWad, intOf(next()));
    const required = next();
    if (account.positions.size > 0) {
      hold(`initial of ${account.id}`, standing.initialWad, uintOf(required, 0));
      hold(`maintenance of ${account.id}`, standing.requiredWad, uintOf(required, 1));
    }
    const [whole, margin] = [uintOf(next()), uintOf(next())];
    if (account.positions.size > 0 || account.flagged) hold(`verdict on ${account.id}`, BigInt(judged), whole);
    else hold(`verdict on the margin of ${account.id}`, BigInt(judged), margin);
    hold(`debt of ${account.id}`, account.debt, uintOf(next()));
    hold(`snxUSD of ${account.id}`, account.collateral.get(SNX_USD) ?? 0n, uintOf(next()));
  }
  for (const market of markets.values()) {
    const capacity = next();
    hold(`capacity of ${market.symbol}`, capacityAt(market, BigInt(at.timestamp)), uintOf(capacity));
    hold(`window of ${market.symbol}`, windowSize(market.rules), uintOf(capacity, 1));
  }
  for (const { account, position } of places) hold(`size of ${account.id}`, position.size, intOf(next(), 2));
  return { found, compared: accounts.length, liquidatable };
}

test('what was read at the anchor, and what is judged hours later, equals the views', async () => {
  expect((await differences(mirrored(followed))).found).toEqual([]);
  for (const seconds of [1, 3_600, 86_400]) {
    const at = later(followed, seconds);
    expect((await differences(at, at.timestamp)).found).toEqual([]);
  }
});

test('every margin, requirement, verdict and window equals the views in every block of a market that moves', async () => {
  const prng = new Prng(11);
  let liquidated = 0;
  let flagged = 0;
  for (let block = 0; block < BLOCKS; block++) {
    await step(prng, block);
    await followed.follower.advance();
    const now = await differences(mirrored(followed));
    expect(now.found).toEqual([]);
    liquidated += now.liquidatable;
    flagged += followed.protocol.state.accounts.filter((account) => account.flagged).length;
    if (block % 4 === 3) {
      const at = later(followed, Math.floor(prng.between(1, 40_000)));
      expect((await differences(at, at.timestamp)).found).toEqual([]);
    }
  }
  expect(liquidated).toBeGreaterThan(20);
  expect(flagged).toBeGreaterThan(0);
  expect(followed.protocol.state.accounts.some(({ debt }) => debt > 0n)).toBe(true);
});

test('the audit finds nothing to object to, and everything taken back is as it was', async () => {
  expect(await followed.follower.audit()).toEqual([]);
  const before = figures(followed);
  const { number } = followed.follower.head;
  const prng = new Prng(3);
  for (let block = 0; block < 6; block++) await step(prng, block);
  await followed.follower.advance();
  expect(figures(followed)).not.toEqual(before);
  followed.follower.takeBackTo(number);
  expect(figures(followed)).toEqual(before);
  await followed.follower.advance();
  const fresh = await follow(world);
  await world.pass(12);
  for (const one of [followed, fresh]) await one.follower.advance();
  expect(figures(fresh)).toEqual(figures(followed));
});

test('rules that change are followed by a new anchor alone', async () => {
  world.call(world.snx.perpsMarket, 'MarketConfigurationModule', 'setLockedOiRatio', [ETH, wad(0.25)]);
  await world.chain.mine();
  await expect(followed.follower.advance()).rejects.toThrow(MirrorError);
  followed = await follow(world);
  await world.pass(12);
  await followed.follower.advance();
  expect((await differences(mirrored(followed))).found).toEqual([]);
});

/** One of the things that happen. Each mines a block or some. */
async function step(prng: Prng, block: number): Promise<void> {
  const some = (count: number) => Array.from({ length: count }, () => prng.pick(ACCOUNTS));
  const orders = (count: number): Order[] =>
    [...new Set(some(count))].map((account) => {
      const market = prng.pick([ETH, BTC]);
      const usd = prng.logBetween(50, 20_000);
      return { account, market, size: (prng.next() < 0.4 ? 1n : -1n) * wad(usd / world.usd(market)) };
    });
  switch (block % 8) {
    case 0:
      return world.trade(orders(12));
    case 1:
      return world.setPrices({ eth: world.price.ETH * prng.between(0.94, 1), btc: world.price.BTC * prng.between(0.95, 1) });
    case 2:
      // Funding moves with a commitment too, at a price that no log tells.
      return world.commit(orders(6));
    case 3:
      return world.pass(Math.floor(prng.between(600, 30_000)));
    case 4:
      await world.setPrices({ btc: world.price.BTC });
      await world.settle(some(20));
      return world.deposit([
        { account: prng.pick(ACCOUNTS), collateral: S_ETH, amount: wad(0.3) },
        { account: prng.pick(ACCOUNTS), collateral: SNX_USD, amount: -wad(20) },
      ]);
    case 5:
      // Small windows, so that some are flagged and stay.
      await world.setPrices({ eth: world.price.ETH * 0.985, btc: world.price.BTC * 0.99 });
      return liquidateSome();
    case 6:
      return payDebts();
    default:
      return world.trade(closing(some(6)));
  }
}

async function liquidateSome(): Promise<void> {
  const found: bigint[] = [];
  for (const id of ACCOUNTS) if (await world.read<boolean>('LiquidationModule', 'canLiquidate', [id])) found.push(id);
  for (const id of found.slice(0, 6)) world.call(world.snx.perpsMarket, 'LiquidationModule', 'liquidate', [id]);
  world.call(world.snx.perpsMarket, 'LiquidationModule', 'liquidateFlagged', [2n]);
  await world.chain.mine();
}

async function payDebts(): Promise<void> {
  const inDebt = followed.protocol.state.accounts.find(({ debt }) => debt > 0n);
  if (inDebt !== undefined) await world.payDebt(inDebt.id, inDebt.debt / 2n + 1n);
  world.call(world.snx.perpsMarket, 'GlobalPerpsMarketModule', 'updateInterestRate', []);
  await world.chain.mine();
}

function closing(accounts: readonly bigint[]): Order[] {
  return [...new Set(accounts)].flatMap((account) => {
    const { accounts: all, slots } = followed.protocol.state;
    const [position] = all[slots.get(account) ?? -1]?.positions.values() ?? [];
    return position === undefined ? [] : [{ account, market: position.market.id, size: -position.size }];
  });
}
