/** The running keeper sees price updates before they land, public or private, and liquidates behind them in their own block. */
import { getAddress, type Hex } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blockOf, liquidationsBetween } from '../../scripts/demo/observe.ts';
import { judge } from '../../scripts/devnet/lens/judge.ts';
import { signTransmit, transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { offerPrivately } from '../../scripts/devnet/private-flow.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const BID_SHARE = 0.9;
const LENS_MIN_PROFIT_USD = (5 + 0.5) / (1 - BID_SHARE);

let stage: Stage;
let keeper: TestKeeper;

beforeAll(async () => {
  stage = await setStage({ positions: 90, sees: 'mempool' });
  keeper = startTestKeeper({ ...stage.environment, MEV_SHARE_URL: `${stage.devnet.builderUrl}/hints` }, stage.folder);
  await keeper.until((line) => line.event === 'endpoint.changed' && line['kind'] === 'pending-from', 'the mempool');
  await keeper.until((line) => line.event === 'endpoint.changed' && line['kind'] === 'hints-from', 'the hints');
  await keeper.until((line) => line.event === 'block.processed', 'the first block');
});
afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

it('an idle block takes no more than three calls', async () => {
  const calls: number[] = [];
  for (let block = 0; block < 9; block++) calls.push(Number((await sealed())['rpcCalls']));
  // Errands of the start, and the proof of one block in eight, may fall into any of them.
  expect(calls.toSorted((a, b) => a - b)[4]).toBeLessThanOrEqual(3);
});

it('behind the second of two what neither makes worth it alone, though by itself that one makes nothing worth it', async () => {
  // Of one account the health factor is 1.0110: the first takes 0.0093 of it, the second 0.0033.
  const reports = [
    ['ETH / USD', 2_967_00000000n],
    ['LINK / USD', 14_90000000n],
  ] as const;
  const hidden = await offered(reports);
  await sent(...hidden);
  const { block } = await sealed();
  const taken = await allTakenIn(Number(block), hidden);
  const alone = await Promise.all(hidden.map((hash) => worthIt(Number(block), [hash])));
  expect(alone[1]).toEqual([]);
  expect(taken.filter((account) => !alone[0]!.includes(account))).toHaveLength(1);
});

it('behind a public update, in the block that mines it', async () => {
  const hash = await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, 2_880_00000000n);
  expect(await told('update.seen', hash)).toMatchObject({ from: 'public', answer: '288000000000' });
  await sent(hash);
  const { block } = await sealed();
  expect(await told('update.gone', hash)).toMatchObject({ reason: 'mined' });
  await allTakenIn(Number(block), [hash]);
});

it('behind a private one, of which there is only a hint', async () => {
  const { raw } = await signTransmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['BTC / USD']!, 91_000_00000000n);
  const hash = await offerPrivately(stage.devnet.builderUrl, raw);
  expect(await told('update.seen', hash)).toMatchObject({ from: 'hint', answer: '9100000000000' });
  await sent(hash);
  const { block } = await sealed();
  expect(await told('update.gone', hash)).toMatchObject({ reason: 'mined' });
  await allTakenIn(Number(block), [hash]);
});

it('behind a public and a private one, both in one block', async () => {
  const { raw } = await signTransmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['BTC / USD']!, 87_000_00000000n);
  const hidden = await offerPrivately(stage.devnet.builderUrl, raw);
  await told('update.seen', hidden);
  const open = await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, 2_740_00000000n);
  await sent(open, hidden);
  const { block } = await sealed();
  await allTakenIn(Number(block), [open, hidden]);
});

it('two that are public, both in one block', async () => {
  const first = await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, 2_600_00000000n);
  const second = await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['BTC / USD']!, 83_000_00000000n);
  await sent(first, second);
  const { block } = await sealed();
  await allTakenIn(Number(block), [first, second]);
});

it('a forged report beside a genuine one is left out, and the genuine one’s liquidations land', async () => {
  const { feeds } = stage.devnet.market;
  const forged = { ...feeds['BTC / USD']!, signers: feeds['ETH / USD']!.signers };
  const first = await transmit(stage.devnet.rpcUrl, forged, 78_000_00000000n);
  const second = await transmit(stage.devnet.rpcUrl, feeds['ETH / USD']!, 2_480_00000000n);
  expect(await told('update.gone', first)).toMatchObject({ reason: 'forged' });
  await keeper.until(
    ({ event, updateTxHash }) => event === 'bundle.sent' && updateTxHash === second,
    'a bundle behind the genuine one alone',
  );
  const { block } = await sealed();
  await allTakenIn(Number(block), [second]);
});

it('two private ones in one block, of which one makes almost as many worth it as its only backrun can hold', async () => {
  const reports = [
    ['BTC / USD', 74_000_00000000n],
    ['ETH / USD', 2_000_00000000n],
  ] as const;
  const hidden = await offered(reports);
  await sent(...hidden);
  const { block } = await sealed();
  await allTakenIn(Number(block), hidden);
});

it('nothing of ours was mined in vain', async () => {
  const ledger = await readLedger(`${stage.folder}/data`);
  const mined = (await ledger.transactions({}).finally(() => ledger.close())).filter((one) => one.mined !== undefined);
  expect(mined.length).toBeGreaterThan(4);
  for (const { outcome } of mined) expect(outcome).toBe('included');
});

function told(event: string, hash: Hex) {
  return keeper.until((line) => line.event === event && line['updateTxHash'] === hash, `${event} of ${hash}`);
}

/** A bundle that was made with all of these in view. */
function sent(...hashes: readonly Hex[]) {
  const wanted = (line: { readonly [field: string]: unknown }) => hashes.every((hash) => String(line['updateTxHash']).includes(hash));
  return keeper.until((line) => line.event === 'bundle.sent' && wanted(line), `a bundle behind ${hashes.join(' and ')}`);
}

async function sealed() {
  const { number } = await stage.devnet.builder.seal();
  return keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
}

/** Privately, one after another. */
async function offered(reports: readonly (readonly [feed: string, answer: bigint])[]): Promise<readonly Hex[]> {
  const hidden: Hex[] = [];
  for (const [feed, answer] of reports) {
    const { raw } = await signTransmit(stage.devnet.rpcUrl, stage.devnet.market.feeds[feed]!, answer);
    hidden.push(await offerPrivately(stage.devnet.builderUrl, raw));
  }
  return hidden;
}

/** By the lens: every account that the updates alone made worth liquidating was liquidated by us in their block. Those accounts. */
async function allTakenIn(block: number, updates: readonly Hex[]): Promise<readonly string[]> {
  const { devnet, executor } = stage;
  for (const hash of updates) expect(await blockOf(devnet.rpcUrl, hash)).toBe(block);
  const accounts = await worthIt(block, updates);
  const ours = (await liquidationsBetween(devnet.rpcUrl, devnet.market.aave.pool, block, block)).filter(
    ({ liquidator }) => liquidator === getAddress(executor),
  );
  expect(accounts.length).toBeGreaterThan(0);
  expect(accounts.filter((account) => !ours.some((one) => one.account === account))).toEqual([]);
  return accounts;
}

async function worthIt(block: number, updates: readonly Hex[]): Promise<readonly string[]> {
  const { rpcUrl, market, deployments } = stage.devnet;
  const verdicts = await judge({
    rpcUrl,
    blockNumber: block,
    onlyAfter: updates,
    accounts: market.borrowers.map(({ address }) => address),
    minProfitUsd: LENS_MIN_PROFIT_USD,
    deployments,
  });
  return verdicts.flatMap(({ account, best }) => (best === null ? [] : [getAddress(account)]));
}
