import { getAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancesAt, liquidatableAt, liquidationsBetween } from '../../scripts/demo/observe.ts';
import { judge } from '../../scripts/devnet/lens/judge.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const BID_SHARE = 0.9;
const MIN_PROFIT_USD = 5;

describe('a price falls', () => {
  let stage: Stage;
  let keeper: TestKeeper;
  let update: number;

  beforeAll(async () => {
    stage = await setStage();
    keeper = startTestKeeper(stage.environment, stage.folder);
    await keeper.until((line) => line.event === 'block.processed', 'the first block');
    await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, 2_800_00000000n);
    update = (await stage.devnet.builder.seal()).number;
    await keeper.until((line) => line.event === 'attempt.sent', 'a bundle');
    const block = await stage.devnet.builder.seal();
    await keeper.until((line) => line.event === 'block.processed' && line['block'] === block.number, 'the block after the update');
  });

  afterAll(async () => {
    await keeper?.stop();
    await stage?.close();
  });

  it('takes every position that the lens calls worth it, in the next block', async () => {
    const { devnet, executor } = stage;
    const accounts = devnet.market.borrowers.map(({ address }) => address);
    const liquidatable = await liquidatableAt(devnet.rpcUrl, devnet.market.aave.pool, accounts, update);
    const verdicts = await judge({
      rpcUrl: devnet.rpcUrl,
      blockNumber: update,
      accounts: liquidatable,
      minProfitUsd: (MIN_PROFIT_USD + 0.5) / (1 - BID_SHARE),
      deployments: devnet.deployments,
    });
    const worthIt = verdicts.filter(({ best }) => best !== null).map(({ account }) => getAddress(account));
    const taken = (await liquidationsBetween(devnet.rpcUrl, devnet.market.aave.pool, update + 1, update + 1)).filter(
      ({ liquidator }) => liquidator === getAddress(executor),
    );
    expect(worthIt.length).toBeGreaterThan(5);
    expect(worthIt.filter((account) => !taken.some((one) => one.account === account))).toEqual([]);
  });

  it('pays the profit to the treasury, and the ledger has it to the wei', async () => {
    const { devnet, executor, folder } = stage;
    const holders = [getAddress(executor), devnet.accounts.keeper.address];
    const tokens = Object.values(devnet.market.tokens);
    const before = await balancesAt(devnet.rpcUrl, holders, tokens, update);
    const after = await balancesAt(devnet.rpcUrl, holders, tokens, update + 1);
    const ledger = await readLedger(`${folder}/data`);
    const transactions = await ledger.transactions({});
    await ledger.close();
    const recorded = new Map<string, bigint>();
    for (const { mined } of transactions)
      for (const [token, delta] of Object.entries(mined?.balanceChanges ?? {})) recorded.set(token, (recorded.get(token) ?? 0n) + delta);
    for (const [token, held] of after) expect([token, recorded.get(token) ?? 0n]).toEqual([token, held - before.get(token)!]);
    expect(recorded.get(devnet.deployments.wrappedNative.toLowerCase())).toBeGreaterThan(0n);
  });

  it('shares each transaction’s profit, bid and gas out to its attempts without a wei left over', async () => {
    const ledger = await readLedger(`${stage.folder}/data`);
    const transactions = await ledger.transactions({});
    await ledger.close();
    for (const { mined, attempts } of transactions) {
      if (mined === undefined) continue;
      const sum = (pick: 'bidWei' | 'gasWei') => attempts.reduce((total, { result }) => total + result![pick], 0n);
      expect(sum('gasWei')).toBe(mined.gasWei);
      expect(sum('bidWei')).toBe(mined.bidWei);
    }
  });

  it('says why it leaves the others alone', () => {
    const skipped = keeper.lines.filter((line) => line.event === 'plan.skipped');
    expect(skipped.map((line) => line['reason'])).toContain('below-min-profit');
    expect(skipped.every((line) => typeof line['reason'] === 'string')).toBe(true);
  });
});
