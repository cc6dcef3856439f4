import { writeFile } from 'node:fs/promises';
import type { Finding } from './audit.ts';
import type { Run } from './episode.ts';
import { type SoakResult, targetsOf } from './soak.ts';

const HEADER = ['failpoint', 'runs', 'reached', 'survived', 'wrong states', 'duplicates', 'lost'] as const;

/** What came of it, for people; with a file, as JSON too. */
export async function printTable(result: SoakResult, file: string | undefined, out: NodeJS.WritableStream): Promise<void> {
  const rows = (['bundle', 'public'] as const).flatMap((channel) =>
    targetsOf(channel).map(({ point, when }) => {
      const runs = result.runs.filter((run) => run.channel === channel && run.point === point && run.when === when);
      return row(`${channel}: ${when} ${point}`, runs);
    }),
  );
  const lines = [HEADER, ...rows, row('all, and at the end of each chain', result.runs, result.atTheEnd)];
  const widths = HEADER.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
  const { mined, liquidations, seconds, ok } = result;
  out.write(
    `\n${text.join('\n')}\n\n${mined} transactions of the keeper were mined, ${liquidations} liquidations; ${seconds.toFixed(0)} s\n`,
  );
  out.write(ok ? 'ok\n' : 'NOT ok\n');
  if (file !== undefined) await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
}

function row(name: string, runs: readonly Run[], besides: readonly Finding[] = []): readonly string[] {
  const findings = [...runs.flatMap((run) => run.findings), ...besides];
  const count = (kind: Finding['kind']) => String(findings.filter((finding) => finding.kind === kind).length);
  const died = runs.filter((run) => run.died).length;
  const survived = runs.filter((run) => run.survived).length;
  return [name, String(runs.length), String(died), String(survived), count('wrong'), count('duplicate'), count('lost')];
}
