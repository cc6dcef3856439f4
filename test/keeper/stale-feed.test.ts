/** A feed that has not kept its heartbeat: what rests on it is left alone, with the figures, until it answers again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, getAddress } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { liquidationsBetween } from '../../scripts/demo/observe.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

/** Two blocks of the devnet. */
const HEARTBEAT_SECONDS = 24;

let stage: Stage;
let keeper: TestKeeper;
let dollar: Address;

beforeAll(async () => {
  stage = await setStage();
  dollar = stage.devnet.market.feeds['USDC / USD']!.proxy;
  const book = join(stage.folder, 'with-heartbeats.json');
  const known = JSON.parse(readFileSync(stage.environment['DEPLOYMENTS_FILE']!, 'utf8')) as object;
  writeFileSync(book, JSON.stringify({ ...known, feedHeartbeats: { [dollar]: HEARTBEAT_SECONDS } }));
  keeper = startTestKeeper({ ...stage.environment, DEPLOYMENTS_FILE: book }, stage.folder);
  await keeper.until((line) => line.event === 'block.processed', 'the first block');
});

afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

async function seal(): Promise<number> {
  const { number } = await stage.devnet.builder.seal();
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
  return number;
}

const skippedAsStale = () => keeper.lines.filter((line) => line.event === 'plan.skipped' && line['reason'] === 'oracle-stale');

it('is a skip with its name and figures, and the others are liquidated', async () => {
  const { devnet } = stage;
  await transmit(devnet.rpcUrl, devnet.market.feeds['ETH / USD']!, 2_800_00000000n);
  const update = await seal();
  const block = await seal();
  const stale = skippedAsStale();
  expect(stale.length).toBeGreaterThan(3);
  for (const line of stale) {
    expect(line['feed']).toBe(getAddress(dollar));
    expect(line['limitSeconds']).toBe(String(HEARTBEAT_SECONDS));
    expect(Number(line['ageSeconds'])).toBeGreaterThan(HEARTBEAT_SECONDS);
  }
  const taken = await liquidationsBetween(devnet.rpcUrl, devnet.market.aave.pool, update + 1, block);
  const left = new Set(stale.map((line) => String(line['account']).toLowerCase()));
  expect(taken.length).toBeGreaterThan(0);
  expect(taken.filter(({ account }) => left.has(account.toLowerCase()))).toEqual([]);
});

it('is over as soon as the feed answers again', async () => {
  const { devnet } = stage;
  const left = new Set(skippedAsStale().map((line) => String(line['account']).toLowerCase()));
  await transmit(devnet.rpcUrl, devnet.market.feeds['USDC / USD']!, 1_00000000n);
  const update = await seal();
  const block = await seal();
  const taken = await liquidationsBetween(devnet.rpcUrl, devnet.market.aave.pool, update, block);
  expect(taken.some(({ account }) => left.has(account.toLowerCase()))).toBe(true);
});
