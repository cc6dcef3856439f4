/** One trouble after the other, in an order that the seed decides; after each the keeper has to be what it would be without it. */
import { Prng } from '../devnet/prng.ts';
import type { Finding } from '../soak/audit.ts';
import { ChaosScene } from './scene.ts';
import { TROUBLES, type Trouble } from './troubles.ts';
import { verdict } from './verdict.ts';

export type ChaosOptions = { readonly runs: number; readonly seed: number; readonly positions: number; readonly only?: string | undefined };
export type Run = {
  readonly trouble: string;
  readonly survived: boolean;
  readonly findings: readonly Finding[];
  /** From the end of the trouble until the newest block was processed and the keeper said that it is ready. */
  readonly recoveryMs: number | undefined;
};
export type ChaosResult = { readonly ok: boolean; readonly runs: readonly Run[]; readonly liquidations: number; readonly seconds: number };
export type Say = { line(text: string): void; tick(good: boolean): void };

/** A chain serves so many runs: after thousands of blocks mined and taken back a node is not what it was. */
const RUNS_A_CHAIN = 30;
/** Blocks after a recovery in which everything from before has to be settled. */
const SETTLING_BLOCKS = 2;

export function isGood({ survived, findings }: Run): boolean {
  return survived && findings.length === 0;
}

/** Throws when `only` names no trouble. Stops early when the signal aborts. */
export async function chaos(options: ChaosOptions, signal: AbortSignal, say: Say): Promise<ChaosResult> {
  const began = performance.now();
  const troubles = TROUBLES.filter(({ name }) => options.only === undefined || name.includes(options.only));
  if (troubles.length === 0)
    throw new Error(`no trouble is called like ${options.only}; there are: ${TROUBLES.map(({ name }) => name).join('; ')}`);
  const order = plan(troubles, options.runs, new Prng(options.seed));
  const runs: Run[] = [];
  let liquidations = 0;
  for (let from = 0; from < order.length && !signal.aborted; from += RUNS_A_CHAIN) {
    const scene = await ChaosScene.open(options.positions, options.seed + from);
    try {
      for (const trouble of order.slice(from, from + RUNS_A_CHAIN)) {
        if (signal.aborted) break;
        const run = await meet(trouble, scene);
        runs.push(run);
        say.tick(isGood(run));
        if (!isGood(run))
          say.line(`\n  ${trouble.name}${run.survived ? '' : ': did not survive'} (run ${runs.length}, seed ${options.seed})`);
        for (const { kind, what } of run.findings) say.line(`    ${kind}: ${what}`);
        if (!run.survived) break;
      }
      liquidations += scene.liquidations();
    } finally {
      await scene.close();
    }
    say.line(
      ` ${runs.length} of ${order.length} runs, ${runs.filter((run) => !isGood(run)).length} bad, ${((performance.now() - began) / 1_000).toFixed(0)} s`,
    );
  }
  const ok = runs.length === order.length && runs.every(isGood);
  return { ok, runs, liquidations, seconds: (performance.now() - began) / 1_000 };
}

async function meet(trouble: Trouble, scene: ChaosScene): Promise<Run> {
  try {
    await trouble.run(scene);
    const recoveryMs = await scene.recover();
    for (let block = 0; block < SETTLING_BLOCKS; block++) await scene.recover();
    return { trouble: trouble.name, survived: true, findings: scene.news(await verdict(scene)), recoveryMs };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { trouble: trouble.name, survived: false, findings: [{ kind: 'wrong', what }], recoveryMs: undefined };
  }
}

/** All troubles equally often; which come first, and where there are fewer runs which come at all, is up to the seed. */
export function plan<T>(troubles: readonly T[], runs: number, random: Prng): readonly T[] {
  const order = shuffle(troubles, random);
  return shuffle(
    Array.from({ length: runs }, (_, index) => order[index % order.length]!),
    random,
  );
}

function shuffle<T>(list: readonly T[], random: Prng): readonly T[] {
  const all = [...list];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    [all[last], all[other]] = [all[other]!, all[last]!];
  }
  return all;
}
