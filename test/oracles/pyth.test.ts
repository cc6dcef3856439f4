/** Pyth's own mock chain contract and its feed adapter, as the price of a real Aave market; what is carried goes through the real Executor. */
import { decodeEventLog, encodeFunctionData, type Hex, parseAbi, toEventSelector } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Connected, connect } from '../../src/connect.ts';
import { sequenceOf } from '../../src/execution/sequence.ts';
import { encodeExecute } from '../../src/lib/encode-steps.ts';
import type { Address } from '../../src/lib/types.ts';
import { carriedBy, judgePythUpdate, type PythFeed, type PythUpdate, readPythUpdate } from '../../src/oracles/pull/pyth.ts';
import { termsAt } from '../../src/pipeline/terms.ts';
import { carrying } from '../../src/protocols/carrying.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { emptyBook } from '../../src/strategy/bids/book.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import type { Plan } from '../../src/strategy/types.ts';
import { World } from '../../src/world.ts';
import { type Stage, setStage } from '../support/keeper.ts';

const PRICE_ID: Hex = `0x${'e7'.repeat(32)}`;
const FEE_WEI = 7_000_000_000n;
const MAX_CONFIDENCE_BPS = 100n;
const ETHER = 10n ** 18n;
const EXPONENT = -8;

const wethAbi = parseAbi([
  'function deposit() payable',
  'function transfer(address to, uint256 amount) returns (bool)',
  'function balanceOf(address) view returns (uint256)',
]);
const feedAbi = parseAbi(['function latestRoundData() view returns (uint80, int256, uint256, uint256, uint80)']);
const liquidationAbi = parseAbi([
  'event LiquidationCall(address indexed collateralAsset, address indexed debtAsset, address indexed user, uint256 debtToCover, uint256 liquidatedCollateralAmount, address liquidator, bool receiveAToken)',
]);

let stage: Stage;
let chain: SetupChain;
let config: Config;
let connected: Connected;
let world: World;
let mock: Artifact;
let pyth: PythFeed;
let weth: Address;
let keeper: Address;
let publishedAt: number;
let priceRaw: bigint;

beforeAll(async () => {
  stage = await setStage({ positions: 60 });
  const { rpcUrl, market, deployments, accounts } = stage.devnet;
  const contracts = await compileUnit({
    name: 'pyth',
    solc: 'solc-0.8.27',
    entries: ['@pythnetwork/pyth-sdk-solidity/MockPyth.sol', '@pythnetwork/pyth-sdk-solidity/PythAggregatorV3.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  mock = contracts['MockPyth']!;
  chain = new SetupChain(rpcUrl, devAccount('deployer'));
  await chain.prepare();
  weth = lower(deployments.wrappedNative);
  keeper = lower(accounts.keeper.address);
  const { proxy } = market.feeds['ETH / USD']!;
  const [, answer] = await chain.read<readonly bigint[]>(proxy, feedAbi, 'latestRoundData');
  priceRaw = answer!;
  const contract = lower(chain.deploy('MockPyth', mock, [60n, FEE_WEI]));
  const feed = lower(chain.deploy('PythAggregatorV3', contracts['PythAggregatorV3']!, [contract, PRICE_ID]));
  pyth = { feed, pyth: contract, priceId: PRICE_ID };
  await chain.mine();
  publishedAt = await now();
  await write({ price: priceRaw, publishTime: publishedAt });
  chain.call(market.aave.oracle, market.aave.artifacts['AaveOracle']!.abi, 'setAssetSources', [[weth], [feed]]);
  // What the owner leaves there for fees.
  const deposit = encodeFunctionData({ abi: wethAbi, functionName: 'deposit' });
  chain.send(chain.deployer, { to: weth, value: ETHER, data: deposit, label: 'deposit' });
  chain.call(weth, wethAbi, 'transfer', [stage.executor, ETHER]);
  await chain.mine();
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

const lower = (address: string) => address.toLowerCase() as Address;
const now = async () => Number((await rpc<{ timestamp: Hex }>(stage.devnet.rpcUrl, 'eth_getBlockByNumber', ['latest', false])).timestamp);
const wrapped = () => chain.read<bigint>(weth, wethAbi, 'balanceOf', [stage.executor]);
const collected = async () => BigInt(await rpc<Hex>(stage.devnet.rpcUrl, 'eth_getBalance', [pyth.pyth, 'latest']));
const answered = async () => {
  const [roundId, answer, , updatedAt] = await chain.read<readonly bigint[]>(pyth.feed, feedAbi, 'latestRoundData');
  return { roundId, answer, updatedAt: Number(updatedAt) };
};

type Said = { readonly price: bigint; readonly publishTime: number; readonly confidence?: bigint; readonly exponent?: number };

function blobOf({ price, publishTime, confidence = 1n, exponent = EXPONENT }: Said): Promise<Hex> {
  const times = [BigInt(publishTime), BigInt(publishTime - 1)];
  return chain.read<Hex>(pyth.pyth, mock.abi, 'createPriceFeedUpdateData', [
    PRICE_ID,
    price,
    confidence,
    exponent,
    price,
    confidence,
    ...times,
  ]);
}

/** Somebody else pays for an update. */
async function write(said: Said): Promise<void> {
  const data = encodeFunctionData({ abi: mock.abi, functionName: 'updatePriceFeeds', args: [[await blobOf(said)]] });
  chain.send(chain.deployer, { to: pyth.pyth, value: FEE_WEI, data, gas: 500_000n, label: 'update' });
  await chain.mine();
}

async function updateOf(said: Said): Promise<PythUpdate> {
  const read = await readPythUpdate(connected.rpc, pyth.pyth, [await blobOf(said)], [PRICE_ID], keeper);
  if (read.kind === 'refused') throw new Error(read.reason);
  return read.update;
}

const judge = (update: PythUpdate) => judgePythUpdate(pyth, update, world.feed(pyth.feed)!, world.next().timestamp, MAX_CONFIDENCE_BPS);

/** What the fallen price makes liquidatable, planned with the update or without; the first that pays. */
function planBehind(update: PythUpdate, carried: boolean): { readonly plan: Plan; readonly data: Hex } {
  const verdict = judge(update);
  if (verdict.kind === 'leave') throw new Error(verdict.reason);
  const at = world.next(new Map([[pyth.feed, verdict.answer]]));
  const terms = termsAt(settings(), world, world.head, at, 0n, emptyBook())!;
  const market = { venue: world.venue, flashes: world.flashes, usd: world.usd };
  for (const candidate of new Watch().judge(world.protocols, at, world.head.number).candidates) {
    const protocol = world.protocols.find(({ id }) => id === candidate.deployment)!;
    const options = protocol.options(candidate.slot, at).map((option) => (carried ? carrying(option, carriedBy(update, weth)) : option));
    const { decision } = planCandidate(candidate, options, market, world.venue.depth(), terms, at);
    if (decision.kind === 'skip') continue;
    const sequence = sequenceOf([decision.plan], decision.plan.gasUnits, world.surcharge, terms, world.head.number + 10);
    return { plan: decision.plan, data: encodeExecute(sequence) };
  }
  throw new Error('nothing pays');
}

function settings() {
  return {
    ...{ executor: lower(stage.executor), sender: keeper, own: new Set<Address>(), wrappedNative: weth },
    ...{ minProfitUsd8: 0n, bidShare: 0, limits: config.limits, oracle: { ...config.oracle, heartbeatSeconds: {} } },
  };
}

const call = (data: Hex) =>
  rpc<Hex>(stage.devnet.rpcUrl, 'eth_call', [{ from: keeper, to: stage.executor, data, gas: '0xb71b00' }, 'latest']);

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
    expect(update).toMatchObject({ feeWei: FEE_WEI });
    expect(update.prices.get(PRICE_ID)).toEqual({ priceRaw, confidenceRaw: 5n, exponent: EXPONENT, publishTime: publishedAt + 1 });
    expect(update.gasUnits).toBeGreaterThan(21_000n);
  });

  it('that the contract does not take, or that is of another price, is refused', async () => {
    expect(await readPythUpdate(connected.rpc, pyth.pyth, ['0x1234'], [PRICE_ID], keeper)).toMatchObject({ kind: 'refused' });
    const blob = await blobOf({ price: priceRaw, publishTime: publishedAt + 1 });
    expect(await readPythUpdate(connected.rpc, pyth.pyth, [blob], [`0x${'01'.repeat(32)}`], keeper)).toMatchObject({ kind: 'refused' });
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
    const before = await answered();
    await write({ price: priceRaw / 2n, publishTime: publishedAt - 5 });
    expect(await answered()).toEqual(before);
  });
});

it('the adapter is followed as the feed that it is', () => {
  const uses = world.protocols.flatMap((protocol) => [...protocol.slots()].flatMap((slot) => protocol.prices(slot)));
  const sources = uses.filter(({ asset }) => asset === weth).map(({ source }) => source);
  expect(sources.length).toBeGreaterThan(0);
  for (const source of sources) expect(source).toMatchObject({ kind: 'feed', feeds: [pyth.feed] });
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
    const [paidBefore, floatBefore] = [await collected(), await wrapped()];
    const { status, logs } = await execute(data);
    expect(status).toBe('0x1');
    expect((await collected()) - paidBefore).toBe(FEE_WEI);
    expect(verdict).toEqual({ kind: 'carry', answer: await answered() });
    // The float is whole again, out of the profit.
    expect(await wrapped()).toBe(floatBefore);
    const pool = lower(stage.devnet.market.aave.pool);
    const taken = logs
      .filter(({ address, topics }) => lower(address) === pool && topics[0] === toEventSelector(liquidationAbi[0]))
      .map(({ topics, data: words }) => decodeEventLog({ abi: liquidationAbi, topics, data: words }).args);
    expect(taken.map(({ user, debtToCover }) => [lower(user), debtToCover])).toEqual([[plan.candidate.account, plan.repayRaw]]);
  });

  it('is not repeated: what the feed answers by now is not written again', async () => {
    world = await openWorld();
    const { answer, updatedAt } = await answered();
    expect(judge(await updateOf({ price: answer!, publishTime: updatedAt }))).toMatchObject({ kind: 'leave', reason: 'not-newer' });
  });
});
