/** Perp v2 (curie) and its price feeds as their packages have them compiled, unpacked by scripts/packages.mjs. No proxies. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Artifact } from '../compile.ts';

const PACKAGES = fileURLToPath(new URL('../../../.cache/packages/', import.meta.url));
const CURIE = join(PACKAGES, 'perp-curie-contract-2.8.4/artifacts/contracts');
const ORACLE = join(PACKAGES, 'perp-perp-oracle-contract-0.6.7/artifacts/contracts');

const CURIE_NAMES = [
  'AccountBalance',
  'BaseToken',
  'ClearingHouse',
  'ClearingHouseConfig',
  'CollateralManager',
  'Exchange',
  'InsuranceFund',
  'MarketRegistry',
  'OrderBook',
  'QuoteToken',
  'Vault',
] as const;
const ORACLE_NAMES = ['ChainlinkPriceFeedV2', 'ChainlinkPriceFeedV3', 'PriceFeedDispatcher'] as const;

export type PerpArtifacts = Readonly<Record<(typeof CURIE_NAMES)[number] | (typeof ORACLE_NAMES)[number], Artifact>>;

export async function perpContracts(): Promise<PerpArtifacts> {
  const read = (folder: string) => async (name: string) => {
    const { abi, bytecode }: Artifact = JSON.parse(await readFile(join(folder, `${name}.sol`, `${name}.json`), 'utf8'));
    // The published artifacts of the version link no libraries.
    return [name, { abi, bytecode, linkReferences: {} }] as const;
  };
  const artifacts = await Promise.all([...CURIE_NAMES.map(read(CURIE)), ...ORACLE_NAMES.map(read(ORACLE))]);
  return Object.fromEntries(artifacts) as PerpArtifacts;
}
