/**
 * The ways to liquidate an account now: one for each pair of debt and collateral. The seized market tokens are redeemed at once, so that what comes in is the
 * underlying token; as many as were seized, because a later block's exchange rate gives a few less.
 */
import { encodeFunctionData, parseAbi } from 'viem';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Option, Refusal } from '../types.ts';
import { foremost, gainAtOracle } from './foremost.ts';
import { type Pair, standingOf, vaiOwed } from './health.ts';
import type { Lens } from './lens.ts';
import { type Liquidable, regimeOf, type Taking, takingOf } from './liquidation.ts';
import { borrowBalance, seizeRatioWad } from './math.ts';
import { type Account, type Market, type Rules, type Switches, termsOf } from './state.ts';

const abi = parseAbi([
  'function accrueInterest() returns (uint256)',
  'function redeem(uint256 redeemTokens) returns (uint256)',
  'function redeemUnderlying(uint256 redeemAmount) returns (uint256)',
  'function liquidateBorrow(address borrower, uint256 repayAmount, address cTokenCollateral) returns (uint256)',
]);
const nativeAbi = parseAbi(['function liquidateBorrow(address borrower, address cTokenCollateral) payable']);
const gateAbi = parseAbi([
  'function liquidateBorrow(address vToken, address borrower, uint256 repayAmount, address vTokenCollateral) payable',
]);
const wrappedAbi = parseAbi(['function deposit() payable', 'function withdraw(uint256 amount)']);

/** Measured on the devnet: the call with both accruals and an oracle of feeds, with the redemption; what a gate adds; each further accrual. */
const CALL_GAS = 650_000n;
const GATE_GAS = 450_000n;
const ACCRUE_GAS = 90_000n;
const WRAP_GAS = 30_000n;
/**
 * Native tokens are wrapped as so many as the calldata says, so a plan that is mined a little later has to redeem no fewer: these market tokens, worth next to
 * nothing, stay behind.
 */
const SPARED_TOKENS = 2n;

export function optionsOf(account: Account, lens: Lens): Option[] {
  const { rules } = lens.state;
  const standing = standingOf(account, lens);
  if (!standing.ok || rules.paused || !admitted(account, lens)) return [];
  const allowed = standing.pairs.filter((pair) => open(pair, rules) && !vaiFirst(account, pair, lens));
  const closeFactor = Number(rules.closeFactorWad) / 1e18;
  const gain = (pair: Pair) => {
    const terms = termsOf(pair.collateral.holding.market, account.pool, rules);
    return terms === undefined ? 0 : gainAtOracle(pair, closeFactor, Number(terms.incentiveWad) / 1e18);
  };
  return foremost(allowed, gain).flatMap((pair) => {
    const liquidable = liquidableOf(account, pair, 'accrued', lens);
    const early = liquidableOf(account, pair, 'early', lens);
    const regime = liquidable === undefined || early === undefined ? undefined : regimeOf(liquidable, early);
    if (liquidable === undefined || regime === undefined) return [];
    return [optionOf(account.address, pair, liquidable, regime, rules, labelOf(pair))];
  });
}

/** Why there is none for a position that its health lets be liquidated. */
export function refusalOf(account: Account, lens: Lens): Refusal | undefined {
  const { rules } = lens.state;
  const standing = standingOf(account, lens);
  if (!standing.ok || standing.pairs.length === 0) return undefined;
  if (rules.paused) return { reason: 'liquidation-paused', figures: { paused: 'protocol' } };
  const through = { liquidator: rules.gate?.address ?? 'none' };
  if (!admitted(account, lens)) return { reason: 'not-admitted', figures: through };
  const unpaused = standing.pairs.filter((pair) => open(pair, rules));
  if (unpaused.length === 0) return { reason: 'liquidation-paused', figures: { pairs: standing.pairs.map(labelOf).join(', ') } };
  const allowed = unpaused.filter((pair) => !vaiFirst(account, pair, lens));
  if (allowed.length === 0) return { reason: 'not-admitted', figures: { ...through, vaiRaw: String(vaiOwed(account, lens.vaiIndex())) } };
  const payable = allowed.filter((pair) => (liquidableOf(account, pair, 'accrued', lens)?.payableRaw ?? 1n) > 0n);
  return payable.length === 0 ? { reason: 'no-cash', figures: { pairs: allowed.map(labelOf).join(', ') } } : undefined;
}

function labelOf({ debt, collateral }: Pair): string {
  return `${debt.holding.market.symbol}/${collateral.holding.market.symbol}`;
}

/** A gate that nobody knows how to pass, or that lets nobody at this account, leaves no way. */
function admitted({ address }: Account, { state: { rules, shielded } }: Lens): boolean {
  return rules.gate === undefined || (rules.gate.kind === 'venus' && !shielded.has(address));
}

function open({ debt, collateral }: Pair, { switches, gate }: Rules): boolean {
  const at = ({ address }: Market): Switches | undefined => switches.get(address);
  const [owed, held] = [at(debt.holding.market), at(collateral.holding.market)];
  if (owed === undefined || held === undefined) return false;
  return !owed.noLiquidation && !owed.noRepayment && !held.noSeizure && !held.noRedemption && !(gate !== undefined && held.noTransfer);
}

/** Liquidator._checkForceVAILiquidate: a large debt in VAI has to be liquidated before any other. */
function vaiFirst(account: Account, { forced }: Pair, lens: Lens): boolean {
  const { gate } = lens.state.rules;
  if (forced || gate?.kind !== 'venus' || gate.mostVaiRaw === undefined) return false;
  return vaiOwed(account, lens.vaiIndex()) >= gate.mostVaiRaw;
}

function liquidableOf(
  account: Account,
  { debt, collateral, forced, stillShort }: Pair,
  when: 'accrued' | 'early',
  { state }: Lens,
): Liquidable | undefined {
  const { rules } = state;
  const { market, tokens } = collateral.holding;
  const terms = termsOf(market, account.pool, rules);
  const { cash, [when]: figures } = collateral.now;
  const listed = (one: Market) => rules.pools[0]?.terms.get(one.address)?.listed === true;
  if (terms === undefined || !listed(market) || !listed(debt.holding.market)) return undefined;
  const ratioWad = seizeRatioWad(terms.incentiveWad, debt.price, collateral.price, figures.rateWad);
  if (ratioWad === undefined || ratioWad === 0n) return undefined;
  const reservesRaw = market.paysReservesOut ? figures.totalReserves : 0n;
  return {
    ...{ ratioWad, incentiveWad: terms.incentiveWad, tokens, collateral: figures, cash },
    owedRaw: borrowBalance(debt.holding, debt.now[when].borrowIndex),
    closeFactorWad: forced ? undefined : rules.closeFactorWad,
    payableRaw: cash > reservesRaw ? cash - reservesRaw : 0n,
    same: debt.holding.market === market,
    seizeShareWad: market.seizeShareWad,
    treasuryWad: rules.gate?.kind === 'venus' ? rules.gate.treasuryWad : undefined,
    redeemFeeWad: rules.redeemFeeWad,
    spared: market.native ? SPARED_TOKENS : 0n,
    stillShort,
  };
}

function optionOf(
  borrower: Address,
  pair: Pair,
  liquidable: Liquidable,
  regime: { readonly minRaw: bigint; readonly maxRaw: bigint },
  { gate }: Rules,
  label: string,
): Option {
  const [debt, collateral] = [pair.debt.holding.market, pair.collateral.holding.market];
  const first = pair.accrueFirst.map(({ holding }) => holding.market);
  const wraps = (debt.native ? WRAP_GAS : 0n) + (collateral.native ? WRAP_GAS : 0n);
  return {
    label,
    debtAsset: debt.underlying,
    collateralAsset: collateral.underlying,
    regimes: [regime],
    gasUnits: CALL_GAS + (gate === undefined ? 0n : GATE_GAS) + BigInt(first.length) * ACCRUE_GAS + wraps,
    financing: { kind: 'loan' },
    flow: (amountRaw) => [
      { asset: debt.underlying, deltaRaw: -amountRaw },
      { asset: collateral.underlying, deltaRaw: takingOf(liquidable, amountRaw).receivedRaw },
    ],
    steps: (amountRaw, exchange) => [
      ...first.map((market) => call(market.address, encodeFunctionData({ abi, functionName: 'accrueInterest' }))),
      ...liquidation(borrower, debt, collateral, amountRaw, gate?.address),
      ...redemption(collateral, takingOf(liquidable, amountRaw)),
      ...exchange,
    ],
  };
}

function liquidation(
  borrower: Address,
  debt: Market,
  { address: collateral }: Market,
  amountRaw: bigint,
  gate: Address | undefined,
): Step[] {
  const valueWei = debt.native ? amountRaw : 0n;
  const pay: Step = debt.native
    ? call(debt.underlying, encodeFunctionData({ abi: wrappedAbi, functionName: 'withdraw', args: [amountRaw] }))
    : { kind: 'approve', token: debt.underlying, spender: gate ?? debt.address, amountRaw };
  if (gate !== undefined) {
    const args = [debt.address, borrower, amountRaw, collateral] as const;
    return [pay, call(gate, encodeFunctionData({ abi: gateAbi, functionName: 'liquidateBorrow', args }), valueWei)];
  }
  const data = debt.native
    ? encodeFunctionData({ abi: nativeAbi, functionName: 'liquidateBorrow', args: [borrower, collateral] })
    : encodeFunctionData({ abi, functionName: 'liquidateBorrow', args: [borrower, amountRaw, collateral] });
  return [pay, call(debt.address, data, valueWei)];
}

/** Of all market tokens that came in; of a fixed amount where that is wrapped after it. */
function redemption({ address, underlying, native }: Market, { redeemedRaw, receivedRaw }: Taking): Step[] {
  if (!native) {
    const step = call(address, encodeFunctionData({ abi, functionName: 'redeem', args: [0n] }));
    return [{ ...step, patch: { token: address, offset: 4 } }];
  }
  return [
    call(address, encodeFunctionData({ abi, functionName: 'redeemUnderlying', args: [redeemedRaw] })),
    call(underlying, encodeFunctionData({ abi: wrappedAbi, functionName: 'deposit' }), receivedRaw),
  ];
}

function call(target: Address, data: `0x${string}`, valueWei = 0n): Extract<Step, { kind: 'call' }> {
  return { kind: 'call', target, valueWei, data };
}
