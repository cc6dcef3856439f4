/** State folded from logs against the chain's storage views, through random actions; and taken back again. */
import type { Address } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uintOf } from '../../../src/lib/words.ts';
import { calls } from '../../../src/protocols/aave-v3/reads.ts';
import { WatchCheck } from '../../support/watch-check.ts';
import { Actions } from './actions.ts';
import { Follower } from './follower.ts';
import { plain } from './plain.ts';
import { SCENES, type Scene } from './scene.ts';
import { Sender } from './sender.ts';

const BLOCKS = 40;
const ACTIONS = 30;
/** Half of the people never borrowed before the anchor. */
const NEWCOMERS = 20;

describe.each(SCENES)('a market of %s', (release, open) => {
  let fixture: Scene;
  let follower: Follower;
  let sender: Sender;
  let anchoredAt: number;
  let anchored: unknown;
  let watch: WatchCheck;
  const done = new Map<string, number>();

  beforeAll(async () => {
    fixture = await open({ positions: 60, seed: 5 });
    sender = new Sender(fixture);
    await sender.open();
    const newcomers = Array.from({ length: NEWCOMERS }, (_, i): Address => `0x${(0xbee0_0000 + i).toString(16).padStart(40, '0')}`);
    const people = [...fixture.market.borrowers.slice(0, NEWCOMERS).map(({ address }) => address), ...newcomers];
    for (const person of people) await sender.enrich(person);
    await sender.mine();
    follower = new Follower(fixture);
    await follower.anchor();
    anchoredAt = follower.head.number;
    anchored = structuredClone(plain(follower.market.state, false));

    watch = new WatchCheck(follower.market);
    watch.look(follower.moment());
    const actions = new Actions(fixture, sender, follower.market, people, 5);
    for (let block = 0; block < BLOCKS; block++) {
      await actions.some(ACTIONS);
      if (block % 3 === 1) await actions.govern();
      if (block % 5 === 4) {
        const ether = 2_900_00000000n - BigInt(block) * 15_00000000n;
        await fixture.setPrice('ETH / USD', ether);
        await follower.advance();
        await actions.liquidate(6, follower.moment());
      }
      for (const [label, count] of (await sender.mine()).done) done.set(label, (done.get(label) ?? 0) + count);
      await follower.advance();
      watch.look(follower.moment());
    }
  }, 300_000);
  afterAll(async () => {
    await fixture?.stop();
  });

  test('every kind of action went through several times', () => {
    const kinds = [
      'supply',
      'withdraw',
      'borrow',
      'repay',
      'repayWithATokens',
      'transfer',
      'setUserUseReserveAsCollateral',
      'setUserEMode',
      'mintToTreasury',
      'liquidationCall',
      ...(release === '3.0' ? ['swapBorrowRateMode'] : []),
    ];
    for (const kind of kinds) expect(done.get(kind) ?? 0, kind).toBeGreaterThan(4);
  });

  test('borrowers of no earlier day are followed from their first block on', () => {
    const newcomers = follower.market.state.accounts.all().filter(({ address }) => address.startsWith('0x00000000000000000000'));
    expect(newcomers.length).toBeGreaterThan(5);
    expect(newcomers.every(({ known }) => known)).toBe(true);
  });

  test('debts at fixed rates are followed where there are any', () => {
    const fixed = follower.market.state.accounts.all().filter((account) => account.fixed.size > 0);
    expect(fixed.length > 10).toBe(release === '3.0');
  });

  test('the audit of everything finds nothing', async () => {
    expect(await follower.audit()).toEqual([]);
  });

  test('folded state is what a fresh anchor reads', async () => {
    const fresh = new Follower(fixture);
    await fresh.anchor();
    expect(plain(follower.market.state, true)).toEqual(plain(fresh.market.state, true));
  });

  test('every followed balance is the token’s own, collateral or not', async () => {
    const { accounts, reserves } = follower.market.state;
    const held = accounts
      .all()
      .flatMap((account) => [
        ...[...account.supplied].map(([id, scaled]) => ({ call: calls.scaledBalance(reserves.get(id)!.aToken, account.address), scaled })),
        ...[...account.owed].map(([id, scaled]) => ({ call: calls.scaledBalance(reserves.get(id)!.debtToken, account.address), scaled })),
      ]);
    const answers = await follower.call(
      held.map(({ call }) => call),
      follower.head,
    );
    expect(held.map(({ scaled }) => scaled)).toEqual(answers.map((answer) => uintOf(answer)));
    expect(held.length).toBeGreaterThan(200);
  });

  test('taken back block by block it is what the anchor read; applied again, what it was', async () => {
    const before = structuredClone(plain(follower.market.state, false));
    for (let number = follower.head.number - 1; number >= anchoredAt; number--) {
      follower.takeBackTo(number);
      watch.look(follower.moment());
    }
    expect(plain(follower.market.state, false)).toEqual(anchored);
    await follower.advance();
    expect(plain(follower.market.state, false)).toEqual(before);
    expect(await follower.audit()).toEqual([]);
    watch.look(follower.moment());
  }, 60_000);

  test('whatever happened, the watchlist found what judging everybody finds, and judged few', () => {
    expect(watch.candidates).toBeGreaterThan(1_000);
    expect(watch.judged).toBeLessThan(watch.positions * 0.6);
  });
});
