/** A Watch that goes on from moment to moment, held against judging every position anew. */
import { expect } from 'vitest';
import type { FeedId, Moment } from '../../src/oracles/types.ts';
import type { Protocol } from '../../src/protocols/types.ts';
import { type Judged, Watch } from '../../src/risk/candidates.ts';

export class WatchCheck {
  readonly #protocol: Protocol;
  readonly #feeds: () => readonly FeedId[];
  readonly #watch = new Watch();
  readonly #full = new Watch();
  #judged = 0;
  #turn = 0;
  /** Positions there were to judge, and candidates among them, over all moments. */
  positions = 0;
  candidates = 0;

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
    this.#feeds = () => protocol.feeds();
  }

  /** Positions that the Watch judged at all. */
  get judged(): number {
    return this.#judged;
  }

  /** At this moment for good, and at some that may never come: each feed a little off, one after another, and much later. */
  look(at: Moment): void {
    this.#compare((watch, protocols) => watch.judge(protocols, at, at.number));
    const feeds = this.#feeds();
    const feed = feeds[this.#turn++ % Math.max(1, feeds.length)];
    for (const percent of [70n, 97n, 103n, 0n])
      this.#compare((watch, protocols) => watch.foresee(protocols, moved(at, feed, percent), at.number + 1));
    this.#compare((watch, protocols) => watch.foresee(protocols, { ...at, timestamp: at.timestamp + 40_000_000 }, at.number + 1));
  }

  #compare(judge: (watch: Watch, protocols: readonly Protocol[]) => Judged): void {
    const found = judge(this.#watch, [counting(this.#protocol, () => this.#judged++)]);
    const all = judge(this.#full, [inFull(this.#protocol)]);
    expect(plain(found)).toEqual(plain(all));
    this.positions += all.positions;
    this.candidates += all.candidates.length;
  }
}

function plain({ candidates, positions, unknown }: Judged) {
  return { candidates, positions, unknown: unknown.map(({ slot, reason }) => `${slot} ${reason}`) };
}

function moved(at: Moment, feed: FeedId | undefined, percent: bigint): Moment {
  return {
    ...at,
    answer(asked) {
      const known = at.answer(asked);
      return known === undefined || asked !== feed ? known : { ...known, answer: (known.answer * percent) / 100n };
    },
  };
}

/** The same protocol, which says nothing of how far its positions are from anything. */
function inFull(protocol: Protocol): Protocol {
  return changed(protocol, { bounds: undefined });
}

function counting(protocol: Protocol, count: () => void): Protocol {
  return changed(protocol, {
    judge(slot, at) {
      count();
      return protocol.judge(slot, at);
    },
  });
}

function changed(protocol: Protocol, change: Partial<Protocol>): Protocol {
  return new Proxy(protocol, {
    get(target, name: keyof Protocol) {
      if (name in change) return change[name];
      const value: unknown = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
