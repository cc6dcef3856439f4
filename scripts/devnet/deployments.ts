import { writeFile } from 'node:fs/promises';
import type { Address } from 'viem';
import type { AaveMarket } from './aave/deploy.ts';
import { CHAIN_ID } from './anvil.ts';
import { ASSETS } from './assets.ts';
import type { Market } from './market.ts';
import type { Morpho } from './morpho/deploy.ts';
import type { Perp } from './perp-v2/deploy.ts';

/** The devnet's address book, in the shape of a `DEPLOYMENTS_FILE`. */
export type Deployments = {
  chainId: number;
  name: string;
  wrappedNative: Address;
  multicall3: Address;
  'aave-v3': { name: string; poolAddressesProvider: Address; fromBlock: number }[];
  'morpho-blue': { name: string; morpho: Address; preLiquidationFactory: Address; fromBlock: number }[];
  'compound-v2': { name: string; comptroller: Address; fromBlock: number }[];
  'compound-v3': { name: string; comet: Address; fromBlock: number }[];
  'perp-v2': PerpAddresses[];
  'uniswap-v3': { factory: Address; fromBlock: number }[];
  bridgeTokens: Address[];
  usdFeeds: Record<Address, Address>;
};

type PerpAddresses = Pick<Perp, 'clearingHouse' | 'vault' | 'accountBalance' | 'clearingHouseConfig' | 'marketRegistry' | 'fromBlock'> & {
  name: string;
};

const BRIDGES = ['WETH', 'USDC', 'DAI'];

export function deploymentsOf({ tokens, feeds, aave, legacy, morpho, comet, venus, perp, uniswap, multicall3 }: Market): Deployments {
  // NOTE: the staked ETH has no feed of its own; who wants its price asks Aave's oracle.
  const priced = ASSETS.filter(({ ratioWad }) => ratioWad === undefined);
  return {
    chainId: CHAIN_ID,
    name: 'devnet',
    wrappedNative: tokens['WETH']!,
    multicall3,
    'aave-v3': [named('core', aave), ...(legacy === undefined ? [] : [named('legacy', legacy.aave)])],
    'morpho-blue': morpho === undefined ? [] : [morphoBlue(morpho.morpho)],
    'compound-v2': venus === undefined ? [] : [{ name: 'venus', comptroller: venus.venus.comptroller, fromBlock: venus.venus.fromBlock }],
    'compound-v3': comet === undefined ? [] : [{ name: comet.comet.spec.name, comet: comet.comet.comet, fromBlock: comet.comet.fromBlock }],
    'perp-v2': perp === undefined ? [] : [perpV2(perp.perp)],
    'uniswap-v3': [{ factory: uniswap.factory, fromBlock: uniswap.fromBlock }],
    bridgeTokens: BRIDGES.map((symbol) => tokens[symbol]!),
    usdFeeds: Object.fromEntries(priced.map(({ symbol, feed }) => [tokens[symbol]!, feeds[feed]!.proxy])),
  };
}

function perpV2({ clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock }: Perp): PerpAddresses {
  return { name: 'perp', clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock };
}

function morphoBlue({ morpho, preLiquidationFactory, fromBlock }: Morpho) {
  return { name: 'morpho', morpho, preLiquidationFactory, fromBlock };
}

function named(name: string, { poolAddressesProvider, fromBlock }: AaveMarket) {
  return { name, poolAddressesProvider, fromBlock };
}

export async function writeDeployments(file: string, deployments: Deployments): Promise<void> {
  await writeFile(file, `${JSON.stringify(deployments, null, 2)}\n`);
}
