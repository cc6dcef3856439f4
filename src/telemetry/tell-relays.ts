import type { RelayNotice } from '../execution/relays/panel.ts';
import type { Emit } from './events.ts';
import type { Metrics } from './metrics.ts';

/** Every answer of a relay as a figure; that it rests, and that it is back, as a line. */
export function tellRelays(emit: Emit, metrics: Metrics): (notice: RelayNotice) => void {
  return (notice) => {
    const { relay } = notice;
    switch (notice.kind) {
      case 'answered': {
        const { call, answer, ms } = notice;
        metrics.relayCalls.inc({ relay, call, answer });
        metrics.relayLatency.observe({ relay, call }, ms / 1_000);
        break;
      }
      case 'landed':
        metrics.relayLanded.set({ relay }, notice.landed);
        break;
      case 'resting': {
        const { kind: _, ...fields } = notice;
        metrics.relayResting.set({ relay, call: notice.call }, 1);
        emit('relay.resting', fields);
        break;
      }
      case 'back':
        metrics.relayResting.set({ relay, call: notice.call }, 0);
        emit('relay.back', { relay, call: notice.call });
        break;
    }
  };
}
