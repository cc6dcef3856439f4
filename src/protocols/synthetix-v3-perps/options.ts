/** The ways to liquidate an account. Nothing is paid in; what the protocol pays out in snxUSD is exchanged, or stays where it is counted. */
import { encodeFunctionData, parseAbi } from 'viem';
import type { Step } from '../../lib/steps.ts';
import { usdText } from '../../lib/usd.ts';
import type { Moment, UsdPrices } from '../../oracles/types.ts';
import type { Financing, Option, Refusal } from '../types.ts';
import type { Lens } from './lens.ts';
import { flaggingReward, windowReward } from './liquidation.ts';
import type { Account } from './state.ts';

const perpsAbi = parseAbi([
  'function liquidate(uint128 accountId)',
  'function liquidateMarginOnly(uint128 accountId)',
  'function liquidateFlaggedAccounts(uint128[] accountIds)',
]);

/** Measured on the devnet: a call by itself, what each position adds, and each kind of collateral that is seized. */
const CALL_GAS = 280_000n;
const POSITION_GAS = 250_000n;
const COLLATERAL_GAS = 150_000n;

const WAD_TO_USD8 = 10n ** 10n;

type Way = {
  readonly label: string;
  readonly rewardUsd: bigint;
  readonly functionName: 'liquidate' | 'liquidateMarginOnly' | 'liquidateFlaggedAccounts';
};

export type OptionParts = { readonly lens: Lens; readonly usd: UsdPrices; readonly at: Moment };

/** None where a price is too old: the contract wants it fresh, whatever it was when the account was judged. */
export function optionsOf(account: Account, { lens, usd, at }: OptionParts): Option[] {
  const way = wayOf(account, lens);
  if (way === undefined || lens.state.gate.paused || lens.tooOld(account).length > 0) return [];
  return financings(lens, usd, at).map((financing) => optionOf(account, way, financing, lens));
}

/** Why nothing can be done with an account that is liquidatable. */
export function refusalOf(account: Account, { lens }: OptionParts): Refusal | undefined {
  if (lens.state.gate.paused) return { reason: 'liquidation-paused', figures: { market: lens.state.contracts.perpsMarket } };
  const old = lens.tooOld(account);
  if (old.length > 0) return { reason: 'price-too-old', figures: { feeds: old.join(', ') } };
  if (!account.flagged || lens.served.has(account)) return undefined;
  const left = [...account.positions.values()].map(({ market, size }) => `${market.symbol} ${size}`);
  return { reason: 'window-used', figures: { left: left.join(', ') } };
}

function wayOf(account: Account, lens: Lens): Way | undefined {
  if (account.flagged) {
    const { costs, rules } = lens.state;
    if (costs.liquidate === undefined || !lens.served.has(account)) return undefined;
    return {
      label: 'liquidate what is flagged',
      rewardUsd: windowReward(costs.liquidate, rules),
      functionName: 'liquidateFlaggedAccounts',
    };
  }
  const standing = lens.standing(account);
  if (!standing.ok || standing.availableWad >= standing.requiredWad) return undefined;
  const rewardUsd = flaggingReward(standing.parts);
  return account.positions.size === 0
    ? { label: 'liquidate margin', rewardUsd, functionName: 'liquidateMarginOnly' }
    : { label: 'flag and liquidate', rewardUsd, functionName: 'liquidate' };
}

/** Exchanged for what profit is counted in; or, with an Executor that counts snxUSD, kept: whichever brings more. */
function financings({ state }: Lens, usd: UsdPrices, at: Moment): readonly Financing[] {
  const { contracts, desk } = state;
  const price = usd.usd8(contracts.usd, at);
  if (desk.executor === undefined || !desk.counts || price === undefined) return [{ kind: 'reward' }];
  const margin = {
    ...{ executor: desk.executor, credit: contracts.usd, creditUsd8: price.priceUsd8, settlement: contracts.usd, unitWad: 1n },
    release: () => [],
  };
  return [{ kind: 'reward' }, { kind: 'margin', margin, debtUsd8: price.priceUsd8 }];
}

function optionOf(account: Account, { label, rewardUsd, functionName }: Way, financing: Financing, lens: Lens): Option {
  const { usd, perpsMarket } = lens.state.contracts;
  const { id, positions, collateral } = account;
  const args = functionName === 'liquidateFlaggedAccounts' ? ([[id]] as const) : ([id] as const);
  const call: Step = {
    ...{ kind: 'call', target: perpsMarket, valueWei: 0n },
    data: encodeFunctionData({ abi: perpsAbi, functionName, args: args as never }),
  };
  return {
    ...{ label, debtAsset: usd, collateralAsset: usd, financing },
    // All or nothing: a liquidation takes what it may.
    regimes: [{ minRaw: 1n, maxRaw: 1n }],
    gasUnits: CALL_GAS + BigInt(positions.size) * POSITION_GAS + BigInt(collateral.size) * COLLATERAL_GAS,
    told: () => ({ rewardUsd: usdText(rewardUsd / WAD_TO_USD8), fundingUsd: usdText(lens.funding(account) / WAD_TO_USD8) }),
    flow: () => [{ asset: usd, deltaRaw: rewardUsd }],
    steps: (_, exchange) => [call, ...exchange],
  };
}
