import type { Address, Head } from '../../lib/types.ts';
import type { Reading } from '../../mirror/types.ts';
import { type AaveOracle, aaveSource } from '../../oracles/aave.ts';
import { unpricedSource } from '../../oracles/sources.ts';
import { together } from '../../oracles/together.ts';
import { type Modes, NO_ADDRESS } from './modes.ts';
import { shareOut } from './reads.ts';
import type { EModeCategory } from './state.ts';

/** Every efficiency mode that a pool could have: accounts may enter any of them later, and which exist cannot be asked. */
const MODE_IDS: readonly number[] = Array.from({ length: 255 }, (_, i) => i + 1);

/** All of a pool's efficiency modes, with the sources of those that have a price of their own. */
export function* readCategories(pool: Address, modes: Modes, prices: AaveOracle, block: Head): Reading<EModeCategory[]> {
  const asked = MODE_IDS.map((id) => modes.calls(pool, id));
  const shares = shareOut(yield asked.flat(), asked);
  const read = MODE_IDS.map((id, place) => modes.read(id, shares[place]!));
  const keys = [...new Set(read.map(({ priceKey }) => priceKey).filter((key) => key !== NO_ADDRESS))];
  const found = yield* together(keys.map((key) => aaveSource(key, prices, block)));
  const sourceOf = (key: Address) => found[keys.indexOf(key)] ?? unpricedSource(prices.address);
  return read.map((mode) => ({ ...mode, source: mode.priceKey === NO_ADDRESS ? undefined : sourceOf(mode.priceKey) }));
}
