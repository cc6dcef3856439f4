import { getHeads } from './chain/actions/getHead.ts';
import { Rollup, UsualSurcharge } from './chain/rollup.ts';
import type { Rpc } from './chain/types.ts';
import type { AddressBook } from './config/addressBook.ts';
import { Errands } from './lib/errands.ts';
import type { Address, Head } from './lib/types.ts';
import { venuesIn } from './liquidity/registry.ts';
import { PoolRouter } from './liquidity/router.ts';
import { type Finding, TokenTrials } from './liquidity/token-trials.ts';
import type { FlashSource, Venue } from './liquidity/types.ts';
import { NativeBalances } from './mirror/balances.ts';
import { TokenHoldings } from './mirror/holdings.ts';
import { Mirror } from './mirror/mirror.ts';
import type { MirrorOptions, SyncProgress } from './mirror/reports.ts';
import type { Restoring } from './mirror/snapshots/restore.ts';
import type { Told } from './mirror/told.ts';
import type { Mirrored } from './mirror/types.ts';
import { Feeds } from './oracles/feeds.ts';
import { OcrAggregators } from './oracles/ocr-aggregators.ts';
import { SequencerFeed } from './oracles/sequencer.ts';
import { UsdBook } from './oracles/usd.ts';
import { type Choices, type Deployed, deployedIn } from './protocols/registry.ts';
import { shielded } from './protocols/shielded.ts';
import type { Protocol } from './protocols/types.ts';

/** Comparisons with the chain's own view, for each mirrored thing and block. */
const AUDITED_PER_BLOCK = 8;
/** Headers that the next timestamp is told from. */
export const RECENT_HEADS = 33;
/** Takes the place of an Executor that is not there, in plans that are only shown. */
const NOBODY: Address = '0x000000000000000000000000000000000000dead';

export type WorldParts = {
  readonly rpc: Rpc;
  readonly book: AddressBook;
  readonly executor: Address | undefined;
  /** Absent: every protocol that the book has. */
  readonly choices?: Choices;
  /** Whose native balances are followed. */
  readonly accounts?: readonly Address[];
  /** Who keeps what was seized and not sold, and of what that is known. */
  readonly inventory?: { readonly account: Address; readonly expected: readonly Address[] } | undefined;
  /** False where each liquidation goes alone, on a lane of its own where it shares no pool with others. */
  readonly splits?: boolean;
  /** What an earlier run kept. */
  readonly restoring?: Restoring | undefined;
  /** Accounts that are said to have positions: the start does not wait for the history then. */
  readonly told?: readonly Told[] | undefined;
  /** Told now and then, while a long history is gone through, what is worth keeping of it. */
  readonly discovered?: MirrorOptions['discovered'];
  /** Told of each token that turns out not to move as it is told to, or to do so again. */
  readonly found?: (finding: Finding) => void;
};

const EVERYTHING: Choices = { protocols: undefined, morphoBadDebt: 'realise' };

/** Everything that a world is made of, at one block. */
export type Synced = {
  readonly book: AddressBook;
  readonly mirror: Mirror;
  readonly before: readonly Head[];
  readonly feeds: Feeds;
  readonly sequencer: SequencerFeed | undefined;
  readonly aggregators: OcrAggregators;
  readonly usd: UsdBook;
  readonly venue: Venue;
  readonly trials: TokenTrials;
  readonly deployed: readonly Deployed[];
  readonly rollup: Rollup;
  readonly surcharge: UsualSurcharge;
  readonly balances: NativeBalances | undefined;
  readonly holdings: TokenHoldings | undefined;
  readonly errands: Errands;
  /** Who lends out of pools. */
  readonly flashes: readonly FlashSource[];
};

/**
 * Syncs everything to the head. A market that cannot be read is left for the world to suspend. Rejects when the endpoints cannot tell, when no market can be
 * read, or when another address of the book is not what it should be.
 */
export async function sync(
  {
    rpc,
    book,
    executor,
    choices = EVERYTHING,
    accounts = [],
    splits = true,
    found = () => {},
    restoring,
    told,
    discovered,
    inventory,
  }: WorldParts,
  progress: (progress: SyncProgress) => void,
): Promise<Synced> {
  const feeds = new Feeds();
  const usdFeeds = new Map(Object.entries(book.usdFeeds) as [Address, Address][]);
  let usd: UsdBook | undefined;
  const deployed = deployedIn(book, feeds, { usd8: (token, at) => usd?.usd8(token, at) }, choices);
  const markets = deployed.map(({ protocol }) => shielded(protocol));
  const venues = venuesIn(book);
  const venue = new PoolRouter({
    name: 'uniswap',
    families: venues.map(({ pools }) => pools),
    bridgeTokens: [...new Set([book.wrappedNative, ...book.bridgeTokens])],
    numeraire: book.wrappedNative,
    executor: executor ?? NOBODY,
    splits,
    nameOf: (token) => markets.map((market) => market.symbolOf(token)).find((symbol) => symbol !== undefined) ?? shortened(token),
  });
  const asked = book.multicall3 === undefined ? {} : { multicall3: book.multicall3 };
  const options = { auditLimit: AUDITED_PER_BLOCK, restoring, told, discovered, ...asked };
  const mirror = await Mirror.sync(rpc, markets, options, progress);
  const readable = book['aave-v3'].filter(({ name }) => mirror.live(`aave-v3/${name}`));
  const providers = (readable.length > 0 ? readable : book['aave-v3']).map(({ poolAddressesProvider }) => poolAddressesProvider);
  usd = new UsdBook(usdFeeds, providers, feeds);
  // Markets name the tokens, tokens the pools and prices, all of them the feeds: each is read after what names its parts.
  const tokens = wantedTokens(book, markets);
  usd.want(tokens);
  venue.want(tokens);
  const sequencer = book.sequencerUptimeFeed === undefined ? undefined : new SequencerFeed(book.sequencerUptimeFeed);
  const aggregators = new OcrAggregators(feeds);
  const balances = book.multicall3 === undefined || accounts.length === 0 ? undefined : new NativeBalances(book.multicall3, accounts);
  const keepable = () => wantedTokens(book, markets).filter((token) => token !== book.wrappedNative);
  const holdings = inventory && new TokenHoldings(inventory.account, keepable);
  holdings?.expect(inventory?.expected ?? []);
  const optional = [sequencer, balances, holdings].filter((one) => one !== undefined);
  const others: readonly Mirrored[] = [usd, venue, feeds, aggregators, ...optional];
  for (const later of others) await mirror.add([later]);
  restoring?.release();
  const errands = new Errands();
  const trials = new TokenTrials({ rpc, multicall3: book.multicall3, exchanging: venue, recipient: executor ?? NOBODY, errands, found });
  await trials.onBlock(mirror.head);
  const rollup = await Rollup.detect(rpc, book.chainId);
  const surcharge = new UsualSurcharge(rollup);
  await surcharge.onBlock(mirror.head.number, new Errands());
  const oldest = mirror.recent[0]!.number;
  const before = oldest === 0 ? [] : await getHeads(rpc, Math.max(0, oldest - RECENT_HEADS), oldest - 1);
  const flashes = venues.flatMap(({ flash }) => flash ?? []);
  const extras = { rollup, surcharge, balances, holdings, errands };
  return { book, mirror, before, feeds, aggregators, sequencer, usd, venue, trials, deployed, flashes, ...extras };
}

/** What markets, and whoever exchanges for them, have to be able to price and trade. */
export function wantedTokens(book: AddressBook, markets: readonly Protocol[]): readonly Address[] {
  return [...new Set([book.wrappedNative, ...book.bridgeTokens, ...markets.flatMap((market) => market.tokens())])];
}

function shortened(token: Address): string {
  return `${token.slice(0, 6)}…${token.slice(-4)}`;
}
