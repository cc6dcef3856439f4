import { decodeSnapshot } from '../../src/mirror/snapshots/format.ts';
import { Restoring } from '../../src/mirror/snapshots/restore.ts';
import { type Keeper, takeSnapshot } from '../../src/mirror/snapshots/take.ts';

/** A snapshot's file, in memory. */
export async function fileOf(keeper: Keeper, chainId = 31337): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const taken = await takeSnapshot(keeper, chainId, { add: (part) => void parts.push(Buffer.from(part)), drain: async () => {} });
  if (taken.kind !== 'taken') throw new Error(taken.reason);
  return Buffer.concat(parts);
}

/** For a start after this; whatever is not restored fails the test. */
export function restoring(file: Uint8Array, restored: string[] = []): Restoring {
  return new Restoring(decodeSnapshot(file), (event) => {
    if (event.kind === 'restored') restored.push(event.id);
    else if (event.reason !== 'it was not kept') throw new Error(`${event.id}: ${event.reason}`);
  });
}
