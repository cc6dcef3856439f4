/** `BID_SHARE=auto` in a keeper: what it offers, what it learns from its own outcomes, and that the books know it all after a restart. */
import { parseTransaction } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { decodeBidBps } from '../../src/execution/decode-executor.ts';
import type { Wraps } from '../../src/keeper.ts';
import { readLedger, type TransactionRecord } from '../../src/ledger/reader.ts';
import { OwnBids, ownBid } from '../../src/pipeline/own-bids.ts';
import { chanceOf, priorBelief } from '../../src/strategy/bids/belief.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const MIN_PROFIT_USD8 = 5_00000000n;
/** The least tip that blocks take, 0.1 gwei for a unit of gas. */
const LEAST_PER_GAS_WEI = 100_000_000n;

let stage: Stage;
let keeper: TestKeeper;
let forgetting = true;

/** A relay that says yes and forgets: to the keeper, somebody bid more. */
const forgetful: Wraps = {
  relay: (relay) => ({
    ...relay,
    send: async (...args) => (forgetting ? { kind: 'accepted', bundleHash: `0x${'00'.repeat(32)}` } : relay.send(...args)),
  }),
};

beforeAll(async () => {
  stage = await setStage({ positions: 40, seed: 2 });
  keeper = startTestKeeper({ ...stage.environment, BID_SHARE: 'auto' }, stage.folder, forgetful);
  await keeper.until(({ event }) => event === 'block.processed', 'the first block');
  await transmit(stage.devnet.rpcUrl, stage.devnet.market.feeds['ETH / USD']!, 2_800_00000000n);
  await seal();
  await keeper.until(({ event }) => event === 'attempt.sent', 'a bundle');
  const missed = await seal();
  await keeper.until((line) => line.event === 'attempt.sent' && Number(line['targetBlock']) > missed, 'a second bundle');
  forgetting = false;
  for (let block = 0; block < 3; block++) await seal();
}, 120_000);
afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

async function seal(): Promise<number> {
  const { number } = await stage.devnet.builder.seal();
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
  return number;
}

async function books(): Promise<readonly TransactionRecord[]> {
  const ledger = await readLedger(`${stage.folder}/data`);
  try {
    return await ledger.transactions({});
  } finally {
    await ledger.close();
  }
}

const shareOf = ({ raw }: TransactionRecord) => decodeBidBps(parseTransaction(raw).data!)!;

it('pays more than inclusion costs and keeps the minimum of every liquidation', async () => {
  const mined = (await books()).filter(({ outcome, attempts }) => outcome === 'included' && attempts.length > 0);
  expect(mined.length).toBeGreaterThan(0);
  for (const { mined: result, attempts } of mined) {
    expect(result!.bidWei).toBeGreaterThanOrEqual(result!.gasUsed * LEAST_PER_GAS_WEI);
    expect(result!.netUsd8).toBeGreaterThanOrEqual(MIN_PROFIT_USD8 * BigInt(attempts.length));
  }
});

it('offers more for what has missed than it did at first', async () => {
  const bids = (await books()).filter(({ attempts }) => attempts.length > 0).toSorted((a, b) => a.targetBlock - b.targetBlock);
  const shares = Map.groupBy(
    bids.flatMap((bid) => bid.attempts.map(({ account }) => ({ account, outcome: bid.outcome, shareBps: shareOf(bid) }))),
    ({ account }) => account,
  );
  const retried = [...shares.values()].filter((own) => own[0]!.outcome === 'missed' && own.length > 1);
  expect(retried.length).toBeGreaterThan(3);
  for (const [first, ...later] of retried) for (const { shareBps } of later) expect(shareBps).toBeGreaterThan(first!.shareBps);
});

it('believes less of rivals that it beat, and knows it again after a restart', async () => {
  const ledger = await readLedger(`${stage.folder}/data`);
  const own = await OwnBids.open(ledger);
  await ledger.close();
  const { belief } = own.at(await stage.devnet.builder.seal().then(({ number }) => number));
  const won = (await books()).flatMap((transaction) => ownBid(transaction) ?? []).filter((bid) => bid.won);
  expect(won.length).toBeGreaterThan(0);
  for (const { surplusUsd, shareBps } of won)
    expect(chanceOf(belief, surplusUsd, shareBps)).toBeGreaterThan(chanceOf(priorBelief(), surplusUsd, shareBps));
});
