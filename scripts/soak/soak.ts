import { Prng } from '../devnet/prng.ts';
import type { Finding } from './audit.ts';
import { Episode, type Run, type Target } from './episode.ts';
import { POINTS } from './failpoints.ts';
import { openStage } from './stage.ts';

export type SoakOptions = { readonly runs: number; readonly seed: number; readonly positions: number };
export type SoakResult = {
  readonly ok: boolean;
  readonly wanted: number;
  readonly runs: readonly Run[];
  /** What the lens and the last audit of each chain found. */
  readonly atTheEnd: readonly Finding[];
  readonly seconds: number;
};

/** The relay key is written when a ledger is new: those two come first. */
const FIRST: readonly Target[] = [
  { point: 'ledger.put', when: 'before' },
  { point: 'ledger.put', when: 'after' },
];
const REST: readonly Target[] = POINTS.filter((point) => point !== 'ledger.put').flatMap((point) => [
  { point, when: 'before' },
  { point, when: 'after' },
]);

/** One chain and one ledger for each round of all failpoints, in an order that the seed decides. Stops early when the signal aborts. */
export async function soak(options: SoakOptions, signal: AbortSignal, say: (line: string) => void): Promise<SoakResult> {
  const began = performance.now();
  const runs: Run[] = [];
  const atTheEnd: Finding[] = [];
  const complain = (findings: readonly Finding[]) => {
    for (const { kind, what } of findings) say(`       ${kind}: ${what}`);
  };
  for (let round = 0; round < options.runs && !signal.aborted; round++) {
    const seed = options.seed + round;
    const stage = await openStage({ positions: options.positions, seed, publicMempool: 'fallback' });
    const episode = new Episode(stage, seed);
    const startedAt = performance.now();
    try {
      let broken = false;
      for (const target of [...FIRST, ...shuffled(REST, new Prng(seed))]) {
        if (signal.aborted || broken) break;
        const run = await episode.kill(target);
        runs.push(run);
        say(`${target.when} ${target.point} ${((performance.now() - startedAt) / 1_000).toFixed(1)}`);
        broken = !run.survived;
        if (!run.died || !run.survived || run.findings.length > 0)
          say(`       ${target.when} ${target.point}: ${run.died ? '' : 'never reached; '}${run.survived ? '' : 'did not go on; '}`);
        complain(run.findings);
      }
      if (!signal.aborted && !broken) {
        const findings = await episode.finish();
        atTheEnd.push(...findings);
        complain(findings);
      }
    } finally {
      await episode.close();
      await stage.close();
    }
    const bad = runs.filter(({ died, survived, findings }) => !died || !survived || findings.length > 0).length;
    say(
      `round ${round + 1} of ${options.runs}: ${runs.length} runs, ${bad} bad, ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`,
    );
  }
  const complete = [...FIRST, ...REST].every(
    ({ point, when }) => runs.filter((run) => run.point === point && run.when === when && run.died).length >= options.runs,
  );
  const sound = runs.every(({ survived, findings }) => survived && findings.length === 0) && atTheEnd.length === 0;
  return { ok: complete && sound, wanted: options.runs, runs, atTheEnd, seconds: (performance.now() - began) / 1_000 };
}

function shuffled<T>(items: readonly T[], random: Prng): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
