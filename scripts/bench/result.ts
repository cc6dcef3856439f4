/** One figure of ours, and the same work done by somebody else in the same run, on the same machine, a moment before or after. */
export type Result = {
  readonly name: string;
  readonly ours: number;
  /** `…/s`: more is better; a time: less is. */
  readonly unit: string;
  readonly peers?: readonly Peer[];
  readonly notes: string;
  /** What else was measured, for the JSON. */
  readonly figures?: Readonly<Record<string, number>>;
};
export type Peer = { readonly name: string; readonly value: number };

/** What whoever runs it may choose; a bench that has no use for it leaves it alone. */
export type Choice = { readonly seed: number; readonly accounts: number | undefined };

export type Bench = { readonly name: string; readonly about: string; run(choice: Choice): Promise<readonly Result[]> };

/** How many times better ours is: below 1, the peer is better. */
export function ratio({ ours, unit }: Result, peer: Peer): number {
  return unit.endsWith('/s') ? ours / peer.value : peer.value / ours;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The least value that this part of all values does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * part) - 1)]!;
}

export function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

/** Median time of one call in ms, after calls that do not count. */
export async function medianMs(runs: number, work: () => unknown, warmUp = 3): Promise<number> {
  const times: number[] = [];
  for (let run = -warmUp; run < runs; run++) {
    const started = performance.now();
    await work();
    if (run >= 0) times.push(performance.now() - started);
  }
  return median(times);
}

/** To three significant digits: more is noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
