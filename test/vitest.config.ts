import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By minutes; left to the end, each of them would keep one worker busy while the others have nothing to do. */
const LONGEST = ['failpoints', 'fuzz/configuration', 'keeper/lanes', 'keeper/public-mempool', 'cli/chain'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((name) => moduleId.includes(name));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/outputs/setup.ts'],
    globalSetup: ['test/support/outputs/total.ts'],
    // Real chains are started and mined: slow machines need room, and no test measures time.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000, interval: 20 } },
    pool: 'forks',
    // Modules are loaded once for each worker, not for each file: no file leaves anything in them.
    isolate: false,
    // More than a small machine has cores: keepers wait for their chains more than they compute.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
