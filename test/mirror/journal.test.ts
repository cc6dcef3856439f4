import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../src/mirror/journal.ts';

type State = { field: number | undefined; list: number[]; map: Map<number, number>; set: Set<number>; floats: Float64Array };
type Change = {
  what: 'field' | 'element' | 'push' | 'setKey' | 'deleteKey' | 'addTo' | 'removeFrom' | 'float' | 'own';
  key: number;
  value: number;
};

const start = (): State => ({ field: 1, list: [1, 2, 3], map: new Map([[1, 1]]), set: new Set([1]), floats: new Float64Array(4) });
const change: fc.Arbitrary<Change> = fc.record({
  what: fc.constantFrom('field', 'element', 'push', 'setKey', 'deleteKey', 'addTo', 'removeFrom', 'float', 'own'),
  key: fc.nat(3),
  value: fc.nat(9),
});

function perform(journal: Journal, state: State, { what, key, value }: Change): void {
  if (what === 'field') journal.set(state, 'field', value);
  if (what === 'element') journal.set(state.list, key % state.list.length, value);
  if (what === 'float') journal.set(state.floats, key, value / 3);
  if (what === 'push') journal.push(state.list, value);
  if (what === 'setKey') journal.setKey(state.map, key, value);
  if (what === 'deleteKey') journal.deleteKey(state.map, key);
  if (what === 'addTo') journal.addTo(state.set, key);
  if (what === 'removeFrom') journal.removeFrom(state.set, key);
  if (what === 'own') {
    const before = state.list[0]!;
    journal.record(() => {
      state.list[0] = before;
    });
    state.list[0] = before + value;
  }
}

describe('a journal', () => {
  it('takes back any changes, block by block', () => {
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 6 }), (blocks) => {
        const [state, journal] = [start(), new Journal()];
        const undone: [State, () => void][] = [];
        for (const changes of blocks) {
          const before = structuredClone(state);
          journal.begin();
          for (const one of changes) perform(journal, state, one);
          undone.push([before, journal.take()]);
        }
        for (const [before, undo] of undone.toReversed()) {
          undo();
          expect(state).toEqual(before);
        }
      }),
    );
  });

  it('removes a field again that was not there', () => {
    const [state, journal]: [{ field?: number }, Journal] = [{}, new Journal()];
    journal.begin();
    journal.set(state, 'field', 1);
    journal.take()();
    expect('field' in state).toBe(false);
  });

  it('changes just the same, and remembers nothing, while it does not record', () => {
    const [state, journal] = [start(), new Journal()];
    journal.setKey(state.map, 5, 5);
    journal.begin();
    journal.take()();
    expect(state.map.get(5)).toBe(5);
  });

  it('never takes back what came before a record that was left open', () => {
    const [state, journal] = [start(), new Journal()];
    journal.begin();
    journal.push(state.list, 4);
    journal.begin();
    journal.push(state.list, 5);
    journal.take()();
    expect(state.list).toEqual([1, 2, 3, 4]);
  });
});
