/** Pyth's own mock chain contract and its feed adapter, as the price of a real Aave market; what is carried goes through the real Executor. */
import { decodeEventLog, type Hex, isHex, parseAbi, toEventSelector } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RpcError, rpc } from '../../scripts/devnet/rpc.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Connected, connect } from '../../src/connect.ts';
import { decodeExecutorError } from '../../src/execution/decode-executor.ts';
import { sequenceOf } from '../../src/execution/sequence.ts';
import { encodeExecute } from '../../src/lib/encode-steps.ts';
import type { Address } from '../../src/lib/types.ts';
import { carriedBy, judgePythUpdate, type PythUpdate, readPythUpdate } from '../../src/oracles/pull/pyth.ts';
import { termsAt } from '../../src/pipeline/terms.ts';
import { carrying } from '../../src/protocols/carrying.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { emptyBook } from '../../src/strategy/bids/book.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import type { Plan } from '../../src/strategy/types.ts';
import { World } from '../../src/world.ts';
import { type Stage, setStage } from '../support/keeper.ts';
import { EXPONENT, FEE_WEI, lower, PRICE_ID, PythOn, type Said } from '../support/pyth.ts';

const MAX_CONFIDENCE_BPS = 100n;

const liquidationAbi = parseAbi([
  'event LiquidationCall(address indexed collateralAsset, address indexed debtAsset, address indexed user, uint256 debtToCover, uint256 liquidatedCollateralAmount, address liquidator, bool receiveAToken)',
]);

let stage: Stage;
let config: Config;
let connected: Connected;
let world: World;
let pyth: PythOn;
let keeper: Address;
let publishedAt: number;
let priceRaw: bigint;

beforeAll(async () => {
  stage = await setStage({ positions: 60 });
  pyth = await PythOn.on(stage);
  ({ priceRaw, publishTime: publishedAt } = pyth.first);
  keeper = lower(stage.devnet.accounts.keeper.address);
  config = await loadConfig('run', { folder: stage.folder, env: { ...stage.environment } });
  connected = await connect(config);
  world = await openWorld();
}, 180_000);

afterAll(async () => {
  connected?.rpc.close();
  await stage?.close();
});

function openWorld(): Promise<World> {
  const { rpc: pool, book } = connected;
  return World.open({ rpc: pool, book, executor: lower(stage.executor) }, () => {});
}

const payers = () => ({ caller: keeper, wrappedNative: pyth.weth, executors: [lower(stage.executor)] });

async function updateOf(said: Said): Promise<PythUpdate> {
  const read = await readPythUpdate(connected.rpc, pyth.feed.pyth, [await pyth.blobOf(said)], [PRICE_ID], payers());
  if (read.kind === 'refused') throw new Error(read.reason);
  return read.update;
}

const judge = (update: PythUpdate) =>
  judgePythUpdate(pyth.feed, update, world.feed(pyth.feed.feed)!, world.next().timestamp, MAX_CONFIDENCE_BPS);

/** What the fallen price makes liquidatable, planned with the update or without; the first that pays. */
function planBehind(update: PythUpdate, carried: boolean): { readonly plan: Plan; readonly data: Hex } {
  const verdict = judge(update);
  if (verdict.kind === 'leave') throw new Error(verdict.reason);
  const at = world.next(new Map([[pyth.feed.feed, verdict.answer]]));
  const terms = termsAt(settings(), world, world.head, at, 0n, emptyBook())!;
  const market = { venue: world.venue, flashes: world.flashes, usd: world.usd };
  for (const candidate of new Watch().judge(world.protocols, at, world.head.number).candidates) {
    const protocol = world.protocols.find(({ id }) => id === candidate.deployment)!;
    const options = protocol
      .options(candidate.slot, at)
      .map((option) => (carried ? carrying(option, carriedBy(update, pyth.weth)) : option));
    const { decision } = planCandidate(candidate, options, market, world.venue.depth(at), terms, at);
    if (decision.kind === 'skip') continue;
    const sequence = sequenceOf([decision.plan], decision.plan.gasUnits, world.surcharge, terms, world.head.number + 10);
    return { plan: decision.plan, data: encodeExecute(sequence) };
  }
  throw new Error('nothing pays');
}

function settings() {
  return {
    ...{ executor: lower(stage.executor), sender: keeper, own: new Set<Address>(), wrappedNative: pyth.weth },
    ...{ minProfitUsd8: 0n, bidShare: 0, limits: config.limits, oracle: { ...config.oracle, heartbeatSeconds: {} } },
  };
}

const call = (data: Hex) =>
  rpc<Hex>(stage.devnet.rpcUrl, 'eth_call', [{ from: keeper, to: stage.executor, data, gas: '0xb71b00' }, 'latest']);

const revertOf = (data: Hex) =>
  call(data).then(
    () => 'nothing reverted',
    (error: unknown) => (error instanceof RpcError && isHex(error.data) ? decodeExecutorError(error.data) : String(error)),
  );

/** Sent by the keeper's account and mined; its logs. */
async function execute(data: Hex) {
  const { rpcUrl, accounts, deployments, builder } = stage.devnet;
  const account = privateKeyToAccount(accounts.keeper.privateKey);
  const nonce = Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [keeper, 'latest']));
  const fees = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
  const transaction = {
    type: 'eip1559',
    chainId: deployments.chainId,
    nonce,
    gas: 12_000_000n,
    to: stage.executor,
    data,
    ...fees,
  } as const;
  const hash = await rpc<Hex>(rpcUrl, 'eth_sendRawTransaction', [await account.signTransaction(transaction)]);
  await builder.seal();
  return rpc<{ status: Hex; logs: { address: Address; topics: [Hex, ...Hex[]]; data: Hex }[] }>(rpcUrl, 'eth_getTransactionReceipt', [
    hash,
  ]);
}

describe('an update', () => {
  it('is read by the contract itself, with its fee and what it says', async () => {
    const update = await updateOf({ price: priceRaw, publishTime: publishedAt + 1, confidence: 5n });
    expect(update).toMatchObject({ feeWei: FEE_WEI, floats: new Map([[lower(stage.executor), await pyth.float()]]) });
    expect(update.prices.get(PRICE_ID)).toEqual({ priceRaw, confidenceRaw: 5n, exponent: EXPONENT, publishTime: publishedAt + 1 });
    expect(update.gasUnits).toBeGreaterThan(21_000n);
  });

  it('that the contract does not take, or that is of another price, is refused', async () => {
    expect(await readPythUpdate(connected.rpc, pyth.feed.pyth, ['0x1234'], [PRICE_ID], payers())).toMatchObject({ kind: 'refused' });
    const blob = await pyth.blobOf({ price: priceRaw, publishTime: publishedAt + 1 });
    expect(await readPythUpdate(connected.rpc, pyth.feed.pyth, [blob], [`0x${'01'.repeat(32)}`], payers())).toMatchObject({
      kind: 'refused',
    });
  });

  it.each<{ reason: string; said: Partial<Said> | ((timestamp: number) => Partial<Said>) }>([
    { reason: 'not-newer', said: () => ({ publishTime: publishedAt }) },
    { reason: 'from-the-future', said: (timestamp) => ({ publishTime: timestamp + 1 }) },
    { reason: 'not-positive', said: { price: 0n } },
    { reason: 'unsure', said: { confidence: 10n ** 10n } },
    { reason: 'other-exponent', said: { exponent: -7 } },
  ])('is left where it is $reason', async ({ reason, said }) => {
    const changed = typeof said === 'function' ? said(world.next().timestamp) : said;
    expect(judge(await updateOf({ price: priceRaw, publishTime: publishedAt + 1, ...changed }))).toMatchObject({ kind: 'leave', reason });
  });

  it('that is older changes nothing when it is written all the same', async () => {
    const before = await pyth.answered();
    await pyth.write({ price: priceRaw / 2n, publishTime: publishedAt - 5 });
    expect(await pyth.answered()).toEqual(before);
  });
});

it('the adapter is followed as the feed that it is', () => {
  const uses = world.protocols.flatMap((protocol) => [...protocol.slots()].flatMap((slot) => protocol.prices(slot)));
  const sources = uses.filter(({ asset }) => asset === pyth.weth).map(({ source }) => source);
  expect(sources.length).toBeGreaterThan(0);
  for (const source of sources) expect(source).toMatchObject({ kind: 'feed', feeds: [pyth.feed.feed] });
});

describe('a liquidation that carries its price', () => {
  it('is impossible without it, and with it the fee is paid, the price written, and the profit what is left', async () => {
    world = await openWorld();
    const update = await updateOf({ price: (priceRaw * 94n) / 100n, publishTime: world.next().timestamp - 1 });
    const verdict = judge(update);
    const without = planBehind(update, false);
    await expect(call(without.data)).rejects.toThrow(/revert/i);

    const { plan, data } = planBehind(update, true);
    expect(without.plan.grossWei - plan.grossWei).toBe(FEE_WEI);
    const [paidBefore, floatBefore] = [await pyth.collected(), await pyth.float()];
    const { status, logs } = await execute(data);
    expect(status).toBe('0x1');
    expect((await pyth.collected()) - paidBefore).toBe(FEE_WEI);
    expect(verdict).toEqual({ kind: 'carry', answer: await pyth.answered() });
    // The float is whole again, out of the profit.
    expect(await pyth.float()).toBe(floatBefore);
    const pool = lower(stage.devnet.market.aave.pool);
    const taken = logs
      .filter(({ address, topics }) => lower(address) === pool && topics[0] === toEventSelector(liquidationAbi[0]))
      .map(({ topics, data: words }) => decodeEventLog({ abi: liquidationAbi, topics, data: words }).args);
    expect(taken.map(({ user, debtToCover }) => [lower(user), debtToCover])).toEqual([[plan.candidate.account, plan.repayRaw]]);
  });

  it.each<{ what: string; changed: Partial<PythUpdate>; reason: string }>([
    { what: 'with too small a fee', changed: { feeWei: FEE_WEI - 1n }, reason: 'StepFailed(1): InsufficientFee()' },
    { what: 'of a fee beyond what the Executor holds', changed: { feeWei: 2n * 10n ** 18n }, reason: 'StepFailed(0): no reason given' },
    { what: 'without an update', changed: { blobs: [], feeWei: 0n }, reason: 'HealthFactorNotBelowThreshold()' },
  ])('fails as a whole $what', async ({ changed, reason }) => {
    world = await openWorld();
    const { answer } = await pyth.answered();
    const update = await updateOf({ price: (answer * 94n) / 100n, publishTime: world.next().timestamp - 1 });
    expect(await revertOf(planBehind({ ...update, ...changed }, true).data)).toContain(reason);
  });

  it('fails where somebody has written a newer and higher one before it: the expired one is not taken back to', async () => {
    world = await openWorld();
    const { answer } = await pyth.answered();
    const update = await updateOf({ price: (answer * 94n) / 100n, publishTime: world.next().timestamp - 1 });
    const { data } = planBehind(update, true);
    const snapshot = await rpc<Hex>(stage.devnet.rpcUrl, 'evm_snapshot');
    await pyth.write({ price: answer, publishTime: world.next().timestamp });
    expect(await revertOf(data)).toContain('HealthFactorNotBelowThreshold()');
    await rpc(stage.devnet.rpcUrl, 'evm_revert', [snapshot]);
  });

  it('is not repeated: what the feed answers by now is not written again', async () => {
    world = await openWorld();
    const { answer, updatedAt } = await pyth.answered();
    expect(judge(await updateOf({ price: answer!, publishTime: updatedAt }))).toMatchObject({ kind: 'leave', reason: 'not-newer' });
  });
});
