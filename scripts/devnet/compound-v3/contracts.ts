/** Compound III is on no package registry: a double of its market, behind a proxy. */
import { type Artifact, compileUnit } from '../compile.ts';

const OURS = 'scripts/devnet/compound-v3/contracts';

export type CometArtifacts = { comet: Artifact; proxy: Artifact };

export async function cometArtifacts(): Promise<CometArtifacts> {
  const unit = await compileUnit({
    name: 'compound-v3 doubles',
    solc: 'solc-0.8.27',
    entries: ['CometDouble', 'CometProxyDouble'].map((name) => `${OURS}/${name}.sol`),
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  return { comet: unit['CometDouble']!, proxy: unit['CometProxyDouble']! };
}
