/** Whether others come for what is liquidatable: of positions that were there and worth it, how many still were a block later. Pure. */

/** The end of one try at a liquidation. */
export type Try = {
  readonly block: number;
  /** The position, as long as it stays liquidatable. */
  readonly name: string;
  readonly surplusUsd: number;
  readonly won: boolean;
};

type Tally = { readonly stayed: number; readonly taken: number };

/** By size, and the last try at each position that may be tried again. */
export type RivalBook = { readonly sizes: readonly Tally[]; readonly waiting: ReadonlyMap<string, Try> };

/** Upper ends of the sizes, USD of what is left after gas; beyond the last one more. */
const SIZES_USD = [100, 1_000, 10_000, 100_000];
/** What is believed of a size without evidence counts for so many: as many stayed as of the next larger size, and of the largest none. */
const PRIOR_TRIES = 4;
/** So many of a size are kept in mind: older ones fade. */
const MEMORY = 64;
/** What is not tried again for so many blocks is gone: taken by somebody else, unless we had it. */
const RETRIED_WITHIN = 5;
const MOST_WAITING = 256;

export function noRivalsSeen(): RivalBook {
  return { sizes: Array.from({ length: SIZES_USD.length + 1 }, () => ({ stayed: 0, taken: 0 })), waiting: new Map() };
}

/** The book after a try: that there is another one in a later block says that the position stayed, whoever had a part of it before. */
export function afterTry(book: RivalBook, one: Try): RivalBook {
  const due = until(book, one.block);
  const before = due.waiting.get(one.name);
  const waiting = new Map(due.waiting);
  waiting.delete(one.name);
  const won = one.won || (before?.block === one.block && before.won);
  waiting.set(one.name, { ...one, won });
  const [oldest] = waiting.keys();
  if (waiting.size > MOST_WAITING && oldest !== undefined) waiting.delete(oldest);
  const stayed = before !== undefined && before.block < one.block;
  return { sizes: stayed ? counted(due.sizes, before.surplusUsd, { stayed: 1, taken: 0 }) : due.sizes, waiting };
}

/** The book at the end of a block: what was not ours and is not tried any more was somebody else's. */
export function until({ sizes, waiting }: RivalBook, block: number): RivalBook {
  const over = [...waiting.values()].filter((one) => one.block + RETRIED_WITHIN < block);
  if (over.length === 0) return { sizes, waiting };
  const names = new Set(over.map(({ name }) => name));
  const taken = over.filter(({ won }) => !won);
  return {
    sizes: taken.reduce((all, { surplusUsd }) => counted(all, surplusUsd, { stayed: 0, taken: 1 }), sizes),
    waiting: new Map([...waiting].filter(([name]) => !names.has(name))),
  };
}

/** That a position of this size is still there a block later; 0 without evidence of it or of larger ones, which nobody leaves alone sooner. */
export function staysChance({ sizes }: RivalBook, surplusUsd: number): number {
  return sizes
    .slice(sizeOf(surplusUsd))
    .reduceRight((larger, { stayed, taken }) => (stayed + PRIOR_TRIES * larger) / (stayed + taken + PRIOR_TRIES), 0);
}

function sizeOf(surplusUsd: number): number {
  const size = SIZES_USD.findIndex((upTo) => surplusUsd < upTo);
  return size < 0 ? SIZES_USD.length : size;
}

function counted(sizes: readonly Tally[], surplusUsd: number, more: Tally): readonly Tally[] {
  const size = sizeOf(surplusUsd);
  return sizes.map((tally, index) => {
    if (index !== size) return tally;
    const kept = Math.min(1, (MEMORY - 1) / Math.max(1, tally.stayed + tally.taken));
    return { stayed: tally.stayed * kept + more.stayed, taken: tally.taken * kept + more.taken };
  });
}
