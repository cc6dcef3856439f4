import type { ViewAnswer, ViewCall } from '../lib/types.ts';
import type { Reading } from '../mirror/types.ts';

/** Runs readings side by side: what they ask for at the same step becomes one batch. Results in the order given. */
export function* together<T>(readings: readonly Reading<T>[]): Reading<T[]> {
  const results: T[] = [];
  const open = readings.map((reading, place) => ({ reading, place, answers: undefined as readonly ViewAnswer[] | undefined }));
  let running = open;
  while (running.length > 0) {
    const asking: { entry: (typeof open)[number]; calls: readonly ViewCall[] }[] = [];
    for (const entry of running) {
      const step = entry.answers === undefined ? entry.reading.next([]) : entry.reading.next(entry.answers);
      if (step.done) results[entry.place] = step.value;
      else asking.push({ entry, calls: step.value });
    }
    if (asking.length === 0) break;
    const answers = yield asking.flatMap(({ calls }) => calls);
    let from = 0;
    for (const { entry, calls } of asking) {
      entry.answers = answers.slice(from, from + calls.length);
      from += calls.length;
    }
    running = asking.map(({ entry }) => entry);
  }
  return results;
}
