/** What is special about Comet: feeds of its own, debt that moves without a word, holdings that only an absorption puts on offer. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { erc20Abi } from '../../../scripts/devnet/tokens.ts';
import { Lens } from '../../../src/protocols/compound-v3/lens.ts';
import { MAX_ASSETS, reserveOf } from '../../../src/protocols/compound-v3/state.ts';
import { absorbing, buying, LIQUIDATOR } from './chain.ts';
import { CometWorld } from './world.ts';

const IN_TURN = 32;
const FALL = { 'ETH / USD': 2_700_00000000n, 'BTC / USD': 85_000_00000000n, 'LINK / USD': 13_70000000n };

let world: CometWorld;
beforeAll(async () => {
  world = await CometWorld.open({ positions: 140, seed: 41 });
});
afterAll(() => world?.close());

const accountSlots = () => [...world.protocol.slots()].filter((slot) => slot >= MAX_ASSETS);
const judged = (at = world.next()) => accountSlots().map((slot) => world.protocol.judge(slot, at));

/** Another configuration behind the proxy, read anew. */
async function configure(change: Record<string, unknown>): Promise<void> {
  const { chain } = world.fixture;
  const { artifacts, config, comet } = world.market;
  const implementation = chain.deploy('another', artifacts.comet, [{ ...config, ...change }]);
  chain.call(comet, artifacts.proxy.abi, 'upgradeTo', [implementation]);
  await chain.mine();
}

test('a pending update moves plain feeds and Compound’s own over them, before it is mined and exactly as it then does', () =>
  world.undone(async () => {
    expect([...world.protocol.state.feeds.values()].map(({ decoded }) => decoded?.kind).sort()).toEqual(['cross', 'feed', 'feed', 'ratio']);
    for (const prices of [FALL, { 'BTC / USD': FALL['BTC / USD'] }, { 'LINK / USD': FALL['LINK / USD'] }]) {
      const before = judged();
      const foreseen = judged(world.next(prices, 12 * (Object.keys(prices).length + 1)));
      expect(foreseen).not.toEqual(before);
      await world.undone(async () => {
        await world.price(prices);
        expect(judged()).toEqual(foreseen);
      });
    }
  }));

test('what nobody can take apart is read, and moves nothing before its time; a feed that answers nothing leaves only those unjudged who need it', () =>
  world.undone(async () => {
    const { chain } = world.fixture;
    const feed = chain.deploy('set feed', world.doubles['SetPriceFeedDouble']!, [95_000_00000000n]);
    await chain.mine();
    const listed = world.market.config['assets'] as readonly Record<string, unknown>[];
    const assets = listed.map((one, place) => (place === 1 ? { ...one, priceFeed: feed } : one));
    await configure({ assets });
    const { protocol, follower, feeds } = world.another();
    await follower.anchor();
    const slots = () => [...protocol.slots()].filter((slot) => slot >= MAX_ASSETS);
    const at = () => ({ ...world.next(FALL), answer: (id: Address) => feeds.answer(id) });
    const verdicts = () => slots().map((slot) => protocol.judge(slot, at()));
    const before = verdicts();
    const set = async (answer: bigint) => {
      await world.sender.call(LIQUIDATOR, feed, world.doubles['SetPriceFeedDouble']!.abi, 'set', [answer]);
      await world.sender.mine();
      await follower.advance();
      expect(await follower.audit()).toEqual([]);
    };
    await set(60_000_00000000n);
    expect(verdicts()).not.toEqual(before);
    await set(-1n);
    const [said, theirs] = [
      verdicts(),
      await Promise.all(slots().map((slot) => absorbing(world, protocol.accountOf(slot), at().timestamp))),
    ];
    expect(new Set(said.map(({ kind }) => kind))).toContain('unknown');
    expect(said.some(({ kind }) => kind !== 'unknown')).toBe(true);
    // Who cannot be judged is nobody that could be absorbed.
    for (const [place, { kind }] of said.entries()) if (kind === 'unknown') expect(theirs[place]).toBeUndefined();
  }));

test('debt that one debtor takes over from another shows in no log, and is found within as many blocks as everybody’s turn takes', () =>
  world.undone(async () => {
    const [debtor, giver] = world.protocol.state.accounts.filter(({ principal }) => principal < -1_000_000_000n);
    const before = giver!.principal;
    await world.call(debtor!.address, 'supply', [world.market.base, 1n]);
    const moved = 5_000_000n;
    await world.enrich(giver!.address);
    await world.call(giver!.address, 'supply', [world.market.assets[0]!.token, 10n ** 18n]);
    await world.sender.mine();
    await world.follower.advance();
    await world.call(giver!.address, 'transferAsset', [debtor!.address, world.market.base, moved]);
    const { receipts, done } = await world.sender.mine();
    expect([done.get('transferAsset'), receipts.flatMap(({ logs }) => logs)]).toEqual([1, []]);
    for (let mined = 0; mined < world.accounts / IN_TURN; mined++) await world.sender.mine();
    await world.follower.advance();
    expect(giver!.principal).toBeLessThan(before - moved / 2n);
    expect(await world.follower.audit()).toEqual([]);
  }));

test('what Comet holds is sold with an account’s own where only that account’s debt brings reserves below their target', () =>
  world.undone(async () => {
    const { protocol, comet } = world;
    // It holds some of everything, and reserves stand a dollar above what they should be.
    for (const { token } of world.market.assets) await world.sender.call(LIQUIDATOR, token, erc20Abi, 'transfer', [comet, 10n ** 7n]);
    await world.price(FALL);
    const { reserves } = new Lens(protocol.state, world.next({}, 60), world.next({}, 0));
    await configure({ targetReserves: reserves - 10n ** 6n });
    const { protocol: again, follower, feeds } = world.another();
    await follower.anchor();
    const at = { ...world.next(), ...follower.head, timestamp: follower.head.timestamp + 12, answer: (id: Address) => feeds.answer(id) };
    const offers = [...again.slots()].filter((slot) => slot < MAX_ASSETS);
    expect(offers.map((slot) => [again.judge(slot, at).kind, again.options(slot, at).length])).toEqual(offers.map(() => ['healthy', 0]));
    expect(offers.length).toBe(world.market.assets.length);
    let sold = 0;
    for (const slot of [...again.slots()].filter((one) => one >= MAX_ASSETS))
      for (const option of again.options(slot, at)) {
        const place = again.state.config.assets.findIndex(({ address }) => address === option.collateralAsset);
        const own = again.state.accounts[slot - MAX_ASSETS]!.collateralRaw[place]!;
        const { maxRaw } = option.regimes[0]!;
        const got = option.flow(maxRaw)[1]!.deltaRaw;
        if (got > own) sold++;
        expect(got).toBeLessThanOrEqual(own + reserveOf(again.state, place));
        const call = { account: again.accountOf(slot), asset: option.collateralAsset, timestamp: at.timestamp };
        expect(await buying(world, { ...call, baseRaw: maxRaw })).toEqual({ paidRaw: maxRaw, gotRaw: got });
      }
    expect(sold).toBeGreaterThan(3);
  }));
