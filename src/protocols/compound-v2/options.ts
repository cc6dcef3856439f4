/**
 * The ways to liquidate an account now: one for each pair of debt and collateral, and another where two calls can repay more than one. The seized market tokens are redeemed at once, so that what comes in is the
 * underlying token; as many as were seized, because a later block's exchange rate gives a few less.
 */
import { encodeFunctionData, parseAbi } from 'viem';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Option, Refusal, Regime } from '../types.ts';
import { accountAfter, afterCall, loweringOf, restOf, type Target } from './aftermath.ts';
import { foremost, gainAtOracle } from './foremost.ts';
import { type Pair, standingOf, vaiOwed } from './health.ts';
import type { Lens } from './lens.ts';
import { type Liquidable, regimeOf, type Taking, takingOf } from './liquidation.ts';
import { borrowBalance, seizeRatioWad } from './math.ts';
import { type Account, type Market, type Rules, type Switches, termsOf } from './state.ts';
import { type Twice, twiceOf } from './twice.ts';

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
/** A second call finds storage warm; what a gate adds to that. */
const AGAIN_GAS = 215_000n;
const GATE_AGAIN_GAS = 250_000n;
/** In the label of an option of two calls. */
const TWICE = 'twice';
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
    if (liquidable === undefined || early === undefined || regime === undefined) return [];
    const target = { pair, liquidable, ratioAt: (rateWad: bigint) => ratioOf(pair, liquidable.incentiveWad, rateWad) };
    const call = { borrower: account.address, target, gate: rules.gate?.address };
    const twice = twiceOf(target, early, regime);
    const later = {
      rest: (takenRaw: bigint) => restOf(target, early, takenRaw),
      ...(standing.pairs.length > 1 && { others: (takenRaw: bigint) => othersOf(account, target, takenRaw, lens) }),
    };
    return [{ ...optionOf(call, regime), ...later }, ...(twice === undefined ? [] : [twiceOptionOf(call, twice)])];
  });
}

/** NOTE: what the markets themselves have lost by then is not counted: it says how much their collateral can be redeemed for, where they are nearly empty. */
function othersOf(account: Account, target: Target, takenRaw: bigint, lens: Lens): readonly Option[] {
  const [debt, collateral] = marketsOf(target.pair);
  return optionsOf(accountAfter(account, target, takenRaw), lens).filter(
    ({ debtAsset, collateralAsset }) => debtAsset !== debt.underlying || collateralAsset !== collateral.underlying,
  );
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
  const ratioWad = ratioOf({ debt, collateral }, terms.incentiveWad, figures.rateWad);
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
    heldTokens: 0n,
    stillShort,
  };
}

function ratioOf({ debt, collateral }: Pick<Pair, 'debt' | 'collateral'>, incentiveWad: bigint, rateWad: bigint): bigint | undefined {
  return seizeRatioWad(incentiveWad, debt.price, collateral.price, rateWad);
}

/** Whom the calls of an option name, and what they find. */
type Calls = { readonly borrower: Address; readonly target: Target; readonly gate: Address | undefined };

function optionOf(calls: Calls, regime: Regime): Option {
  const { pair, liquidable } = calls.target;
  return {
    ...shared(calls),
    ...{ label: labelOf(pair), regimes: [regime], gasUnits: gasOf(calls) },
    flow: (amountRaw) => flowOf(pair, amountRaw, takingOf(liquidable, amountRaw)),
    lowersHealth: (amountRaw) => loweringOf(pair, afterCall(calls.target, liquidable, amountRaw)),
    steps: (amountRaw, exchange) => stepsOf(calls, [amountRaw], takingOf(liquidable, amountRaw), exchange),
  };
}

function twiceOptionOf(calls: Calls, { firstRaw, then, regime }: Twice): Option {
  const { pair } = calls.target;
  const gasUnits = gasOf(calls) + AGAIN_GAS + (calls.gate === undefined ? 0n : GATE_AGAIN_GAS);
  const both = (amountRaw: bigint) => takingOf(then, amountRaw - firstRaw);
  return {
    ...shared(calls),
    ...{ label: `${labelOf(pair)} ${TWICE}`, regimes: [regime], gasUnits },
    flow: (amountRaw) => flowOf(pair, amountRaw, both(amountRaw)),
    lowersHealth: (amountRaw) => loweringOf(pair, afterCall(calls.target, then, amountRaw - firstRaw)),
    steps: (amountRaw, exchange) => stepsOf(calls, [firstRaw, amountRaw - firstRaw], both(amountRaw), exchange),
  };
}

function marketsOf({ debt, collateral }: Pair): readonly [debt: Market, collateral: Market] {
  return [debt.holding.market, collateral.holding.market];
}

function shared({ target }: Calls): Pick<Option, 'debtAsset' | 'collateralAsset' | 'financing'> {
  const [debt, collateral] = marketsOf(target.pair);
  return { debtAsset: debt.underlying, collateralAsset: collateral.underlying, financing: { kind: 'loan' } };
}

function gasOf({ target: { pair }, gate }: Calls): bigint {
  const wraps = marketsOf(pair).reduce((sum, { native }) => (native ? sum + WRAP_GAS : sum), 0n);
  return CALL_GAS + (gate === undefined ? 0n : GATE_GAS) + BigInt(pair.accrueFirst.length) * ACCRUE_GAS + wraps;
}

function flowOf(pair: Pair, repaidRaw: bigint, { receivedRaw }: Taking): ReturnType<Option['flow']> {
  const [debt, collateral] = marketsOf(pair);
  return [
    { asset: debt.underlying, deltaRaw: -repaidRaw },
    { asset: collateral.underlying, deltaRaw: receivedRaw },
  ];
}

/** @param taking by all calls together */
function stepsOf({ borrower, target, gate }: Calls, amountsRaw: readonly bigint[], taking: Taking, exchange: readonly Step[]): Step[] {
  const { pair } = target;
  const [debt, collateral] = marketsOf(pair);
  return [
    ...pair.accrueFirst.map(({ holding: { market } }) => call(market.address, encodeFunctionData({ abi, functionName: 'accrueInterest' }))),
    payment(
      debt,
      amountsRaw.reduce((sum, amount) => sum + amount, 0n),
      gate,
    ),
    ...amountsRaw.map((amount) => liquidation(borrower, debt, collateral, amount, gate)),
    ...redemption(collateral, taking),
    ...exchange,
  ];
}

/** What all calls together are paid with. */
function payment({ address, underlying, native }: Market, amountRaw: bigint, gate: Address | undefined): Step {
  return native
    ? call(underlying, encodeFunctionData({ abi: wrappedAbi, functionName: 'withdraw', args: [amountRaw] }))
    : { kind: 'approve', token: underlying, spender: gate ?? address, amountRaw };
}

function liquidation(borrower: Address, debt: Market, { address: collateral }: Market, amountRaw: bigint, gate: Address | undefined): Step {
  const valueWei = debt.native ? amountRaw : 0n;
  if (gate !== undefined) {
    const args = [debt.address, borrower, amountRaw, collateral] as const;
    return call(gate, encodeFunctionData({ abi: gateAbi, functionName: 'liquidateBorrow', args }), valueWei);
  }
  const data = debt.native
    ? encodeFunctionData({ abi: nativeAbi, functionName: 'liquidateBorrow', args: [borrower, collateral] })
    : encodeFunctionData({ abi, functionName: 'liquidateBorrow', args: [borrower, amountRaw, collateral] });
  return call(debt.address, data, valueWei);
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
