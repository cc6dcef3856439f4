import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { executorModule } from '../../scripts/generate/executor-module.ts';

it('src/generated/executor.ts is what contracts/Executor.sol compiles to', async () => {
  const committed = await readFile(new URL('../../src/generated/executor.ts', import.meta.url), 'utf8');
  expect(committed).toBe(await executorModule());
}, 300_000);
