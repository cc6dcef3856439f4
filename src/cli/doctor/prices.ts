import { getAddress } from 'viem';
import { createViews } from '../../chain/actions/callAt.ts';
import { getHead } from '../../chain/actions/getHead.ts';
import type { Rpc } from '../../chain/types.ts';
import type { AddressBook } from '../../config/addressBook.ts';
import { mapBounded } from '../../lib/async.ts';
import type { Head } from '../../lib/types.ts';
import type { Reading } from '../../mirror/types.ts';
import { type Choices, type PricedAsset, perpsIn, pricedIn } from '../../protocols/registry.ts';
import { attempt, type Check, doubtful, good } from './check.ts';

const CONCURRENCY = 2;
/** Settlement tokens: a takeover of a hundredth of it pays some dollars. */
const LITTLE_INTEREST = 1_000_000n;

/**
 * What each market's prices come from. An opaque source is no fault: its price is read once a block. But a pending update is not seen to move it, so its
 * liquidations come a block later.
 */
export async function checkPrices(rpc: Rpc, book: AddressBook, choices: Choices): Promise<readonly Check[]> {
  const views = createViews(rpc, book.multicall3);
  return mapBounded(pricedIn(book, choices), CONCURRENCY, ({ market, read }) =>
    attempt(`${market} prices`, 'see whether the market is one that this version knows', async () => {
      const head = await getHead(rpc, 'latest');
      return good(`${market} prices`, described(await readAt(views, head, read(head))));
    }),
  );
}

/** A deployment where next to nothing is open has nothing to liquidate, whatever it costs to follow. */
export async function checkInterest(rpc: Rpc, book: AddressBook, choices: Choices): Promise<readonly Check[]> {
  const views = createViews(rpc, book.multicall3);
  return mapBounded(perpsIn(book, choices), CONCURRENCY, ({ market, mostOpen }) => {
    const name = `${market} open interest`;
    return attempt(name, 'see whether the deployment is one that this version knows', async () => {
      const most = await readAt(views, await getHead(rpc, 'latest'), mostOpen());
      const detail = `at most ${most} of its settlement token`;
      if (most >= LITTLE_INTEREST) return good(name, detail);
      return doubtful(
        name,
        `little: ${detail}`,
        'nothing much can be liquidated there: leave it out of DEPLOYMENTS_FILE, or wait for it to grow',
      );
    });
  });
}

async function readAt<T>(views: ReturnType<typeof createViews>, { hash }: Head, reading: Reading<T>): Promise<T> {
  let step = reading.next([]);
  while (!step.done) step = reading.next(await views.callAt(hash, step.value));
  return step.value;
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
