import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capped, feesFor } from '../../src/execution/fees.ts';
import { nextBaseFeeWei } from '../../src/oracles/moment.ts';

const wei = fc.bigInt({ min: 1n, max: 10n ** 12n });

/** The base fee after so many full blocks, by the chain's own rule. */
function afterFullBlocks(baseFeeWei: bigint, blocks: number): bigint {
  const full = { number: 1, hash: '0x', parentHash: '0x', timestamp: 0, gasLimit: 30_000_000n, gasUsed: 30_000_000n } as const;
  let fee = baseFeeWei;
  for (let block = 0; block < blocks; block++) fee = nextBaseFeeWei({ ...full, baseFeeWei: fee });
  return fee;
}

describe('the fees of a transaction', () => {
  it('stand full blocks until its last one, up to twice the first base fee', () => {
    fc.assert(
      fc.property(wei, wei, fc.integer({ min: 1, max: 40 }), (baseFeeWei, tip, blocks) => {
        const { maxFeeWei, tipWei } = feesFor(baseFeeWei, tip, blocks, undefined);
        const needed = afterFullBlocks(baseFeeWei, blocks - 1);
        expect(tipWei).toBe(tip);
        expect(maxFeeWei - tipWei).toBeGreaterThanOrEqual(needed < 2n * baseFeeWei ? needed : 2n * baseFeeWei);
        expect(maxFeeWei - tipWei).toBeLessThanOrEqual(2n * baseFeeWei);
      }),
      { seed: 11 },
    );
  });

  it('outbid what they replace by an eighth, in both, and never offer less than they would without it', () => {
    fc.assert(
      fc.property(wei, wei, wei, wei, (baseFeeWei, tip, maxFeeWei, tipWei) => {
        const plain = feesFor(baseFeeWei, tip, 2, undefined);
        const raised = feesFor(baseFeeWei, tip, 2, { maxFeeWei, tipWei });
        expect(raised.maxFeeWei * 8n).toBeGreaterThan(maxFeeWei * 9n);
        expect(raised.tipWei * 8n).toBeGreaterThan(tipWei * 9n);
        expect(raised.maxFeeWei).toBeGreaterThanOrEqual(plain.maxFeeWei);
        expect(raised.tipWei).toBeGreaterThanOrEqual(plain.tipWei);
      }),
      { seed: 12 },
    );
  });

  it('are cut to what is left to pay with, and given up where that neither pays for a block nor outbids what stands there', () => {
    const fees = { maxFeeWei: 240n, tipWei: 10n };
    expect(capped(fees, 300n, 100n, undefined)).toEqual(fees);
    expect(capped(fees, 150n, 100n, undefined)).toEqual({ maxFeeWei: 150n, tipWei: 10n });
    expect(capped(fees, 110n, 100n, undefined)).toEqual({ maxFeeWei: 110n, tipWei: 10n });
    expect(capped(fees, 109n, 100n, undefined)).toBeUndefined();
    const replaced = { maxFeeWei: 160n, tipWei: 8n };
    expect(capped(fees, 181n, 100n, replaced)).toEqual({ maxFeeWei: 181n, tipWei: 10n });
    expect(capped(fees, 180n, 100n, replaced)).toBeUndefined();
  });
});
