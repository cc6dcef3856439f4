/** Every kind of venue that this version knows: a folder and a line. Nothing outside `src/liquidity` names one. */
import type { Address } from '../lib/types.ts';
import type { PoolFamily } from './book.ts';
import type { FlashSource } from './types.ts';
import { type UniswapV2Deployment, uniswapV2 } from './uniswap-v2/venue.ts';
import { type UniswapV3Deployment, uniswapV3 } from './uniswap-v3/venue.ts';
import { type UniswapV4Deployment, uniswapV4 } from './uniswap-v4/venue.ts';

/** Where each is on a chain. */
export type VenueDeployments = {
  readonly 'uniswap-v4': readonly UniswapV4Deployment[];
  readonly 'uniswap-v3': readonly UniswapV3Deployment[];
  readonly 'uniswap-v2': readonly UniswapV2Deployment[];
};

export type VenueName = keyof VenueDeployments;

/** What venues need of a chain's address book: where they are, and which token stands for the native one. */
export type VenueBook = VenueDeployments & { readonly wrappedNative: Address };

/** One deployment's pools, and who lends them out within a transaction. */
export type DeployedVenue = { readonly pools: PoolFamily; readonly flash?: FlashSource };

/** A contract that the book names, in a field of its deployment, and the views without effect that one of its kind answers with so many words. */
export type VenueContract = {
  readonly field: string;
  readonly address: Address;
  readonly views: readonly { readonly view: string; readonly args: readonly bigint[]; readonly answers: number }[];
};

/** What a venue's folder makes of the book. */
export interface VenueKind {
  readonly name: VenueName;
  /** Where it is on a chain, without a DEPLOYMENTS_FILE. */
  builtIn(chainId: number): Partial<VenueDeployments>;
  deployed(book: VenueBook): readonly DeployedVenue[];
  /** What `doctor` looks at. */
  contracts(book: VenueBook): readonly VenueContract[];
}

const KINDS: readonly VenueKind[] = [uniswapV4, uniswapV3, uniswapV2];

/** Where each venue is known to be on a chain. */
export function builtInVenues(chainId: number): Partial<VenueDeployments> {
  const book: Partial<VenueDeployments> = {};
  for (const kind of KINDS) Object.assign(book, kind.builtIn(chainId));
  return book;
}

export function venuesIn(book: VenueBook): readonly DeployedVenue[] {
  return KINDS.flatMap((kind) => kind.deployed(book));
}

export function venueContractsIn(book: VenueBook): readonly { readonly venue: VenueName; readonly contract: VenueContract }[] {
  return KINDS.flatMap((kind) => kind.contracts(book).map((contract) => ({ venue: kind.name, contract })));
}
