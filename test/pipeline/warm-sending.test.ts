import { expect, it } from 'vitest';
import { warmUpSending } from '../../src/pipeline/warm-sending.ts';

it('reads what it has signed as what a node announces', async () => {
  // What it made up would be refused if it were not whole: its hash is held against its bytes.
  await expect(warmUpSending()).resolves.toBeUndefined();
});
