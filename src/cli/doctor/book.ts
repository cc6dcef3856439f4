/** Is there, at every address that the keeper is told, a contract of the kind that the book says. */
import { getAddress } from 'viem';
import type { Rpc } from '../../chain/types.ts';
import type { AddressBook } from '../../config/addressBook.ts';
import { mapBounded } from '../../lib/async.ts';
import type { Address } from '../../lib/types.ts';
import { venueContractsIn } from '../../liquidity/registry.ts';
import { type Choices, contractsIn } from '../../protocols/registry.ts';
import type { ExpectedView } from '../../protocols/told.ts';
import { attempt, bad, type Check, good } from './check.ts';
import { faultOf } from './interface.ts';

const CONCURRENCY = 4;

/** An address, and where it was told: a key of the book, and the field of the entry of that name, where the key has entries with names. */
type Told = {
  readonly name: string;
  readonly address: Address;
  readonly key: keyof AddressBook;
  readonly place: string;
  readonly views: readonly ExpectedView[];
};

export async function checkBook(rpc: Rpc, book: AddressBook, choices: Choices): Promise<readonly Check[]> {
  const missing =
    book.multicall3 === undefined
      ? [bad('multicall3', 'none is known: every read is a call of its own', 'add `multicall3` to DEPLOYMENTS_FILE')]
      : [];
  const told = [...chainContracts(book), ...protocolContracts(book, choices)];
  return [...(await mapBounded(told, CONCURRENCY, (each) => checkTold(rpc, book, each))), ...missing];
}

function checkTold(rpc: Rpc, book: AddressBook, { name, address, key, place, views }: Told): Promise<Check> {
  return attempt(name, 'try again', async () => {
    const fault = await faultOf(rpc, address, views);
    if (fault === undefined) return good(name, getAddress(address));
    const own = book.fromFile.has(key);
    const source = own ? 'DEPLOYMENTS_FILE' : `the built-in address book of ${book.name}`;
    const mend = own
      ? 'mend the address in DEPLOYMENTS_FILE'
      : `see whether the endpoint is one of ${book.name}, or give \`${key}\` in DEPLOYMENTS_FILE`;
    return bad(name, `${fault} (${getAddress(address)} is ${place} in ${source})`, mend);
  });
}

function chainContracts(book: AddressBook): readonly Told[] {
  const plain = (name: string, address: Address, key: keyof AddressBook, place = `\`${key}\``): Told => ({
    name,
    address,
    key,
    place,
    views: [],
  });
  return [
    plain('wrappedNative', book.wrappedNative, 'wrappedNative'),
    ...(book.multicall3 === undefined ? [] : [plain('multicall3', book.multicall3, 'multicall3')]),
    ...venueContractsIn(book).map(({ venue, contract: { field, address, views } }) => ({
      ...{ name: `${venue} ${field}`, address, key: venue, place: `\`${field}\` of \`${venue}\``, views },
    })),
    ...book.bridgeTokens.map((token) => plain('bridge token', token, 'bridgeTokens')),
    ...(book.sequencerUptimeFeed === undefined ? [] : [plain('sequencer uptime feed', book.sequencerUptimeFeed, 'sequencerUptimeFeed')]),
    ...Object.entries(book.usdFeeds).map(([token, feed]) => plain(`USD feed of ${getAddress(token)}`, feed, 'usdFeeds')),
  ];
}

function protocolContracts(book: AddressBook, choices: Choices): readonly Told[] {
  return contractsIn(book, choices).map(({ protocol, contract: { market, field, address, views } }) => ({
    ...{ name: `${protocol}/${market} ${field}`, address, key: protocol, views },
    place: `\`${field}\` of \`${protocol}\` "${market}"`,
  }));
}
