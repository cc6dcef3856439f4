/** The whole way: the mirrored chain, the planner, the real Executor; and every reason for leaving a position alone. */
import { type Address, encodeFunctionData, type Hex, parseEventLogs } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { erc20Abi } from '../../../scripts/devnet/tokens.ts';
import type { AddressBook } from '../../../src/config/addressBook.ts';
import { decodeSettlement } from '../../../src/execution/decode-executor.ts';
import { checkMarket } from '../../../src/guard/limits.ts';
import type { OracleBounds } from '../../../src/guard/oracle.ts';
import { encodeExecute } from '../../../src/lib/encode-steps.ts';
import { decideBlock } from '../../../src/pipeline/decide.ts';
import type { Settings } from '../../../src/pipeline/settings.ts';
import { World } from '../../../src/world.ts';
import type { Receipt } from '../aave-v3/sender.ts';
import { BOUNDS, limitsOf, Planner } from './planner.ts';
import { lower, MorphoWorld, morphoEvents } from './world.ts';

/** Several liquidations fit into one transaction below EIP-7825's cap. */
const TOGETHER = 6;

let morpho: MorphoWorld;
let planner: Planner;
let book: AddressBook;

beforeAll(async () => {
  morpho = await MorphoWorld.open({ positions: 80, seed: 31 });
  planner = await Planner.open(morpho);
  book = planner.book;
});
afterAll(async () => {
  planner?.close();
  await morpho?.fixture.stop();
});

function liquidations(receipt: Receipt) {
  const logs = parseEventLogs({ abi: morphoEvents, eventName: 'Liquidate', logs: receipt.logs as never[] });
  return logs.map(
    ({ args }) => args as unknown as { borrower: Address; repaidAssets: bigint; seizedAssets: bigint; badDebtShares: bigint },
  );
}

const FALL = { 'ETH / USD': 2_800_00000000n, 'BTC / USD': 87_500_00000000n, 'LINK / USD': 13_90000000n };
const RUIN = { 'ETH / USD': 2_200_00000000n, 'BTC / USD': 70_000_00000000n };

async function priced(prices: Readonly<Record<string, bigint>>): Promise<void> {
  for (const [name, answer] of Object.entries(prices)) await morpho.fixture.setPrice(name, answer);
}

test.each([
  { what: 'covered', prices: FALL, bad: false },
  { what: 'not covered by their collateral', prices: RUIN, bad: true },
])('debts $what are liquidated without a loan: amounts and profit as planned, to the unit', ({ prices, bad }) =>
  morpho.undone(async () => {
    await priced(prices);
    const decided = await planner.decide();
    expect(decided.plans.length).toBeGreaterThan(8);
    expect(new Set(decided.plans.map(({ flash }) => flash))).toEqual(new Set(['none']));
    expect(new Set(decided.plans.map(({ debtAsset, collateralAsset }) => debtAsset + collateralAsset)).size).toBeGreaterThan(1);
    // As the pools stand after those before: in the order of the plan.
    const plans = decided.plans.slice(0, TOGETHER);
    const before = await planner.treasuryHolds(book.wrappedNative);
    const receipt = await planner.execute(plans, decided);
    const taken = liquidations(receipt);
    expect(taken.map(({ borrower, repaidAssets, seizedAssets }) => [lower(borrower), repaidAssets, seizedAssets])).toEqual(
      plans.map(({ candidate, repayRaw, seizedRaw }) => [candidate.account, repayRaw, seizedRaw]),
    );
    expect(taken.some(({ badDebtShares }) => badDebtShares > 0n)).toBe(bad);
    const planned = plans.reduce((sum, { grossWei }) => sum + grossWei, 0n);
    expect(decodeSettlement(receipt.logs as never, planner.executor)?.grossRaw).toBe(planned);
    expect(await planner.treasuryHolds(book.wrappedNative)).toBe(before + planned);
  }),
);

test('a position beyond the operator’s largest is liquidated in part', () =>
  morpho.undone(async () => {
    await priced(FALL);
    const whole = await planner.decide();
    const largest = whole.plans.reduce((most, plan) => (plan.repayUsd8 > most.repayUsd8 ? plan : most));
    const maxPositionUsd8 = largest.repayUsd8 / 2n;
    // By itself: what is planned behind others counts on what they do to the pools.
    const cut = await planner.decide({ limits: limitsOf({ maxPositionUsd8 }) }, ({ account }) => account === largest.candidate.account);
    const part = cut.plans[0]!;
    expect(part.repayUsd8).toBeLessThanOrEqual(maxPositionUsd8);
    expect(part.repayUsd8).toBeGreaterThan((maxPositionUsd8 * 99n) / 100n);
    const [taken] = liquidations(await planner.execute([part], cut));
    expect([taken!.repaidAssets, taken!.seizedAssets]).toEqual([part.repayRaw, part.seizedRaw]);
  }));

test('each reason for leaving a position alone is said', () =>
  morpho.undone(async () => {
    await priced(FALL);
    const usdc = lower(morpho.fixture.market.tokens['USDC']!);
    const ordinary = await planner.decide();
    expect(new Set(ordinary.skips)).toContain('below-min-profit');
    const { world, candidates, at } = ordinary;
    const none = (change: Partial<Settings>) => {
      const { decisions } = decideBlock(world, { ...planner.settings, ...change }, candidates, world.head, at, 0n);
      const reasons = decisions.flatMap((one) => (one.kind === 'skip' ? [one.skip.reason] : []));
      return { plans: decisions.length - reasons.length, reasons: new Set(reasons) };
    };
    expect(none({ minProfitUsd8: 10n ** 18n })).toEqual({ plans: 0, reasons: new Set(['below-min-profit']) });
    expect(none({ limits: limitsOf({ denyTokens: new Set([usdc]) }) }).reasons).toContain('token-denied');
    expect(none({ limits: limitsOf({ maxPositionUsd8: 0n }) })).toEqual({ plans: 0, reasons: new Set(['position-too-large']) });
    const doubted = (oracle: Partial<OracleBounds>) => none({ oracle: { ...BOUNDS, ...oracle } }).reasons;
    expect(doubted({ maxFeedAgeSeconds: 0 })).toEqual(new Set(['oracle-stale']));
    expect(doubted({ maxJumpBps: 0n })).toContain('oracle-jump');
    expect(doubted({ maxPoolDeviationBps: 0n })).toEqual(new Set(['oracle-off-pool']));
    const { candidate } = ordinary.plans[0]!;
    const { tokens: _, ...figures } = { ...candidate, tokens: [], repayUsd8: 0n };
    for (const name of [
      candidate.market,
      'morpho',
      `morpho-blue/${candidate.market}`,
      lower(morpho.morpho.morpho),
      candidate.aliases[1]!,
    ]) {
      const verdict = checkMarket({ ...figures, tokens: [] }, limitsOf({ denyMarkets: new Set([name]) }));
      expect(verdict).toMatchObject({ ok: false, skip: { reason: 'market-denied' } });
    }
    const suspended = decideBlock(
      seen(world, 'suspended', () => 'unlike the chain'),
      planner.settings,
      candidates,
      world.head,
      at,
      0n,
    );
    expect(suspended.decisions.every((one) => one.kind === 'skip' && one.skip.reason === 'suspended')).toBe(true);
    const noRoute = decideBlock(seen(world, 'venue', nowhere(world)), planner.settings, candidates, world.head, at, 0n);
    expect(noRoute.decisions.every((one) => one.kind === 'skip' && one.skip.reason === 'no-route')).toBe(true);
    const noPrice = decideBlock(seen(world, 'usd', onlyNative(world)), planner.settings, candidates, world.head, at, 0n);
    expect(noPrice.decisions.flatMap((one) => (one.kind === 'skip' ? [one.skip.reason] : []))).toContain('no-usd-price');
  }));

/** The world as somebody sees it for whom something is otherwise. */
function seen<K extends keyof World>(world: World, name: K, instead: World[K]): World {
  return otherwise(world, { [name]: instead } as Partial<World>);
}

function otherwise<T extends object>(whole: T, instead: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name: string & keyof T) {
      const value: unknown = Object.hasOwn(instead, name) ? instead[name] : target[name];
      // Methods see the thing itself: a proxy has none of its private fields.
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function nowhere(world: World): World['venue'] {
  const none = () => ({ ok: false, reason: 'no-route' }) as const;
  return otherwise(world.venue, { spot: () => 0, quoteIn: none, quoteOut: none });
}

function onlyNative(world: World): World['usd'] {
  const usd8 = (...[token, at]: Parameters<World['usd']['usd8']>) => (token === book.wrappedNative ? world.usd.usd8(token, at) : undefined);
  return { usd8 } as World['usd'];
}

test('what Morpho holds is lent to others’ liquidations for nothing', () =>
  morpho.undone(async () => {
    const world = await World.open({ rpc: planner.pool, book, executor: planner.executor }, () => {});
    const source = world.flashes.find(({ name }) => name === 'morpho-blue/morpho')!;
    const usdc = lower(morpho.fixture.market.tokens['USDC']!);
    const held = BigInt(
      await rpc<Hex>(morpho.sender.url, 'eth_call', [
        { to: usdc, data: encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [morpho.morpho.morpho] }) },
        'latest',
      ]),
    );
    const offer = source.feeRaw(usdc, held, [])!;
    expect([offer.feeRaw, source.feeRaw(usdc, held + 1n, []), source.feeRaw(usdc, 1n, [offer.lender])]).toEqual([0n, undefined, undefined]);
    const steps = source.steps({ token: usdc, amountRaw: held, ...offer }, [], planner.executor);
    const sequence = { numeraire: book.wrappedNative, minProfitRaw: 0n, gasCostRaw: 0n, bidBps: 0, lastBlock: 10 ** 9, sweep: [] };
    const data = encodeExecute({ ...sequence, groups: [{ optional: false, minProfitRaw: 0n, steps }] });
    const { chain } = morpho.fixture;
    chain.send(chain.deployer, { to: planner.executor, data, gas: 1_000_000n, label: 'flash' });
    await chain.mine();
    const receipt = (await rpc<Receipt[]>(chain.rpcUrl, 'eth_getBlockReceipts', ['latest'])).at(-1)!;
    const [lent] = parseEventLogs({ abi: morphoEvents, eventName: 'FlashLoan', logs: receipt.logs as never[] });
    expect(lent?.args).toMatchObject({ assets: held });
  }));
