import type { Journal } from '../mirror/journal.ts';
import type { Undo } from '../mirror/types.ts';
import type { Moment } from '../oracles/types.ts';

/** What a protocol works out for a moment: made once for each, and worthless as soon as the state that it rests on changes. */
export class Lenses<L extends object> {
  readonly #make: (at: Moment) => L;
  #made = new WeakMap<Moment, L>();

  constructor(make: (at: Moment) => L) {
    this.#make = make;
  }

  at(moment: Moment): L {
    let lens = this.#made.get(moment);
    if (lens === undefined) {
      lens = this.#make(moment);
      this.#made.set(moment, lens);
    }
    return lens;
  }

  forget(): void {
    this.#made = new WeakMap();
  }

  /** Closes what the journal took down since it was begun; forgets now, and again when it is undone. */
  changed(journal: Journal): Undo {
    const undo = journal.take();
    this.forget();
    return () => {
      undo();
      this.forget();
    };
  }
}
