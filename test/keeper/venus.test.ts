/** The running keeper on a Compound v2 fork (Venus) that it knows from DEPLOYMENTS_FILE alone, beside Aave: one update, both protocols. */
import { getAddress, type Hex } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { liquidationsBetween, venusLiquidationsBetween } from '../../scripts/demo/observe.ts';
import { judgeVenus } from '../../scripts/devnet/lens/venus.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const BID_SHARE = 0.9;
const LENS_MIN_PROFIT_USD = (5 + 0.5) / (1 - BID_SHARE);

let stage: Stage;
let keeper: TestKeeper;
let update: Hex;
let block: number;

beforeAll(async () => {
  stage = await setStage({ positions: 12, venusPositions: 24, seed: 3, sees: 'mempool' });
  keeper = startTestKeeper(stage.environment, stage.folder);
  await keeper.until((line) => line.event === 'endpoint.changed' && line['kind'] === 'pending-from', 'the mempool');
  await keeper.until((line) => line.event === 'block.processed', 'the first block');
  update = await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, 2_800_00000000n);
  await keeper.until((line) => line.event === 'bundle.sent' && String(line['updateTxHash']).includes(update), 'a bundle behind the update');
  block = (await stage.devnet.builder.seal()).number;
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === block, `block ${block}`);
}, 120_000);

afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

it('takes every position that the lens calls worth it in the block of the update', async () => {
  const { devnet, executor } = stage;
  const { rpcUrl, market, deployments } = devnet;
  const { venus, borrowers } = market.venus!;
  const verdicts = await judgeVenus({
    ...{ rpcUrl, blockNumber: block, onlyAfter: [update], venus, borrowers, minProfitUsd: LENS_MIN_PROFIT_USD, deployments },
    ...{ tokens: market.tokens, etherFeed: market.feeds['ETH / USD']!.proxy, lender: market.aave.pool },
  });
  const worthIt = verdicts.flatMap(({ account, profitUsd }) => (profitUsd === null ? [] : [account]));
  const markets = venus.markets.map(({ address }) => address);
  const taken = await venusLiquidationsBetween(rpcUrl, markets, block, block);
  expect(worthIt.length).toBeGreaterThan(2);
  expect(new Set(taken.map(({ liquidator }) => liquidator))).toEqual(new Set([getAddress(executor)]));
  expect(worthIt.filter((account) => !taken.some((one) => one.account === account))).toEqual([]);
  expect((await liquidationsBetween(rpcUrl, market.aave.pool, block, block)).length).toBeGreaterThan(0);
});

it('no audit differs, and nothing of ours was mined in vain', async () => {
  expect(keeper.lines.filter(({ event }) => event === 'audit.mismatch' || event === 'market.suspended')).toEqual([]);
  const ledger = await readLedger(`${stage.folder}/data`);
  const mined = (await ledger.transactions({}).finally(() => ledger.close())).filter((one) => one.mined !== undefined);
  expect(mined.length).toBeGreaterThan(0);
  for (const { outcome } of mined) expect(outcome).toBe('included');
});
