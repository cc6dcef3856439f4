import { writeFile } from 'node:fs/promises';
import { type ChaosResult, isGood, type Run } from './chaos.ts';

const HEADER = ['trouble', 'runs', 'survived', 'wrong states', 'duplicates', 'lost', 'recovery p50', 'p99'] as const;

/** What came of it, for people; with a file, as JSON too. */
export async function printTable(result: ChaosResult, file: string | undefined, out: NodeJS.WritableStream): Promise<void> {
  const names = [...new Set(result.runs.map(({ trouble }) => trouble))].sort();
  const rows = names.map((name) =>
    row(
      name,
      result.runs.filter(({ trouble }) => trouble === name),
    ),
  );
  const lines = [HEADER, ...rows, row('all', result.runs)];
  const widths = HEADER.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
  const bad = result.runs.filter((run) => !isGood(run)).length;
  out.write(`\n${text.join('\n')}\n\n${result.liquidations} liquidations meanwhile; ${bad} bad runs; ${result.seconds.toFixed(0)} s\n`);
  out.write(result.ok ? 'ok\n' : 'NOT ok\n');
  if (file !== undefined) await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
}

function row(name: string, runs: readonly Run[]): readonly string[] {
  const count = (kind: Run['findings'][number]['kind']) =>
    String(runs.flatMap(({ findings }) => findings).filter((one) => one.kind === kind).length);
  const times = runs.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((a, b) => a - b);
  const at = (share: number) =>
    times.length === 0 ? '-' : `${(times[Math.min(times.length - 1, Math.floor(times.length * share))]! / 1_000).toFixed(1)} s`;
  const survived = runs.filter((run) => run.survived).length;
  return [name, String(runs.length), String(survived), count('wrong'), count('duplicate'), count('lost'), at(0.5), at(0.99)];
}
