import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inventoryUsd8, restoreHedges, roomUsd8, stepHedges } from '../../src/guard/hedge.ts';
import type { Hedge, HedgeBook, HedgeCommand, HedgeEvent, HedgeRules, Held, Now } from '../../src/guard/hedge-types.ts';

const RULES: HedgeRules = { deadlineBlocks: 6, deadlineSeconds: 60, maxInventoryUsd8: 10_000n };
const VENUE = 'perp-v2/perp';
const SECONDS = 12;

function at(block: number): Now {
  return { block, timestamp: 1_000 + block * SECONDS };
}

function held(sizeRaw: bigint, market = 'ETH', valueUsd8 = 5_000n): Held {
  return { market, sizeRaw, valueUsd8 };
}

function reading(...positions: Held[]): HedgeEvent {
  return { kind: 'read', deployment: VENUE, held: positions, busy: false };
}

function kinds(commands: readonly HedgeCommand[]): string[] {
  return commands.map(({ kind }) => kind);
}

function empty(rules = RULES): HedgeBook {
  return restoreHedges(rules, [], false);
}

const wants: HedgeEvent = { kind: 'wanted', deployment: VENUE, market: 'ETH', valueUsd8: 6_000n, lastBlock: 2, keepWad: 7n };

describe('the first leg', () => {
  test('is saved before it is opened, and counts as inventory from then on', () => {
    const [book, commands] = stepHedges(empty(), wants, at(1));
    expect(kinds(commands)).toEqual(['save', 'open']);
    expect(inventoryUsd8(book)).toBe(6_000n);
    expect(roomUsd8(book)).toBe(4_000n);
  });

  test('is refused beyond MAX_INVENTORY_USD, once killed, and where something is held', () => {
    const [book] = stepHedges(empty(), wants, at(1));
    const other: HedgeEvent = { ...wants, market: 'BTC' };
    expect(stepHedges(book, other, at(1))[1]).toEqual([{ kind: 'refuse', id: `${VENUE} BTC`, reason: 'MAX_INVENTORY_USD' }]);
    expect(stepHedges(restoreHedges(RULES, [], true), wants, at(1))[1]).toMatchObject([{ kind: 'refuse', reason: 'killed' }]);
    const [holding] = stepHedges(empty(), reading(held(5n)), at(1));
    expect(stepHedges(holding, wants, at(1))[1]).toMatchObject([{ kind: 'refuse', reason: 'a position is held there already' }]);
  });

  test('that was never mined is forgotten once it cannot be any more', () => {
    const [book] = stepHedges(empty(), wants, at(1));
    const [waiting, none] = stepHedges(book, reading(), at(1));
    expect(none).toEqual([]);
    const [gone, commands] = stepHedges(waiting, reading(), at(2));
    expect(kinds(commands)).toEqual(['forget']);
    expect(gone.hedges.size).toBe(0);
  });

  test('that was mined is followed by the second, for all of it', () => {
    const [book] = stepHedges(empty(), wants, at(1));
    const [after, commands] = stepHedges(book, reading(held(-100n)), at(2));
    expect(commands.at(-1)).toMatchObject({ kind: 'reduce', amountRaw: 100n, whole: true, atAnyPrice: false, keepWad: 7n });
    const [, closed] = stepHedges(after, reading(), at(3));
    expect(kinds(closed)).toEqual(['closed', 'forget']);
  });
});

describe('the second leg', () => {
  test('that nobody opened here is told of, and closed all the same', () => {
    const [, commands] = stepHedges(empty(), reading(held(100n)), at(1));
    expect(kinds(commands)).toEqual(['alert', 'save', 'reduce']);
    expect(commands[0]).toMatchObject({ about: 'found', sizeRaw: 100n });
  });

  test('waits for an order that is under way, but not beyond its deadline', () => {
    const [book] = stepHedges(empty(), reading(held(100n)), at(1));
    const busy: HedgeEvent = { kind: 'read', deployment: VENUE, held: [held(100n)], busy: true };
    expect(kinds(stepHedges(book, busy, at(2))[1])).toEqual([]);
    expect(kinds(stepHedges(book, busy, at(7))[1])).toEqual(['alert', 'kill', 'save']);
  });

  test('goes on in smaller orders while nothing is filled, and in larger ones when something is', () => {
    let [book] = stepHedges(empty(), reading(held(100n)), at(1));
    const amounts: bigint[] = [];
    for (const [block, size] of [
      [2, 100n],
      [3, 100n],
      [4, 75n],
      [5, 37n],
    ] as const) {
      const [next, commands] = stepHedges(book, reading(held(size)), at(block));
      book = next;
      amounts.push(...commands.flatMap((command) => (command.kind === 'reduce' ? [command.amountRaw] : [])));
    }
    expect(amounts).toEqual([50n, 25n, 37n, 37n]);
  });

  test('past its deadline sends an alert, then kills, and flattens everything at any price', () => {
    const [book] = stepHedges(empty(), reading(held(100n), held(-7n, 'BTC')), at(1));
    const [killed, commands] = stepHedges(book, reading(held(100n), held(-7n, 'BTC')), at(7));
    expect(commands.filter(({ kind }) => kind !== 'save').map(({ kind, id }) => `${kind} ${id.split(' ')[1]}`)).toEqual([
      ...['alert ETH', 'kill ETH', 'reduce ETH', 'reduce BTC'],
    ]);
    for (const command of commands) if (command.kind === 'reduce') expect(command).toMatchObject({ atAnyPrice: true });
    expect([...killed.hedges.values()].map(({ phase }) => phase)).toEqual(['flattening', 'flattening']);
    expect(stepHedges(killed, wants, at(8))[1]).toMatchObject([{ kind: 'refuse' }]);
  });

  test('past its deadline where nothing can be read is killed all the same', () => {
    const [book] = stepHedges(empty(), reading(held(100n)), at(1));
    expect(kinds(stepHedges(book, { kind: 'unread', deployment: VENUE }, at(7))[1])).toEqual(['alert', 'kill', 'save']);
    expect(kinds(stepHedges(book, { kind: 'unread', deployment: 'another' }, at(7))[1])).toEqual([]);
  });

  test('needs blocks and seconds to be late', () => {
    const [book] = stepHedges(empty(), reading(held(100n)), at(1));
    const quick: Now = { block: 50, timestamp: at(1).timestamp + 59 };
    expect(kinds(stepHedges(book, reading(held(100n)), quick)[1])).not.toContain('kill');
  });

  test('of more than MAX_INVENTORY_USD is late from the start', () => {
    const [, commands] = stepHedges(empty(), reading(held(100n, 'ETH', 10_001n)), at(1));
    expect(kinds(commands)).toEqual(['alert', 'alert', 'kill', 'save', 'reduce']);
  });

  test('is flattened when an operator kills, and a resume does not take that back', () => {
    const [book] = stepHedges(empty(), reading(held(100n)), at(1));
    const [killed] = stepHedges(book, { kind: 'switched', killed: true }, at(2));
    const [resumed] = stepHedges(killed, { kind: 'switched', killed: false }, at(3));
    expect(stepHedges(resumed, reading(held(100n)), at(4))[1].at(-1)).toMatchObject({ kind: 'reduce', atAnyPrice: true });
  });
});

/** What a keeper is to its reducer: durable state, a switch, orders that may or may not be filled, and death at any command. */
class Life {
  readonly saved = new Map<string, Hedge>();
  readonly alerts = new Set<string>();
  killed = false;
  book = empty();
  orders: Extract<HedgeCommand, { kind: 'reduce' }>[] = [];
  /** First durable sight of each position that is still held. */
  readonly since = new Map<string, Now>();

  /** @param survives how many commands are performed before it dies; all where undefined. */
  step(event: HedgeEvent, now: Now, survives?: number): readonly HedgeCommand[] {
    const [next, commands] = stepHedges(this.book, event, now);
    for (const [index, command] of commands.entries()) {
      if (index === survives) {
        this.book = restoreHedges(RULES, [...this.saved.values()], this.killed);
        return commands.slice(0, index);
      }
      this.#perform(command, now);
    }
    this.book = next;
    return commands;
  }

  #perform(command: HedgeCommand, now: Now): void {
    if (command.kind === 'save') {
      this.saved.set(command.id, command.hedge);
      if (command.hedge.phase !== 'opening' && !this.since.has(command.id)) this.since.set(command.id, now);
    }
    if (command.kind === 'forget') {
      this.saved.delete(command.id);
      this.since.delete(command.id);
    }
    if (command.kind === 'kill') this.killed = true;
    if (command.kind === 'alert') this.alerts.add(`${command.about} ${command.id}`);
    if (command.kind === 'reduce') this.orders.push(command);
  }
}

const moves = fc.array(
  fc.record({
    wants: fc.boolean(),
    opens: fc.boolean(),
    busy: fc.boolean(),
    unread: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
    fill: fc.integer({ min: 0, max: 100 }),
    filled: fc.boolean(),
    operator: fc.constantFrom(undefined, undefined, undefined, undefined, 'kill', 'resume'),
    dies: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 4 }),
    skips: fc.integer({ min: 1, max: 3 }),
    market: fc.constantFrom('ETH', 'BTC'),
  }),
  { minLength: 5, maxLength: 60 },
);

test('whatever happens: no position beyond its deadline without an alert and the kill switch, each command has its hedge, and an event heard twice changes nothing', () => {
  fc.assert(
    fc.property(moves, fc.bigInt({ min: 1n, max: 10n ** 21n }), (all, size) => {
      const life = new Life();
      const chain = new Map<string, bigint>();
      let block = 1;
      let operators = false;
      for (const move of all) {
        block += move.skips;
        const now = at(block);
        const id = `${VENUE} ${move.market}`;
        operators ||= move.operator === 'kill';
        if (move.operator !== undefined) {
          life.killed = move.operator === 'kill';
          life.step({ kind: 'switched', killed: life.killed }, now);
        }
        for (const { id: of, amountRaw } of life.orders.splice(0)) {
          const market = of.split(' ')[1]!;
          const position = chain.get(market) ?? 0n;
          expect(amountRaw > 0n).toBe(true);
          if (!move.filled || position === 0n) continue;
          expect(amountRaw <= abs(position)).toBe(true);
          const done = (amountRaw * BigInt(move.fill)) / 100n;
          chain.set(market, position > 0n ? position - done : position + done);
        }
        const positions = () => [...chain].map(([market, sizeRaw]) => held(sizeRaw, market, 1_000n));
        const event: HedgeEvent = move.unread
          ? { kind: 'unread', deployment: VENUE }
          : { kind: 'read', deployment: VENUE, held: positions(), busy: move.busy };
        const before = life.book;
        const commands = life.step(event, now, move.dies ?? undefined);
        for (const command of commands)
          expect(before.hedges.has(command.id) || life.saved.has(command.id) || known(event, command.id)).toBe(true);
        if (move.dies === null) {
          const [again, repeated] = stepHedges(life.book, event, now);
          expect(repeated).toEqual([]);
          expect(again).toEqual(life.book);
        }
        for (const [late, since] of life.since) {
          if (block < since.block + RULES.deadlineBlocks || move.dies !== null) continue;
          expect(life.book.hedges.get(late)?.phase).toBe('flattening');
          // The operator's kill, or another position's deadline, may have come before this one's own.
          expect(operators || [...life.alerts].some((alert) => alert.startsWith('overdue'))).toBe(true);
        }
        if (move.wants && chain.get(move.market) === undefined) {
          const wanted = { ...wants, market: move.market, valueUsd8: 1_000n, lastBlock: block + 1 } as const;
          const opened = life.step(wanted, now, move.dies ?? undefined).some(({ kind }) => kind === 'open');
          if (opened) expect(life.saved.has(id)).toBe(true);
          if (opened) expect(life.killed).toBe(false);
          if (opened && move.opens) chain.set(move.market, move.filled ? size : -size);
        }
        expect(inventoryUsd8(life.book) <= RULES.maxInventoryUsd8).toBe(true);
      }
    }),
    { numRuns: 400, seed: 6 },
  );
});

function known(event: HedgeEvent, id: string): boolean {
  return event.kind === 'read' && event.held.some(({ market, sizeRaw }) => sizeRaw !== 0n && `${event.deployment} ${market}` === id);
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
