import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export { attempt, hashOf, result, transaction } from './fixtures-plain.ts';

export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'bailiff-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
