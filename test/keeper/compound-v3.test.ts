/** The running keeper on a Compound III that it knows from DEPLOYMENTS_FILE alone, beside Aave: one update, both protocols, and what is left to buy after it. */
import { getAddress, type Hex, parseAbi, toEventSelector } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { absorptionsBetween, liquidationsBetween } from '../../scripts/demo/observe.ts';
import { judgeComet } from '../../scripts/devnet/lens/comet.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const BID_SHARE = 0.9;
const LENS_MIN_PROFIT_USD = (5 + 0.5) / (1 - BID_SHARE);
const BOUGHT = toEventSelector(
  parseAbi(['event BuyCollateral(address indexed buyer, address indexed asset, uint256 baseAmount, uint256 collateralAmount)'])[0],
);

let stage: Stage;
let keeper: TestKeeper;
let update: Hex;
let block: number;

beforeAll(async () => {
  stage = await setStage({ positions: 12, cometPositions: 30, seed: 3, sees: 'mempool' });
  keeper = startTestKeeper(stage.environment, stage.folder);
  await keeper.until((line) => line.event === 'endpoint.changed' && line['kind'] === 'pending-from', 'the mempool');
  await keeper.until((line) => line.event === 'block.processed', 'the first block');
  update = await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, 2_450_00000000n);
  await keeper.until((line) => line.event === 'bundle.sent' && String(line['updateTxHash']).includes(update), 'a bundle behind the update');
  block = (await stage.devnet.builder.seal()).number;
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === block, `block ${block}`);
}, 120_000);

afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

/** Buyers of collateral in a block, with the transaction of each. */
async function purchases(at: number) {
  const { rpcUrl, market } = stage.devnet;
  const filter = { address: market.comet!.comet.comet, topics: [BOUGHT], fromBlock: hex(at), toBlock: hex(at) };
  const logs = await rpc<{ topics: Hex[]; transactionHash: Hex }[]>(rpcUrl, 'eth_getLogs', [filter]);
  return logs.map(({ topics, transactionHash }) => ({ buyer: getAddress(`0x${topics[1]!.slice(-40)}`), transactionHash }));
}

it('absorbs, and buys of, every account that the lens calls worth it in the block of the update', async () => {
  const { devnet, executor } = stage;
  const { rpcUrl, market, deployments } = devnet;
  const { comet, borrowers } = market.comet!;
  const verdicts = await judgeComet({
    ...{ rpcUrl, blockNumber: block, onlyAfter: [update], borrowers, minProfitUsd: LENS_MIN_PROFIT_USD, deployments },
    ...{ etherFeed: market.feeds['ETH / USD']!.proxy, base: comet.base },
  });
  const worthIt = verdicts.flatMap(({ account, profitUsd }) => (profitUsd === null ? [] : [account]));
  const taken = await absorptionsBetween(rpcUrl, comet.comet, block, block);
  expect(worthIt.length).toBeGreaterThan(2);
  expect(new Set(taken.map(({ liquidator }) => liquidator))).toEqual(new Set([getAddress(executor)]));
  expect(worthIt.filter((account) => !taken.some((one) => one.account === account))).toEqual([]);
  const bought = await purchases(block);
  expect(bought.length).toBe(taken.length);
  expect(new Set(bought.map(({ buyer }) => buyer))).toEqual(new Set([getAddress(executor)]));
  expect((await liquidationsBetween(rpcUrl, market.aave.pool, block, block)).length).toBeGreaterThan(0);
});

it('buys in the next block what of several kinds of collateral was left with the market', async () => {
  const { devnet, executor } = stage;
  await keeper.until((line) => line.event === 'bundle.sent' && line['targetBlock'] === block + 1, 'a bundle for the next block');
  const next = (await devnet.builder.seal()).number;
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === next, `block ${next}`);
  const [bought, absorbed] = [await purchases(next), await absorptionsBetween(devnet.rpcUrl, devnet.market.comet!.comet.comet, next, next)];
  expect(bought.length).toBeGreaterThan(absorbed.length);
  expect(new Set(bought.map(({ buyer }) => buyer))).toEqual(new Set([getAddress(executor)]));
});

it('no audit differs, and nothing of ours was mined in vain', async () => {
  expect(keeper.lines.filter(({ event }) => event === 'audit.mismatch' || event === 'market.suspended')).toEqual([]);
  const ledger = await readLedger(`${stage.folder}/data`);
  const mined = (await ledger.transactions({}).finally(() => ledger.close())).filter((one) => one.mined !== undefined);
  expect(mined.length).toBeGreaterThan(0);
  for (const { outcome } of mined) expect(outcome).toBe('included');
});

function hex(value: number): Hex {
  return `0x${value.toString(16)}`;
}
