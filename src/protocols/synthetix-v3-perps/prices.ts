/** The prices that an account rests on, as guards look at them: of its markets and of its collateral, all in snxUSD. */
import type { Address } from '../../lib/types.ts';
import type { PriceUse } from '../types.ts';
import type { Lens } from './lens.ts';
import { feedsOf, type NodePrice } from './nodes.ts';
import { type Account, addressOfId, type SynthetixState } from './state.ts';

/** Markets have numbers and no token: to those who want an address they are the addresses with these numbers. */
export function usedPrices(
  { positions, collateral }: Account,
  state: SynthetixState,
  lensAt: (at: Parameters<PriceUse['source']['price']>[0]) => Lens,
): readonly PriceUse[] {
  const use = (asset: Address, side: PriceUse['side'], of: NodePrice): PriceUse => ({
    ...{ asset, side, decimals: 18 },
    source: {
      ...{ kind: of.node === undefined ? 'opaque' : 'feed', address: state.contracts.oracleManager },
      feeds: of.node === undefined ? [] : feedsOf(of.node),
      price: (at) => {
        const price = lensAt(at).price(of);
        return price === undefined ? { ok: false, reason: 'its nodes do not answer' } : { ok: true, price, updatedAt: at.timestamp };
      },
    },
  });
  return [
    ...[...positions.values()].map(({ market, size }) => use(addressOfId(market.id), size < 0n ? 'debt' : 'collateral', market.price)),
    ...[...collateral.keys()].flatMap((kind) => {
      const known = state.collateral.get(kind);
      return known === undefined ? [] : [use(known.token, 'collateral', known.price)];
    }),
  ];
}
