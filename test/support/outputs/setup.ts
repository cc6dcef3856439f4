/** Vitest runs this before each test file, in its process. */
import { appendFileSync } from 'node:fs';
import { afterAll, expect } from 'vitest';
import { attach } from './attach.ts';
import { OutputWatch } from './watch.ts';

export const watch = new OutputWatch();
attach(watch);

// Registered first, so it runs after the file's own, when its keepers have ended.
afterAll(() => {
  const totals = watch.finish();
  const file = process.env['BAILIFF_TEST_OUTPUTS'];
  if (file !== undefined && totals.outputs > 0) appendFileSync(file, `${JSON.stringify(totals)}\n`);
  expect(watch.leaks, 'no output may hold a secret').toEqual([]);
});
