/** The ways to liquidate one account now: every pair of its debts and collaterals that the pool's validation lets through. */
import { encodeFunctionData, parseAbi } from 'viem';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Option } from '../types.ts';
import { collateralRaw, debtRaw, standingOf } from './health.ts';
import type { Lens, ReserveNow } from './lens.ts';
import { CLOSE_FACTOR_THRESHOLD_WAD, type Pair, type Rounding, regimesOf, takingOf } from './liquidation.ts';
import type { Account, MarketState } from './state.ts';

const poolAbi = parseAbi([
  'function liquidationCall(address collateralAsset, address debtAsset, address borrower, uint256 debtToCover, bool receiveAToken)',
]);

const WAD = 10n ** 18n;

/** A call on one pair, measured on the 3.6 contracts with a rewards controller; every further reserve of the account is priced and weighed. */
const CALL_GAS = 355_000n;
const RESERVE_GAS = 37_000n;

export function optionsOf(account: Account, state: MarketState, lens: Lens): Option[] {
  const standing = standingOf(account, lens);
  if (!standing.ok || standing.healthFactorWad >= WAD) return [];
  // ValidationLogic.validateLiquidationCall: without the sentinel's word only deep under water.
  if (!state.liquidationAllowed && standing.healthFactorWad >= CLOSE_FACTOR_THRESHOLD_WAD) return [];
  const gasUnits = CALL_GAS + RESERVE_GAS * BigInt(Math.max(0, account.collateral.size + account.owed.size - 2));
  const options: Option[] = [];
  for (const [debtId, scaledDebt] of account.owed) {
    const debt = lens.reserve(debtId);
    if (debt === undefined || !touchable(debt, lens)) continue;
    for (const collateralId of account.collateral) {
      const collateral = lens.reserve(collateralId);
      const scaled = account.supplied.get(collateralId);
      if (collateral === undefined || scaled === undefined || scaled === 0n || !touchable(collateral, lens)) continue;
      const pair = pairOf(account, debt, scaledDebt, collateral, scaled, standing, lens, state.rounding);
      if (pair === undefined) continue;
      const regimes = regimesOf(pair);
      if (regimes.length > 0) options.push(optionOf(pair, regimes, debt, collateral, account.address, state.addresses.pool, gasUnits));
    }
  }
  return options;
}

/** Active, not paused, its grace period over. Frozen reserves can be liquidated. */
function touchable({ reserve }: ReserveNow, lens: Lens): boolean {
  return reserve.config.active && !reserve.config.paused && reserve.graceUntil < lens.at.timestamp;
}

function pairOf(
  account: Account,
  debt: ReserveNow,
  scaledDebt: bigint,
  collateral: ReserveNow,
  scaledCollateral: bigint,
  standing: { readonly healthFactorWad: bigint; readonly debtBase: bigint },
  lens: Lens,
  rounding: Rounding,
): Pair | undefined {
  // A price of 0 (a fallback oracle may answer it) makes the pool divide by it, or give the collateral away for nothing.
  if (!debt.price || !collateral.price) return undefined;
  const { config } = collateral.reserve;
  const bonusBps = lens.modeOf(account.eMode, collateral.reserve.id)?.liquidationBonusBps ?? config.liquidationBonusBps;
  if (bonusBps === 0n) return undefined;
  return {
    rounding,
    debt: { amountRaw: debtRaw(scaledDebt, debt), price: debt.price, unit: debt.reserve.unit, indexRay: debt.debtIndexRay },
    collateral: {
      amountRaw: collateralRaw(scaledCollateral, collateral),
      price: collateral.price,
      unit: collateral.reserve.unit,
      bonusBps,
      protocolFeeBps: config.liquidationProtocolFeeBps,
      availableRaw: collateral.reserve.virtualBalanceRaw,
    },
    healthFactorWad: standing.healthFactorWad,
    totalDebtBase: standing.debtBase,
  };
}

function optionOf(
  pair: Pair,
  regimes: Option['regimes'],
  { reserve: debt }: ReserveNow,
  { reserve: collateral }: ReserveNow,
  borrower: Address,
  pool: Address,
  gasUnits: bigint,
): Option {
  return {
    label: `${debt.symbol}/${collateral.symbol}`,
    debtAsset: debt.asset,
    collateralAsset: collateral.asset,
    regimes,
    gasUnits,
    financing: { kind: 'loan' },
    flow: (amountRaw) => {
      const { repaidRaw, receivedRaw } = takingOf(pair, amountRaw);
      return [
        { asset: debt.asset, deltaRaw: -repaidRaw },
        { asset: collateral.asset, deltaRaw: receivedRaw },
      ];
    },
    steps: (amountRaw, exchange): readonly Step[] => [
      { kind: 'approve', token: debt.asset, spender: pool, amountRaw },
      {
        kind: 'call',
        target: pool,
        valueWei: 0n,
        data: encodeFunctionData({
          abi: poolAbi,
          functionName: 'liquidationCall',
          args: [collateral.asset, debt.asset, borrower, amountRaw, false],
        }),
      },
      ...exchange,
    ],
  };
}
