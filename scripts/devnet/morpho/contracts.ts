/** Morpho Blue as its authors publish it, with doubles for what they do not: the adaptive-curve IRM, the Chainlink-based oracle, and pre-liquidation. */
import { type Artifact, compileUnit } from '../compile.ts';

const MORPHO = '@morpho-org/morpho-blue/src';
const OURS = 'scripts/devnet/morpho/contracts';

export type MorphoArtifacts = {
  morpho: Artifact;
  irmMock: Artifact;
  oracleMock: Artifact;
  adaptiveIrm: Artifact;
  oracle: Artifact;
  preLiquidation: Artifact;
  preLiquidationFactory: Artifact;
};

export async function morphoArtifacts(): Promise<MorphoArtifacts> {
  const [theirs, ours] = await Promise.all([
    compileUnit({
      name: 'morpho-blue',
      solc: 'solc-0.8.19',
      entries: [`${MORPHO}/Morpho.sol`, `${MORPHO}/mocks/IrmMock.sol`, `${MORPHO}/mocks/OracleMock.sol`],
      settings: { optimizer: { enabled: true, runs: 999_999 }, evmVersion: 'paris', viaIR: true },
    }),
    compileUnit({
      name: 'morpho-blue doubles',
      solc: 'solc-0.8.27',
      entries: ['AdaptiveCurveIrmDouble', 'ChainlinkOracleV2Double', 'PreLiquidationDouble'].map((name) => `${OURS}/${name}.sol`),
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    }),
  ]);
  return {
    morpho: theirs['Morpho']!,
    irmMock: theirs['IrmMock']!,
    oracleMock: theirs['OracleMock']!,
    adaptiveIrm: ours['AdaptiveCurveIrmDouble']!,
    oracle: ours['ChainlinkOracleV2Double']!,
    preLiquidation: ours['PreLiquidationDouble']!,
    preLiquidationFactory: ours['PreLiquidationFactoryDouble']!,
  };
}
