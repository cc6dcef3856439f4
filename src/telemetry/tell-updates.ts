import type { UpdateEvent } from '../oracles/update-stream.ts';
import type { PriceUpdate } from '../oracles/updates.ts';
import type { Emit } from './events.ts';

/** Anybody can send what is rejected: so many lines between two blocks, and a count of the others. */
const REJECTIONS_TOLD = 10;

/** Price updates that are not mined yet, as lines of the log. */
export class UpdateTeller {
  readonly #emit: Emit;
  #rejections = 0;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  tell(event: UpdateEvent): void {
    if (event.kind === 'pending') this.#emit('update.seen', fieldsOf(event.update));
    else if (event.kind === 'gone') this.#emit('update.gone', { ...fieldsOf(event.update), reason: event.why });
    else if (event.kind === 'unverified') this.#emit('update.unverified', { ...fieldsOf(event.update), reason: event.because });
    else if (event.kind === 'rejected' && this.#rejections++ < REJECTIONS_TOLD) {
      const { sighting, aggregator, reason } = event.rejected;
      this.#emit('update.rejected', { updateTxHash: sighting.txHash, from: sighting.kind, aggregator, reason });
    }
  }

  /** Another block begins. */
  onBlock(): void {
    const untold = this.#rejections - REJECTIONS_TOLD;
    if (untold > 0) this.#emit('update.rejected', { reason: 'more of them', count: untold });
    this.#rejections = 0;
  }
}

function fieldsOf({ sighting, transmission, feeds }: PriceUpdate) {
  return {
    updateTxHash: sighting.txHash,
    from: sighting.kind,
    aggregator: transmission.aggregator,
    feeds: [...feeds.keys()].join(','),
    answer: String(transmission.median),
  };
}
