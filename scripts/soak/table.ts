import { writeFile } from 'node:fs/promises';
import type { Finding } from './audit.ts';
import { POINTS } from './failpoints.ts';
import type { SoakResult } from './soak.ts';

const HEADER = ['failpoint', 'runs', 'reached', 'survived', 'wrong states', 'duplicates', 'lost'] as const;

/** What came of it, for people; with a file, as JSON too. */
export async function printTable(result: SoakResult, file: string | undefined, out: NodeJS.WritableStream): Promise<void> {
  const rows = POINTS.flatMap((point) =>
    (['before', 'after'] as const).map((when) => {
      const runs = result.runs.filter((run) => run.point === point && run.when === when);
      return row(
        `${when} ${point}`,
        runs.length,
        runs.filter(({ died }) => died).length,
        runs.filter(({ survived }) => survived).length,
        runs.flatMap(({ findings }) => findings),
      );
    }),
  );
  const { runs, atTheEnd } = result;
  const all = [...runs.flatMap(({ findings }) => findings), ...atTheEnd];
  const total = row('total', runs.length, runs.filter(({ died }) => died).length, runs.filter(({ survived }) => survived).length, all);
  const lines = [HEADER, ...rows, total];
  const widths = HEADER.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
  out.write(`\n${text.join('\n')}\n\n${result.ok ? 'ok' : 'NOT ok'}, ${result.seconds.toFixed(0)} s\n`);
  if (file !== undefined) await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
}

function row(name: string, runs: number, reached: number, survived: number, findings: readonly Finding[]): readonly string[] {
  const count = (kind: Finding['kind']) => String(findings.filter((finding) => finding.kind === kind).length);
  return [name, String(runs), String(reached), String(survived), count('wrong'), count('duplicate'), count('lost')];
}
