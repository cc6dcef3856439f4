import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** With less than this in it there is room for what an update takes. */
const LITTLE_BYTES = 4_000_000;

type Collect = (options: { readonly type: 'minor' }) => void;

/**
 * Collects the objects that were made lately, where there are many: that stops everything for milliseconds, and would otherwise happen when their space is
 * full, perhaps between a price update and its bundle. NOTE: it takes as long as what is still in use of them, so it is asked for when a block is done.
 */
export class Nursery {
  readonly #collect: Collect;

  constructor() {
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as Collect;
  }

  tidy(): void {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young !== undefined && young.space_used_size > LITTLE_BYTES) this.#collect({ type: 'minor' });
  }
}
