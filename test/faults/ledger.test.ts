import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LedgerError, ledgerFile } from '../../src/ledger/database.ts';
import type { Ledger } from '../../src/ledger/types.ts';
import type { Line } from '../support/keeper.ts';
import { type FaultStage, Play, setFaultStage } from './scene.ts';

const FULL = 'the disk is full: free some space';

let stage: FaultStage;
let play: Play;
/** The write that fails from now on. */
let failing: keyof Ledger | undefined;

beforeAll(async () => {
  stage = await setFaultStage(5);
  const ledger = (real: Ledger) =>
    new Proxy(real, {
      get: (object, name) => {
        const method = (Reflect.get(object, name, object) as (...given: unknown[]) => unknown).bind(object);
        return (...given: unknown[]) => (name === failing ? Promise.reject(new LedgerError(FULL)) : method(...given));
      },
    });
  play = await Play.start(stage, {}, { ledger });
});

afterAll(async () => {
  await play?.stop();
  await stage?.close();
});

const bundles = () => play.lines.filter(({ event }) => event === 'bundle.sent').length;

/** A block that cannot be processed whole, or not be acted on; what is said of that. */
async function trouble(cause: () => Promise<unknown> = () => stage.devnet.builder.seal()): Promise<string> {
  const from = play.lines.length;
  await cause();
  const told = ({ event, reason }: Line) => event === 'block.failed' || (event === 'plan.skipped' && reason === 'ledger-unavailable');
  const line = await play.until((one) => told(one) && play.lines.indexOf(one) >= from, 'trouble');
  return String(line['cause'] ?? line['reason']);
}

async function booksAreRight(): Promise<void> {
  expect((await play.books()).findings).toEqual([]);
}

it('an intent that cannot be written is not sent; the process goes on, and sends once it can', async () => {
  failing = 'intend';
  const before = bundles();
  await stage.market.fall(0.03);
  expect(await trouble()).toBe(FULL);
  await play.seal();
  expect(bundles()).toBe(before);
  failing = undefined;
  await play.seal();
  expect(bundles()).toBe(before + 1);
  await play.seal();
  await booksAreRight();
});

it('an outcome that cannot be written holds everything back, and is written later', async () => {
  const update = await play.fall();
  const before = bundles();
  failing = 'settle';
  expect(await trouble()).toBe(FULL);
  await stage.market.fall(0.03);
  expect(await trouble()).toBe(FULL);
  expect(bundles()).toBe(before);
  failing = undefined;
  await play.seal();
  await play.seal();
  const { transactions } = await play.books();
  expect(transactions.find(({ targetBlock }) => targetBlock === update + 1)).toMatchObject({
    outcome: 'included',
    mined: { block: update + 1 },
  });
  await booksAreRight();
});

it('what was sent and could not be noted as sent is settled by its receipt all the same', async () => {
  failing = 'sent';
  await stage.market.fall(0.03);
  expect(await trouble()).toBe(FULL);
  failing = undefined;
  const block = await play.seal();
  const { transactions } = await play.books();
  expect(transactions.find(({ targetBlock }) => targetBlock === block)).toMatchObject({ outcome: 'included', mined: { block } });
  await booksAreRight();
});

it('a reorganisation that cannot be written is not forgotten', async () => {
  await play.fall();
  const block = await play.seal();
  const [first] = (await play.books()).transactions.filter(({ mined }) => mined?.block === block);
  expect(first?.outcome).toBe('included');
  failing = 'reopen';
  expect(await trouble(() => stage.devnet.builder.reorg(1, 'drop'))).toBe(FULL);
  failing = undefined;
  await play.seal();
  const { transactions } = await play.books();
  expect(transactions.find(({ txHash }) => txHash === first!.txHash)?.outcome).toBe('missed');
  await booksAreRight();
});

it('a ledger that another process holds stops the sending, not the process', async () => {
  const other = new DatabaseSync(ledgerFile(play.dataDir));
  const before = bundles();
  try {
    other.exec('BEGIN IMMEDIATE');
    await stage.market.fall(0.03);
    expect(await trouble()).toMatch(/another process holds it/);
    expect(bundles()).toBe(before);
  } finally {
    other.close();
  }
  await play.seal();
  expect(bundles()).toBe(before + 1);
  await play.seal();
  await booksAreRight();
});
