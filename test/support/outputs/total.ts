/** Vitest runs this around the whole and tells what was searched. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Totals } from './watch.ts';

export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-outputs-'));
  const file = join(folder, 'totals');
  writeFileSync(file, '');
  process.env['BAILIFF_TEST_OUTPUTS'] = file;
  return () => {
    const totals = readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Totals);
    rmSync(folder, { recursive: true });
    const sum = (pick: keyof Totals) => totals.reduce((total, each) => total + each[pick], 0);
    process.stdout.write(
      `redaction: ${sum('outputs')} outputs of keepers (${Math.ceil(sum('bytes') / 1e6)} MB) searched for their secrets\n`,
    );
  };
}
