/** Every protocol that this version knows: a folder and a line. Nothing outside `src/protocols` names one. */
import type { Address, Head } from '../lib/types.ts';
import type { OwnExchange } from '../liquidity/exchanges.ts';
import type { FlashSource } from '../liquidity/types.ts';
import type { Reading } from '../mirror/types.ts';
import type { FeedBook } from '../oracles/feeds.ts';
import type { PriceSource, UsdPrices } from '../oracles/types.ts';
import { type AaveV3Deployment, aaveV3 } from './aave-v3/family.ts';
import { type CompoundV2Deployment, compoundV2 } from './compound-v2/family.ts';
import { type CometDeployment, compoundV3 } from './compound-v3/family.ts';
import { type BadDebt, type MorphoBlueDeployment, morphoBlue } from './morpho-blue/family.ts';
import { type PerpV2Deployment, perpV2 } from './perp-v2/family.ts';
import { type SynthetixDeployment, synthetixV3Perps } from './synthetix-v3-perps/family.ts';
import type { ToldContract } from './told.ts';
import type { Protocol, ProtocolName } from './types.ts';

/** Where each protocol is on a chain. */
export type Deployments = {
  readonly 'aave-v3': readonly AaveV3Deployment[];
  readonly 'morpho-blue': readonly MorphoBlueDeployment[];
  readonly 'compound-v2': readonly CompoundV2Deployment[];
  readonly 'compound-v3': readonly CometDeployment[];
  readonly 'perp-v2': readonly PerpV2Deployment[];
  readonly 'synthetix-v3-perps': readonly SynthetixDeployment[];
};

/** What protocols need of a chain's address book: where they are, and which token stands for the native one. */
export type ProtocolBook = Deployments & { readonly wrappedNative: Address };

/** What the operator decides about protocols. */
export type Choices = {
  /** Undefined: all. */
  readonly protocols: readonly ProtocolName[] | undefined;
  /** Of a Morpho Blue position whose collateral does not cover its debt: whether the last of the collateral is seized. */
  readonly morphoBadDebt: BadDebt;
  /** The Executor whose margin at perp venues takes positions over, and in which rewards stay that it counts. Absent: none. */
  readonly perpExecutor?: Address | undefined;
};

/** One deployment, to be mirrored, what it lends within a transaction, and where its own kind of assets is exchanged. */
export type Deployed = {
  readonly protocol: Protocol;
  readonly flashes: readonly FlashSource[];
  readonly exchanges?: readonly OwnExchange[];
};

/** An asset of a market, and what its price was found to come from. */
export type PricedAsset = { readonly asset: Address; readonly symbol: string; readonly source: PriceSource };

/** One market's prices, to be read by themselves at a block. `market` as logs name it. */
export type MarketPrices = { readonly market: string; read(block: Head): Reading<readonly PricedAsset[]> };

/** One perp deployment: the most, in whole settlement tokens, that can be open there. */
export type PerpInterest = { readonly market: string; mostOpen(): Reading<bigint> };

/** What a protocol's contracts revert with: what a failed plan is told by. */
export type Refusals = {
  /** Signatures of custom errors. */
  readonly errors: readonly string[];
  /** What texts mean that are a number alone. */
  readonly codes?: Readonly<Record<string, string>>;
};

/** What a protocol's folder makes of the book. */
export interface Family {
  readonly name: ProtocolName;
  /** Where it is on a chain, without a DEPLOYMENTS_FILE. */
  builtIn(chainId: number): Partial<Deployments>;
  readonly refusals: Refusals;
  /** @param usd answers once everything is synced */
  deployed(book: ProtocolBook, feeds: FeedBook, usd: UsdPrices, choices: Choices): readonly Deployed[];
  /** What `doctor` looks at before anything is risked on it. */
  contracts(book: ProtocolBook): readonly ToldContract[];
  /** Left out where a protocol's markets are known from their logs alone. */
  prices?(book: ProtocolBook): readonly MarketPrices[];
  /** Left out where nobody takes positions. */
  interest?(book: ProtocolBook): readonly PerpInterest[];
}

const FAMILIES: readonly Family[] = [aaveV3, morphoBlue, compoundV2, compoundV3, perpV2, synthetixV3Perps];

export const PROTOCOLS: readonly ProtocolName[] = FAMILIES.map(({ name }) => name);

export const REFUSALS: readonly Refusals[] = FAMILIES.map(({ refusals }) => refusals);

/** Where each protocol is known to be on a chain. */
export function builtInDeployments(chainId: number): Partial<Deployments> {
  const book: Partial<Deployments> = {};
  for (const family of FAMILIES) Object.assign(book, family.builtIn(chainId));
  return book;
}

/** What the operator wants of what the book has. */
export function deployedIn(book: ProtocolBook, feeds: FeedBook, usd: UsdPrices, choices: Choices): readonly Deployed[] {
  return chosen(choices).flatMap((family) => family.deployed(book, feeds, usd, choices));
}

export function contractsIn(
  book: ProtocolBook,
  choices: Choices,
): readonly { readonly protocol: ProtocolName; readonly contract: ToldContract }[] {
  return chosen(choices).flatMap((family) => family.contracts(book).map((contract) => ({ protocol: family.name, contract })));
}

export function pricedIn(book: ProtocolBook, choices: Choices): readonly MarketPrices[] {
  return chosen(choices).flatMap((family) => family.prices?.(book) ?? []);
}

export function perpsIn(book: ProtocolBook, choices: Choices): readonly PerpInterest[] {
  return chosen(choices).flatMap((family) => family.interest?.(book) ?? []);
}

function chosen({ protocols }: Choices): readonly Family[] {
  return FAMILIES.filter(({ name }) => protocols?.includes(name) ?? true);
}
