/** The way to liquidate a position now: Morpho seizes first, calls back, and takes its payment after that, so no loan is needed. */
import { encodeFunctionData, parseAbi, toFunctionSelector } from 'viem';
import { encodeSteps } from '../../lib/encode-steps.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Option } from '../types.ts';
import { leftAfter, loweringOf } from './aftermath.ts';
import type { MarketNow } from './lens.ts';
import { standingOf } from './lens.ts';
import { type BadDebt, type Call, incentiveFactorWad, type Liquidable, takingOf, waysOf } from './liquidation.ts';
import type { MarketParams, Position } from './state.ts';

const morphoAbi = parseAbi([
  'struct MarketParams { address loanToken; address collateralToken; address oracle; address irm; uint256 lltv; }',
  'function liquidate(MarketParams marketParams, address borrower, uint256 seizedAssets, uint256 repaidShares, bytes data)',
]);
const ON_LIQUIDATE = toFunctionSelector('function onMorphoLiquidate(uint256 repaidAssets, bytes data)');
/** `data` among the callback's arguments. */
const DATA_ARGUMENT = 1;
const WAD = 10n ** 18n;
/** Morpho.liquidate with its callback, accrual and a decoded oracle of two feeds, measured on the devnet. */
const CALL_GAS = 260_000n;

/** For how long after the judged block a plan may still be mined: what it owes grows meanwhile. */
export const LATE_SECONDS = 120;

export type OptionParts = {
  readonly morpho: Address;
  readonly label: string;
  readonly badDebt: BadDebt;
  /** The market at the moment, and `LATE_SECONDS` on. */
  readonly now: MarketNow;
  readonly later: MarketNow;
};

export function optionsOf(position: Position, { morpho, label, badDebt, now, later }: OptionParts): Option[] {
  const standing = standingOf(position, now);
  if (!standing.ok || standing.healthFactorWad >= WAD || !now.ok || !later.ok) return [];
  const { params } = position.market;
  const incentiveWad = incentiveFactorWad(params.lltv);
  const liquidable = ({ price, borrowed }: Extract<MarketNow, { ok: true }>): Liquidable => ({
    ...{ borrowShares: position.borrowShares, collateral: position.collateral },
    ...{ price, borrowed, incentiveWad },
  });
  const atOnce = liquidable(now);
  const late = liquidable(later);
  const ways = waysOf(atOnce, late, badDebt);
  if (ways === undefined) return [];
  const owedRaw = (seizedRaw: bigint) => {
    const call = ways.callFor(seizedRaw);
    const [first, last] = [takingOf(atOnce, call).repaidRaw, takingOf(late, call).repaidRaw];
    return first > last ? first : last;
  };
  return [
    {
      label,
      debtAsset: params.loanToken,
      collateralAsset: params.collateralToken,
      regimes: ways.regimes,
      gasUnits: CALL_GAS,
      financing: { kind: 'callback', owedRaw },
      flow: (amountRaw) => {
        const { repaidRaw, seizedRaw } = takingOf(atOnce, ways.callFor(amountRaw));
        return [
          { asset: params.loanToken, deltaRaw: -repaidRaw },
          { asset: params.collateralToken, deltaRaw: seizedRaw },
        ];
      },
      rest: (takenRaw) => {
        if (takenRaw === 0n) return ways.regimes;
        const taking = takingOf(atOnce, ways.callFor(takenRaw));
        if (taking.seizedRaw >= position.collateral || taking.repaidShares >= position.borrowShares) return [];
        const [left, leftLater] = [leftAfter(position, now, taking), leftAfter(position, later, taking)];
        return optionsOf(left.position, { morpho, label, badDebt, now: left.now, later: leftLater.now }).flatMap(({ regimes }) => regimes);
      },
      lowersHealth: (amountRaw) => loweringOf(position, now, takingOf(atOnce, ways.callFor(amountRaw))),
      steps: (amountRaw, exchange) => [
        liquidation(morpho, params, position.account, ways.callFor(amountRaw), owedRaw(amountRaw), exchange),
      ],
    },
  ];
}

/** Morpho takes what it is owed by allowance, when its callback returns. */
function liquidation(
  morpho: Address,
  { loanToken, collateralToken, oracle, irm, lltv }: MarketParams,
  borrower: Address,
  { seizedAssets, repaidShares }: Call,
  owedRaw: bigint,
  exchange: readonly Step[],
): Step {
  const payload = encodeSteps([...exchange, { kind: 'approve', token: loanToken, spender: morpho, amountRaw: owedRaw }]);
  return {
    kind: 'enter',
    target: morpho,
    valueWei: 0n,
    data: encodeFunctionData({
      abi: morphoAbi,
      functionName: 'liquidate',
      args: [{ loanToken, collateralToken, oracle, irm, lltv }, borrower, seizedAssets, repaidShares, payload],
    }),
    callback: { caller: morpho, selector: ON_LIQUIDATE, argument: DATA_ARGUMENT, payload, answer: '0x' },
  };
}
