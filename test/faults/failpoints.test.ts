import { expect, test } from 'vitest';
import { soak } from '../../scripts/soak/soak.ts';

const LONGEST_MS = 900_000;

test(
  // In the public mempool alone, and twenty times each: `npm run soak`.
  'killed once before and after every durable write and every send, the keeper goes on, and its books are the chain’s',
  async () => {
    const said: string[] = [];
    const say = { line: (text: string) => void said.push(text), tick: () => {} };
    const { ok, runs } = await soak({ runs: 1, seed: 7, positions: 60, channels: ['bundle'] }, new AbortController().signal, say);
    expect(ok, said.join('\n')).toBe(true);
    expect(runs.every((run) => run.died && run.survived)).toBe(true);
  },
  LONGEST_MS,
);
