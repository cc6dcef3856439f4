/** Writes src/generated/executor.ts: `node scripts/generate/executor.ts`. */
import { writeFile } from 'node:fs/promises';
import { executorModule } from './executor-module.ts';

await writeFile(new URL('../../src/generated/executor.ts', import.meta.url), await executorModule());
