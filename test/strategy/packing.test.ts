import { describe, expect, it } from 'vitest';
import { packOne, packTransactions } from '../../src/strategy/block.ts';
import { type Terms, TRANSACTION_GAS } from '../../src/strategy/terms.ts';
import type { Plan } from '../../src/strategy/types.ts';

const ETHER = 10n ** 18n;
const USD8 = 100_000_000n;
const EXACTLY = 10_000n;
const GAS = 400_000n;

/** Keeps half of its surplus; a whole native token costs one USD. */
function plan(surplusUsd: bigint, gas = GAS): Plan {
  const surplusWei = surplusUsd * ETHER;
  return {
    candidate: { account: `0x${surplusUsd}` },
    grossWei: surplusWei,
    gasWei: 0n,
    profitWei: surplusWei / 2n,
    gasUnits: TRANSACTION_GAS + gas,
  } as unknown as Plan;
}

/** Large lots bid nine tenths, the others a half; a liquidation keeps five USD at least. */
const TERMS = {
  minProfitUsd8: 5n * USD8,
  numeraireUsd8: USD8,
  maxTransactionGas: TRANSACTION_GAS + 3n * GAS,
  bid: ({ surplusWei }: { surplusWei: bigint }) => (surplusWei >= 1_000n * ETHER ? 9_000 : 5_000),
} as unknown as Terms;

const sizes = (packed: readonly (readonly Plan[])[]) => packed.map((one) => one.map(({ grossWei }) => Number(grossWei / ETHER)));

describe('plans in transactions', () => {
  it('fill one after the other, in order', () => {
    expect(
      sizes(
        packTransactions(
          [100n, 110n, 120n, 130n].map((usd) => plan(usd)),
          TERMS,
          EXACTLY,
        ),
      ),
    ).toEqual([[100, 110, 120], [130]]);
  });

  it('go apart where a small one would keep too little at the bid that large ones need', () => {
    expect(sizes(packTransactions([plan(20n), plan(2_000n)], TERMS, EXACTLY))).toEqual([[20], [2_000]]);
  });
});

describe('plans in the only transaction there can be', () => {
  it('are the most profitable that fit the gas, in their order', () => {
    expect(
      sizes(
        packOne(
          [100n, 130n, 120n, 110n].map((usd) => plan(usd)),
          TERMS,
          EXACTLY,
        ),
      ),
    ).toEqual([[130, 120, 110]]);
  });

  it('leave out what is too large for it, and take what still fits', () => {
    expect(sizes(packOne([plan(900n, 4n * GAS), plan(100n), plan(110n)], TERMS, EXACTLY))).toEqual([[100, 110]]);
  });

  it('are without the small one that would hold the bid down', () => {
    expect(sizes(packOne([plan(20n), plan(2_000n)], TERMS, EXACTLY))).toEqual([[2_000]]);
  });

  it('are none where nothing fits', () => {
    expect(packOne([plan(100n, 4n * GAS)], TERMS, EXACTLY)).toEqual([]);
  });
});
