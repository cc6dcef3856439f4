/** Health factors against the pool's own view, over many hundred positions, at many blocks and timestamps. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SLOT_SECONDS } from '../../../scripts/devnet/anvil.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { uintOf } from '../../../src/lib/words.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import { standingOf } from '../../../src/protocols/aave-v3/health.ts';
import { Lens } from '../../../src/protocols/aave-v3/lens.ts';
import { calls } from '../../../src/protocols/aave-v3/reads.ts';
import { Follower } from './follower.ts';
import { SCENES, type Scene } from './scene.ts';

const POSITIONS: Record<string, number> = { '3.6': 1_000, '3.0': 600 };
const DAY = 86_400;

describe.each(SCENES)('a market of %s', (release, open) => {
  let fixture: Scene;
  let follower: Follower;

  beforeAll(async () => {
    fixture = await open({ positions: POSITIONS[release]!, seed: 11 });
    follower = new Follower(fixture);
    await follower.anchor();
  }, 300_000);
  afterAll(async () => {
    await fixture?.stop();
  });

  /** What we say of every position at a moment: collateral, debt, health factor. */
  function ours(at: Moment): string[] {
    const { state } = follower.market;
    const lens = new Lens(state, at);
    return Array.from(state.accounts.slots(), (slot) => {
      const standing = standingOf(state.accounts, slot, lens);
      return standing.ok
        ? `${state.accounts.addressOf(slot)} ${standing.collateralBase} ${standing.debtBase} ${standing.healthFactorWad}`
        : standing.reason;
    });
  }

  /** What the pool says at the latest block. */
  async function theirs(): Promise<string[]> {
    const { accounts, addresses } = follower.market.state;
    const head = await follower.headAt();
    const answers = await follower.call(
      accounts.all().map(({ address }) => calls.userAccountData(addresses.pool, address)),
      head,
    );
    return accounts.all().map(({ address }, slot) => `${address} ${[0, 1, 5].map((word) => uintOf(answers[slot], word)).join(' ')}`);
  }

  async function mineAfter(seconds: number): Promise<void> {
    await rpc(fixture.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [seconds]);
    await fixture.chain.mine();
    await rpc(fixture.anvil.rpcUrl, 'anvil_setBlockTimestampInterval', [SLOT_SECONDS]);
  }

  test('every borrower is found, in every kind of position', () => {
    const { state } = follower.market;
    for (const { address } of fixture.market.borrowers) expect(state.accounts.slotOf(address.toLowerCase() as `0x${string}`)).toBeDefined();
    expect(state.accounts.all().filter(({ eMode }) => eMode !== 0).length).toBeGreaterThan(25);
    expect(state.accounts.all().filter(({ collateral, owed }) => collateral.size > 1 && owed.size > 1).length).toBeGreaterThan(25);
    const fixed = state.accounts.all().filter((account) => account.fixed.size > 0);
    expect(fixed.length > 100).toBe(release === '3.0');
    expect(fixed.filter(({ owed }) => owed.size > 0).length > 40).toBe(release === '3.0');
  });

  test('at the anchor', async () => {
    expect(ours(follower.moment())).toEqual(await theirs());
  });

  test('rests on the prices that are told, and on no others', () => {
    const { market } = follower;
    const at = follower.moment();
    const said = new Map(ours(at).map((line, slot) => [slot, line]));
    for (const feed of market.feeds()) {
      const moved: Moment = {
        ...at,
        answer: (of) => {
          const known = at.answer(of);
          return of === feed && known !== undefined ? { ...known, answer: (known.answer * 9n) / 10n } : known;
        },
      };
      const touched = ours(moved).flatMap((line, slot) => (line === said.get(slot) ? [] : [slot]));
      const told = [...market.slots()].filter((slot) => market.prices(slot).some(({ source }) => source.feeds.includes(feed)));
      expect(told, feed).toEqual(touched);
    }
  });

  test('at a later timestamp, said before its block exists', async () => {
    for (const seconds of [1, SLOT_SECONDS, 3_601, DAY, 30 * DAY, 400 * DAY]) {
      const { number, timestamp, baseFeeWei } = follower.head;
      const predicted = ours({
        number: number + 1,
        timestamp: timestamp + seconds,
        baseFeeWei,
        answer: (feed) => follower.feeds.answer(feed),
      });
      await mineAfter(seconds);
      expect(predicted).toEqual(await theirs());
      await follower.advance();
    }
  }, 60_000);

  test('after a pending price, said before it is transmitted', async () => {
    for (const [name, price] of [
      ['ETH / USD', 2_711_12345678n],
      ['BTC / USD', 88_123_00000001n],
      ['USDC / USD', 1_00120000n],
    ] as const) {
      const proxy = fixture.market.feeds[name]!.proxy.toLowerCase() as `0x${string}`;
      const { number, timestamp, baseFeeWei } = follower.head;
      const answer: Moment['answer'] = (feed) => {
        const now = follower.feeds.answer(feed);
        return feed === proxy && now !== undefined ? { ...now, answer: price } : now;
      };
      const predicted = ours({ number: number + 1, timestamp: timestamp + SLOT_SECONDS, baseFeeWei, answer });
      await fixture.setPrice(name, price);
      expect(predicted).toEqual(await theirs());
      await follower.advance();
    }
  }, 60_000);

  test('the verdict is the pool’s own: liquidatable below one', async () => {
    const at = follower.moment();
    const health = (await theirs()).map((line) => BigInt(line.split(' ')[3]!));
    const verdicts = [...follower.market.slots()].map((slot) => ({ slot, verdict: follower.market.judge(slot, at) }));
    expect(verdicts.filter(({ verdict }) => verdict.kind === 'liquidatable').length).toBeGreaterThan(100);
    for (const { slot, verdict } of verdicts) expect(verdict.kind).toBe(health[slot]! < 10n ** 18n ? 'liquidatable' : 'healthy');
  });

  test('what people are shown adds up to the pool’s own totals', async () => {
    const { market } = follower;
    const at = follower.moment();
    const lines = [...market.slots()].map((slot) => {
      const { account, collateral, debt, collateralUsd8, debtUsd8 } = market.view(slot, at);
      for (const { symbol, decimals, amountRaw } of [...collateral, ...debt]) {
        expect(decimals).toBe(symbol === 'USDC' ? 6 : symbol === 'WBTC' ? 8 : 18);
        expect(amountRaw).toBeGreaterThan(0n);
      }
      return `${account} ${collateralUsd8} ${debtUsd8}`;
    });
    const said = new Set((await theirs()).map((line) => line.split(' ').slice(0, 3).join(' ')));
    expect(lines.length).toBeGreaterThanOrEqual(POSITIONS[release]!);
    expect(lines.filter((line) => !said.has(line))).toEqual([]);
  });

  test('the prices that a verdict rests on are named, that of an efficiency mode in its assets’ place', () => {
    const { market } = follower;
    const sourceOf = (asset: string) => market.state.byAsset.get(asset as `0x${string}`)!.source;
    const [usdc, dai] = ['USDC', 'DAI'].map((symbol) => fixture.market.tokens[symbol]!.toLowerCase());
    const feedOf = (name: string) => fixture.market.feeds[name]!.proxy.toLowerCase();
    let shared = 0;
    for (const slot of market.slots()) {
      const account = market.state.accounts.read(slot);
      const uses = market.prices(slot);
      expect(uses.filter(({ side }) => side === 'collateral').length).toBe(account.collateral.size);
      expect(uses.filter(({ side }) => side === 'debt').length).toBe(new Set([...account.owed.keys(), ...account.fixed.keys()]).size);
      for (const { asset, source } of uses) {
        const inMode = release === '3.0' && account.eMode === 2 && (asset === usdc || asset === dai);
        if (inMode) expect(source.feeds).toEqual([feedOf('USDC / USD')]);
        else expect(source).toBe(sourceOf(asset));
        shared += inMode && asset === dai ? 1 : 0;
      }
    }
    expect(shared > 10).toBe(release === '3.0');
  });

  test('tokens and feeds are those of the reserves', () => {
    const { tokens, feeds } = fixture.market;
    const lower = (address: string) => address.toLowerCase();
    expect([...follower.market.tokens()].sort()).toEqual(Object.values(tokens).map(lower).sort());
    expect([...follower.market.feeds()].sort()).toEqual(
      Object.values(feeds)
        .map(({ proxy }) => lower(proxy))
        .sort(),
    );
  });
});
