/** Venus as its authors publish it, compiled (unpacked by scripts/packages.mjs), with doubles for what is in other packages: the oracle and the share reserve. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Artifact, compileUnit } from '../compile.ts';

const PACKAGE = fileURLToPath(new URL('../../../.cache/packages/venusprotocol-venus-protocol-10.3.0/artifacts/', import.meta.url));
const OURS = 'scripts/devnet/venus/contracts';

const PLACES = {
  Unitroller: 'contracts/Comptroller',
  Diamond: 'contracts/Comptroller/Diamond',
  MarketFacet: 'contracts/Comptroller/Diamond/facets',
  PolicyFacet: 'contracts/Comptroller/Diamond/facets',
  RewardFacet: 'contracts/Comptroller/Diamond/facets',
  SetterFacet: 'contracts/Comptroller/Diamond/facets',
  ComptrollerLens: 'contracts/Lens',
  JumpRateModel: 'contracts/InterestRateModels',
  VBep20Delegate: 'contracts/Tokens/VTokens',
  VBep20Delegator: 'contracts/Tokens/VTokens',
  VBNB: 'contracts/Tokens/VTokens',
  AccessControlManagerMock: 'contracts/test',
  DiamondR1: 'contracts/Comptroller/legacy/Diamond',
  MarketFacetR1: 'contracts/Comptroller/legacy/Diamond/facets',
  PolicyFacetR1: 'contracts/Comptroller/legacy/Diamond/facets',
  RewardFacetR1: 'contracts/Comptroller/legacy/Diamond/facets',
  SetterFacetR1: 'contracts/Comptroller/legacy/Diamond/facets',
  VBep20DelegateR1: 'contracts/Tokens/VTokens/legacy',
  Liquidator: 'contracts/Liquidator',
  ERC1967Proxy: '@openzeppelin/contracts/proxy/ERC1967',
  VAI: 'contracts/Tokens/VAI',
  VAIController: 'contracts/Tokens/VAI',
  VAIUnitroller: 'contracts/Tokens/VAI',
} as const;

export type VenusArtifacts = Readonly<
  Record<keyof typeof PLACES | 'VenusOracleDouble' | 'ShareReserveDouble' | 'LegacyLensDouble', Artifact>
>;

export async function venusContracts(): Promise<VenusArtifacts> {
  const read = async ([name, place]: readonly [string, string]) => {
    // NOTE: VAI's and the VAI controller's files are not all named after what they hold.
    const { abi, bytecode }: Artifact = JSON.parse(await readFile(join(PACKAGE, place, `${name}.sol`, `${name}.json`), 'utf8'));
    return [name, { abi, bytecode, linkReferences: {} }] as const;
  };
  const [theirs, ours] = await Promise.all([
    Promise.all(Object.entries(PLACES).map(read)),
    compileUnit({
      name: 'venus doubles',
      solc: 'solc-0.8.27',
      entries: ['VenusOracleDouble', 'ShareReserveDouble', 'LegacyLensDouble'].map((name) => `${OURS}/${name}.sol`),
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    }),
  ]);
  return { ...Object.fromEntries(theirs), ...ours } as VenusArtifacts;
}
