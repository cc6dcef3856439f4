import { explainError } from '../../lib/errors.ts';
import type { Mirrored } from '../types.ts';
import type { Snapshot } from './format.ts';

/** What became of each Mirrored that keeps anything. */
export type Restored =
  | { readonly kind: 'restored'; readonly id: string; readonly to: number }
  | { readonly kind: 'not-restored'; readonly id: string; readonly reason: string };

/** Hands out what a snapshot holds, each part to the Mirrored that it was taken from. */
export class Restoring {
  #snapshot: Snapshot | undefined;
  readonly #tell: (restored: Restored) => void;

  constructor(snapshot: Snapshot, tell: (restored: Restored) => void) {
    this.#snapshot = snapshot;
    this.#tell = tell;
  }

  /** Everybody has theirs: it need not be kept in memory any longer. */
  release(): void {
    this.#snapshot = undefined;
  }

  /** The block up to which it knows everything now; undefined where it knows no more than before. */
  into({ id, fromBlock, keeping }: Mirrored): number | undefined {
    const snapshot = this.#snapshot;
    if (keeping === undefined || snapshot === undefined) return undefined;
    const { entries } = snapshot;
    const place = entries.findIndex((entry) => entry.id === id);
    const entry = entries[place];
    const refuse = (reason: string) => this.#tell({ kind: 'not-restored', id, reason });
    if (entry === undefined) return void refuse('it was not kept');
    if (entry.shape !== keeping.shape) return void refuse('it was kept by another version, or of other contracts');
    if (entry.fromBlock > fromBlock) return void refuse(`it was kept from block ${entry.fromBlock} on only`);
    try {
      keeping.restore(snapshot.pieces(place));
    } catch (error) {
      return void refuse(explainError(error));
    }
    this.#tell({ kind: 'restored', id, to: entry.to });
    return entry.to;
  }
}
