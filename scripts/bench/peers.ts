/** Others' libraries, timed at the same work where they are installed; nothing of ours needs them. */
import type { Moment } from '../../src/oracles/types.ts';
import type { BlueMarket } from '../../src/protocols/morpho-blue/state.ts';
import type { BlueCrowd } from './blue-crowd.ts';
import type { Crowd } from './crowd.ts';
import { unhealthyAmong } from './market.ts';
import { medianMs } from './result.ts';

/** What is used of `@aave/math-utils`. */
type MathUtils = {
  formatReserves(request: object): readonly object[];
  formatUserSummary(request: object): { readonly healthFactor: string };
};

const RUNS = 3;
const BASE_DECIMALS = 8;

/** Milliseconds that `@aave/math-utils` takes for an account, reserves included; undefined where it is not installed. */
export async function mathUtils(crowd: Crowd, accounts: number): Promise<number | undefined> {
  const library = await installed('@aave/math-utils');
  if (library === undefined) return undefined;
  const { formatReserves, formatUserSummary } = library as MathUtils;
  const at = crowd.moment();
  const market = { currentTimestamp: at.timestamp, marketReferencePriceInUsd: '100000000', marketReferenceCurrencyDecimals: BASE_DECIMALS };
  const reserves = reservesOf(crowd);
  const some = Array.from({ length: accounts }, (_, slot) => crowd.state.accounts.read(slot));
  const people = some.map(({ supplied, owed }) =>
    [...new Set([...supplied.keys(), ...owed.keys()])].map((id) => ({
      underlyingAsset: crowd.state.reserves.get(id)!.asset,
      scaledATokenBalance: String(supplied.get(id) ?? 0n),
      usageAsCollateralEnabledOnUser: supplied.has(id),
      scaledVariableDebt: String(owed.get(id) ?? 0n),
    })),
  );
  const judge = () => {
    const formattedReserves = formatReserves({ ...market, reserves });
    return people.filter(
      (userReserves) => Number(formatUserSummary({ ...market, userReserves, formattedReserves, userEmodeCategoryId: 0 }).healthFactor) < 1,
    );
  };
  const theirs = judge().length;
  const ours = unhealthyAmong(crowd.state, some.keys(), at).length;
  if (theirs !== ours) throw new Error(`of ${accounts} accounts @aave/math-utils finds ${theirs} unhealthy, we ${ours}`);
  return (await medianMs(RUNS, judge, 1)) / accounts;
}

/** What is used of `@morpho-org/blue-sdk`. */
type BlueSdk = {
  readonly Market: new (market: object) => BlueSdkMarket;
  readonly AccrualPosition: new (position: object, market: BlueSdkMarket) => { readonly isLiquidatable: boolean | undefined };
};
type BlueSdkMarket = { accrueInterest(timestamp: bigint): BlueSdkMarket };

/** Judges every position with `@morpho-org/blue-sdk`, interest to the moment accrued once a market; undefined where it is not installed. */
export async function blueSdk({ state }: BlueCrowd): Promise<((at: Moment) => readonly number[]) | undefined> {
  const library = await installed('@morpho-org/blue-sdk');
  if (library === undefined) return undefined;
  const { Market, AccrualPosition } = library as BlueSdk;
  return (at) => {
    const markets = new Map<BlueMarket, BlueSdkMarket>();
    for (const market of state.markets.values()) {
      const price = state.oracles.get(market.params.oracle)?.decoded?.price(at);
      const known = new Market({ ...market, lastUpdate: BigInt(market.lastUpdate), price });
      markets.set(market, known.accrueInterest(BigInt(at.timestamp)));
    }
    const found: number[] = [];
    for (const [slot, { market, account, borrowShares, collateral }] of state.positions.entries()) {
      const position = { user: account, supplyShares: 0n, borrowShares, collateral };
      if (new AccrualPosition(position, markets.get(market)!).isLiquidatable) found.push(slot);
    }
    return found;
  };
}

function reservesOf(crowd: Crowd) {
  const at = crowd.moment();
  return Array.from(crowd.state.reserves.values(), ({ id, asset, symbol, config, indexes, source }) => {
    const price = source.price(at);
    return {
      ...{ originalId: id, id: asset, symbol, name: symbol, decimals: config.decimals, underlyingAsset: asset },
      ...{ usageAsCollateralEnabled: true, reserveFactor: '1000', baseLTVasCollateral: '5000' },
      reserveLiquidationThreshold: String(config.liquidationThresholdBps),
      reserveLiquidationBonus: String(config.liquidationBonusBps),
      liquidityIndex: String(indexes.liquidityIndexRay),
      variableBorrowIndex: String(indexes.borrowIndexRay),
      liquidityRate: String(indexes.liquidityRateRay),
      variableBorrowRate: String(indexes.borrowRateRay),
      lastUpdateTimestamp: indexes.updatedAt,
      priceInMarketReferenceCurrency: price.ok ? String(price.price) : '0',
      ...{ availableLiquidity: '0', totalScaledVariableDebt: '0', virtualUnderlyingBalance: '0', deficit: '0' },
      ...{ borrowCap: '0', supplyCap: '0', debtCeiling: '0', debtCeilingDecimals: 2, isolationModeTotalDebt: '0' },
    };
  });
}

async function installed(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch {
    return undefined;
  }
}
