import type { Address, Head } from '../../lib/types.ts';
import { textOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { aaveSource, readAaveOracle } from '../../oracles/aave.ts';
import { unpricedSource } from '../../oracles/sources.ts';
import { together } from '../../oracles/together.ts';
import type { PricedAsset } from '../registry.ts';
import { calls, mustAddress, mustUint } from './reads.ts';

const MOST_RESERVES = 256n;

/** What answers the price of each of a market's assets, without its accounts. Throws a MirrorError where there is no market. */
export function* marketPrices(provider: Address, block: Head): Reading<readonly PricedAsset[]> {
  const [pool, oracle] = yield [calls.pool(provider), calls.oracle(provider)];
  const poolAddress = mustAddress(pool, `PoolAddressesProvider ${provider}`);
  const prices = yield* readAaveOracle(mustAddress(oracle, `PoolAddressesProvider ${provider}`));
  const [list] = yield [calls.reservesList(poolAddress)];
  const count = mustUint(list, `pool ${poolAddress}`, 1);
  if (count > MOST_RESERVES) throw new MirrorError(`pool ${poolAddress} lists ${count} reserves`);
  const assets = Array.from({ length: Number(count) }, (_, i) => mustAddress(list, `pool ${poolAddress}`, 2 + i));
  const symbols = yield assets.map((asset) => calls.symbol(asset));
  const sources = yield* together(assets.map((asset) => aaveSource(asset, prices, block)));
  return assets.map((asset, place) => ({
    asset,
    symbol: textOf(symbols[place]) ?? asset.slice(0, 10),
    source: sources[place] ?? unpricedSource(prices.address),
  }));
}
