import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fault } from '../../scripts/devnet/builder/client.ts';
import type { TransactionRecord } from '../../src/ledger/reader.ts';
import type { Line } from '../support/keeper.ts';
import { type FaultStage, Play, setFaultStage } from './scene.ts';

let stage: FaultStage;

beforeAll(async () => {
  stage = await setFaultStage(4);
});

afterAll(async () => {
  await stage?.close();
});

/** A price falls with the relay at fault; what the keeper said of its sending. */
async function sendInto(play: Play, fault: Fault | undefined): Promise<{ readonly update: number; readonly said: readonly Line[] }> {
  if (fault !== undefined) await stage.devnet.builder.fault(fault);
  const from = play.lines.length;
  const update = await play.fall();
  await stage.devnet.builder.clearFaults();
  return { update, said: play.lines.slice(from).filter(({ event }) => event === 'bundle.sent') };
}

async function books(play: Play): Promise<readonly TransactionRecord[]> {
  const { findings, transactions } = await play.books();
  expect(findings).toEqual([]);
  return transactions;
}

const at = (transactions: readonly TransactionRecord[], block: number) => transactions.filter(({ targetBlock }) => targetBlock === block);

describe('one relay, bundles only', () => {
  let play: Play;

  beforeAll(async () => {
    play = await Play.start(stage);
  });

  afterAll(async () => {
    await play?.stop();
  });

  it.each<{ fault: Fault; answer: string; detail: RegExp; outcome: 'included' | 'missed' }>([
    { fault: { kind: 'drop' }, answer: 'accepted', detail: /^0x/, outcome: 'missed' },
    { fault: { kind: 'http429' }, answer: 'unknown', detail: /HTTP 429/, outcome: 'missed' },
    { fault: { kind: 'http500' }, answer: 'unknown', detail: /HTTP 500/, outcome: 'missed' },
    { fault: { kind: 'wrong', wrong: 'html' }, answer: 'unknown', detail: /answered with HTML/, outcome: 'missed' },
    { fault: { kind: 'wrong', wrong: 'text' }, answer: 'unknown', detail: /cut off or malformed/, outcome: 'missed' },
    { fault: { kind: 'wrong', wrong: 'shape' }, answer: 'unknown', detail: /no bundle hash/, outcome: 'missed' },
    { fault: { kind: 'silent' }, answer: 'unknown', detail: /no answer within/, outcome: 'included' },
    { fault: { kind: 'delay', delayMs: 100 }, answer: 'accepted', detail: /^0x/, outcome: 'included' },
    { fault: { kind: 'delay', delayMs: 30_000 }, answer: 'unknown', detail: /no answer within/, outcome: 'missed' },
  ])('$fault: one line says so, and what missed is sent again for the next block', async ({ fault, answer, detail, outcome }) => {
    const { update, said } = await sendInto(play, { ...fault, method: 'eth_sendBundle', count: 1 });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatchObject({ answer, targetBlock: update + 1 });
    expect(said[0]?.['detail']).toMatch(detail);
    await play.seal();
    await play.seal();
    const transactions = await books(play);
    const first = at(transactions, update + 1);
    expect(first.map((one) => one.outcome)).toEqual([outcome]);
    if (outcome === 'included') return;
    const second = at(transactions, update + 2);
    expect(second).toMatchObject([{ outcome: 'included', nonce: first[0]!.nonce }]);
    expect(first[0]!.attempts.filter(({ account }) => !second[0]!.attempts.some((again) => again.account === account))).toEqual([]);
  });

  it.each(['http500', 'silent', 'wrong'] as const)(
    'a relay that cannot simulate (%s) is sent the bundle all the same: our own node has tried it',
    async (kind) => {
      const { update, said } = await sendInto(play, { kind, method: 'eth_callBundle', count: 1 });
      expect(said).toMatchObject([{ answer: 'accepted', targetBlock: update + 1 }]);
      await play.seal();
      expect(at(await books(play), update + 1)).toMatchObject([{ outcome: 'included' }]);
    },
  );

  it('slots without a block make the bundle wait for its block, and nothing else is signed meanwhile', async () => {
    const { update } = await sendInto(play, undefined);
    const { builder } = stage.devnet;
    await builder.missSlots(2);
    await builder.resume();
    await builder.waitForBlock(update + 1);
    await builder.hold();
    await play.processed(update + 1);
    expect(at(await books(play), update + 1)).toMatchObject([{ outcome: 'included', mined: { block: update + 1 } }]);
  });
});

describe('two relays, one of them dead', () => {
  let play: Play;

  beforeAll(async () => {
    // Nothing listens there.
    play = await Play.start(stage, { RELAY_URLS: `http://127.0.0.1:1,${stage.devnet.builderUrl}` });
  });

  afterAll(async () => {
    await play?.stop();
  });

  it('the bundle lands by the other, and the dead one is named', async () => {
    const { update, said } = await sendInto(play, undefined);
    expect(said).toMatchObject([
      { relay: '127.0.0.1:1', answer: 'unknown' },
      { relay: new URL(stage.devnet.builderUrl).host, answer: 'accepted' },
    ]);
    await play.seal();
    expect(at(await books(play), update + 1)).toMatchObject([{ outcome: 'included' }]);
  });

  it('the dead one rests in the end, which one line tells, and is left out of what goes to the other', async () => {
    const rested = () => play.lines.filter(({ event, call }) => event === 'relay.resting' && call === 'send');
    for (let falls = 0; rested().length === 0 && falls < 4; falls++) {
      await sendInto(play, undefined);
      await play.seal();
    }
    expect(rested()).toMatchObject([{ relay: '127.0.0.1:1', fault: 'unreachable', stillAsked: false }]);
    const { update, said } = await sendInto(play, undefined);
    expect(said).toMatchObject([{ relay: new URL(stage.devnet.builderUrl).host, answer: 'accepted' }]);
    await play.seal();
    expect(at(await books(play), update + 1)).toMatchObject([{ outcome: 'included' }]);
    expect(rested()).toHaveLength(1);
  });
});

describe('the public mempool as fallback', () => {
  let play: Play;

  beforeAll(async () => {
    play = await Play.start(stage, { PUBLIC_MEMPOOL: 'fallback' });
  });

  afterAll(async () => {
    await play?.stop();
  });

  it('is left alone while a relay accepts', async () => {
    const { update, said } = await sendInto(play, undefined);
    expect(said).toMatchObject([{ relay: new URL(stage.devnet.builderUrl).host, answer: 'accepted' }]);
    await play.seal();
    expect(at(await books(play), update + 1)).toMatchObject([{ outcome: 'included', channel: 'bundle' }]);
  });

  it('takes the same transaction when no relay does', async () => {
    const { update, said } = await sendInto(play, { kind: 'http500', method: 'eth_sendBundle', count: 1 });
    expect(said).toMatchObject([{ answer: 'unknown' }, { relay: 'public mempool', answer: 'accepted' }]);
    await play.seal();
    expect(at(await books(play), update + 1)).toMatchObject([{ outcome: 'included', channel: 'public' }]);
  });
});
