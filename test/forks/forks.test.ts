import { type Address, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi, parseEventLogs } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { executionChain } from '../../src/execution/chain.ts';
import { decodeSettlement } from '../../src/execution/decode-executor.ts';
import { type Rehearsed, rehearse } from '../../src/execution/rehearse.ts';
import { decideBlock } from '../../src/pipeline/decide.ts';
import type { Settings } from '../../src/pipeline/settings.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { packTransactions } from '../../src/strategy/packing.ts';
import { ENGINES } from './engines.ts';
import { ForkWorld, TREASURY } from './fork-world.ts';
import { openUpstream, type Upstream } from './upstream.ts';

const abi = parseAbi([
  'function getPool() view returns (address)',
  'function getUserAccountData(address user) view returns (uint256 collateral, uint256 debt, uint256 available, uint256 threshold, uint256 ltv, uint256 healthFactor)',
  'function balanceOf(address) view returns (uint256)',
  'event LiquidationCall(address indexed collateralAsset, address indexed debtAsset, address indexed user, uint256 debtToCover, uint256 liquidatedCollateralAmount, address liquidator, bool receiveAToken)',
]);

/** A real chain's archive answers in its own time. */
const PATIENCE_MS = 900_000;
const SAMPLES = 40;
const BID_BPS = 5_000;
const BPS = 10_000n;

let upstream: Upstream;

beforeAll(async () => {
  upstream = await openUpstream();
  process.stdout.write(`forks: upstream ${upstream.label}\n`);
}, PATIENCE_MS);
afterAll(() => upstream?.close());

describe.each(ENGINES)('a fork on $name', (engine) => {
  let fork: ForkWorld;
  let pool: Address;

  beforeAll(async () => {
    fork = await ForkWorld.open(engine, upstream);
    pool = await view(upstream.book['aave-v3'][0]!.poolAddressesProvider, 'getPool', []);
  }, PATIENCE_MS);
  afterAll(() => fork?.close());

  type View = 'getPool' | 'getUserAccountData' | 'balanceOf';
  async function view<T>(to: Address, functionName: View, args: readonly Address[], at: Hex | 'latest' = 'latest'): Promise<T> {
    const data = encodeFunctionData({ abi, functionName, args } as Parameters<typeof encodeFunctionData>[0]);
    const answer = await fork.rpc<Hex>('eth_call', [{ to, data }, at === 'latest' ? at : { blockHash: at }]);
    return decodeFunctionResult({ abi, functionName, data: answer }) as T;
  }

  it('has the health factors of the pool, to the wei', { timeout: PATIENCE_MS }, async () => {
    const market = fork.world.protocols[0]!;
    const slots = [...market.slots()];
    const sampled = slots.filter((_, index) => index % Math.ceil(slots.length / SAMPLES) === 0);
    const at = fork.world.now();
    const { hash } = fork.world.head;
    const ours = sampled.map((slot) => {
      const verdict = market.judge(slot, at);
      return [market.accountOf(slot), verdict.kind === 'unknown' ? verdict.reason : verdict.healthFactorWad];
    });
    const theirs = await Promise.all(
      sampled.map(async (slot) => {
        const account = market.accountOf(slot);
        return [account, (await view<readonly bigint[]>(pool, 'getUserAccountData', [account], hash))[5]];
      }),
    );
    expect(sampled.length).toBeGreaterThan(0);
    expect(ours).toEqual(theirs);
  });

  it('takes what is liquidatable: debt falls, and the treasury gains what was planned', { timeout: PATIENCE_MS }, async () => {
    const { transactions, timestamp } = await plan(fork, upstream);
    if (!upstream.fallen && transactions.length === 0) {
      process.stdout.write(`forks: nothing worth liquidating on ${upstream.label}: only health factors were compared\n`);
      return;
    }
    expect(transactions.length).toBe(1);
    const [transaction] = transactions as [Rehearsed];
    const { plans } = transaction;
    const debtOf = (account: Address) => view<readonly bigint[]>(pool, 'getUserAccountData', [account]).then((data) => data[1]!);
    const before = { block: await fork.latest(), nonce: await fork.nonce(), treasury: await treasuryHolds() };
    const debtBefore = await Promise.all(plans.map(({ candidate }) => debtOf(candidate.account)));

    const { hash, receipt } = await fork.execute(transaction.data, transaction.gasLimit, timestamp);

    expect(receipt.status).toBe('0x1');
    const after = await fork.latest();
    expect([Number(after.number), after.transactions]).toEqual([Number(before.block.number) + 1, [hash]]);
    expect(await fork.nonce()).toBe(before.nonce + 1);

    const liquidations = parseEventLogs({ abi, eventName: 'LiquidationCall', logs: receipt.logs as never[] }).map(({ args }) => args);
    expect(
      liquidations.map(({ user, debtToCover, liquidatedCollateralAmount }) => [
        user.toLowerCase(),
        debtToCover,
        liquidatedCollateralAmount,
      ]),
    ).toEqual(plans.map((one) => [one.candidate.account, one.repayRaw, one.seizedRaw]));
    const debtAfter = await Promise.all(plans.map(({ candidate }) => debtOf(candidate.account)));
    for (const [index, debt] of debtAfter.entries()) expect(debt).toBeLessThan(debtBefore[index]!);

    const planned = plans.reduce((sum, one) => sum + one.grossWei, 0n);
    const bid = ((planned - transaction.sequence.gasCostRaw) * BigInt(transaction.sequence.bidBps)) / BPS;
    expect(decodeSettlement(receipt.logs, fork.executor)).toMatchObject({ grossRaw: planned, bidRaw: bid });
    expect(await treasuryHolds()).toBe(before.treasury + planned - bid);
  });

  function treasuryHolds(): Promise<bigint> {
    return view<bigint>(upstream.book.wrappedNative, 'balanceOf', [TREASURY]);
  }
});

async function plan(fork: ForkWorld, { book }: Upstream): Promise<{ transactions: readonly Rehearsed[]; timestamp: number }> {
  const { world, executor, operator } = fork;
  const at = world.next();
  const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
  const { decisions, terms } = decideBlock(world, settingsFor(fork, book.wrappedNative), candidates, world.head, at, 0n);
  if (terms === undefined) throw new Error(`no USD price of the native token (${executor})`);
  const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
  const chain = executionChain(fork.rpcPool, world.rollup);
  const { transactions, failed } = await rehearse(plans, chain, terms, operator, world.head, at, world.head.number + 1, packTransactions);
  expect(failed.map(({ skip }) => skip)).toEqual([]);
  return { transactions, timestamp: at.timestamp };
}

function settingsFor({ executor, operator }: ForkWorld, wrappedNative: Address): Settings {
  const usd8 = (usd: bigint) => usd * 10n ** 8n;
  return {
    executor,
    sender: operator,
    own: new Set([executor, operator, TREASURY]),
    wrappedNative,
    minProfitUsd8: usd8(5n),
    bidShare: BID_BPS,
    limits: {
      maxBaseFeeWei: 10n ** 12n,
      maxGasUsd8PerDay: usd8(1_000_000n),
      maxLossUsd8PerDay: usd8(1_000_000n),
      maxPositionUsd8: usd8(10_000_000n),
      maxConsecutiveFailures: 10,
      allowTokens: undefined,
      denyTokens: new Set(),
      denyMarkets: new Set(),
    },
    oracle: {
      ...{ maxFeedAgeSeconds: 604_800, heartbeatSeconds: {}, maxJumpBps: 9_000n },
      ...{ maxPoolDeviationBps: 9_000n, sequencerGraceSeconds: 3_600 },
    },
  };
}
