import type { Heads } from '../chain/heads.ts';
import type { Mirror } from './mirror.ts';
import type { MirrorUpdate } from './reports.ts';

/** Keeps the mirror at the tip: yields what each change of the chain did, until `heads` is closed. While the caller works on one, blocks wait in `heads`. */
export async function* follow(mirror: Mirror, heads: Heads): AsyncGenerator<MirrorUpdate & { readonly arrivedAtMs: number }> {
  for (let event = await heads.next(mirror.head); event !== null; event = await heads.next(mirror.head)) {
    const update = await mirror.onHeads(event);
    if (update.resynced) heads.restart(mirror.recent);
    yield { ...update, arrivedAtMs: event.arrivedAtMs };
  }
}
