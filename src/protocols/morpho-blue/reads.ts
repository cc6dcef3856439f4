/** The calls that tell what logs do not, and what their answers mean. */
import type { Address, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { uintOf, viewCall } from '../../lib/words.ts';
import type { BlueMarket, MarketParams } from './state.ts';

const rateView = viewCall(
  'function borrowRateView((address,address,address,address,uint256),(uint128,uint128,uint128,uint128,uint128,uint128))',
);

export const calls = {
  // Morpho
  market: viewCall('function market(bytes32)'),
  position: viewCall('function position(bytes32,address)'),
  feeRecipient: viewCall('function feeRecipient()'),
  isAuthorized: viewCall('function isAuthorized(address,address)'),
  // PreLiquidationFactory
  isPreLiquidation: viewCall('function isPreLiquidation(address)'),
  // IRMs
  morphoOf: viewCall('function MORPHO()'),
  rateAtTarget: viewCall('function rateAtTarget(bytes32)'),
  borrowRate: (market: RatedMarket): ViewCall => rateView(market.params.irm, ...paramWords(market.params), ...totalWords(market)),
  // oracles
  price: viewCall('function price()'),
  // tokens
  symbol: viewCall('function symbol()'),
  decimals: viewCall('function decimals()'),
  balanceOf: viewCall('function balanceOf(address)'),
};

/** Morpho's Market struct. */
export type MarketTotals = Pick<
  BlueMarket,
  'totalSupplyAssets' | 'totalSupplyShares' | 'totalBorrowAssets' | 'totalBorrowShares' | 'lastUpdate' | 'fee'
>;
export type RatedMarket = MarketTotals & { readonly params: MarketParams };

function paramWords({ loanToken, collateralToken, oracle, irm, lltv }: MarketParams): readonly (bigint | Address)[] {
  return [loanToken, collateralToken, oracle, irm, lltv];
}

function totalWords(market: MarketTotals): readonly (bigint | number)[] {
  const { totalSupplyAssets, totalSupplyShares, totalBorrowAssets, totalBorrowShares, lastUpdate, fee } = market;
  return [totalSupplyAssets, totalSupplyShares, totalBorrowAssets, totalBorrowShares, lastUpdate, fee];
}

/** `market(id)`: undefined where there is no such market, or no answer. */
export function readTotals(answer: ViewAnswer | undefined): MarketTotals | undefined {
  const [supplyAssets, supplyShares, borrowAssets, borrowShares, lastUpdate, fee] = Array.from({ length: 6 }, (_, i) => uintOf(answer, i));
  if (fee === undefined || lastUpdate === undefined || lastUpdate === 0n) return undefined;
  return {
    totalSupplyAssets: supplyAssets!,
    totalSupplyShares: supplyShares!,
    totalBorrowAssets: borrowAssets!,
    totalBorrowShares: borrowShares!,
    lastUpdate: Number(lastUpdate),
    fee,
  };
}

/** `position(id, account)` answers supply shares, borrow shares, collateral. */
export function readPosition(answer: ViewAnswer | undefined): { readonly borrowShares: bigint; readonly collateral: bigint } | undefined {
  const borrowShares = uintOf(answer, 1);
  const collateral = uintOf(answer, 2);
  return borrowShares === undefined || collateral === undefined ? undefined : { borrowShares, collateral };
}
