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
import { MAX_ASSETS } from '../../../src/protocols/compound-v3/state.ts';
import { Watch } from '../../../src/risk/candidates.ts';
import type { Plan } from '../../../src/strategy/types.ts';
import { World } from '../../../src/world.ts';
import { expectNearly } from '../../support/left-over.ts';
import { expectSized, type Given, gridOf, nothingSized, worthsAfter } from '../../support/sizing.ts';
import type { Receipt } from '../aave-v3/sender.ts';
import { buying, cometAbi, LIQUIDATOR, lower } from './chain.ts';
import { CometWorld } from './world.ts';

const TREASURY: Address = '0x7ea5000000000000000000000000000000000001';
const USD8 = 10n ** 8n;
const BOUNDS: OracleBounds = {
  ...{ maxFeedAgeSeconds: 604_800, heartbeatSeconds: {}, maxJumpBps: 9_000n, maxPoolDeviationBps: 9_000n, sequencerGraceSeconds: 3_600 },
};
/** Several liquidations fit into one transaction below EIP-7825's cap. */
const TOGETHER = 6;
/** Accounts that are sized after each fall, or offers, and amounts of each. */
const SIZED = 4;
const POINTS = 30n;

let comet: CometWorld;
let pool: RpcPool;
let book: AddressBook;
let executor: Address;
let settings: Settings;

beforeAll(async () => {
  comet = await CometWorld.open({ positions: 60, seed: 31 });
  const { chain, market } = comet.fixture;
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
});
afterAll(async () => {
  pool?.close();
  await comet?.close();
});

function bookOf(): AddressBook {
  const { chainId, wrappedNative, multicall3, bridgeTokens, usdFeeds, ...lists } = deploymentsOf(comet.fixture.market);
  return resolveAddressBook(chainId, undefined, {
    ...{ wrappedNative: lower(wrappedNative), multicall3: lower(multicall3), bridgeTokens: bridgeTokens.map(lower) },
    'uniswap-v3': lists['uniswap-v3'].map((one) => ({ ...one, factory: lower(one.factory) })),
    'aave-v3': lists['aave-v3'].map((one) => ({ ...one, poolAddressesProvider: lower(one.poolAddressesProvider) })),
    'compound-v3': [comet.deployment],
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

async function decide(change: Partial<Settings> = {}) {
  const world = await World.open(
    { rpc: pool, book, executor, choices: { protocols: ['compound-v3'], morphoBadDebt: 'realise' } },
    () => {},
  );
  const at = world.next();
  const { candidates, unknown } = new Watch().judge(world.protocols, at, world.head.number);
  const { decisions, terms } = decideBlock(world, { ...settings, ...change }, candidates, world.head, at, 0n);
  const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
  const skips = decisions.flatMap((decision) => (decision.kind === 'skip' ? [decision.skip.reason] : []));
  return { world, candidates, unknown, plans, skips, terms: terms!, at };
}

/** Mines them in one transaction in the next block. */
async function execute(plans: readonly Plan[], { terms, world }: Awaited<ReturnType<typeof decide>>): Promise<Receipt> {
  const { chain } = comet.fixture;
  const data = encodeExecute(sequenceOf(plans, 1n, NO_SURCHARGE, terms, world.head.number + 1));
  chain.send(chain.deployer, { to: executor, data, gas: 16_000_000n, label: 'execute' });
  await chain.mine();
  return (await rpc<Receipt[]>(chain.rpcUrl, 'eth_getBlockReceipts', ['latest'])).at(-1)!;
}

function purchases(receipt: Receipt) {
  return parseEventLogs({ abi: cometAbi, eventName: 'BuyCollateral', logs: receipt.logs as never[] }).map(
    ({ args }): [asset: Address, paid: bigint, got: bigint] => [lower(args.asset), args.baseAmount, args.collateralAmount],
  );
}

function absorbed(receipt: Receipt): Address[] {
  return parseEventLogs({ abi: cometAbi, eventName: 'AbsorbDebt', logs: receipt.logs as never[] }).map(({ args }) => lower(args.borrower));
}

async function treasuryHolds(token: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [TREASURY] });
  return BigInt(await rpc<Hex>(comet.url, 'eth_call', [{ to: token, data }, 'latest']));
}

async function reserves(): Promise<bigint> {
  const data = encodeFunctionData({ abi: cometAbi, functionName: 'getReserves' });
  return BigInt.asIntN(256, BigInt(await rpc<Hex>(comet.url, 'eth_call', [{ to: comet.comet, data }, 'latest'])));
}

const FALL = { 'ETH / USD': 2_720_00000000n, 'BTC / USD': 86_000_00000000n, 'LINK / USD': 13_90000000n };
const RUIN = { 'ETH / USD': 2_100_00000000n, 'BTC / USD': 65_000_00000000n };

async function priced(prices: Readonly<Record<string, bigint>>): Promise<void> {
  for (const [name, answer] of Object.entries(prices)) await comet.fixture.setPrice(name, answer);
}

/** Somebody else absorbs whoever can be absorbed, and buys nothing. */
async function absorbAll(accounts: readonly Address[]): Promise<void> {
  await comet.call(LIQUIDATOR, 'absorb', [LIQUIDATOR, accounts]);
  expect((await comet.sender.mine()).done.get('absorb')).toBe(1);
  await comet.fixture.chain.prepare();
}

const isOffer = ({ candidate }: Plan) => candidate.account === comet.comet;

test.each([
  { what: 'covered', prices: FALL },
  { what: 'not covered by their collateral', prices: RUIN },
])('accounts whose debt is $what are absorbed, and their collateral bought: amounts and profit as planned, to the unit', ({ prices }) =>
  comet.undone(async () => {
    await priced(prices);
    const decided = await decide();
    expect(decided.plans.length).toBeGreaterThan(4);
    expect(new Set(decided.plans.map(({ collateralAsset }) => collateralAsset)).size).toBeGreaterThan(1);
    // As the pools stand after those before: in the order of the plan.
    const plans = decided.plans.slice(0, TOGETHER);
    const before = { treasury: await treasuryHolds(book.wrappedNative), reserves: await reserves() };
    const receipt = await execute(plans, decided);
    expect(absorbed(receipt)).toEqual(plans.map(({ candidate }) => candidate.account));
    expect(purchases(receipt)).toEqual(plans.map(({ collateralAsset, repayRaw, seizedRaw }) => [collateralAsset, repayRaw, seizedRaw]));
    const planned = plans.reduce((sum, { grossWei }) => sum + grossWei, 0n);
    expect(decodeSettlement(receipt.logs as never, executor)?.grossRaw).toBe(planned);
    expect(await treasuryHolds(book.wrappedNative)).toBe(before.treasury + planned);
    // Bad debt is the protocol's loss, and shows in its reserves.
    if (prices === RUIN) expect(await reserves()).toBeLessThan(before.reserves);
  }),
);

test('what others absorbed is bought from the protocol, every asset of it, and nothing is left to buy', () =>
  comet.undone(async () => {
    await priced(FALL);
    const { candidates } = await decide();
    await absorbAll(candidates.map(({ account }) => account));
    const decided = await decide();
    expect(decided.plans.length).toBe(comet.market.assets.length);
    expect(decided.plans.every(isOffer)).toBe(true);
    expect(decided.plans.map(({ candidate }) => candidate.market).sort()).toEqual(['cUSDCv3:LINK', 'cUSDCv3:WBTC', 'cUSDCv3:WETH']);
    const receipt = await execute(decided.plans, decided);
    expect([absorbed(receipt), purchases(receipt).length]).toEqual([[], decided.plans.length]);
    expect(purchases(receipt)).toEqual(
      decided.plans.map(({ collateralAsset, repayRaw, seizedRaw }) => [collateralAsset, repayRaw, seizedRaw]),
    );
    expect(decodeSettlement(receipt.logs as never, executor)?.grossRaw).toBe(
      decided.plans.reduce((sum, { grossWei }) => sum + grossWei, 0n),
    );
    // What is left of each asset is less than a unit of the base asset buys.
    const after = await decide();
    expect([after.plans, after.candidates]).toEqual([[], []]);
  }));

test('an account is absorbed with what the pools bear bought of it, and the rest is on offer from the next block on', () =>
  comet.undone(async () => {
    await priced(FALL);
    const whole = await decide();
    const largest = whole.plans.reduce((most, plan) => (plan.repayUsd8 > most.repayUsd8 ? plan : most));
    const maxPositionUsd8 = largest.repayUsd8 / 2n;
    const cut = await decide({ limits: limitsOf({ maxPositionUsd8 }) });
    const part = cut.plans.find(({ candidate }) => candidate.account === largest.candidate.account)!;
    expect(part.repayUsd8).toBeLessThanOrEqual(maxPositionUsd8);
    expect(part.repayUsd8).toBeGreaterThan((maxPositionUsd8 * 99n) / 100n);
    const receipt = await execute([part], cut);
    expect([absorbed(receipt), purchases(receipt)]).toEqual([
      [part.candidate.account],
      [[part.collateralAsset, part.repayRaw, part.seizedRaw]],
    ]);
    const optionsOf = ({ world, at }: typeof cut, { candidate: { slot } }: Plan) => world.protocols[0]!.options(slot, at);
    const said = optionsOf(cut, part).find(({ label }) => label === part.option)!.rest!(part.repayRaw);
    const after = await decide();
    const rest = after.plans.find(isOffer)!;
    expectNearly(said, optionsOf(after, rest)[0]!.regimes, rest.option);
    expect(rest).toMatchObject({ collateralAsset: part.collateralAsset });
    expect(rest.seizedRaw).toBeGreaterThan((largest.seizedRaw - part.seizedRaw) / 2n);
  }));

test('what is planned makes as much as the best of a fine grid of purchases that Comet takes, within 0.1%, in random pools', async () => {
  const seen = nothingSized();
  const { tokens } = comet.fixture.market;
  const sized = async (prices: Readonly<Record<string, bigint>>, wanted: (slot: number) => boolean) => {
    const at = comet.next();
    const found = [...comet.protocol.slots()]
      .filter(wanted)
      .flatMap((slot) => comet.protocol.options(slot, at).map((option) => ({ slot, option })));
    for (const { slot, option } of found.filter((_, place) => place % Math.ceil(found.length / SIZED) === 0)) {
      const account = slot < MAX_ASSETS ? {} : { account: comet.protocol.accountOf(slot) };
      const asked = gridOf(option, POINTS).map((baseRaw) => ({
        ...account,
        asset: option.collateralAsset,
        baseRaw,
        timestamp: at.timestamp,
      }));
      const bought = await Promise.all(asked.map((one) => buying(comet, one)));
      const points = bought.flatMap((one, index): Given[] => (one === 'reverts' ? [] : [{ amountRaw: asked[index]!.baseRaw, ...one }]));
      expectSized({ options: [option], given: [[option, points]] }, lower(tokens['WETH']!), worthsAfter(tokens, prices), at, slot, seen);
    }
  };
  for (const prices of [FALL, RUIN])
    await comet.undone(async () => {
      await comet.price(prices);
      await sized(prices, (slot) => slot >= MAX_ASSETS);
    });
  await comet.undone(async () => {
    await priced(FALL);
    await absorbAll((await decide()).candidates.map(({ account }) => account));
    await comet.follower.advance();
    await sized(FALL, (slot) => slot < MAX_ASSETS);
  });
  expect(seen.cases).toBeGreaterThan(25);
  expect(seen.part).toBeGreaterThan(10);
});

test('each reason for leaving a position alone is said', () =>
  comet.undone(async () => {
    await priced(FALL);
    const usdc = lower(comet.fixture.market.tokens['USDC']!);
    const ordinary = await decide();
    expect(new Set(ordinary.skips)).toContain('below-min-profit');
    const { world, candidates, at } = ordinary;
    const none = (change: Partial<Settings>, of: World = world) => {
      const { decisions } = decideBlock(of, { ...settings, ...change }, candidates, of.head, at, 0n);
      const reasons = decisions.flatMap((one) => (one.kind === 'skip' ? [one.skip.reason] : []));
      return { plans: decisions.length - reasons.length, reasons: new Set(reasons) };
    };
    expect(none({ minProfitUsd8: 10n ** 18n })).toEqual({ plans: 0, reasons: new Set(['below-min-profit']) });
    expect(none({ limits: limitsOf({ denyTokens: new Set([usdc]) }) })).toEqual({ plans: 0, reasons: new Set(['token-denied']) });
    expect(none({ limits: limitsOf({ maxPositionUsd8: 0n }) })).toEqual({ plans: 0, reasons: new Set(['position-too-large']) });
    const doubted = (oracle: Partial<OracleBounds>) => none({ oracle: { ...BOUNDS, ...oracle } }).reasons;
    expect(doubted({ maxFeedAgeSeconds: 0 })).toEqual(new Set(['oracle-stale']));
    expect(doubted({ maxJumpBps: 0n })).toContain('oracle-jump');
    expect(doubted({ maxPoolDeviationBps: 0n })).toEqual(new Set(['oracle-off-pool']));
    const { candidate } = ordinary.plans[0]!;
    for (const name of ['cusdcv3', 'compound-v3/cusdcv3', comet.comet]) {
      const verdict = checkMarket({ ...candidate, tokens: [], repayUsd8: 0n }, limitsOf({ denyMarkets: new Set([name]) }));
      expect(verdict).toMatchObject({ ok: false, skip: { reason: 'market-denied' } });
    }
    const all = (reason: string) => ({ plans: 0, reasons: new Set([reason]) });
    expect(
      none(
        {},
        seen(world, 'suspended', () => 'unlike the chain'),
      ),
    ).toEqual(all('suspended'));
    expect(none({}, seen(world, 'venue', nowhere(world)))).toEqual(all('no-route'));
    expect(none({}, seen(world, 'flashes', []))).toEqual(all('no-flash-loan'));
    expect(none({}, seen(world, 'usd', onlyNative(world)))).toEqual(all('no-usd-price'));
  }));

test('what Comet does not let be done is not planned: absorbing paused, selling paused, reserves that are whole', () =>
  comet.undone(async () => {
    await priced(FALL);
    const governor = comet.fixture.chain.deployer.address;
    const told = async () => {
      const { plans, skips, candidates } = await decide();
      return { plans: plans.length, skips: new Set(skips), accounts: candidates.filter(({ account }) => account !== comet.comet).length };
    };
    const { accounts } = await told();
    const nothing = { plans: 0, skips: new Set(['no-option']), accounts };
    for (const paused of [
      [true, false],
      [false, true],
    ]) {
      await comet.call(governor, 'pause', [false, false, false, ...paused]);
      expect((await comet.sender.mine()).done.get('pause')).toBe(1);
      expect(await told()).toEqual(nothing);
    }
    await comet.call(governor, 'pause', [false, false, false, false, false]);
    await comet.sender.call(LIQUIDATOR, comet.market.base, erc20Abi, 'transfer', [comet.comet, 30_000_000n * 10n ** 6n]);
    expect((await comet.sender.mine()).done.get('transfer')).toBe(1);
    expect(await told()).toEqual(nothing);
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
