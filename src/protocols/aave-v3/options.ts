/** The ways to liquidate one account now: every pair of its debts and collaterals that the pool's validation lets through. */
import { encodeFunctionData, parseAbi, prepareEncodeFunctionData } from 'viem';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Option, Slot } from '../types.ts';
import { type Account, debtIds } from './accounts.ts';
import { CLOSE_FACTOR_THRESHOLD_WAD } from './closing.ts';
import { standingOf } from './health.ts';
import type { Lens, ReserveNow } from './lens.ts';
import { type Pair, regimesOf, takingOf } from './liquidation.ts';
import type { MarketState } from './state.ts';

const poolAbi = parseAbi([
  'function liquidationCall(address collateralAsset, address debtAsset, address borrower, uint256 debtToCover, bool receiveAToken)',
]);
const liquidationCall = prepareEncodeFunctionData({ abi: poolAbi, functionName: 'liquidationCall' });

const WAD = 10n ** 18n;

/** A call on one pair, measured on the 3.6 contracts with a rewards controller; every further reserve of the account is priced and weighed. */
const CALL_GAS = 355_000n;
const RESERVE_GAS = 37_000n;

export function optionsOf(slot: Slot, state: MarketState, lens: Lens): Option[] {
  const standing = standingOf(state.accounts, slot, lens);
  if (!standing.ok || standing.healthFactorWad >= WAD) return [];
  // ValidationLogic.validateLiquidationCall: without the sentinel's word only deep under water.
  if (!state.liquidationAllowed && standing.healthFactorWad >= CLOSE_FACTOR_THRESHOLD_WAD) return [];
  const account = state.accounts.read(slot);
  const owing = debtIds(account);
  const gasUnits = CALL_GAS + RESERVE_GAS * BigInt(Math.max(0, account.collateral.size + owing.length - 2));
  const options: Option[] = [];
  for (const debtId of owing) {
    const debt = lens.reserve(debtId);
    if (debt === undefined || !touchable(debt, lens)) continue;
    for (const collateralId of account.collateral) {
      const collateral = lens.reserve(collateralId);
      const scaled = account.supplied.get(collateralId);
      if (collateral === undefined || scaled === undefined || scaled === 0n || !touchable(collateral, lens)) continue;
      const pair = pairOf(account, debt, collateral, scaled, standing, lens);
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
  collateral: ReserveNow,
  scaledCollateral: bigint,
  standing: { readonly healthFactorWad: bigint; readonly debtBase: bigint },
  lens: Lens,
): Pair | undefined {
  const { rules } = lens;
  const { config, unit, availableRaw } = collateral.reserve;
  const mode = lens.mode(account.eMode);
  // NOTE: a mode's own price is taken for the debt whether or not the mode covers it (LiquidationLogic._getConfigurationData).
  const debtPrice = mode?.priced ? mode.price : debt.price;
  const price = lens.priceIn(mode, collateral);
  // A price of 0 (a fallback oracle may answer it) makes the pool divide by it, or give the collateral away for nothing.
  if (!debtPrice || !price) return undefined;
  const bonusBps = lens.covering(mode, collateral.reserve)?.liquidationBonusBps ?? config.liquidationBonusBps;
  if (bonusBps === 0n || (config.liquidationThresholdBps === 0n && !rules.weighing.countsUnweighted)) return undefined;
  const { variableRaw, totalRaw } = lens.debtRaw(account.owed.get(debt.reserve.id) ?? 0n, account.fixed.get(debt.reserve.id), debt);
  return {
    rules,
    debt: { amountRaw: totalRaw, variableRaw, price: debtPrice, unit: debt.reserve.unit, indexRay: debt.debtIndexRay },
    collateral: {
      ...{ amountRaw: lens.suppliedRaw(scaledCollateral, collateral), price, unit, indexRay: collateral.incomeIndexRay },
      ...{ bonusBps, protocolFeeBps: config.liquidationProtocolFeeBps, availableRaw },
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
          ...liquidationCall,
          args: [collateral.asset, debt.asset, borrower, amountRaw, false],
        }),
      },
      ...exchange,
    ],
  };
}
