/** What the keeper's process takes up, block after block, and whether that grows. */
import { readFile } from 'node:fs/promises';

export type Sample = { readonly block: number; readonly rssMb: number; readonly heapMb: number };

const HEAP = /^nodejs_heap_size_used_bytes (\S+)$/m;
const RESIDENT = /^process_resident_memory_bytes (\S+)$/m;

/** From the keeper's own metrics; resident memory from the kernel where that can be asked. */
export async function sampleOf(pid: number, dashboard: string, block: number): Promise<Sample> {
  const response = await fetch(new URL('/metrics', dashboard), { signal: AbortSignal.timeout(30_000) });
  const metrics = await response.text();
  const told = (pattern: RegExp) => Number(pattern.exec(metrics)?.[1] ?? Number.NaN) / 1e6;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return { block, rssMb: resident === undefined ? told(RESIDENT) : (Number(resident) * 1_024) / 1e6, heapMb: told(HEAP) };
}

export type Trend = {
  readonly from: number;
  readonly to: number;
  readonly meanMb: number;
  /** Of a straight line through all samples, by least squares. */
  readonly mbPerThousandBlocks: number;
};

/** Samples of which the one with the smallest heap tells what is in use: the others hold garbage that nobody has collected yet. */
const COLLECTED_WITHIN = 10;

/** What is in use of the heap: of each ten samples the smallest. */
export function inUse(samples: readonly Sample[]): readonly Sample[] {
  return Array.from({ length: Math.floor(samples.length / COLLECTED_WITHIN) }, (_, place) =>
    samples.slice(place * COLLECTED_WITHIN, (place + 1) * COLLECTED_WITHIN).reduce((a, b) => (b.heapMb < a.heapMb ? b : a)),
  );
}

/** Of the second half of the samples: at first code is compiled and rings of blocks fill. Undefined with too few of them. */
export function trendOf(samples: readonly Sample[], of: 'rssMb' | 'heapMb'): Trend | undefined {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < 3) return undefined;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [block, mb] = [mean(half.map((sample) => sample.block)), mean(half.map((sample) => sample[of]))];
  const covariance = mean(half.map((sample) => (sample.block - block) * (sample[of] - mb)));
  const variance = mean(half.map((sample) => (sample.block - block) ** 2));
  return { from: half[0]!.block, to: half.at(-1)!.block, meanMb: mb, mbPerThousandBlocks: (1_000 * covariance) / variance };
}

/** A tenth more over the second half of all blocks is growth; less is what comes and goes. */
export function isFlat({ from, to, meanMb, mbPerThousandBlocks }: Trend): boolean {
  return (mbPerThousandBlocks * (to - from)) / 1_000 <= meanMb / 10;
}
