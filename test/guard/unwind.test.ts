import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { restoreUnwinds, stepUnwinds, unwindsUsd8 } from '../../src/guard/unwind.ts';
import type { Stock, Unwind, UnwindBook, UnwindCommand, UnwindEvent, UnwindRules } from '../../src/guard/unwind-types.ts';
import { unwindOf, unwindText } from '../../src/ledger/unwinds.ts';

const USD = 100_000_000n;
const RULES: UnwindRules = {
  ...{ maxInventoryUsd8: 10_000n * USD, leastUsd8: 5n * USD, stopLossBps: 500n, recoveredBps: 20n },
  ...{ patienceBlocks: 10, patienceSeconds: 60 },
};
const TOKEN = '0x00000000000000000000000000000000000000aa';
const ORIGIN = { protocol: 'aave-v3', market: 'core', account: '0xdebtor' };
const EMPTY = restoreUnwinds(RULES, []);

function stock(more: Partial<Stock> = {}): Stock {
  const heldRaw = more.heldRaw ?? 1_000n;
  const priceUsd8 = more.priceUsd8 ?? USD;
  return {
    ...{
      token: TOKEN,
      heldRaw,
      priceUsd8,
      valueUsd8: heldRaw * priceUsd8,
      discountBps: 10n,
      clipRaw: 300n,
      stopClipRaw: 900n,
      busy: false,
    },
    ...more,
  };
}

const at = (block: number) => ({ block, timestamp: 1_000 + 12 * block });

function read(book: UnwindBook, block: number, more: Partial<Stock> = {}): readonly [UnwindBook, readonly UnwindCommand[]] {
  return stepUnwinds(book, { kind: 'read', stock: stock(more) }, at(block));
}

function kinds(commands: readonly UnwindCommand[]): readonly string[] {
  return commands.map(({ kind }) => kind);
}

/** Inventory of 1,000 of which the first child order has been given in block 1. */
function selling(): UnwindBook {
  return read(EMPTY, 1)[0];
}

const wanted = (valueUsd: bigint): UnwindEvent => ({
  ...{ kind: 'wanted', token: TOKEN, valueUsd8: valueUsd * USD, priceUsd8: USD, discountBps: 10n, lastBlock: 9, origin: ORIGIN },
});

describe('a parent order', () => {
  test('is saved before its liquidation may be sent, and waits for it until its last block', () => {
    const [opened, commands] = stepUnwinds(EMPTY, wanted(1_000n), at(1));
    expect(kinds(commands)).toEqual(['save', 'open']);
    const [waiting, none] = read(opened, 8, { heldRaw: 0n });
    expect([waiting.unwinds.size, none]).toEqual([1, []]);
    expect(kinds(read(waiting, 9, { heldRaw: 0n, busy: true })[1])).toEqual([]);
    const [gone, forgotten] = read(waiting, 9, { heldRaw: 0n });
    expect([gone.unwinds.size, kinds(forgotten)]).toEqual([0, ['forget']]);
  });

  test('never takes up more than the limit, what is under way included', () => {
    const [opened] = stepUnwinds(EMPTY, wanted(6_000n), at(1));
    const another = { ...wanted(6_000n), token: '0xbb' };
    expect(stepUnwinds(opened, another, at(2))[1]).toMatchObject([{ kind: 'refuse', reason: 'MAX_INVENTORY_USD' }]);
  });

  test('sells what pools take at once, and the next part once they have recovered', () => {
    const [first, commands] = read(EMPTY, 1);
    expect(commands).toMatchObject([{ kind: 'alert', about: 'found' }, { kind: 'save' }, { kind: 'sell', amountRaw: 300n, urgent: false }]);
    // The same block again gives no second order.
    expect(kinds(read(first, 1)[1])).toEqual([]);
    const [paused, pause] = read(first, 2, { heldRaw: 700n, discountBps: 90n });
    expect(kinds(pause)).toEqual(['save', 'wait']);
    const [, second] = read(paused, 3, { heldRaw: 700n, discountBps: 30n });
    expect(second.at(-1)).toMatchObject({ kind: 'sell', amountRaw: 300n });
  });

  test('waits for pools that do not recover no longer than its patience', () => {
    const off = { heldRaw: 700n, discountBps: 90n };
    const [paused] = read(selling(), 2, off);
    expect(kinds(read(paused, 10, off)[1])).toEqual(['wait']);
    expect(kinds(read(paused, 11, off)[1])).toEqual(['save', 'sell']);
  });

  test('is not ordered from again while an order may be mined, and sells half as much after one that sold nothing', () => {
    expect(kinds(read(selling(), 2, { busy: true })[1])).toEqual([]);
    const [, commands] = read(selling(), 2);
    expect(commands.at(-1)).toMatchObject({ kind: 'sell', amountRaw: 150n });
  });

  test('is sold without waiting, at a larger loss, once its price has fallen too far; the alert goes before the save', () => {
    const fallen = { heldRaw: 700n, discountBps: 300n, priceUsd8: (USD * 94n) / 100n };
    const [stopped, commands] = read(selling(), 2, fallen);
    expect(commands).toMatchObject([
      { kind: 'alert', about: 'stopped' },
      { kind: 'save' },
      { kind: 'sell', amountRaw: 700n, urgent: true },
    ]);
    // Where pools pay what they did, it is sold as before.
    const [, calm] = read(selling(), 2, { ...fallen, discountBps: -550n });
    expect(calm.at(-1)).toMatchObject({ kind: 'sell', amountRaw: 300n, urgent: false });
    // A rise does not bring the waiting back.
    expect(read(stopped, 3, { heldRaw: 100n, discountBps: 300n })[1].at(-1)).toMatchObject({ kind: 'sell', amountRaw: 100n, urgent: true });
  });

  test('ends when what is left is dust', () => {
    expect(kinds(read(selling(), 2, { heldRaw: 4n })[1])).toEqual(['closed', 'forget']);
    expect(kinds(read(EMPTY, 2, { heldRaw: 4n })[1])).toEqual([]);
  });

  test('goes on after a restart as if there had been none, whatever happens', () => {
    const event = fc.record({
      heldRaw: fc.bigInt(0n, 1_000n),
      priceUsd8: fc.bigInt(USD / 2n, 2n * USD),
      discountBps: fc.option(fc.bigInt(-50n, 900n), { nil: undefined }),
      busy: fc.boolean(),
      clipRaw: fc.bigInt(0n, 1_000n),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), (events) => {
        let book = stepUnwinds(EMPTY, wanted(1_000n), at(0))[0];
        let saved = new Map<string, string>([...book.unwinds].map(([token, unwind]) => [token, unwindText(unwind)]));
        for (const [index, more] of events.entries()) {
          const reading = { ...more, clipRaw: more.clipRaw, stopClipRaw: more.clipRaw };
          const [next, commands] = read(book, index + 1, reading);
          const kept: readonly Unwind[] = [...saved.values()].map(unwindOf);
          const [again, same] = read(restoreUnwinds(RULES, kept), index + 1, reading);
          expect(same).toEqual(commands);
          expect(unwindsUsd8(again)).toBe(unwindsUsd8(next));
          for (const command of commands) {
            if (command.kind === 'save') saved = new Map([...saved, [command.token, unwindText(command.unwind)]]);
            if (command.kind === 'forget') saved = new Map([...saved].filter(([token]) => token !== command.token));
            if (command.kind === 'sell') expect(command.amountRaw).toBeLessThanOrEqual(more.heldRaw);
          }
          book = next;
        }
      }),
      { numRuns: 200 },
    );
  });
});
