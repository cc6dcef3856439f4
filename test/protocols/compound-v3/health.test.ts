/** Judgements and amounts against Comet itself, at timestamps to come. With FORK_RPC_URL against Compound's own. */
import type { Address } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { Lens } from '../../../src/protocols/compound-v3/lens.ts';
import { absorptionOf } from '../../../src/protocols/compound-v3/liquidation.ts';
import { MAX_ASSETS, reserveOf } from '../../../src/protocols/compound-v3/state.ts';
import { absorbing, type Bought, buying, type CometChain, later } from './chain.ts';
import { openReal } from './real.ts';
import { CometWorld, WETH_MARKET } from './world.ts';

const MINUTE = 60;
const YEAR = 365 * 86_400;

const REAL = process.env['FORK_RPC_URL'] ?? '';
const WORLDS: readonly (readonly [name: string, open: () => Promise<CometChain>])[] =
  REAL === ''
    ? [
        ['a market in USDC with seventeen assets', () => CometWorld.open({ positions: 400, seed: 21, wide: true })],
        ['a market in WETH', () => CometWorld.open({ positions: 120, seed: 22, spec: WETH_MARKET })],
      ]
    : [['Compound’s own market', () => openReal(REAL)]];
/** A real chain's archive answers in its own time. */
const PATIENCE_MS = REAL === '' ? 180_000 : 900_000;

describe.each(WORLDS)('%s', { timeout: PATIENCE_MS }, (_, open) => {
  let world: CometChain;
  beforeAll(async () => {
    world = await open();
  }, PATIENCE_MS);
  afterAll(() => world?.close());

  const accountSlots = () => [...world.protocol.slots()].filter((slot) => slot >= MAX_ASSETS);

  test('what was read and folded is what Comet stores and views, for every account', async () => {
    expect(accountSlots().length).toBeGreaterThanOrEqual(world.accounts);
    expect(await world.follower.audit()).toEqual([]);
  });

  test.each([1, 0.91, 0.6])('liquidatable, and what absorbing leaves, are Comet’s own at any later time, at %d of the prices', (share) =>
    world.undone(async () => {
      await world.fall(share);
      const { protocol } = world;
      const random = new Prng(5);
      const expected: unknown[] = [];
      const said = await Promise.all(
        accountSlots().map((slot) => {
          const at = later(world, Math.round(random.logBetween(1, YEAR)));
          const account = protocol.state.accounts[slot - MAX_ASSETS]!;
          const lens = new Lens(protocol.state, at, later(world, 0));
          const absorption = absorptionOf(account, lens)!;
          expected.push(
            protocol.judge(slot, at).kind === 'liquidatable'
              ? {
                  reserves: absorption.reserves,
                  collateralReserves: absorption.seizedRaw.map((seized, place) => seized + reserveOf(protocol.state, place)),
                }
              : undefined,
          );
          return absorbing(world, account.address, at.timestamp);
        }),
      );
      expect(said).toEqual(expected);
      if (share < 1) expect(said.filter((one) => one !== undefined).length).toBeGreaterThanOrEqual(world.accounts / 20);
    }),
  );

  test('amounts are Comet’s own to the unit, over the whole of each regime and not beyond', () =>
    world.undone(async () => {
      await world.fall(0.9);
      await world.fund(10n ** 30n);
      const random = new Prng(6);
      const expected: Bought[] = [];
      const asked: { account: Address; asset: Address; baseRaw: bigint; timestamp: number }[] = [];
      for (const slot of accountSlots()) {
        const at = later(world, Math.round(random.logBetween(1, 30 * MINUTE)));
        for (const option of world.protocol.options(slot, at)) {
          const { minRaw, maxRaw } = option.regimes[0]!;
          const some = minRaw + ((maxRaw - minRaw) * BigInt(Math.floor(random.next() * 1e6))) / 1_000_000n;
          const call = { account: world.protocol.accountOf(slot), asset: option.collateralAsset, timestamp: at.timestamp };
          for (const baseRaw of new Set([minRaw, some, maxRaw])) {
            asked.push({ ...call, baseRaw });
            const [paid, got] = option.flow(baseRaw);
            expected.push({ paidRaw: -paid!.deltaRaw, gotRaw: got!.deltaRaw });
          }
          const gotFor = (baseRaw: bigint) => option.flow(baseRaw)[1]!.deltaRaw;
          let more = 1n;
          while (gotFor(maxRaw + more) === gotFor(maxRaw)) more *= 2n;
          asked.push({ ...call, baseRaw: maxRaw + more });
          expected.push('reverts');
        }
      }
      expect(asked.length).toBeGreaterThanOrEqual(world.accounts / 5);
      const said: Bought[] = [];
      for (const one of asked) said.push(await buying(world, one));
      expect(said).toEqual(expected);
    }));

  test('the second at which interest makes an account liquidatable is Comet’s own', async () => {
    const expected: boolean[] = [];
    const asked: { account: Address; timestamp: number }[] = [];
    for (const slot of accountSlots().filter((__, index) => index % 4 === 0)) {
      const liquidatableIn = (seconds: number) => world.protocol.judge(slot, later(world, seconds)).kind === 'liquidatable';
      if (liquidatableIn(1) || !liquidatableIn(5 * YEAR)) continue;
      let [healthy, due] = [1, 5 * YEAR];
      while (due - healthy > 1) {
        const middle = Math.floor((healthy + due) / 2);
        if (liquidatableIn(middle)) due = middle;
        else healthy = middle;
      }
      const account = world.protocol.accountOf(slot);
      for (const seconds of [healthy, due]) asked.push({ account, timestamp: world.follower.head.timestamp + seconds });
      expected.push(false, true);
    }
    expect(asked.length).toBeGreaterThanOrEqual(world.accounts / 10);
    const said = await Promise.all(asked.map(({ account, timestamp }) => absorbing(world, account, timestamp)));
    expect(said.map((one) => one !== undefined)).toEqual(expected);
  });
});
