import { getAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liquidatableAt, liquidationsBetween } from '../../scripts/demo/observe.ts';
import { judge } from '../../scripts/devnet/lens/judge.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const BID_SHARE = 0.9;
const MIN_PROFIT_USD = 5;

describe('a price falls on a market of 3.0 and one of 3.6', () => {
  let stage: Stage;
  let keeper: TestKeeper;
  let update: number;

  beforeAll(async () => {
    stage = await setStage({ positions: 20, legacyPositions: 20, seed: 3 });
    keeper = startTestKeeper(stage.environment, stage.folder);
    await keeper.until((line) => line.event === 'block.processed', 'the first block');
    await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, 2_800_00000000n);
    update = (await stage.devnet.builder.seal()).number;
    await keeper.until((line) => line.event === 'attempt.sent', 'a bundle');
    const block = await stage.devnet.builder.seal();
    await keeper.until((line) => line.event === 'block.processed' && line['block'] === block.number, 'the block after the update');
  }, 120_000);

  afterAll(async () => {
    await keeper?.stop();
    await stage?.close();
  });

  it.each([
    [0, 'core'],
    [1, 'legacy'],
  ] as const)('takes every position that the lens calls worth it: market %s, %s', async (place, name) => {
    const { devnet, executor } = stage;
    const { market, deployments, rpcUrl } = devnet;
    const there = name === 'core' ? market : market.legacy!;
    const accounts = there.borrowers.map(({ address }) => address);
    const liquidatable = await liquidatableAt(rpcUrl, there.aave.pool, accounts, update);
    const verdicts = await judge({
      ...{ rpcUrl, blockNumber: update, accounts: liquidatable, minProfitUsd: (MIN_PROFIT_USD + 0.5) / (1 - BID_SHARE) },
      deployments: { ...deployments, 'aave-v3': [deployments['aave-v3'][place]!] },
    });
    const worthIt = verdicts.filter(({ best }) => best !== null).map(({ account }) => getAddress(account));
    const taken = (await liquidationsBetween(rpcUrl, there.aave.pool, update + 1, update + 1)).filter(
      ({ liquidator }) => liquidator === getAddress(executor),
    );
    expect(worthIt.length).toBeGreaterThan(2);
    expect(worthIt.filter((account) => !taken.some((one) => one.account === account))).toEqual([]);
  });

  it('no audit differs', () => {
    expect(keeper.lines.filter(({ event }) => event === 'audit.mismatch' || event === 'market.suspended')).toEqual([]);
  });
});
