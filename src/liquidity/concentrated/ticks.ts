/** Reads the initialised ticks of pools, at one block. */
import type { ViewAnswer, ViewCall } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { Ladder, type Window } from './ladder.ts';
import { MAX_TICK, MIN_TICK } from './tick-math.ts';

const WORD = 256;
/** Pools with a finer spacing than this have too many bitmap words (6,932 at a spacing of 1) to read all of them. */
const WHOLE_FROM_SPACING = 10;
/** Words read to either side of the price otherwise: 32,768 ticks at a spacing of 1, a factor of 26 in price. */
const WINDOW_WORDS = 128;

/** Where one pool's ticks are read. */
export type TickSource = {
  /** For messages. */
  readonly name: string;
  readonly spacing: number;
  readonly tick: number;
  /** The pool is known to have no ticks. */
  readonly bare: boolean;
  bitmap(word: number): ViewCall;
  ticks(tick: number): ViewCall;
  /** Undefined where the answer is none. */
  readTick(answer: ViewAnswer | undefined): { readonly gross: bigint; readonly net: bigint } | undefined;
};

type Word = { readonly pool: number; readonly position: number };

/** Throws a MirrorError where a pool does not answer. */
export function* readLadders(sources: readonly TickSource[]): Reading<readonly Ladder[]> {
  const ranges = sources.map(wordsOf);
  const words = ranges.flatMap(({ first, last }, pool) =>
    Array.from({ length: Math.max(0, last - first + 1) }, (_, index): Word => ({ pool, position: first + index })),
  );
  const bitmaps = yield words.map(({ pool, position }) => sources[pool]!.bitmap(position));
  const ticks = words.flatMap(({ pool, position }, index) => {
    const { name, spacing } = sources[pool]!;
    const bitmap = uintOf(bitmaps[index]);
    if (bitmap === undefined) throw new MirrorError(`${name} does not answer word ${position} of its tick bitmap`);
    return bitsOf(bitmap).map((bit) => ({ pool, tick: (position * WORD + bit) * spacing }));
  });
  const answers = yield ticks.map(({ pool, tick }) => sources[pool]!.ticks(tick));
  const read = sources.map(() => ({ ticks: [] as number[], nets: [] as bigint[], grosses: [] as bigint[] }));
  for (const [index, { pool, tick }] of ticks.entries()) {
    const told = sources[pool]!.readTick(answers[index]);
    if (told === undefined) throw new MirrorError(`${sources[pool]!.name} does not answer tick ${tick}`);
    read[pool]!.ticks.push(tick);
    read[pool]!.nets.push(told.net);
    read[pool]!.grosses.push(told.gross);
  }
  return read.map(({ ticks, nets, grosses }, pool) => new Ladder(sources[pool]!.spacing, ranges[pool]!.window, ticks, nets, grosses));
}

/** The bitmap words to read, and the window of ticks that they cover where they are not all. */
function wordsOf({ spacing, tick, bare }: TickSource): { first: number; last: number; window: Window | undefined } {
  if (bare) return { first: 0, last: -1, window: undefined };
  const wordOf = (at: number) => Math.floor(Math.floor(at / spacing) / WORD);
  const first = wordOf(MIN_TICK);
  const last = wordOf(MAX_TICK);
  if (spacing >= WHOLE_FROM_SPACING) return { first, last, window: undefined };
  const middle = wordOf(tick);
  const from = Math.max(first, middle - WINDOW_WORDS);
  const to = Math.min(last, middle + WINDOW_WORDS);
  const low = Math.max(from * WORD * spacing, MIN_TICK);
  const high = Math.min((to * WORD + WORD - 1) * spacing, MAX_TICK);
  return { first: from, last: to, window: { low, high } };
}

function bitsOf(bitmap: bigint): readonly number[] {
  const bits: number[] = [];
  for (let rest = bitmap, bit = 0; rest !== 0n; rest >>= 1n, bit++) if (rest & 1n) bits.push(bit);
  return bits;
}
