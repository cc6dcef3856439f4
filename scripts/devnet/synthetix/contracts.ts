/**
 * Synthetix v3's perps market and oracle manager from the sources that their authors publish, with stand-ins for what is not on npm (`contracts/`). The sources
 * are unpacked by scripts/packages.mjs.
 */
import { type Artifact, compileUnit } from '../compile.ts';

const OURS = 'scripts/devnet/synthetix/contracts';
const PACKAGES = '.cache/packages';
const PERPS = `${PACKAGES}/synthetixio-perps-market-3.13.0/contracts`;
const ORACLE = `${PACKAGES}/synthetixio-oracle-manager-3.13.0/contracts`;

const MODULES = [
  'AsyncOrderCancelModule',
  'AsyncOrderModule',
  'AsyncOrderSettlementPythModule',
  'CollateralConfigurationModule',
  'CoreModule',
  'FeatureFlagModule',
  'GlobalPerpsMarketModule',
  'LiquidationModule',
  'MarketConfigurationModule',
  'PerpsAccountModule',
  'PerpsMarketFactoryModule',
  'PerpsMarketModule',
] as const;
/** The perps market's and the oracle manager's own mocks: of keepers' costs, and of the contract that says what price an order is settled at. */
const MOCKS = ['MockGasPriceNode', 'MockPythERC7412Wrapper'] as const;
const DOUBLES = [
  'RouterDouble',
  'AccountModuleDouble',
  'SynthDouble',
  'SynthetixDouble',
  'SpotMarketDouble',
  'RewardsDistributorDouble',
  'Crowd',
] as const;

/** In the order in which selectors are claimed. */
export const PERPS_MODULES = [...MODULES, 'AccountModuleDouble'] as const;

export type SynthetixArtifacts = Readonly<
  Record<(typeof MODULES)[number] | (typeof MOCKS)[number] | (typeof DOUBLES)[number] | 'Proxy' | 'NodeModule' | 'MockPyth', Artifact>
>;

const main = (path: string) => [`@synthetixio/main/contracts/${path}.sol`, `${OURS}/MainStandIns.sol`] as const;
const core = (name: string) => [`@synthetixio/core-contracts/contracts/utils/${name}.sol`, `${OURS}/CoreStandIns.sol`] as const;
const unpacked = (name: string, version: string) => [`@synthetixio/${name}/`, `${PACKAGES}/synthetixio-${name}-${version}/`] as const;

/** NOTE: the longest prefix counts, so the files that are missing win over their packages. */
const REMAPPINGS = Object.fromEntries([
  unpacked('perps-market', '3.13.0'),
  unpacked('core-contracts', '3.1.1'),
  unpacked('core-modules', '3.1.1'),
  unpacked('oracle-manager', '3.13.0'),
  unpacked('spot-market', '3.13.0'),
  ...['ERC2771Context', 'ForkDetector', 'RevertUtil'].map(core),
  ...['IMarketManagerModule', 'IMarketCollateralModule', 'IUtilsModule', 'ICollateralConfigurationModule', 'IVaultModule'].map((name) =>
    main(`interfaces/${name}`),
  ),
  ...['interfaces/external/IMarket', 'interfaces/external/IRewardDistributor', 'storage/Account', 'storage/AccountRBAC'].map(main),
  ['@synthetixio/rewards-distributor/src/RewardsDistributor.sol', `${OURS}/MainStandIns.sol`],
]);

export async function synthetixContracts(): Promise<SynthetixArtifacts> {
  const [perps, pyth] = await Promise.all([
    compileUnit({
      name: 'synthetix-v3-perps',
      solc: 'solc-0.8.26',
      entries: [
        ...MODULES.map((name) => `${PERPS}/modules/${name}.sol`),
        ...MOCKS.map((name) => `${PERPS}/mocks/${name}.sol`),
        `${PERPS}/Proxy.sol`,
        `${ORACLE}/modules/NodeModule.sol`,
        `${OURS}/SynthetixDoubles.sol`,
        `${OURS}/Crowd.sol`,
      ],
      remappings: REMAPPINGS,
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    }),
    compileUnit({
      name: 'pyth-mock',
      solc: 'solc-0.8.27',
      entries: ['@pythnetwork/pyth-sdk-solidity/MockPyth.sol'],
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    }),
  ]);
  return { ...perps, MockPyth: pyth['MockPyth']! } as SynthetixArtifacts;
}
