import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import { intOf, uintOf, viewCall } from '../lib/words.ts';
import { Journal, nothing } from '../mirror/journal.ts';
import type { Mirrored, Reading, Undo, ViewCheck } from '../mirror/types.ts';

const latestRoundData = viewCall('function latestRoundData()');

type Told = { readonly answer: bigint | undefined; readonly startedAt: bigint | undefined };

/** An L2's uptime feed, read once a block: logs may have been forced in while the sequencer was down, and tell no start. */
export class SequencerFeed implements Mirrored {
  readonly id = 'sequencer';
  readonly fromBlock = 0;
  readonly #feed: Address;
  readonly #journal = new Journal();
  readonly #state: { told: Told } = { told: { answer: undefined, startedAt: undefined } };

  constructor(feed: Address) {
    this.#feed = feed;
  }

  /** Chainlink's uptime feeds: 0 is up, 1 is down, since `startedAt`. Undefined where the feed does not answer. */
  get told(): Told {
    return this.#state.told;
  }

  discoveryFilters(): readonly LogFilter[] {
    return [];
  }

  discover(_logs: readonly RawLog[]): void {}

  *anchor(block: Head): Reading {
    this.#journal.stop();
    this.#take(yield this.reads(block));
  }

  filters(): readonly LogFilter[] {
    return [];
  }

  apply(_block: Head, _logs: readonly RawLog[]): Undo {
    return nothing;
  }

  reads(_block: Head): readonly ViewCall[] {
    return [latestRoundData(this.#feed)];
  }

  ingest(_block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    this.#take(answers);
    return this.#journal.take();
  }

  audit(_block: BlockRef, _limit: number, _seed: number): readonly ViewCheck[] {
    return [];
  }

  #take([round]: readonly ViewAnswer[]): void {
    this.#journal.set(this.#state, 'told', { answer: intOf(round, 1), startedAt: uintOf(round, 2) });
  }
}
