/** Random positions of every protocol as options: the amounts and movements are the protocols' own, the positions on no chain. */
import fc from 'fast-check';
import { NO_SURCHARGE } from '../../src/chain/rollup.ts';
import { WAD } from '../../src/lib/math.ts';
import type { Address } from '../../src/lib/types.ts';
import type { FlashSource } from '../../src/liquidity/types.ts';
import { takingOf as aaveTaking, type Pair, regimesOf } from '../../src/protocols/aave-v3/liquidation.ts';
import { RELEASES } from '../../src/protocols/aave-v3/rules.ts';
import {
  type Liquidable as CompoundLiquidable,
  takingOf as compoundTaking,
  regimeOf,
} from '../../src/protocols/compound-v2/liquidation.ts';
import { exchangeRateWad, seizeRatioWad } from '../../src/protocols/compound-v2/math.ts';
import { payableFor, quoteDown } from '../../src/protocols/compound-v3/liquidation.ts';
import { incentiveFactorWad, takingOf as morphoTaking, waysOf } from '../../src/protocols/morpho-blue/liquidation.ts';
import type { Option } from '../../src/protocols/types.ts';
import type { Terms } from '../../src/strategy/terms.ts';
import { TOKENS } from '../support/random-pools.ts';

export const [DEBT, COLLATERAL, NUMERAIRE] = TOKENS as [Address, Address, Address];
/** Of a whole numeraire. */
export const NUMERAIRE_USD8 = 2_000_00000000n;

/** Of a chain where nothing is bid and every plan that leaves anything is worth it. */
export const TERMS: Terms = {
  ...{ executor: '0x0e', numeraire: NUMERAIRE, numeraireUsd8: NUMERAIRE_USD8, gasPriceWei: 10n ** 9n, surcharge: NO_SURCHARGE },
  ...{ minProfitUsd8: 0n, bid: () => 0, maxPositionUsd8: 10n ** 30n, tokenAllowed: () => true },
  ...{ maxTransactionGas: 16_777_216n, maxBlockGas: 60_000_000n },
};

/** Ticks of the three tokens; all have 18 decimals. */
export type Ticks = readonly [debt: number, collateral: number, numeraire: number];

export function usd8Of(token: Address, [debt, collateral, numeraire]: Ticks): bigint {
  const tick = token === DEBT ? debt : token === COLLATERAL ? collateral : numeraire;
  return BigInt(Math.round(1.0001 ** (tick - numeraire) * Number(NUMERAIRE_USD8)));
}

export type PositionShape = {
  readonly protocol: 'aave-v3' | 'morpho-blue' | 'compound-v2' | 'compound-v3';
  /** Whole debt tokens. */
  readonly debt: number;
  /** What the collateral is worth of the debt, and the health factor, in thousandths. */
  readonly cover: number;
  readonly health: number;
  readonly bonusBps: number;
  readonly release: number;
};

export const positionShape: fc.Arbitrary<PositionShape> = fc.record({
  protocol: fc.constantFrom('aave-v3', 'morpho-blue', 'compound-v2', 'compound-v3'),
  debt: fc.integer({ min: 0, max: 500 }).map((n) => 10 ** (n / 100)),
  cover: fc.integer({ min: 900, max: 1_400 }),
  health: fc.integer({ min: 850, max: 999 }),
  bonusBps: fc.integer({ min: 100, max: 1_500 }),
  release: fc.constantFrom(0, 3, 6),
});

export function optionFor(shape: PositionShape, ticks: Ticks): Option {
  const [debtUsd8, collateralUsd8] = [usd8Of(DEBT, ticks), usd8Of(COLLATERAL, ticks)];
  const owedRaw = BigInt(Math.round(shape.debt * 1e6)) * 10n ** 12n;
  const heldRaw = (((owedRaw * debtUsd8) / collateralUsd8) * BigInt(shape.cover)) / 1_000n;
  const option = (
    parts: Pick<Option, 'regimes' | 'financing' | 'gasUnits'>,
    moves: (amountRaw: bigint) => readonly [bigint, bigint],
  ): Option => ({
    ...{ label: shape.protocol, debtAsset: DEBT, collateralAsset: COLLATERAL, steps: () => [], ...parts },
    flow: (amountRaw) => {
      const [paidRaw, receivedRaw] = moves(amountRaw);
      return [
        { asset: DEBT, deltaRaw: -paidRaw },
        { asset: COLLATERAL, deltaRaw: receivedRaw },
      ];
    },
  });
  const loan = { kind: 'loan' } as const;
  switch (shape.protocol) {
    case 'aave-v3': {
      const side = (amountRaw: bigint, price: bigint) => ({ amountRaw, price, unit: WAD, indexRay: 10n ** 27n });
      const pair: Pair = {
        rules: RELEASES[shape.release]!,
        debt: { ...side(owedRaw, debtUsd8), variableRaw: owedRaw },
        collateral: {
          ...side(heldRaw, collateralUsd8),
          ...{ bonusBps: 10_000n + BigInt(shape.bonusBps), protocolFeeBps: 1_000n, availableRaw: 10n ** 40n },
        },
        healthFactorWad: (BigInt(shape.health) * WAD) / 1_000n,
        totalDebtBase: (owedRaw * debtUsd8) / WAD,
      };
      return option({ regimes: regimesOf(pair), financing: loan, gasUnits: 355_000n }, (amountRaw) => {
        const { repaidRaw, receivedRaw } = aaveTaking(pair, amountRaw);
        return [repaidRaw, receivedRaw];
      });
    }
    case 'morpho-blue': {
      const borrowed = { assets: owedRaw * 7n, shares: owedRaw * 7_000_000n };
      const position = {
        ...{ borrowShares: owedRaw * 1_000_000n, collateral: heldRaw, borrowed, price: (collateralUsd8 * 10n ** 36n) / debtUsd8 },
        incentiveWad: incentiveFactorWad(WAD - (BigInt(shape.bonusBps) * WAD) / 4_000n),
      };
      const ways = waysOf(position, position, 'realise')!;
      const taking = (amountRaw: bigint) => morphoTaking(position, ways.callFor(amountRaw));
      const financing = { kind: 'callback', owedRaw: (amountRaw: bigint) => taking(amountRaw).repaidRaw } as const;
      return option({ regimes: ways.regimes, financing, gasUnits: 260_000n }, (amountRaw) => {
        const { repaidRaw, seizedRaw } = taking(amountRaw);
        return [repaidRaw, seizedRaw];
      });
    }
    case 'compound-v2': {
      const words = {
        accruedAt: 0n,
        borrowIndex: WAD,
        totalBorrows: heldRaw,
        totalReserves: 0n,
        totalSupply: heldRaw * 40n,
        reserveFactorWad: 0n,
      };
      const cash = heldRaw * 3n;
      const rateWad = exchangeRateWad(words, cash, 0n);
      const incentiveWad = WAD + (BigInt(shape.bonusBps) * WAD) / 10_000n;
      const pair: CompoundLiquidable = {
        ...{ owedRaw, closeFactorWad: WAD / 2n, ratioWad: seizeRatioWad(incentiveWad, debtUsd8, collateralUsd8, rateWad)!, incentiveWad },
        ...{ tokens: (heldRaw * WAD) / rateWad, collateral: { ...words, rateWad }, cash, payableRaw: cash, same: false },
        ...{
          seizeShareWad: (28n * WAD) / 1_000n,
          treasuryWad: undefined,
          redeemFeeWad: 0n,
          spared: 0n,
          heldTokens: 0n,
          stillShort: () => true,
        },
      };
      return option({ regimes: [regimeOf(pair, pair)!], financing: loan, gasUnits: 650_000n }, (amountRaw) => [
        amountRaw,
        compoundTaking(pair, amountRaw).receivedRaw,
      ]);
    }
    case 'compound-v3': {
      const discountedPrice = (collateralUsd8 * BigInt(10_000 - shape.bonusBps)) / 10_000n;
      const terms = { basePrice: debtUsd8, baseScale: WAD, scale: WAD, discountedPrice };
      return option({ regimes: [payableFor(terms, heldRaw)!], financing: loan, gasUnits: 300_000n }, (amountRaw) => [
        amountRaw,
        quoteDown(terms, amountRaw),
      ]);
    }
  }
}

/** Lends up to so much for this many basis points. */
export function lenderDouble(name: string, mostRaw: bigint, feeBps: bigint): FlashSource {
  const lender: Address = `0x${'9'.repeat(40)}`;
  return {
    name,
    feeRaw: (_, amountRaw) => (amountRaw > mostRaw ? undefined : { feeRaw: (amountRaw * feeBps) / 10_000n, gasUnits: 50_000n, lender }),
    steps: () => [],
  };
}
