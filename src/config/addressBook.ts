import { ConfigError } from '../lib/errors.ts';
import type { Address } from '../lib/types.ts';
import type { VenueDeployments } from '../liquidity/registry.ts';
import type { Deployments } from '../protocols/registry.ts';
import type { DeploymentsFile } from './deploymentsFile.ts';

type Lists =
  | 'aave-v3'
  | 'morpho-blue'
  | 'compound-v2'
  | 'compound-v3'
  | 'perp-v2'
  | 'synthetix-v3-perps'
  | 'uniswap-v4'
  | 'uniswap-v3'
  | 'uniswap-v2'
  | 'bridgeTokens';

/** Every address that the keeper is told rather than finds, for one chain. */
export type AddressBook = { readonly [K in Lists]: NonNullable<DeploymentsFile[K]> } & {
  readonly chainId: number;
  readonly name: string;
  readonly wrappedNative: Address;
  readonly multicall3: Address | undefined;
  readonly usdFeeds: Readonly<Record<Address, Address>>;
  /** Longest time between two answers of a feed, in seconds, where it is known. */
  readonly feedHeartbeats: Readonly<Record<Address, number>>;
  /** Chainlink's uptime feed of an L2's sequencer. */
  readonly sequencerUptimeFeed: Address | undefined;
  /** The keys that DEPLOYMENTS_FILE gives; every other one is the built-in book's. */
  readonly fromFile: ReadonlySet<string>;
};

/** What is known of a chain without a file: any part of a book. */
export type BuiltInBook = Omit<DeploymentsFile, 'chainId' | keyof Known> & { readonly [K in keyof Known]?: Known[K] | undefined };

type Known = Deployments & VenueDeployments;

/**
 * The book of the chain that the endpoint serves: each key of the file replaces the built-in one. Throws ConfigError when the file is of another chain, or when
 * there is neither a file nor a built-in book that tells the wrapped native token.
 */
export function resolveAddressBook(chainId: number, file: DeploymentsFile | undefined, builtIn: BuiltInBook | undefined): AddressBook {
  if (file?.chainId !== undefined && file.chainId !== chainId)
    throw new ConfigError([
      `DEPLOYMENTS_FILE is of chain ${file.chainId}, the endpoint serves chain ${chainId}: use the file of that chain, or another endpoint`,
    ]);
  if (builtIn === undefined && file === undefined)
    throw new ConfigError([`DEPLOYMENTS_FILE is needed: chain ${chainId} is not in the built-in address book`]);
  if (builtIn === undefined && file?.chainId === undefined)
    throw new ConfigError([`DEPLOYMENTS_FILE needs \`chainId\`: chain ${chainId} is not in the built-in address book`]);
  const wrappedNative = file?.wrappedNative ?? builtIn?.wrappedNative;
  if (wrappedNative === undefined)
    throw new ConfigError([`DEPLOYMENTS_FILE needs \`wrappedNative\`, the wrapped native token of chain ${chainId}`]);
  const list = <K extends Lists>(key: K): AddressBook[K] => (file?.[key] ?? builtIn?.[key] ?? []) as AddressBook[K];
  return {
    chainId,
    name: file?.name ?? builtIn?.name ?? `chain ${chainId}`,
    wrappedNative,
    multicall3: file?.multicall3 ?? builtIn?.multicall3,
    usdFeeds: file?.usdFeeds ?? builtIn?.usdFeeds ?? {},
    feedHeartbeats: file?.feedHeartbeats ?? builtIn?.feedHeartbeats ?? {},
    sequencerUptimeFeed: file?.sequencerUptimeFeed ?? builtIn?.sequencerUptimeFeed,
    'aave-v3': list('aave-v3'),
    'morpho-blue': list('morpho-blue'),
    'compound-v2': list('compound-v2'),
    'compound-v3': list('compound-v3'),
    'perp-v2': list('perp-v2'),
    'synthetix-v3-perps': list('synthetix-v3-perps'),
    'uniswap-v4': list('uniswap-v4'),
    'uniswap-v3': list('uniswap-v3'),
    'uniswap-v2': list('uniswap-v2'),
    bridgeTokens: list('bridgeTokens'),
    fromFile: new Set(Object.keys(file ?? {})),
  };
}
