import type { BlockReport, Mismatch } from './reports.ts';

type Doubt = {
  readonly reason: string;
  /** Read anew after a difference: trusted again once a block has been audited without another one. */
  readonly onProbation: boolean;
  readonly cause: 'failure' | 'difference';
};

/** What one block changed about trust. */
export type TrustChange = {
  readonly suspended: readonly string[];
  readonly resumed: readonly string[];
  readonly reread: readonly string[];
};

/**
 * Which mirrored things are not acted on, and why. One that failed is trusted again as soon as it has been read anew. One that differed from
 * the chain has also to pass the next block's audit, which looks first at what differed: a state that is wrong for good would otherwise be acted on
 * for a block after every reading. The pauses between readings are the mirror's.
 */
export class Distrust {
  readonly #doubts = new Map<string, Doubt>();

  /** Undefined while it is trusted. */
  reason(id: string): string | undefined {
    return this.#doubts.get(id)?.reason;
  }

  get ids(): readonly string[] {
    return [...this.#doubts.keys()];
  }

  /** It could not be read, or threw. True when it was trusted until now. */
  failed(id: string, reason: string): boolean {
    const trusted = !this.#doubts.has(id);
    const before = this.#doubts.get(id);
    this.#doubts.set(id, { reason, onProbation: false, cause: before?.cause ?? 'failure' });
    return trusted;
  }

  /** @param live is its state that of the block? */
  onBlock({ audited, mismatches, failures, anchored }: BlockReport, live: (id: string) => boolean): TrustChange {
    const suspended: string[] = [];
    const resumed: string[] = [];
    // One line for each: the first difference tells enough.
    const open = mismatches.filter(({ mended }) => mended === undefined);
    const first = open.filter(({ id }, index) => open.findIndex((other) => other.id === id) === index);
    for (const mismatch of first) {
      if (!this.#doubts.has(mismatch.id)) suspended.push(mismatch.id);
      this.#doubts.set(mismatch.id, { reason: described(mismatch), onProbation: false, cause: 'difference' });
    }
    for (const { id, during, error } of failures) if (this.failed(id, `${during}: ${error.message}`)) suspended.push(id);
    // Only what was read before this block has been through its audit.
    const tested = audited > 0 ? this.#those(({ onProbation }) => onProbation) : [];
    const passed = tested.filter((id) => live(id) && !anchored.includes(id));
    for (const id of anchored) {
      const doubt = this.#doubts.get(id);
      if (doubt?.cause === 'difference') this.#doubts.set(id, { ...doubt, onProbation: true });
      else if (doubt !== undefined) passed.push(id);
    }
    for (const id of passed) if (this.#doubts.delete(id)) resumed.push(id);
    return { suspended, resumed, reread: first.map(({ id }) => id) };
  }

  #those(which: (doubt: Doubt) => boolean): string[] {
    return [...this.#doubts].filter(([, doubt]) => which(doubt)).map(([id]) => id);
  }
}

function described({ subject, ours, theirs }: Mismatch): string {
  return `${subject}: ${ours} here, ${theirs} on the chain`;
}
