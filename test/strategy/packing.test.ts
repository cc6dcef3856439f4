import { describe, expect, it } from 'vitest';
import { packOne, packTransactions } from '../../src/strategy/packing.ts';
import { type Terms, TRANSACTION_GAS } from '../../src/strategy/terms.ts';
import type { Plan } from '../../src/strategy/types.ts';

const ETHER = 10n ** 18n;
const USD8 = 100_000_000n;
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

/** Large lots bid nine tenths, the others a half; a liquidation keeps five USD at least. Gas for three, each widened by three tenths. */
const TERMS = {
  minProfitUsd8: 5n * USD8,
  numeraireUsd8: USD8,
  maxTransactionGas: TRANSACTION_GAS + (39n * GAS) / 10n,
  maxBlockGas: 100n * GAS,
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
        ),
      ),
    ).toEqual([[100, 110, 120], [130]]);
  });

  it('leave out what the block has no gas for: one transaction too many, and nothing would be mined', () => {
    const plans = [100n, 110n, 120n, 130n, 140n].map((usd) => plan(usd));
    const limit = (3n * GAS * 13n) / 10n + (TRANSACTION_GAS * 13n) / 10n;
    const two = { ...TERMS, maxBlockGas: TRANSACTION_GAS + 3n * GAS + limit };
    expect(sizes(packTransactions(plans, two))).toEqual([
      [100, 110, 120],
      [130, 140],
    ]);
    expect(sizes(packTransactions(plans, { ...two, maxBlockGas: limit }))).toEqual([[100, 110, 120]]);
    const ordinary = plan(2_000n);
    expect(sizes(packTransactions([plan(20n), ordinary], { ...TERMS, maxBlockGas: limit / 2n }))).toEqual([[2_000]]);
  });

  it('leave no end of what is held out for want of gas, however little it brings', () => {
    const end = { ...plan(0n), leg: { kind: 'second' } } as Plan;
    const one = (TRANSACTION_GAS + GAS) * 2n;
    expect(sizes(packTransactions([end, plan(2_000n)], { ...TERMS, maxBlockGas: one }))[0]).toContain(0);
    expect(sizes(packTransactions([plan(20n), plan(2_000n)], { ...TERMS, maxBlockGas: (one * 13n) / 20n }))).toEqual([[2_000]]);
    expect(sizes(packTransactions([end, plan(2_000n)], { ...TERMS, maxBlockGas: (one * 13n) / 20n }))).toEqual([[0]]);
  });

  it('go apart where a small one would keep too little at the bid that large ones need', () => {
    expect(sizes(packTransactions([plan(20n), plan(2_000n)], TERMS))).toEqual([[20], [2_000]]);
  });
});

describe('plans in the only transaction there can be', () => {
  it('are the most profitable that fit the gas, in their order', () => {
    expect(
      sizes(
        packOne(
          [100n, 130n, 120n, 110n].map((usd) => plan(usd)),
          TERMS,
        ),
      ),
    ).toEqual([[130, 120, 110]]);
  });

  it('leave out what is too large for it, and take what still fits', () => {
    expect(sizes(packOne([plan(900n, 4n * GAS), plan(100n), plan(110n)], TERMS))).toEqual([[100, 110]]);
  });

  it('are without the small one that would hold the bid down', () => {
    expect(sizes(packOne([plan(20n), plan(2_000n)], TERMS))).toEqual([[2_000]]);
  });

  it('leave gas for the one that would use most of all that it may, and a twentieth of all', () => {
    const many = Array.from({ length: 40 }, (_, index) => plan(BigInt(100 + index), 850_000n));
    const most = (terms: Partial<Terms>) => packOne(many, { ...TERMS, maxTransactionGas: 16_777_216n, bid: () => 0, ...terms })[0]!.length;
    // 17 x 850,000 x 1.05, and 2 x 980,000 - 850,000 for the one.
    expect(most({})).toBe(17);
    // Half of it is used, five eighths are needed before refunds: 27 x 531,250 x 1.05, and 2 x 980,000 - 531,250.
    expect(most({ gasUse: { usedBps: () => 10_000n, usedOfManyBps: () => 5_000n } })).toBe(27);
  });

  it('are none where nothing fits', () => {
    expect(packOne([plan(100n, 4n * GAS)], TERMS)).toEqual([]);
  });
});
