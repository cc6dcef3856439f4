import { getAddress } from 'viem';
import { createViews } from '../../chain/actions/callAt.ts';
import { getHead } from '../../chain/actions/getHead.ts';
import type { Rpc } from '../../chain/types.ts';
import type { AddressBook } from '../../config/addressBook.ts';
import { mapBounded } from '../../lib/async.ts';
import { type Choices, type PricedAsset, pricedIn } from '../../protocols/registry.ts';
import { attempt, type Check, good } from './check.ts';

const CONCURRENCY = 2;

/**
 * What each market's prices come from. An opaque source is no fault: its price is read once a block. But a pending update is not seen to move it, so its
 * liquidations come a block later.
 */
export async function checkPrices(rpc: Rpc, book: AddressBook, choices: Choices): Promise<readonly Check[]> {
  const views = createViews(rpc, book.multicall3);
  return mapBounded(pricedIn(book, choices), CONCURRENCY, ({ market, read }) =>
    attempt(`${market} prices`, 'see whether the market is one that this version knows', async () => {
      const head = await getHead(rpc, 'latest');
      const reading = read(head);
      let step = reading.next([]);
      while (!step.done) step = reading.next(await views.callAt(head.hash, step.value));
      return good(`${market} prices`, described(step.value));
    }),
  );
}

function described(assets: readonly PricedAsset[]): string {
  const kinds = new Map<string, number>();
  for (const { source } of assets) kinds.set(source.kind, (kinds.get(source.kind) ?? 0) + 1);
  const opaque = assets.filter(({ source }) => source.kind === 'opaque');
  const counts = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  if (opaque.length === 0) return `${counts}; all decoded`;
  const named = opaque.map(({ symbol, source }) => `${symbol} by ${getAddress(source.address)}`).join(', ');
  return `${counts}; opaque, so never moved by a pending update: ${named}`;
}
