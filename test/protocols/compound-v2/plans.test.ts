/** The whole way: the mirrored chain, the planner, the real Executor; and every reason for leaving a position alone. */
import { type Address, encodeFunctionData, type Hex, parseEventLogs } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deploymentsOf } from '../../../scripts/devnet/deployments.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { erc20Abi } from '../../../scripts/devnet/tokens.ts';
import { NO_SURCHARGE } from '../../../src/chain/rollup.ts';
import { RpcPool } from '../../../src/chain/rpc.ts';
import { type AddressBook, resolveAddressBook } from '../../../src/config/addressBook.ts';
import { decodeSettlement } from '../../../src/execution/decode-executor.ts';
import { sequenceOf } from '../../../src/execution/sequence.ts';
import { executorAbi, executorBytecode } from '../../../src/generated/executor.ts';
import { checkMarket } from '../../../src/guard/limits.ts';
import type { OracleBounds } from '../../../src/guard/oracle.ts';
import type { Limits } from '../../../src/guard/types.ts';
import { encodeExecute } from '../../../src/lib/encode-steps.ts';
import { SecretUrl } from '../../../src/lib/secret.ts';
import { decideBlock } from '../../../src/pipeline/decide.ts';
import type { Settings } from '../../../src/pipeline/settings.ts';
import type { Option } from '../../../src/protocols/types.ts';
import { Watch } from '../../../src/risk/candidates.ts';
import type { Candidate } from '../../../src/risk/types.ts';
import { planCandidate } from '../../../src/strategy/candidate.ts';
import type { Plan } from '../../../src/strategy/types.ts';
import { World } from '../../../src/world.ts';
import type { Receipt } from '../aave-v3/sender.ts';
import { isTwice } from './calls.ts';
import { CompoundWorld, lower } from './world.ts';

const TREASURY: Address = '0x7ea5000000000000000000000000000000000001';
const USD8 = 10n ** 8n;
const BOUNDS: OracleBounds = {
  ...{ maxFeedAgeSeconds: 604_800, heartbeatSeconds: {}, maxJumpBps: 9_000n, maxPoolDeviationBps: 9_000n, sequencerGraceSeconds: 3_600 },
};
/** Several liquidations fit into one transaction below EIP-7825's cap. */
const TOGETHER = 5;

let venus: CompoundWorld;
let pool: RpcPool;
let book: AddressBook;
let executor: Address;
let settings: Settings;

beforeAll(async () => {
  venus = await CompoundWorld.open({ positions: 70, seed: 31 });
  const { chain, market } = venus.fixture;
  const artifact = { abi: executorAbi, bytecode: executorBytecode, linkReferences: {} };
  executor = lower(chain.deploy('executor', artifact, [market.tokens['WETH'], chain.deployer.address, TREASURY, []]));
  await chain.mine();
  for (let i = 0; i < 70; i++) await rpc(chain.rpcUrl, 'evm_mine');
  pool = await RpcPool.open([new SecretUrl(chain.rpcUrl)]);
  book = bookOf();
  settings = {
    ...{ executor, sender: lower(chain.deployer.address), own: new Set<Address>(), wrappedNative: book.wrappedNative },
    ...{ minProfitUsd8: 5n * USD8, bidShare: 0, limits: limitsOf({}), oracle: BOUNDS },
  };
  await venus.follower.advance();
});
afterAll(async () => {
  pool?.close();
  await venus?.fixture.stop();
});

function bookOf(): AddressBook {
  const { chainId, wrappedNative, multicall3, bridgeTokens, usdFeeds, ...lists } = deploymentsOf(venus.fixture.market);
  return resolveAddressBook(chainId, undefined, {
    ...{ wrappedNative: lower(wrappedNative), multicall3: lower(multicall3), bridgeTokens: bridgeTokens.map(lower) },
    'uniswap-v3': lists['uniswap-v3'].map((one) => ({ ...one, factory: lower(one.factory) })),
    'aave-v3': lists['aave-v3'].map((one) => ({ ...one, poolAddressesProvider: lower(one.poolAddressesProvider) })),
    'compound-v2': [{ name: 'venus', comptroller: lower(venus.venus.comptroller), fromBlock: venus.venus.fromBlock }],
    usdFeeds: Object.fromEntries(Object.entries(usdFeeds).map(([token, feed]) => [lower(token), lower(feed)])),
  });
}

function limitsOf(some: Partial<Limits>): Limits {
  return {
    ...{ maxBaseFeeWei: 10n ** 12n, maxGasUsd8PerDay: 10n ** 15n, maxLossUsd8PerDay: 10n ** 15n, maxPositionUsd8: 10n ** 15n },
    ...{ maxConsecutiveFailures: 10, allowTokens: undefined, denyTokens: new Set<Address>(), denyMarkets: new Set<string>() },
    ...some,
  };
}

/** Aave lends. */
async function decide(change: Partial<Settings> = {}) {
  const choices = { protocols: ['compound-v2', 'aave-v3'], morphoBadDebt: 'realise' } as const;
  const world = await World.open({ rpc: pool, book, executor, choices }, () => {});
  const at = world.next();
  const { candidates, unknown } = new Watch().judge(world.protocols, at, world.head.number);
  const { decisions, terms } = decideBlock(world, { ...settings, ...change }, candidates, world.head, at, 0n);
  const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
  const skips = decisions.flatMap((decision) => (decision.kind === 'skip' ? [decision.skip.reason] : []));
  return { world, candidates, unknown, plans, skips, terms: terms!, at };
}

/** Mines them in one transaction in the next block. */
async function execute(plans: readonly Plan[], { terms, world }: Awaited<ReturnType<typeof decide>>): Promise<Receipt> {
  const { chain } = venus.fixture;
  const data = encodeExecute(sequenceOf(plans, 1n, NO_SURCHARGE, terms, world.head.number + 1));
  chain.send(chain.deployer, { to: executor, data, gas: 16_000_000n, label: 'execute' });
  await chain.mine();
  return (await rpc<Receipt[]>(chain.rpcUrl, 'eth_getBlockReceipts', ['latest'])).at(-1)!;
}

function liquidations(receipt: Receipt) {
  const logs = parseEventLogs({
    abi: venus.venus.artifacts.VBep20Delegate.abi,
    eventName: 'LiquidateBorrow',
    logs: receipt.logs as never[],
  }) as unknown as { args: { borrower: Address; repayAmount: bigint; seizeTokens: bigint } }[];
  return logs.map(({ args }) => args);
}

/** By borrower, in one call or two. */
function repaidBy(receipt: Receipt): ReadonlyMap<Address, bigint> {
  const repaid = new Map<Address, bigint>();
  for (const { borrower, repayAmount } of liquidations(receipt))
    repaid.set(lower(borrower), (repaid.get(lower(borrower)) ?? 0n) + repayAmount);
  return repaid;
}

async function holds(token: Address, owner: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [owner] });
  return BigInt(await rpc<Hex>(venus.sender.url, 'eth_call', [{ to: token, data }, 'latest']));
}

const FALL = { 'ETH / USD': 2_800_00000000n, 'BTC / USD': 87_500_00000000n, 'LINK / USD': 13_90000000n };
/** Of which most is covered with much to spare: one call may take half of each debt. */
const HALF_FALL = { 'ETH / USD': 2_860_00000000n, 'BTC / USD': 90_000_00000000n };
const CHEAP_WEI = 10n ** 8n;
const DEAR_WEI = 60n * 10n ** 9n;
const RUIN = { 'ETH / USD': 2_000_00000000n, 'BTC / USD': 62_000_00000000n, 'LINK / USD': 9_00000000n };

async function priced(prices: Readonly<Record<string, bigint>>): Promise<void> {
  for (const [name, answer] of Object.entries(prices)) await venus.fixture.setPrice(name, answer);
}

test.each([
  { what: 'covered', prices: FALL },
  { what: 'not covered by their collateral', prices: RUIN },
])('debts $what are liquidated: amounts and profit as planned, nothing left behind', ({ prices }) =>
  venus.undone(async () => {
    await priced(prices);
    const decided = await decide();
    expect(decided.plans.length).toBeGreaterThan(8);
    expect(new Set(decided.plans.map(({ flash }) => flash))).not.toContain('none');
    const native = decided.plans.filter(({ collateralAsset }) => collateralAsset === book.wrappedNative);
    expect(native.length).toBeGreaterThan(0);
    // As the pools stand after those before: in the order of the plan. NOTE: each redemption may change its market's exchange rate by a unit for the next.
    const plans = decided.plans.slice(0, TOGETHER);
    const before = await holds(book.wrappedNative, TREASURY);
    const receipt = await execute(plans, decided);
    expect([...repaidBy(receipt)]).toEqual(plans.map(({ candidate, repayRaw }) => [candidate.account, repayRaw]));
    const planned = plans.reduce((sum, { grossWei }) => sum + grossWei, 0n);
    const realised = decodeSettlement(receipt.logs as never, executor)!.grossRaw;
    const apart = realised > planned ? realised - planned : planned - realised;
    expect(apart).toBeLessThan(planned / 1_000_000n);
    expect(await holds(book.wrappedNative, TREASURY)).toBe(before + realised);
    // But for what makes sure of the native tokens that are wrapped.
    for (const { address, native: is } of venus.venus.markets)
      expect(await holds(address, executor)).toBeLessThanOrEqual(is ? 3n * BigInt(TOGETHER) : 0n);
  }),
);

test('one liquidation brings what was planned, to the unit', () =>
  venus.undone(async () => {
    await priced(FALL);
    const decided = await decide();
    const [plan] = decided.plans;
    const receipt = await execute([plan!], decided);
    expect(decodeSettlement(receipt.logs as never, executor)?.grossRaw).toBe(plan!.grossWei);
  }));

test(
  'two calls in one transaction are chosen where they leave more than one, gas paid, and leave what was planned to the wei',
  {
    timeout: 120_000,
  },
  () =>
    venus.undone(async () => {
      await priced(HALF_FALL);
      const decided = await decide();
      const { world, candidates, terms, at } = decided;
      const market = { venue: world.venue, flashes: world.flashes, usd: world.usd };
      const planned = (candidate: Candidate, gasPriceWei: bigint, wanted: (option: Option) => boolean): Plan | undefined => {
        const options = world.protocols.find(({ id }) => id === candidate.deployment)!.options(candidate.slot, at);
        const asked = [candidate, options.filter(wanted), market, market.venue.depth(at), { ...terms, gasPriceWei }, at] as const;
        const { decision } = planCandidate(...asked);
        return decision.kind === 'plan' ? decision.plan : undefined;
      };
      const ofVenus = candidates.filter(({ protocol }) => protocol === 'compound-v2');
      const single = (option: Option) => !isTwice(option);
      const chosen = ofVenus.flatMap((candidate) => {
        const both = planned(candidate, CHEAP_WEI, () => true);
        const one = planned(candidate, CHEAP_WEI, single);
        return both?.option.endsWith(' twice') && one !== undefined ? [{ both, one }] : [];
      });
      expect(chosen.length).toBeGreaterThanOrEqual(3);
      const left = async (plan: Plan, calls: number) => {
        let leftWei = 0n;
        await venus.undone(async () => {
          const receipt = await execute([plan], decided);
          expect(liquidations(receipt).length).toBe(calls);
          const { grossRaw } = decodeSettlement(receipt.logs as never, executor)!;
          expect(grossRaw).toBe(plan.grossWei);
          leftWei = grossRaw - BigInt(receipt.gasUsed) * CHEAP_WEI;
        });
        return leftWei;
      };
      for (const { both, one } of chosen.slice(0, 3)) expect(await left(both, 2)).toBeGreaterThan(await left(one, 1));
      // Where gas is dear the second call of some does not pay for itself.
      const dear = ofVenus.flatMap((candidate) => {
        const [any, one, both] = [() => true, single, isTwice].map((wanted) => planned(candidate, DEAR_WEI, wanted));
        return any !== undefined && one !== undefined && both !== undefined && one.profitWei > both.profitWei ? [{ any, one }] : [];
      });
      expect(dear.length).toBeGreaterThan(0);
      for (const { any, one } of dear) expect(any.option).toBe(one.option);
    }),
);

test('a position beyond the operator’s largest is liquidated in part', () =>
  venus.undone(async () => {
    await priced(FALL);
    const whole = await decide();
    // Of those with one pair: of several the best one may be another where less is allowed.
    const simple = venus.borrowers.flatMap(({ address, debt, collateral }) =>
      debt.length + collateral.length === 2 ? [lower(address)] : [],
    );
    const largest = whole.plans
      .filter(({ candidate }) => simple.includes(candidate.account))
      .reduce((most, plan) => (plan.repayUsd8 > most.repayUsd8 ? plan : most));
    const maxPositionUsd8 = largest.repayUsd8 / 2n;
    const cut = await decide({ limits: limitsOf({ maxPositionUsd8 }) });
    const part = cut.plans.find(({ candidate }) => candidate.account === largest.candidate.account)!;
    expect(part.repayUsd8).toBeLessThanOrEqual(maxPositionUsd8);
    expect(part.repayUsd8).toBeGreaterThan((maxPositionUsd8 * 99n) / 100n);
    expect(repaidBy(await execute([part], cut)).get(part.candidate.account)).toBe(part.repayRaw);
  }));

test('each reason for leaving a position alone is said', () =>
  venus.undone(async () => {
    await priced(FALL);
    const usdc = lower(venus.fixture.market.tokens['USDC']!);
    const ordinary = await decide();
    expect(new Set(ordinary.skips)).toContain('below-min-profit');
    const { world, candidates, at } = ordinary;
    const reasonsOf = (seen: World, change: Partial<Settings> = {}) => {
      const { decisions } = decideBlock(seen, { ...settings, ...change }, candidates, world.head, at, 0n);
      return new Set(decisions.flatMap((one) => (one.kind === 'skip' ? [one.skip.reason] : ['planned'])));
    };
    expect(reasonsOf(world, { minProfitUsd8: 10n ** 18n })).toEqual(new Set(['below-min-profit']));
    expect(reasonsOf(world, { limits: limitsOf({ denyTokens: new Set([usdc]) }) })).toContain('token-denied');
    expect(reasonsOf(world, { limits: limitsOf({ maxPositionUsd8: 0n }) })).toEqual(new Set(['position-too-large']));
    const doubted = (oracle: Partial<OracleBounds>) => reasonsOf(world, { oracle: { ...BOUNDS, ...oracle } });
    expect(doubted({ maxFeedAgeSeconds: 0 })).toEqual(new Set(['oracle-stale']));
    expect(doubted({ maxJumpBps: 0n })).toContain('oracle-jump');
    expect(doubted({ maxPoolDeviationBps: 0n })).toContain('oracle-off-pool');
    const { tokens: _, ...figures } = { ...ordinary.plans[0]!.candidate, tokens: [], repayUsd8: 0n };
    for (const name of ['venus', 'compound-v2/venus', lower(venus.venus.comptroller)]) {
      const verdict = checkMarket({ ...figures, tokens: [] }, limitsOf({ denyMarkets: new Set([name]) }));
      expect(verdict).toMatchObject({ ok: false, skip: { reason: 'market-denied' } });
    }
    expect(reasonsOf(otherwise(world, { suspended: () => 'unlike the chain' }))).toEqual(new Set(['suspended']));
    const none = () => ({ ok: false, reason: 'no-route' }) as const;
    const venue = otherwise(world.venue, { spot: () => 0, quoteIn: none, quoteOut: none });
    expect(reasonsOf(otherwise(world, { venue }))).toContain('no-route');
    expect(reasonsOf(otherwise(world, { flashes: [] }))).toContain('no-flash-loan');
    const usd8 = (...[token, when]: Parameters<World['usd']['usd8']>) =>
      token === book.wrappedNative ? world.usd.usd8(token, when) : undefined;
    expect(reasonsOf(otherwise(world, { usd: { usd8 } as World['usd'] }))).toContain('no-usd-price');
  }));

/** The thing as somebody sees it for whom a part of it is otherwise. */
function otherwise<T extends object>(whole: T, instead: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name: string & keyof T) {
      const value: unknown = Object.hasOwn(instead, name) ? instead[name] : target[name];
      // Methods see the thing itself: a proxy has none of its private fields.
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('what governance stops is left alone, and said to be stopped', () =>
  venus.undone(async () => {
    await priced(FALL);
    expect((await decide()).plans.length).toBeGreaterThan(0);
    await venus.rule('_setProtocolPaused', [true]);
    await venus.sender.mine();
    const { plans, skips } = await decide();
    expect([plans.length, new Set(skips)]).toEqual([0, new Set(['liquidation-paused'])]);
  }));
