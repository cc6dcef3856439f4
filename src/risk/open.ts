import { grown } from '../lib/grown.ts';
import { type Entries, MET, OPEN, PLACE } from './entries.ts';

/** The positions that are looked at at every moment, whatever limits they still have. */
export class Open {
  readonly #entries: Entries;
  #headers = new Int32Array(0);
  #length = 0;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  get length(): number {
    return this.#length;
  }

  /** NOTE: good until one is added or removed. */
  get headers(): Int32Array {
    return this.#headers.subarray(0, this.#length);
  }

  has(header: number): boolean {
    return this.#entries.integers[2 * header + MET] === OPEN;
  }

  /** NOTE: it stays in its ladders, where whoever meets it passes it by: taking thousands out at once would take long. */
  add(header: number): void {
    const { integers } = this.#entries;
    if (integers[2 * header + MET] === OPEN) return;
    if (this.#length === this.#headers.length) this.#headers = grown(this.#headers, this.#length + 1);
    integers[2 * header + MET] = OPEN;
    integers[2 * header + PLACE] = this.#length;
    this.#headers[this.#length++] = header;
  }

  /** The last one takes its place. */
  remove(header: number, walk: number): void {
    const { integers } = this.#entries;
    if (integers[2 * header + MET] !== OPEN) return;
    const place = integers[2 * header + PLACE]!;
    const last = this.#headers[--this.#length]!;
    this.#headers[place] = last;
    integers[2 * last + PLACE] = place;
    integers[2 * header + MET] = walk;
  }
}
