import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Hedge } from '../../src/guard/hedge-types.ts';
import type { Unwind } from '../../src/guard/unwind-types.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { attempt, hashOf, result, temporaryDir, transaction } from './fixtures.ts';

async function memoryLedger(clock?: () => number) {
  const ledger = await openLedger(':memory:', clock);
  onTestFinished(() => ledger.close());
  return ledger;
}

describe('transactions', () => {
  test('an intent comes back from the file exactly as it was given', async () => {
    const dir = join(temporaryDir(), 'made', 'for-it');
    const intent = transaction(7, { attempts: [attempt(7, 0), attempt(7, 1)] });
    const first = await openLedger(dir);
    await first.intend(intent);
    await first.close();

    const second = await openLedger(dir);
    onTestFinished(() => second.close());
    expect(await second.open(0)).toEqual([{ ...intent, status: 'intended' }]);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  test('a sent transaction is open until it is settled, and while a reorg can still take its block', async () => {
    const ledger = await memoryLedger();
    const intent = transaction(1);
    await ledger.intend(intent);
    await ledger.sent(intent.txHash, { relay: 'relay.test' });
    expect((await ledger.open(0)).map((each) => each.status)).toEqual(['sent']);

    await ledger.settle(result(intent, 'included', { block: 102 }));
    expect(await ledger.open(103)).toEqual([]);
    expect(await ledger.open(102)).toMatchObject([{ status: 'included', seen: { block: 102, blockHash: hashOf(5_000_102) } }]);
  });

  test('an intent stands by itself, wherever in another write it arrives, and whether or not that one succeeds', async () => {
    const ledger = await memoryLedger();
    const before = transaction(0);
    await ledger.intend(before);
    const numbers = Array.from({ length: 40 }, (_, turns) => turns + 1);
    for (const turns of numbers) {
      const sound = turns % 2 === 0;
      const other = ledger.sent(sound ? before.txHash : hashOf(999), {}).then(
        () => true,
        () => false,
      );
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const intent = transaction(turns);
      // Made in the same go, it stands or falls with the others.
      if (turns > 1) await ledger.intend(intent);
      expect(await other).toBe(sound);
    }
    const hashes = (await ledger.open(0)).map(({ txHash }) => txHash);
    expect(hashes).toEqual(expect.arrayContaining(numbers.slice(1).map(hashOf)));
  });

  test('two intents of one go are committed together, or not at all', async () => {
    const ledger = await memoryLedger();
    await ledger.intend(transaction(1));
    const outcomes = await Promise.allSettled([ledger.intend(transaction(2)), ledger.intend(transaction(1))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await ledger.open(0)).map(({ txHash }) => txHash)).toEqual([hashOf(1)]);
    await ledger.intend(transaction(2));
    expect(await ledger.open(0)).toHaveLength(2);
  });

  test('what missed its block is looked at again as long as that block can be taken back', async () => {
    const ledger = await memoryLedger();
    const intent = transaction(1, { targetBlock: 102, lastBlock: 104 });
    await ledger.intend(intent);
    await ledger.sent(intent.txHash, {});
    await ledger.settle(result(intent, 'missed'));
    expect(await ledger.open(105)).toEqual([]);
    expect(await ledger.open(104)).toEqual([{ ...intent, status: 'missed' }]);
    expect((await ledger.spending(0)).gasUsd8).toBe(0n);
  });

  test('what was not mined stays dormant until its nonce is used', async () => {
    const ledger = await memoryLedger();
    const [first, second, third] = [transaction(1, { nonce: 7 }), transaction(2, { nonce: 7 }), transaction(3, { nonce: 8 })];
    for (const each of [first, second, third]) await ledger.intend(each);
    await ledger.settle(result(first, 'missed'));
    await ledger.settle(result(third, 'expired'));
    expect((await ledger.dormant(first.lane)).map(({ txHash }) => txHash)).toEqual([first.txHash, third.txHash]);

    await ledger.settle(result(second, 'included'));
    expect((await ledger.dormant(first.lane)).map(({ txHash }) => txHash)).toEqual([third.txHash]);
    await ledger.reopen(second.txHash);
    expect(await ledger.dormant(first.lane)).toHaveLength(2);
    await ledger.settle(result(third, 'replaced'));
    expect((await ledger.dormant(first.lane)).map(({ txHash }) => txHash)).toEqual([first.txHash]);
  });

  test('a bundle that goes public can lose gas from then on', async () => {
    const ledger = await memoryLedger();
    const intent = transaction(1, { channel: 'bundle' });
    await ledger.intend(intent);
    expect((await ledger.spending(0)).lossUsd8).toBe(0n);
    await ledger.goPublic(intent.txHash);
    expect(await ledger.open(0)).toEqual([{ ...intent, channel: 'public', status: 'intended' }]);
    expect((await ledger.spending(0)).lossUsd8).toBe(intent.worstGasUsd8);
  });

  test('a reorg reopens, and the second result replaces the first', async () => {
    const ledger = await memoryLedger();
    const intent = transaction(1);
    await ledger.intend(intent);
    await ledger.settle(result(intent, 'reverted', { netUsd8: -5_00000000n }));
    await ledger.reopen(intent.txHash);
    expect(await ledger.open(0)).toEqual([{ ...intent, status: 'sent' }]);
    expect(await ledger.spending(0)).toEqual({ gasUsd8: 3_00000000n, lossUsd8: 0n, consecutiveFailures: 0 });

    await ledger.settle(result(intent, 'missed'));
    expect(await ledger.open(intent.lastBlock + 1)).toEqual([]);
    expect(await ledger.spending(0)).toEqual({ gasUsd8: 0n, lossUsd8: 0n, consecutiveFailures: 0 });
  });

  test('what was never intended can be neither sent, made public, settled nor reopened', async () => {
    const ledger = await memoryLedger();
    const stranger = transaction(3);
    const refusal = /was never intended/;
    await expect(ledger.sent(stranger.txHash, {})).rejects.toThrow(refusal);
    await expect(ledger.goPublic(stranger.txHash)).rejects.toThrow(refusal);
    await expect(ledger.settle(result(stranger, 'missed'))).rejects.toThrow(refusal);
    await expect(ledger.reopen(stranger.txHash)).rejects.toThrow(refusal);
  });

  test('the same transaction is not intended twice, nor one attempt in two transactions', async () => {
    const ledger = await memoryLedger();
    await ledger.intend(transaction(1));
    await expect(ledger.intend(transaction(1))).rejects.toThrow(/UNIQUE/);
    await expect(ledger.intend(transaction(2, { attempts: [attempt(1)] }))).rejects.toThrow(/UNIQUE/);
    expect(await ledger.open(0)).toHaveLength(1);
  });

  test.each([
    ['gas of its attempts', { gasWei: 1n, profitWei: 10n ** 17n - 1n }],
    ['bids of its attempts', { bidWei: 1n, profitWei: 10n ** 17n - 10n ** 15n - 1n }],
    ['profit of attempt', { profitWei: 1n }],
    ['not those intended', { attemptId: 'another' }],
  ])('a result that does not add up is refused whole: %s', async (mistake, wrong) => {
    const ledger = await memoryLedger();
    const intent = transaction(1);
    await ledger.intend(intent);
    const right = result(intent, 'included');
    await expect(ledger.settle({ ...right, attempts: right.attempts.map((each) => ({ ...each, ...wrong })) })).rejects.toThrow(mistake);
    expect((await ledger.open(0)).map((each) => each.status)).toEqual(['intended']);
  });

  test('included and reverted need a block, other outcomes must not have one', async () => {
    const ledger = await memoryLedger();
    const intent = transaction(1, { attempts: [] });
    await ledger.intend(intent);
    await expect(ledger.settle({ txHash: intent.txHash, outcome: 'included', attempts: [] })).rejects.toThrow('without a block');
    const mined = result(intent, 'included').mined!;
    await expect(ledger.settle({ txHash: intent.txHash, outcome: 'missed', mined, attempts: [] })).rejects.toThrow('with a block');
  });
});

describe('what the guard asks', () => {
  test('failures count from the last success or reset, in the order of the chain', async () => {
    const ledger = await memoryLedger();
    const failures = async () => (await ledger.spending(0)).consecutiveFailures;
    const all = [1, 2, 3, 4, 5].map((n) => transaction(n));
    for (const each of all) await ledger.intend(each);
    await ledger.settle(result(all[2]!, 'reverted'));
    await ledger.settle(result(all[0]!, 'reverted'));
    await ledger.settle(result(all[1]!, 'included'));
    expect(await failures()).toBe(1);
    await ledger.settle(result(all[3]!, 'included', { netUsd8: -1n }));
    expect(await failures()).toBe(2);
    await ledger.settle(result(all[4]!, 'missed'));
    expect(await failures()).toBe(2);
    await ledger.resetFailures();
    expect(await failures()).toBe(0);
    await ledger.settle(result(all[3]!, 'included', { netUsd8: -1n }));
    expect(await failures()).toBe(0);
  });

  test('figures leave the window with the time they were settled at, open ones never do', async () => {
    let now = 1_000;
    const ledger = await memoryLedger(() => now);
    const [settled, open] = [transaction(1), transaction(2)];
    await ledger.intend(settled);
    await ledger.intend(open);
    await ledger.settle(result(settled, 'reverted', { gasWei: 10n ** 15n, netUsd8: -2_00000000n }));
    expect(await ledger.spending(1_000)).toEqual({ gasUsd8: 5_00000000n, lossUsd8: 2_00000000n, consecutiveFailures: 1 });
    now = 5_000;
    await ledger.settle(result(settled, 'reverted', { gasWei: 10n ** 15n, netUsd8: -2_00000000n }));
    expect(await ledger.spending(1_001)).toEqual({ gasUsd8: 3_00000000n, lossUsd8: 0n, consecutiveFailures: 1 });
  });

  test('gas in USD is rounded up, so that no limit is passed by a fraction', async () => {
    const ledger = await memoryLedger();
    const intent = transaction(1);
    await ledger.intend(intent);
    await ledger.settle(result(intent, 'included', { gasWei: 1n, nativeUsd8: 1n }));
    expect((await ledger.spending(0)).gasUsd8).toBe(1n);
  });

  test('the switch, the relay key and commands outlast a restart', async () => {
    const dir = temporaryDir();
    const first = await openLedger(dir);
    expect(await first.switchState()).toEqual({ state: 'running', reason: undefined });
    await first.setSwitch('paused', 'by hand');
    await first.setSwitch('killed', 'by API');
    await first.put('key', 'one');
    await first.put('key', 'two');
    await first.close();
    const second = await openLedger(dir);
    onTestFinished(() => second.close());
    expect(await second.switchState()).toEqual({ state: 'killed', reason: 'by API' });
    expect(await second.get('key')).toBe('two');
    expect(await second.get('other')).toBeUndefined();
  });
});

test('a decision is kept when it changes, not every block', async () => {
  const dir = temporaryDir();
  const ledger = await openLedger(dir);
  onTestFinished(() => ledger.close());
  const about = { protocol: 'aave-v3', market: 'core', account: attempt(1).account, kind: 'skip' as const };
  await Promise.all([1, 2, 3].map((block) => ledger.decide({ ...about, block, detail: 'below-min-profit' })));
  await ledger.decide({ ...about, block: 4, detail: 'no-route' });
  await ledger.decide({ ...about, block: 5, detail: 'below-min-profit' });
  const reader = await readLedger(dir);
  onTestFinished(() => reader.close());
  const kept = await reader.decisions({ account: about.account }, 10);
  expect(kept.map(({ block, detail }) => [block, detail])).toEqual([
    [5, 'below-min-profit'],
    [4, 'no-route'],
    [1, 'below-min-profit'],
  ]);
});

test('decisions are forgotten after a month, transactions never', async () => {
  const dir = temporaryDir();
  let now = 1_000;
  const about = { protocol: 'aave-v3', market: 'core', account: attempt(1).account, kind: 'skip' as const, detail: 'no-route' };
  const first = await openLedger(dir, () => now);
  await first.decide({ ...about, block: 1 });
  await first.intend(transaction(1));
  await first.close();
  now += 31 * 86_400_000;
  const second = await openLedger(dir, () => now);
  onTestFinished(() => second.close());
  const reader = await readLedger(dir);
  onTestFinished(() => reader.close());
  expect(await reader.decisions({}, 10)).toEqual([]);
  expect(await reader.transactions({})).toHaveLength(1);
});

test('decisions still on their way are written before the ledger closes', async () => {
  const dir = temporaryDir();
  const ledger = await openLedger(dir);
  const written = ledger.decide({ protocol: 'p', market: 'm', account: '0x01', kind: 'plan', block: 1, detail: 'x' });
  await ledger.close();
  await written;
  const reader = await readLedger(dir);
  onTestFinished(() => reader.close());
  expect(await reader.decisions({}, 10)).toHaveLength(1);
});

describe('hedges', () => {
  test('come back as they were saved last, also from the file, until they are forgotten', async () => {
    const dir = temporaryDir();
    const hedge: Hedge = {
      ...{
        id: 'perp-v2/perp 0xb',
        deployment: 'perp-v2/perp',
        market: '0xb',
        phase: 'closing',
        openUntil: 7,
        since: { block: 7, timestamp: 84 },
      },
      ...{ sizeRaw: -(10n ** 30n), valueUsd8: 5n, keepWad: undefined, parts: 4, ordered: { block: 8, sizeRaw: -7n } },
    };
    const first = await openLedger(dir);
    await first.saveHedge({ ...hedge, phase: 'opening', ordered: undefined });
    await first.saveHedge(hedge);
    await first.saveHedge({ ...hedge, id: 'another', keepWad: 3n });
    await first.close();
    const second = await openLedger(dir);
    onTestFinished(() => second.close());
    expect(await second.hedges()).toEqual([hedge, { ...hedge, id: 'another', keepWad: 3n }]);
    await second.forgetHedge('another');
    expect(await second.hedges()).toEqual([hedge]);
  });
});

describe('inventory', () => {
  test('comes back as it was saved last, to the keeper and to readers, until it is forgotten', async () => {
    const dir = temporaryDir();
    const now = { block: 7, timestamp: 84 };
    const unwind: Unwind = {
      ...{ token: '0xb', phase: 'selling', origin: { protocol: 'aave-v3', market: 'core', account: '0xc' }, openUntil: 7, since: now },
      ...{ heldRaw: 10n ** 30n, valueUsd8: 5n, entryUsd8: 6n, parts: 4, ordered: undefined, sold: { now, discountBps: -7n } },
    };
    const found: Unwind = { ...unwind, token: '0xd', origin: undefined, ordered: { now, heldRaw: 9n, discountBps: 0n } };
    const first = await openLedger(dir);
    await first.saveUnwind({ ...unwind, phase: 'opening', heldRaw: 0n });
    await first.saveUnwind(unwind);
    await first.saveUnwind(found);
    await first.close();
    const second = await openLedger(dir);
    onTestFinished(() => second.close());
    expect(await second.unwinds()).toEqual([unwind, found]);
    await second.forgetUnwind('0xd');
    const reader = await readLedger(dir);
    onTestFinished(() => reader.close());
    expect(await reader.inventory()).toEqual([unwind]);
  });
});
