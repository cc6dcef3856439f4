import type { Address, Head } from '../../lib/types.ts';
import { textOf, uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { aaveSource, readAaveOracle } from '../../oracles/aave.ts';
import { unpricedSource } from '../../oracles/sources.ts';
import { together } from '../../oracles/together.ts';
import type { PricedAsset } from '../registry.ts';
import type { PriceUse } from '../types.ts';
import { type Account, debtIds } from './account.ts';
import { readCategories } from './categories.ts';
import { calls, mustAddress, mustUint } from './reads.ts';
import { rulesOf } from './rules.ts';
import type { MarketState } from './state.ts';

const MOST_RESERVES = 256n;

/** What answers the price of each of a market's assets, and of each efficiency mode that has one, without its accounts. Throws a MirrorError where there is no market. */
export function* marketPrices(provider: Address, block: Head): Reading<readonly PricedAsset[]> {
  const [pool, oracle] = yield [calls.pool(provider), calls.oracle(provider)];
  const poolAddress = mustAddress(pool, `PoolAddressesProvider ${provider}`);
  const prices = yield* readAaveOracle(mustAddress(oracle, `PoolAddressesProvider ${provider}`));
  const [list, revision, accounting] = yield [
    calls.reservesList(poolAddress),
    calls.revision(poolAddress),
    calls.virtualBalance(poolAddress, poolAddress),
  ];
  const count = mustUint(list, `pool ${poolAddress}`, 1);
  if (count > MOST_RESERVES) throw new MirrorError(`pool ${poolAddress} lists ${count} reserves`);
  const assets = Array.from({ length: Number(count) }, (_, i) => mustAddress(list, `pool ${poolAddress}`, 2 + i));
  const symbols = yield assets.map((asset) => calls.symbol(asset));
  const sources = yield* together(assets.map((asset) => aaveSource(asset, prices, block)));
  const own = assets.map((asset, place) => ({
    asset,
    symbol: textOf(symbols[place]) ?? asset.slice(0, 10),
    source: sources[place] ?? unpricedSource(prices.address),
  }));
  const rules = rulesOf(poolAddress, mustUint(revision, `pool ${poolAddress}`), uintOf(accounting) !== undefined);
  const categories = yield* readCategories(poolAddress, rules.modes, prices, block);
  const shared = categories.flatMap(({ id, priceKey, source }) =>
    source === undefined ? [] : [{ asset: priceKey, symbol: `efficiency mode ${id}`, source }],
  );
  return [...own, ...shared];
}

/** The prices that an account's health rests on: an efficiency mode may have one for all that it covers (GenericLogic.calculateUserAccountData). */
export function usedPrices(account: Account, { reserves, categories, rules }: MarketState): readonly PriceUse[] {
  const mode = categories.get(account.eMode);
  const uses = (ids: Iterable<number>, side: PriceUse['side']) =>
    [...ids].flatMap((id): readonly PriceUse[] => {
      const reserve = reserves.get(id);
      if (reserve === undefined) return [];
      const source = mode?.source !== undefined && rules.modes.covers(mode, reserve) ? mode.source : reserve.source;
      return [{ asset: reserve.asset, side, decimals: reserve.config.decimals, source }];
    });
  return [...uses(account.collateral, 'collateral'), ...uses(debtIds(account), 'debt')];
}
