import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { median, type Result, ratio } from '../../scripts/bench/result.ts';
import { tableOf } from '../../scripts/bench/table.ts';

const MAIN = fileURLToPath(new URL('../../scripts/bench/main.ts', import.meta.url));
const bench = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

describe('a ratio', () => {
  const result = (unit: string): Result => ({ name: 'work', ours: 20, unit, notes: '' });

  it('says how many times better ours is, in a rate and in a time', () => {
    expect(ratio(result('quotes/s'), { name: 'peer', value: 5 })).toBe(4);
    expect(ratio(result('ms'), { name: 'peer', value: 5 })).toBe(0.25);
  });

  it('stands beside its peer in the table', () => {
    expect(tableOf([{ ...result('ms'), peers: [{ name: 'peer', value: 50 }] }]).split('\n')).toEqual([
      'work    20 ms',
      '  peer  50 ms  x 2.5',
    ]);
  });

  it('comes of medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});

describe('the command', () => {
  it('writes what it measured as JSON and prints it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-test-'));
    try {
      const file = join(folder, 'results.json');
      const { status, stdout } = bench('--only', 'ledger', '--json', file);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^durable intent +[\d,.]+ µs/);
      expect(JSON.parse(readFileSync(file, 'utf8')).results).toMatchObject([
        { bench: 'ledger', unit: 'µs', peers: [{ name: expect.any(String) }] },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('knows its own parts, and no others', () => {
    expect(bench('--only', 'everything')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^error: --only knows quotes, .*"everything"\n$/),
    });
    expect(bench('--help').stdout).toContain('--only NAME');
  });
});
