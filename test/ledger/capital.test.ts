import { expect, test } from 'vitest';
import { capitalOf, capitalText, seenAgain } from '../../src/ledger/capital.ts';

const ACCOUNT = { deployment: 'perp-v2/perp', executor: '0x01', token: '0x02' } as const;
const at = (block: number, amountRaw: bigint) => ({ ...ACCOUNT, block, amountRaw });

test('what others put in or take out is told apart from what our own transactions leave, and comes back from its text', () => {
  let capital = seenAgain(undefined, at(1, 100n), 0n);
  for (const [block, amountRaw, oursRaw] of [
    [2, 150n, 0n],
    [3, 149n, -1n],
    [4, 60n, 11n],
    [5, 80n, 20n],
  ] as const)
    capital = seenAgain(capital, at(block, amountRaw), oursRaw);
  expect(capital).toEqual({
    ...ACCOUNT,
    first: { block: 1, amountRaw: 100n },
    last: { block: 5, amountRaw: 80n },
    ...{ depositedRaw: 50n, withdrawnRaw: 100n, leftRaw: 30n },
  });
  expect(capital.last.amountRaw).toBe(capital.first.amountRaw + capital.depositedRaw - capital.withdrawnRaw + capital.leftRaw);
  expect(capitalOf(capitalText(capital))).toEqual(capital);
});

test('another account begins anew', () => {
  const before = seenAgain(undefined, at(1, 100n), 0n);
  expect(seenAgain(before, { ...at(2, 7n), executor: '0x03' }, 0n)).toMatchObject({ first: { block: 2, amountRaw: 7n }, withdrawnRaw: 0n });
});
