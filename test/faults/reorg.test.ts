import type { Address } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RelayAnswer } from '../../src/execution/types.ts';
import type { TransactionRecord } from '../../src/ledger/reader.ts';
import { type FaultStage, headOf, Play, setFaultStage } from './scene.ts';

let stage: FaultStage;
let play: Play;
let relayIsOpen = true;

beforeAll(async () => {
  stage = await setFaultStage(3);
  const refusal: RelayAnswer = { kind: 'refused', fault: 'refused', reason: 'closed' };
  play = await Play.start(
    stage,
    {},
    {
      relay: (relay) => ({ ...relay, send: async (bundle) => (relayIsOpen ? relay.send(bundle) : refusal) }),
    },
  );
});

afterAll(async () => {
  await play?.stop();
  await stage?.close();
});

/** Our transaction in the block that has just been sealed. */
async function landed(): Promise<TransactionRecord> {
  await play.fall();
  const block = await play.seal();
  const { transactions, findings } = await play.books();
  expect(findings).toEqual([]);
  const first = transactions.find(({ mined }) => mined?.block === block);
  expect(first?.outcome).toBe('included');
  return first!;
}

async function reorg(depth: number, transactions: 'drop' | 'return' | 'keep'): Promise<void> {
  const { newHead } = await stage.devnet.builder.reorg(depth, transactions);
  await play.until(({ event, hash }) => event === 'block.processed' && hash === newHead, 'the new branch');
}

/** What the books say of this transaction now; they must be those of the chain. */
async function now({ txHash }: TransactionRecord): Promise<TransactionRecord> {
  const { transactions, findings } = await play.books();
  expect(findings).toEqual([]);
  return transactions.find((one) => one.txHash === txHash)!;
}

const accountsOf = (transaction: TransactionRecord) => transaction.attempts.map(({ account }) => account).sort();

describe('the block that took our bundle is taken back', () => {
  it('and with it gone, the same positions are liquidated in the next block, and counted once', async () => {
    const first = await landed();
    await reorg(1, 'drop');
    expect((await now(first)).outcome).toBe('missed');
    const block = await play.seal();
    const second = (await play.books()).transactions.find(({ mined }) => mined?.block === block)!;
    expect(await now(second)).toMatchObject({ outcome: 'included', nonce: first.nonce });
    expect(accountsOf(second)).toEqual(accountsOf(first));
  });

  it.each([1, 2, 5, 8])(
    'and %i blocks come again with it in them: settled anew, by the new block, without a second liquidation',
    async (depth) => {
      const first = await landed();
      while ((await headOf(stage)) < first.mined!.block + depth - 1) await play.seal();
      await reorg(depth, 'keep');
      const same = await now(first);
      expect(same).toMatchObject({ outcome: 'included', mined: { block: first.mined!.block } });
      expect(same.mined?.blockHash).not.toBe(first.mined!.blockHash);
      const weth = stage.devnet.deployments.wrappedNative.toLowerCase() as Address;
      expect(same.mined?.balanceChanges[weth]).toBe(first.mined!.balanceChanges[weth]);
    },
  );

  it('together with the price that made it worth it: nothing is sent until a price falls again', async () => {
    const first = await landed();
    const sent = () => play.lines.filter(({ event }) => event === 'bundle.sent').length;
    const before = sent();
    await reorg(2, 'drop');
    await play.seal();
    expect(sent()).toBe(before);
    expect((await now(first)).outcome).toBe('missed');
    expect((await landed()).nonce).toBe(first.nonce);
  });

  it('and its transaction comes back by the public pool, where it can only revert: that gas is in the books', async () => {
    const first = await landed();
    relayIsOpen = false;
    await reorg(1, 'return');
    await play.seal();
    const same = await now(first);
    expect(same.outcome).toBe('reverted');
    expect(same.mined!.gasWei).toBeGreaterThan(0n);
    expect(same.attempts[0]?.result?.reason).toContain('Expired');
    const told = play.lines.find((line) => line.event === 'attempt.reverted' && line['txHash'] === first.txHash);
    expect(told).toMatchObject({ block: same.mined!.block, nonce: first.nonce });
    // What was signed meanwhile for the same nonce missed its block, and the next one lands.
    relayIsOpen = true;
    await play.seal();
    const block = await play.seal();
    const { transactions, findings } = await play.books();
    expect(findings).toEqual([]);
    expect(transactions.find(({ mined }) => mined?.block === block)).toMatchObject({ outcome: 'included', nonce: first.nonce + 1 });
  });

  it('while the keeper is stopped: it finds out when it starts', async () => {
    const first = await landed();
    await play.stop();
    await stage.devnet.builder.reorg(2, 'drop');
    await play.restart();
    expect((await now(first)).outcome).toBe('missed');
  });
});

it('the block before it is replaced while the bundle is under way: it still lands, and nothing else is signed', async () => {
  const update = await play.fall();
  await reorg(1, 'keep');
  const block = await play.seal();
  const { findings, transactions } = await play.books();
  expect(findings).toEqual([]);
  expect(transactions.filter(({ targetBlock }) => targetBlock === block)).toMatchObject([{ outcome: 'included', mined: { block } }]);
  expect(block).toBe(update + 1);
});
