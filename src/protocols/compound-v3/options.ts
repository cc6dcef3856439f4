/**
 * The ways to act now: absorb an account and buy its collateral in one go, or buy what the protocol holds already. Absorbing alone pays in points, which
 * buy nothing, so it is not done.
 */
import { encodeFunctionData, parseAbi } from 'viem';
import { MAX_UINT256, mulDivDown, WAD } from '../../lib/math.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Option, Verdict } from '../types.ts';
import { type Lens, standingOf } from './lens.ts';
import { absorptionOf, payableFor, quoteDown, termsOf } from './liquidation.ts';
import { forSale } from './math.ts';
import { type Account, assetsOf, reserveOf } from './state.ts';

const cometAbi = parseAbi([
  'function absorb(address absorber, address[] accounts)',
  'function buyCollateral(address asset, uint256 minAmount, uint256 baseAmount, address recipient)',
]);

/** Comet.buyCollateral with its accrual, approval and two transfers; Comet.absorb, and what each asset of the account adds. Measured on the devnet. */
const BUY_GAS = 150_000n;
const ABSORB_GAS = 60_000n;
const ABSORB_ASSET_GAS = 40_000n;

/**
 * The protocol's own offer of an asset, judged as if it were a position: its health is the share that reserves are of what they should be. Where less is left
 * than a unit of the base asset buys, there is nothing to act on.
 */
export function offerVerdict(place: number, lens: Lens): Verdict {
  const healthFactorWad = wholenessWad(lens);
  if (!lens.open) return { kind: 'healthy', healthFactorWad };
  const terms = termsOf(lens, place);
  if (terms === undefined) return { kind: 'unknown', reason: 'a price feed does not answer' };
  return { kind: payableFor(terms, reserveOf(lens.state, place)) === undefined ? 'healthy' : 'liquidatable', healthFactorWad };
}

function wholenessWad({ reserves, state }: Lens): bigint {
  const { targetReserves } = state.config;
  if (reserves < 0n) return 0n;
  return targetReserves === 0n ? MAX_UINT256 : mulDivDown(reserves, WAD, targetReserves);
}

/** What the protocol holds of an asset, bought. */
export function offerOptions(place: number, lens: Lens): Option[] {
  return lens.open ? purchase(lens, place, reserveOf(lens.state, place), undefined, lens.reserves) : [];
}

/**
 * NOTE: while the protocol sells anyhow, what it holds already is its own offer's, and an account's is only its own: the two never sell the same twice. Two accounts
 * of which each would open the sale do count on the same holdings; the second of them then fails in rehearsal, and waits a block.
 */
export function accountOptions(account: Account, lens: Lens): Option[] {
  const { totals, config } = lens.state;
  if (totals.absorbPaused || totals.buyPaused) return [];
  const standing = standingOf(account, lens);
  if (!standing.ok || standing.healthFactorWad >= WAD) return [];
  const absorption = absorptionOf(account, lens);
  if (absorption === undefined || !forSale(absorption.reserves, config.targetReserves)) return [];
  return assetsOf(account, config).flatMap((place) => {
    const before = lens.open ? 0n : reserveOf(lens.state, place);
    return purchase(lens, place, before + absorption.seizedRaw[place]!, account, absorption.reserves);
  });
}

/**
 * Amounts are of the base asset, paid. An account is absorbed whole, and nothing of it is left; what is not bought of its collateral then, the protocol goes on
 * offering while its reserves are below what they should be.
 *
 * @param reserves of the base asset, before the purchase
 */
function purchase(lens: Lens, place: number, availableRaw: bigint, absorbed: Account | undefined, reserves: bigint): Option[] {
  const { comet, config } = lens.state;
  const { base, assets } = config;
  const asset = assets[place]!;
  const terms = termsOf(lens, place);
  const regime = terms === undefined ? undefined : payableFor(terms, availableRaw);
  if (terms === undefined || regime === undefined) return [];
  const absorbGas = absorbed === undefined ? 0n : ABSORB_GAS + BigInt(assetsOf(absorbed, config).length) * ABSORB_ASSET_GAS;
  return [
    {
      label: `${base.symbol}/${asset.symbol}`,
      debtAsset: base.address,
      collateralAsset: asset.address,
      regimes: [regime],
      gasUnits: BUY_GAS + absorbGas,
      financing: { kind: 'loan' },
      rest: (takenRaw) => {
        const left = availableRaw - quoteDown(terms, takenRaw);
        const payable = left > 0n && forSale(reserves + takenRaw, config.targetReserves) ? payableFor(terms, left) : undefined;
        return payable === undefined ? [] : [payable];
      },
      flow: (amountRaw) => [
        { asset: base.address, deltaRaw: -amountRaw },
        { asset: asset.address, deltaRaw: quoteDown(terms, amountRaw) },
      ],
      steps: (amountRaw, exchange, executor) => [
        ...(absorbed === undefined ? [] : [absorb(comet, absorbed.address, executor)]),
        { kind: 'approve', token: base.address, spender: comet, amountRaw },
        buy(comet, asset.address, amountRaw, executor),
        ...exchange,
      ],
    },
  ];
}

function absorb(comet: Address, account: Address, executor: Address): Step {
  const data = encodeFunctionData({ abi: cometAbi, functionName: 'absorb', args: [executor, [account]] });
  return { kind: 'call', target: comet, valueWei: 0n, data };
}

/** No least amount is asked for: the Executor's own bound on the profit says more, and a price that moved by a unit is no reason to revert. */
function buy(comet: Address, asset: Address, baseRaw: bigint, executor: Address): Step {
  const data = encodeFunctionData({ abi: cometAbi, functionName: 'buyCollateral', args: [asset, 0n, baseRaw, executor] });
  return { kind: 'call', target: comet, valueWei: 0n, data };
}
