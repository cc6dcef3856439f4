import type { SnapshotEvent } from '../mirror/snapshots/service.ts';
import type { EventFields, EventName } from './events.ts';

/** What happens to snapshots, as lines of the log. */
export function tellSnapshots(tell: (event: EventName, fields: EventFields) => void): (event: SnapshotEvent) => void {
  return (event) => {
    switch (event.kind) {
      case 'refused':
        return tell('snapshot.refused', { file: event.file, reason: event.reason });
      case 'used':
        return tell('snapshot.used', { block: event.first.number, hash: event.first.hash });
      case 'restored':
        return tell('snapshot.restored', { id: event.id, block: event.to });
      case 'not-restored':
        return tell('snapshot.refused', { id: event.id, reason: event.reason });
      case 'taken': {
        const { first, bytes, ms, longestPauseMs, longestWorkMs } = event;
        return tell('snapshot.taken', {
          block: first.number,
          bytes,
          ms: Math.round(ms),
          longestPauseMs: Number(longestPauseMs.toFixed(2)),
          longestWorkMs: Number(longestWorkMs.toFixed(2)),
        });
      }
      case 'abandoned':
      case 'failed':
        return tell('snapshot.failed', { reason: event.reason });
    }
  };
}
