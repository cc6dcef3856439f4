/** Prices that are not to be believed: what rests on them is left alone, by name and with figures, until they are. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, getAddress } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { liquidationsBetween } from '../../scripts/demo/observe.ts';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { adapterDoubles } from '../oracles/contracts.ts';
import { type Line, type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

/** Two blocks of the devnet. */
const HEARTBEAT_SECONDS = 24;
/** Over in the third block. */
const GRACE_SECONDS = 30;
const UP = 0n;
const DOWN = 1n;

let stage: Stage;
let keeper: TestKeeper;
let dollar: Address;
/** To be mined with what else is pending. */
let sequencer: (status: bigint, startedAt: bigint) => void;
let chain: SetupChain;

beforeAll(async () => {
  stage = await setStage({ positions: 100 });
  const { devnet } = stage;
  dollar = devnet.market.feeds['USDC / USD']!.proxy;
  chain = new SetupChain(devnet.rpcUrl, devAccount('deployer'));
  await chain.prepare();
  const uptimeFeed = (await adapterDoubles())['UptimeFeedDouble']!;
  const uptime = chain.deploy('uptime feed', uptimeFeed);
  sequencer = (status, startedAt) => chain.call(uptime, uptimeFeed.abi, 'set', [status, startedAt]);
  sequencer(UP, 1n);
  await chain.mine();
  const book = join(stage.folder, 'with-heartbeats.json');
  const known = JSON.parse(readFileSync(stage.environment['DEPLOYMENTS_FILE']!, 'utf8')) as object;
  writeFileSync(book, JSON.stringify({ ...known, feedHeartbeats: { [dollar]: HEARTBEAT_SECONDS }, sequencerUptimeFeed: uptime }));
  const bounds = { SEQUENCER_GRACE_SECONDS: String(GRACE_SECONDS), MAX_PRICE_JUMP: '0.3', MAX_POOL_DEVIATION: '0.2' };
  keeper = startTestKeeper({ ...stage.environment, ...bounds, DEPLOYMENTS_FILE: book }, stage.folder);
  await keeper.until((line) => line.event === 'block.processed', 'the first block');
}, 120_000);

afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

async function processed(number: number): Promise<number> {
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
  return number;
}

const seal = async () => processed((await stage.devnet.builder.seal()).number);
const price = (feed: string, answer: bigint) => transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds[feed]!, answer);
const now = async () =>
  BigInt((await rpc<{ timestamp: string }>(stage.devnet.rpcUrl, 'eth_getBlockByNumber', ['latest', false])).timestamp);
const accountOf = (line: Line) => String(line['account']).toLowerCase();
const skipped = (reason: string, from: number) =>
  keeper.lines.filter((line) => line.event === 'plan.skipped' && line['reason'] === reason && Number(line['block']) >= from);
const taken = async (from: number, to: number) =>
  (await liquidationsBetween(stage.devnet.rpcUrl, stage.devnet.market.aave.pool, from, to)).map(({ account }) => account.toLowerCase());

it('a feed that has not kept its heartbeat: the others are liquidated', async () => {
  await price('ETH / USD', 2_800_00000000n);
  const update = await seal();
  const block = await seal();
  const stale = skipped('oracle-stale', update);
  expect(stale.length).toBeGreaterThan(3);
  for (const line of stale) {
    expect(line['feed']).toBe(getAddress(dollar));
    expect(line['limitSeconds']).toBe(String(HEARTBEAT_SECONDS));
    expect(Number(line['ageSeconds'])).toBeGreaterThan(HEARTBEAT_SECONDS);
  }
  const left = new Set(stale.map(accountOf));
  const liquidated = await taken(update + 1, block);
  expect(liquidated.length).toBeGreaterThan(0);
  expect(liquidated.filter((account) => left.has(account))).toEqual([]);
});

it('and those too as soon as it answers again', async () => {
  const left = new Set(skipped('oracle-stale', 0).map(accountOf));
  await price('USDC / USD', 1_00000000n);
  const update = await seal();
  const block = await seal();
  expect((await taken(update, block)).some((account) => left.has(account))).toBe(true);
});

it('a sequencer that is down: nothing is, until the grace period after its return is over', async () => {
  sequencer(DOWN, (await now()) - 100n);
  await chain.mine();
  await price('ETH / USD', 2_650_00000000n);
  const update = await seal();
  const down = skipped('sequencer-down', update);
  expect(down.length).toBeGreaterThan(3);
  expect(down.map((line) => Number(line['downSeconds'])).every((seconds) => seconds > 100)).toBe(true);
  sequencer(UP, await now());
  await chain.mine();
  const back = await processed(await chain.blockNumber());
  await price('USDC / USD', 1_00000000n);
  const within = await seal();
  expect(await taken(update, within)).toEqual([]);
  // In the block after this one the grace period is over.
  await seal();
  const liquidated = await taken(within + 1, await seal());
  expect(liquidated.length).toBeGreaterThan(0);
  expect(within).toBe(back + 1);
});

it('a leap of a feed, and when that is confirmed, an oracle far off the pools', async () => {
  const dollars = () => price('USDC / USD', 1_00000000n);
  await Promise.all([price('LINK / USD', 9_00000000n), dollars()]);
  const leap = await seal();
  const leapt = skipped('oracle-jump', leap);
  expect(leapt.length).toBeGreaterThan(0);
  expect(leapt[0]).toMatchObject({ answerBefore: '1520000000', answer: '900000000', movedBps: '4079', limitBps: '3000' });
  await Promise.all([price('LINK / USD', 8_90000000n), dollars()]);
  const confirmed = await seal();
  const off = skipped('oracle-off-pool', confirmed);
  expect(off.map(accountOf)).toEqual(expect.arrayContaining([accountOf(leapt[0]!)]));
  for (const line of off) {
    expect(line['sold']).toBe(getAddress(stage.devnet.market.tokens['LINK']!));
    expect(BigInt(String(line['poolRaw']))).toBeGreaterThan(BigInt(String(line['oracleRaw'])));
    expect(Number(line['deviationBps'])).toBeGreaterThan(Number(line['limitBps']));
  }
  const left = new Set(off.map(accountOf));
  expect((await taken(leap, await seal())).filter((account) => left.has(account))).toEqual([]);
});
