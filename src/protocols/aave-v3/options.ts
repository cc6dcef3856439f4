/** The ways to liquidate one account now: every pair of its debts and collaterals that the pool's validation lets through. */
import { parseAbiItem } from 'viem';
import { calldataOf } from '../../lib/calldata.ts';
import { min } from '../../lib/math.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Lowering, Option, Regime, Slot } from '../types.ts';
import { type Account, alone, debtIds } from './account.ts';
import type { Accounts } from './accounts.ts';
import { accountAfter, type Holder, loweringOf } from './aftermath.ts';
import { CLOSE_FACTOR_THRESHOLD_WAD } from './closing.ts';
import { standingOf } from './health.ts';
import type { Lens, ReserveNow } from './lens.ts';
import { covered, type Pair, regimesOf, type Taking, takingOf } from './liquidation.ts';
import type { MarketState, Reserve } from './state.ts';
import { type After, bothOf, type Twice, twiceOf } from './twice.ts';

const liquidationCall = calldataOf(
  parseAbiItem(
    'function liquidationCall(address collateralAsset, address debtAsset, address borrower, uint256 debtToCover, bool receiveAToken)',
  ),
);

const WAD = 10n ** 18n;
/** In the label of an option of two calls. */
const TWICE = 'twice';

/** A call on one pair, measured on the 3.6 contracts with a rewards controller; every further reserve of the account is priced and weighed. */
const CALL_GAS = 355_000n;
const RESERVE_GAS = 37_000n;
/** A second call finds storage warm. */
const AGAIN_GAS = 230_000n;

export function optionsOf(slot: Slot, state: MarketState, lens: Lens, accounts: Accounts = state.accounts): Option[] {
  const standing = standingOf(accounts, slot, lens);
  if (!standing.ok || standing.healthFactorWad >= WAD) return [];
  // ValidationLogic.validateLiquidationCall: without the sentinel's word only deep under water.
  if (!state.liquidationAllowed && standing.healthFactorWad >= CLOSE_FACTOR_THRESHOLD_WAD) return [];
  const account = accounts.read(slot);
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
      if (regimes.length === 0) continue;
      const reserves = { debt: debt.reserve, collateral: collateral.reserve, borrower: account.address, pool: state.addresses.pool };
      const holder = { account, debtId, collateralId, thresholdBps: thresholdOf(account, collateral, lens) };
      const healthOf = (then: Account) => {
        const after = standingOf(...alone(then), lens);
        return after.ok ? after.healthFactorWad : undefined;
      };
      const lowers = (taking: Taking) => loweringOf(pair, taking, holder, healthOf);
      const after: After = (then, availableRaw) => {
        const stands = standingOf(...alone(then), lens);
        const left = stands.ok ? pairOf(then, debt, collateral, then.supplied.get(collateralId) ?? 0n, stands, lens) : undefined;
        return {
          healthFactorWad: stands.ok ? stands.healthFactorWad : WAD,
          pair: left && { ...left, collateral: { ...left.collateral, availableRaw } },
        };
      };
      const rest = (takenRaw: bigint) => restOf(pair, takenRaw, holder, after);
      const others = (takenRaw: bigint) => {
        const taken = covered(pair, min(takenRaw, pair.debt.amountRaw));
        const [then, only] = alone(takenRaw === 0n ? account : accountAfter(pair, taken, holder));
        return optionsOf(only, state, lens, then).filter((other) => !isSamePair(other, reserves));
      };
      const later = isFollowed(pair, holder) && { rest, ...(!isOnlyPair(account) && { others }) };
      options.push({ ...optionOf(pair, regimes, reserves, gasUnits, lowers), ...later });
      const twice = twiceOf(pair, regimes, holder, after);
      if (twice !== undefined) options.push(twiceOptionOf(twice, reserves, gasUnits + AGAIN_GAS, lowers));
    }
  }
  return options;
}

function isOnlyPair(account: Account): boolean {
  return account.collateral.size === 1 && debtIds(account).length === 1;
}

function isSamePair({ debtAsset, collateralAsset }: Option, { debt, collateral }: Reserves): boolean {
  return debtAsset === debt.asset && collateralAsset === collateral.asset;
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

/** Of an account's collateral. */
function thresholdOf(account: Account, { reserve }: ReserveNow, lens: Lens): bigint {
  return lens.covering(lens.mode(account.eMode), reserve)?.liquidationThresholdBps ?? reserve.config.liquidationThresholdBps;
}

/** Whether it is known what a part leaves: of a debt at a variable rate alone, and of another reserve's collateral. */
function isFollowed({ debt }: Pair, { debtId, collateralId }: Holder): boolean {
  return debt.variableRaw === debt.amountRaw && debtId !== collateralId;
}

function restOf(pair: Pair, takenRaw: bigint, holder: Holder, after: After): readonly Regime[] {
  const { debt, collateral } = pair;
  if (takenRaw >= debt.amountRaw) return [];
  if (takenRaw === 0n) return regimesOf(pair);
  const taken = covered(pair, takenRaw);
  const { healthFactorWad, pair: left } = after(accountAfter(pair, taken, holder), collateral.availableRaw - taken.receivedRaw);
  return left === undefined || healthFactorWad >= WAD ? [] : regimesOf(left);
}

/** Whom and what a call names. */
type Reserves = { readonly debt: Reserve; readonly collateral: Reserve; readonly borrower: Address; readonly pool: Address };

type Lowers = (taking: Taking) => Lowering | undefined;

function optionOf(pair: Pair, regimes: Option['regimes'], reserves: Reserves, gasUnits: bigint, lowers: Lowers): Option {
  return {
    ...shared(reserves),
    ...{ label: labelOf(reserves), regimes, gasUnits },
    flow: (amountRaw) => flowOf(takingOf(pair, amountRaw), reserves),
    lowersHealth: (amountRaw) => lowers(takingOf(pair, amountRaw)),
    steps: (amountRaw, exchange) => [...callsOf([amountRaw], reserves), ...exchange],
  };
}

function twiceOptionOf(twice: Twice, reserves: Reserves, gasUnits: bigint, lowers: Lowers): Option {
  return {
    ...shared(reserves),
    ...{ label: `${labelOf(reserves)} ${TWICE}`, regimes: twice.regimes, gasUnits },
    flow: (amountRaw) => flowOf(bothOf(twice, amountRaw), reserves),
    lowersHealth: (amountRaw) => lowers(bothOf(twice, amountRaw)),
    steps: (amountRaw, exchange) => [...callsOf([twice.firstRaw, amountRaw - twice.firstRaw], reserves), ...exchange],
  };
}

function shared({ debt, collateral }: Reserves): Pick<Option, 'debtAsset' | 'collateralAsset' | 'financing'> {
  return { debtAsset: debt.asset, collateralAsset: collateral.asset, financing: { kind: 'loan' } };
}

function labelOf({ debt, collateral }: Reserves): string {
  return `${debt.symbol}/${collateral.symbol}`;
}

function flowOf({ repaidRaw, receivedRaw }: Taking, { debt, collateral }: Reserves): ReturnType<Option['flow']> {
  return [
    { asset: debt.asset, deltaRaw: -repaidRaw },
    { asset: collateral.asset, deltaRaw: receivedRaw },
  ];
}

/** One after another, for all of which one approval is given. */
function callsOf(amountsRaw: readonly bigint[], { debt, collateral, borrower, pool }: Reserves): readonly Step[] {
  const amountRaw = amountsRaw.reduce((sum, amount) => sum + amount, 0n);
  const calls = amountsRaw.map((amount): Step => {
    const data = liquidationCall(collateral.asset, debt.asset, borrower, amount, false);
    return { kind: 'call', target: pool, valueWei: 0n, data };
  });
  return [{ kind: 'approve', token: debt.asset, spender: pool, amountRaw }, ...calls];
}
