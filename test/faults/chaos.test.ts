import { expect, test } from 'vitest';
import { chaos } from '../../scripts/chaos/chaos.ts';

/** One trouble each of an endpoint, the chain and the process. */
const SEED = 168;

test('an endpoint lies, the chain is taken back, the keeper is killed: it stays what a fresh sync, the chain and its limits say', async () => {
  const said: string[] = [];
  const say = { line: (text: string) => void said.push(text), tick: () => {} };
  const { ok, runs, liquidations } = await chaos({ runs: 3, seed: SEED, positions: 80 }, new AbortController().signal, say);
  expect(ok, said.join('\n')).toBe(true);
  expect(runs.map(({ trouble }) => trouble).sort()).toEqual([
    'SIGKILL at any moment',
    'headers changed, one endpoint',
    'reorganisation, 1 to 64 blocks',
  ]);
  expect(liquidations).toBeGreaterThan(0);
});
