import type { SyncProgress } from '../mirror/reports.ts';
import type { EventFields } from './events.ts';

const EVERY_MS = 1_000;

/** Progress for people: once a second, not for every block. */
export function progressTo(tell: (fields: EventFields) => void): (progress: SyncProgress) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (progress) => {
    if (performance.now() - last < EVERY_MS) return;
    last = performance.now();
    tell(progress);
  };
}
