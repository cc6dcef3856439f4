import { Prng } from '../devnet/prng.ts';
import type { Finding } from './audit.ts';
import { type Channel, Episode, type Run, type Target } from './episode.ts';
import { POINTS, type Point } from './failpoints.ts';
import { openStage } from './stage.ts';

export type SoakOptions = {
  readonly runs: number;
  readonly seed: number;
  readonly positions: number;
  /** All where absent. */
  readonly channels?: readonly Channel[];
};
export type SoakResult = {
  readonly ok: boolean;
  readonly runs: readonly Run[];
  /** What the lens and the last audit of each chain found. */
  readonly atTheEnd: readonly Finding[];
  readonly mined: number;
  readonly liquidations: number;
  readonly seconds: number;
};

export type Say = {
  line(text: string): void;
  /** After each run. */
  tick(good: boolean): void;
};

/** In the public mempool there is no relay, and nothing that could go public only then. */
const PUBLIC_POINTS: readonly Point[] = ['ledger.intend', 'ledger.sent', 'ledger.settle', 'ledger.reopen', 'chain.broadcast'];
const CHANNELS: readonly Channel[] = ['bundle', 'public'];

/** What a round has to reach. */
export function targetsOf(channel: Channel): readonly Target[] {
  return (channel === 'bundle' ? POINTS : PUBLIC_POINTS).flatMap((point) => [
    { point, when: 'before' },
    { point, when: 'after' },
  ]);
}

/** One chain and one ledger for each round of all failpoints, in an order that the seed decides. Stops early when the signal aborts. */
export async function soak(options: SoakOptions, signal: AbortSignal, say: Say): Promise<SoakResult> {
  const { channels = CHANNELS } = options;
  const began = performance.now();
  const runs: Run[] = [];
  const atTheEnd: Finding[] = [];
  const sums = { mined: 0, liquidations: 0 };
  for (let round = 0; round < options.runs && !signal.aborted; round++) {
    for (const channel of channels) {
      const startedAt = performance.now();
      const played = await playRound(channel, options.seed + round, options.positions, signal, say);
      runs.push(...played.runs);
      atTheEnd.push(...played.atTheEnd);
      sums.mined += played.mined;
      sums.liquidations += played.liquidations;
      const bad = runs.filter((run) => !isGood(run)).length;
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
      say.line(` ${channel} round ${round + 1} of ${options.runs}: ${seconds} s, ${runs.length} runs so far, ${bad} bad`);
      if (signal.aborted) break;
    }
  }
  const reached = (channel: Channel, { point, when }: Target) =>
    runs.filter((run) => run.channel === channel && run.point === point && run.when === when && run.died).length;
  const complete = channels.every((channel) => targetsOf(channel).every((target) => reached(channel, target) >= options.runs));
  const ok = complete && runs.every(isGood) && atTheEnd.length === 0;
  return { ok, runs, atTheEnd, ...sums, seconds: (performance.now() - began) / 1_000 };
}

async function playRound(channel: Channel, seed: number, positions: number, signal: AbortSignal, say: Say) {
  const stage = await openStage({ positions, seed, publicMempool: channel === 'bundle' ? 'fallback' : 'only' });
  const episode = new Episode(stage, channel, seed);
  const runs: Run[] = [];
  const atTheEnd: Finding[] = [];
  try {
    for (const target of inOrder(targetsOf(channel), new Prng(seed))) {
      if (signal.aborted || runs.at(-1)?.survived === false) break;
      const run = await episode.kill(target);
      runs.push(run);
      say.tick(isGood(run));
      if (!isGood(run))
        say.line(`\n  ${run.when} ${run.point}${run.died ? '' : ': never reached'}${run.survived ? '' : ': did not go on'} (seed ${seed})`);
      for (const { kind, what } of run.findings) say.line(`    ${kind}: ${what}`);
    }
    if (!signal.aborted && runs.at(-1)?.survived === true) atTheEnd.push(...(await episode.finish()));
    for (const { kind, what } of atTheEnd) say.line(`\n  at the end: ${kind}: ${what} (seed ${seed})`);
    return { runs, atTheEnd, ...(await episode.sums()) };
  } finally {
    await episode.close();
    await stage.close();
  }
}

export function isGood({ died, survived, findings }: Run): boolean {
  return died && survived && findings.length === 0;
}

/** Shuffled. The relay key is written when a ledger is new: that comes first. */
function inOrder(targets: readonly Target[], random: Prng): Target[] {
  const result = [...targets];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result.sort((one, other) => Number(other.point === 'ledger.put') - Number(one.point === 'ledger.put'));
}
