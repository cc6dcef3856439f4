/**
 * Early liquidations against the contracts themselves, at timestamps to come: who may be liquidated, and for how much. With FORK_RPC_URL against the code of
 * Morpho's own.
 */
import { type Address, encodeFunctionData, type Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPreLiquidation, preLiquidationAddress, transplantFactory } from '../../../scripts/devnet/morpho/pre-liquidation.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import type { Option, Slot } from '../../../src/protocols/types.ts';
import { expectSized, type Given, gridOf, nothingSized, worthsAfter } from '../../support/sizing.ts';
import { askEarly, authorisedBy, openContracts, type PreAttempt, type PreContract, preLiquidate } from './pre-world.ts';
import { LIQUIDATOR, lower, MorphoWorld, type Outcome } from './world.ts';

const POSITIONS = 520;
/** Positions that are sized, and amounts of each. */
const SIZED = 10;
const POINTS = 40n;
const DAY = 86_400;
const YEAR = 365 * DAY;
const NOBODY: Address = '0x0000000000000000000000000000000000000000';

let world: MorphoWorld;
let contracts: readonly PreContract[];

beforeAll(async () => {
  world = await MorphoWorld.open({ positions: POSITIONS, seed: 21 });
  contracts = await openContracts(world, 6, 3);
});
afterAll(() => world?.fixture.stop());

const falls: Readonly<Record<string, bigint>>[] = [
  {},
  { 'ETH / USD': 2_950_00000000n, 'BTC / USD': 92_500_00000000n, 'LINK / USD': 14_20000000n },
];

/** An option's call, off the step that it makes. */
function callOf(option: Option, amountRaw: bigint, borrower: Address): PreAttempt {
  const step = option.steps(amountRaw, [], NOBODY)[0]!;
  if (step.kind !== 'enter') throw new Error('no call');
  const word = (index: number) => BigInt(`0x${step.data.slice(10 + 64 * index, 74 + 64 * index)}`);
  return { contract: step.target, borrower, seizedAssets: word(1), repaidShares: word(2) };
}

function earlyOptions(slot: Slot, at: Moment): readonly Option[] {
  return world.protocol.options(slot, at).filter(({ label }) => label.endsWith('pre-liquidation'));
}

function saidOf(option: Option, amountRaw: bigint): Outcome {
  const [paid, got] = option.flow(amountRaw);
  return { seizedRaw: got!.deltaRaw, repaidRaw: -paid!.deltaRaw };
}

test('contracts and authorisations are mirrored as the chain has them', async () => {
  expect([...world.protocol.state.preLiquidations.values()].flat().length).toBe(contracts.length);
  expect(await world.follower.audit()).toEqual([]);
  const fresh = world.another('realise');
  await fresh.follower.anchor();
  for (const { address } of contracts)
    expect(fresh.protocol.state.authorised.get(lower(address))).toEqual(world.protocol.state.authorised.get(lower(address)));
});

test.each(falls)('whether a contract liquidates a position early is its own word at any later time, after %o', (prices) =>
  world.undone(async () => {
    await world.price(prices);
    const random = new Prng(5);
    const asked: (PreAttempt & { timestamp: number })[] = [];
    const expected: boolean[] = [];
    const beyond: { readonly borrower: Address; readonly timestamp: number; readonly judged: boolean; readonly early: boolean }[] = [];
    for (const slot of world.protocol.slots()) {
      const borrower = world.protocol.accountOf(slot);
      const at = world.later(Math.round(random.logBetween(1, YEAR)));
      const options = earlyOptions(slot, at);
      for (const { address: contract, market } of contracts) {
        const mine = options.find((option) => callOf(option, 1n, borrower).contract === lower(contract));
        // One that nobody authorised may do nothing, whatever the position.
        const may = authorisedBy(world, contracts, borrower).some(({ address }) => address === contract);
        if (!may && (!world.protocol.state.slots.has(market.id + borrower) || random.next() > 0.05)) continue;
        expected.push(mine !== undefined);
        const call = mine === undefined ? undefined : callOf(mine, mine.regimes[0]!.minRaw, borrower);
        asked.push({ ...(call ?? { contract, borrower, seizedAssets: 1n, repaidShares: 0n }), timestamp: at.timestamp });
      }
      const judged = world.protocol.judge(slot, at).kind === 'liquidatable';
      beyond.push({ borrower, timestamp: at.timestamp, judged, early: options.length > 0 });
    }
    expect(asked.length).toBeGreaterThan(POSITIONS);
    expect((await askEarly(world, asked)).map((outcome) => outcome !== 'reverts')).toEqual(expected);
    expect(expected.filter(Boolean).length).toBeGreaterThan(60);
    const byMorpho = await world.ask(beyond.map((one) => ({ ...one, seizedAssets: 1n, repaidShares: 0n })));
    expect(beyond.map(({ judged }) => judged)).toEqual(byMorpho.map((outcome, place) => outcome !== 'reverts' || beyond[place]!.early));
    // Beyond the limit it is Morpho's own to liquidate.
    expect(byMorpho.filter((outcome, place) => outcome !== 'reverts' && beyond[place]!.early)).toEqual([]);
  }),
);

test('amounts are the contracts’ own to the unit, over the whole of each regime and hardly beyond', () =>
  world.undone(async () => {
    await world.price(falls[1]!);
    const random = new Prng(6);
    const said: Outcome[] = [];
    const asked: (PreAttempt & { timestamp: number })[] = [];
    const tooMuch: (PreAttempt & { timestamp: number })[] = [];
    let whole = 0;
    for (const slot of world.protocol.slots()) {
      const borrower = world.protocol.accountOf(slot);
      for (let i = 0; i < 2; i++) {
        const at = world.later(Math.round(random.logBetween(1, 90 * DAY)));
        for (const option of earlyOptions(slot, at)) {
          const { minRaw, maxRaw } = option.regimes[0]!;
          const some = minRaw + ((maxRaw - minRaw) * BigInt(Math.floor(random.next() * 1e6))) / 1_000_000n;
          for (const amountRaw of new Set([minRaw, some, maxRaw])) {
            const call = callOf(option, amountRaw, borrower);
            if (call.repaidShares > 0n) whole++;
            asked.push({ ...call, timestamp: at.timestamp });
            said.push(saidOf(option, amountRaw));
          }
          // Of a smaller debt the two units that are left to others' rounding are more than this.
          if (-option.flow(maxRaw)[0]!.deltaRaw < 10n ** 9n) continue;
          const { contract } = callOf(option, maxRaw, borrower);
          const more = { contract, borrower, seizedAssets: maxRaw + maxRaw / 1_000_000n + 1_000n, repaidShares: 0n };
          tooMuch.push({ ...more, timestamp: at.timestamp });
        }
      }
    }
    expect(asked.length).toBeGreaterThan(500);
    expect(whole).toBeGreaterThan(10);
    expect(tooMuch.length).toBeGreaterThan(100);
    expect(await askEarly(world, asked)).toEqual(said);
    expect(new Set(await askEarly(world, tooMuch))).toEqual(new Set(['reverts']));
  }));

test('what is planned makes as much as the best of a fine grid of amounts that the contracts take, within 0.1%, in random pools', () =>
  world.undone(async () => {
    await world.price(falls[1]!);
    const seen = nothingSized();
    const { tokens } = world.fixture.market;
    const at = world.later();
    const early = [...world.protocol.slots()].flatMap((slot) => earlyOptions(slot, at).map((option) => ({ slot, option })));
    for (const { slot, option } of early.filter((_, place) => place % Math.ceil(early.length / SIZED) === 0)) {
      const borrower = world.protocol.accountOf(slot);
      const amounts = gridOf(option, POINTS);
      const asked = amounts.map((amountRaw) => ({ ...callOf(option, amountRaw, borrower), timestamp: at.timestamp }));
      const points = (await askEarly(world, asked)).flatMap((outcome, index): Given[] =>
        outcome === 'reverts' ? [] : [{ amountRaw: amounts[index]!, paidRaw: outcome.repaidRaw, gotRaw: outcome.seizedRaw }],
      );
      const worths = worthsAfter(tokens, falls[1]!);
      expectSized({ options: [option], given: [[option, points]] }, lower(tokens['WETH']!), worths, at, slot, seen);
    }
    expect(seen.cases).toBeGreaterThan(20);
    expect(seen.part).toBeGreaterThan(10);
  }));

test('the seconds between which interest makes a position one to liquidate early, and then Morpho’s own, are the contracts’', async () => {
  const asked: (PreAttempt & { timestamp: number })[] = [];
  const expected: boolean[] = [];
  for (const slot of world.protocol.slots()) {
    const borrower = world.protocol.accountOf(slot);
    const [contract] = authorisedBy(world, contracts, borrower);
    if (contract === undefined || asked.length > 400) continue;
    const optionIn = (seconds: number) =>
      earlyOptions(slot, world.later(seconds)).find((one) => callOf(one, 1n, borrower).contract === lower(contract.address));
    const firstOf = (holds: (seconds: number) => boolean): number | undefined => {
      if (holds(1) || !holds(3 * YEAR)) return undefined;
      let [before, from] = [1, 3 * YEAR];
      while (from - before > 1) {
        const middle = Math.floor((before + from) / 2);
        if (holds(middle)) from = middle;
        else before = middle;
      }
      return from;
    };
    const limit = firstOf((seconds) => {
      const verdict = world.protocol.judge(slot, world.later(seconds));
      return verdict.kind === 'liquidatable' && verdict.healthFactorWad < 10n ** 18n;
    });
    const early = firstOf((seconds) => optionIn(seconds) !== undefined || (limit !== undefined && seconds >= limit));
    for (const second of [early, limit].filter((one) => one !== undefined))
      for (const seconds of [second - 1, second]) {
        const option = optionIn(seconds);
        const call = option && callOf(option, option.regimes[0]!.minRaw, borrower);
        const plain = { contract: contract.address, borrower, seizedAssets: 1n, repaidShares: 0n };
        asked.push({ ...(call ?? plain), timestamp: world.follower.head.timestamp + seconds });
        expected.push(option !== undefined);
      }
  }
  expect(asked.length).toBeGreaterThan(100);
  expect((await askEarly(world, asked)).map((outcome) => outcome !== 'reverts')).toEqual(expected);
});

test('a plan’s amounts are still accepted two minutes later, and cost no more than was set aside', () =>
  world.undone(async () => {
    await world.price(falls[1]!);
    const at = world.later();
    const random = new Prng(9);
    const asked: (PreAttempt & { timestamp: number })[] = [];
    const most: bigint[] = [];
    for (const slot of world.protocol.slots()) {
      const borrower = world.protocol.accountOf(slot);
      // One that interest takes over the limit meanwhile is Morpho's by then.
      const late = world.later(12 + 120);
      if (world.protocol.judge(slot, late).kind !== 'liquidatable' || earlyOptions(slot, late).length === 0) continue;
      for (const option of earlyOptions(slot, at)) {
        if (option.financing.kind !== 'callback') throw new Error('no loan is needed');
        for (const amountRaw of [option.regimes[0]!.maxRaw / 2n, option.regimes[0]!.maxRaw]) {
          const seconds = Math.round(random.between(1, 120));
          asked.push({ ...callOf(option, amountRaw, borrower), timestamp: at.timestamp + seconds });
          most.push(option.financing.owedRaw(amountRaw));
        }
      }
    }
    expect(asked.length).toBeGreaterThan(60);
    for (const [index, outcome] of (await askEarly(world, asked)).entries()) {
      if (outcome === 'reverts') throw new Error(`plan ${index} does not last`);
      expect(outcome.repaidRaw).toBeLessThanOrEqual(most[index]!);
    }
  }));

test.each(['a part', 'all that the close factor allows', 'a whole debt'])('%s is taken as planned, and followed', (what) =>
  world.undone(async () => {
    await world.price(falls[1]!);
    const at = world.later();
    const found = [...world.protocol.slots()].flatMap((slot) =>
      earlyOptions(slot, at).map((option) => ({
        slot,
        option,
        call: callOf(option, option.regimes[0]!.maxRaw, world.protocol.accountOf(slot)),
      })),
    );
    const { slot, option, call } = found.find((one) => one.call.repaidShares > 0n === (what === 'a whole debt'))!;
    const { maxRaw } = option.regimes[0]!;
    const amountRaw = what === 'a part' ? maxRaw / 3n : maxRaw;
    const told = await preLiquidate(world, callOf(option, amountRaw, call.borrower));
    const said = saidOf(option, amountRaw);
    expect({ seizedRaw: told?.seizedAssets, repaidRaw: told?.repaidAssets }).toEqual(said);
    await world.follower.advance();
    expect(world.protocol.state.positions[slot]!.borrowShares === 0n).toBe(what === 'a whole debt');
    expect(await world.follower.audit()).toEqual([]);
  }),
);

test('an authorisation that is taken back, or given to an address before there is a contract, is followed', () =>
  world.undone(async () => {
    await world.price(falls[1]!);
    const at = () => world.later();
    const slot = [...world.protocol.slots()].find((one) => earlyOptions(one, at()).length > 0)!;
    const borrower = world.protocol.accountOf(slot);
    for (const { address } of authorisedBy(world, contracts, borrower)) await world.call(borrower, 'setAuthorization', [address, false]);
    await world.sender.mine();
    await world.follower.advance();
    expect([world.protocol.judge(slot, at()).kind, earlyOptions(slot, at()).length]).toEqual(['healthy', 0]);
    expect(await world.follower.audit()).toEqual([]);

    const market = world.morpho.markets.find(({ id }) => world.protocol.state.positions[slot]!.market.id === id)!;
    const limits = { preLltv: market.params.lltv / 2n, preLCF1: 10n ** 18n, preLCF2: 10n ** 18n, preLIF1: 10n ** 18n, preLIF2: 10n ** 18n };
    const params = { ...limits, preLiquidationOracle: market.params.oracle };
    await world.call(borrower, 'setAuthorization', [await preLiquidationAddress(world.sender.url, world.morpho, market, params), true]);
    await world.sender.mine();
    await world.follower.advance();
    expect(earlyOptions(slot, at()).length).toBe(0);
    await world.fixture.chain.prepare();
    await createPreLiquidation(world.fixture.chain, world.morpho, market, params);
    await world.fixture.chain.mine();
    await world.follower.advance();
    expect([world.protocol.judge(slot, at()).kind, earlyOptions(slot, at()).length]).toEqual(['liquidatable', 1]);
    expect(await world.follower.audit()).toEqual([]);
  }));

test('a contract whose oracle does not answer liquidates nobody, and is asked for nothing before somebody uses it', () =>
  world.undone(async () => {
    await world.price(falls[1]!);
    const at = () => world.later();
    const slot = [...world.protocol.slots()].find(
      (one) => world.protocol.judge(one, at()).kind === 'healthy' && world.protocol.state.positions[one]!.market.settled,
    )!;
    const borrower = world.protocol.accountOf(slot);
    const market = world.morpho.markets.find(({ id }) => world.protocol.state.positions[slot]!.market.id === id)!;
    const limits = { preLltv: market.params.lltv / 2n, preLCF1: 10n ** 18n, preLCF2: 10n ** 18n, preLIF1: 10n ** 18n, preLIF2: 10n ** 18n };
    const reads = () => world.protocol.reads(world.follower.head).length;
    const before = reads();
    await world.fixture.chain.prepare();
    const contract = await createPreLiquidation(world.fixture.chain, world.morpho, market, { ...limits, preLiquidationOracle: LIQUIDATOR });
    await world.fixture.chain.mine();
    await world.follower.advance();
    expect(reads()).toBe(before);
    await world.call(borrower, 'setAuthorization', [contract, true]);
    await world.sender.mine();
    await world.follower.advance();
    expect(reads()).toBeGreaterThan(before);
    expect([world.protocol.judge(slot, at()).kind, earlyOptions(slot, at()).length]).toEqual(['healthy', 0]);
    const attempt = { contract, borrower, seizedAssets: 1n, repaidShares: 0n, timestamp: at().timestamp };
    expect(await askEarly(world, [attempt])).toEqual(['reverts']);
    expect(await world.follower.audit()).toEqual([]);
  }));

test('the code of a factory of another Morpho serves this one, as it does with FORK_RPC_URL', () =>
  world.undone(async () => {
    const { chain } = world.fixture;
    const { morpho, artifacts } = world.morpho;
    const elsewhere: Address = '0xbbbbbbbbbb9cc5e90e3b3af64bdaf62c37eeffcb';
    const factory = chain.deploy('factory of another Morpho', artifacts.preLiquidationFactory, [elsewhere]);
    const again = chain.deploy('factory to be replaced', artifacts.preLiquidationFactory, [elsewhere]);
    await chain.mine();
    const ours = { ...world.morpho, preLiquidationFactory: again };
    const [{ market, params }] = contracts as [PreContract];
    await expect(preLiquidationAddress(chain.rpcUrl, ours, market, params)).rejects.toThrow();
    await transplantFactory(chain, ours, { rpcUrl: chain.rpcUrl, factory, morpho: elsewhere });
    const made = await createPreLiquidation(chain, ours, market, params);
    await chain.mine();
    const data = encodeFunctionData({ abi: artifacts.preLiquidation.abi, functionName: 'MORPHO' });
    expect(await rpc<Hex>(chain.rpcUrl, 'eth_call', [{ to: made, data }, 'latest'])).toMatch(new RegExp(`${morpho.slice(2)}$`, 'i'));
  }));
