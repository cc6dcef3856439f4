import type { Views } from '../chain/actions/callAt.ts';
import type { Head, ViewAnswer } from '../lib/types.ts';
import { type Entry, failureOf } from './entry.ts';
import type { Failure } from './reports.ts';
import { MirrorError, type Reading } from './types.ts';

/** Far beyond what reading any state takes; a generator that goes on asking is a fault. */
const MAX_ROUNDS = 1_000;

type Run = { readonly entry: Entry; readonly reading: Reading | null; readonly answers: readonly ViewAnswer[] };

/**
 * Reads the state of several Mirrored at one block, their batches of one round merged. An entry whose generator throws is left down and
 * returned as a failure; rejects when the endpoints cannot answer, and then all are left down.
 */
export async function anchorAll(
  views: Views,
  entries: readonly Entry[],
  at: Head,
  onReads: (answered: number) => void,
): Promise<Failure[]> {
  const failures: Failure[] = [];
  let runs = entries.map((entry): Run => ({ entry, reading: null, answers: [] }));
  let answered = 0;
  for (let round = 0; runs.length > 0; round++) {
    const asking = runs.flatMap(({ entry, reading, answers }) => {
      try {
        if (round >= MAX_ROUNDS) throw new MirrorError(`still reads after ${MAX_ROUNDS} rounds`);
        const begun = reading ?? entry.mirrored.anchor(at);
        // NOTE: a generator's first `next` takes no value, so the empty answers do no harm.
        const step = begun.next(answers);
        if (!step.done) return [{ entry, reading: begun, calls: step.value }];
        entry.anchored(at);
      } catch (error) {
        entry.fail(at.number, entry.discoveredTo);
        failures.push(failureOf(entry, 'anchor', error));
      }
      return [];
    });
    const calls = asking.flatMap((run) => run.calls);
    const answers = await views.callAt(at.hash, calls);
    answered += answers.length;
    if (answers.length > 0) onReads(answered);
    let start = 0;
    runs = asking.map((run) => {
      const end = start + run.calls.length;
      const own = answers.slice(start, end);
      start = end;
      return { entry: run.entry, reading: run.reading, answers: own };
    });
  }
  return failures;
}
