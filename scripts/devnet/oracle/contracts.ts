/** The oracle's contracts: Chainlink's own proxy and forwarder, our aggregator over its OCR2Base, and the staked-ETH price. */
import { type Artifact, compileUnit } from '../compile.ts';

const CHAINLINK = '@chainlink/contracts/src';
const OURS = 'scripts/devnet/contracts';

export type OracleArtifacts = {
  proxy: Artifact;
  forwarder: Artifact;
  aggregator: Artifact;
  ratioAdapter: Artifact;
  stakedEther: Artifact;
};

/** Each of Chainlink's contracts with the compiler that its pragma asks for. */
export async function oracleArtifacts(): Promise<OracleArtifacts> {
  const [proxy, forwarder, ours] = await Promise.all([
    compileUnit({
      name: 'chainlink proxy',
      solc: 'solc-0.6.6',
      entries: [`${CHAINLINK}/v0.6/EACAggregatorProxy.sol`],
      settings: { optimizer: { enabled: true, runs: 1_000_000 } },
    }),
    compileUnit({
      name: 'chainlink forwarder',
      solc: 'solc-0.7.6',
      entries: [`${CHAINLINK}/v0.7/AuthorizedForwarder.sol`],
      settings: { optimizer: { enabled: true, runs: 1_000_000 } },
    }),
    compileUnit({
      name: 'oracle',
      solc: 'solc-0.8.27',
      entries: ['OcrAggregator', 'RatioPriceAdapter', 'StakedEther'].map((name) => `${OURS}/${name}.sol`),
      settings: { optimizer: { enabled: true, runs: 1_000_000 }, evmVersion: 'cancun' },
    }),
  ]);
  return {
    proxy: proxy['EACAggregatorProxy']!,
    forwarder: forwarder['AuthorizedForwarder']!,
    aggregator: ours['OcrAggregator']!,
    ratioAdapter: ours['RatioPriceAdapter']!,
    stakedEther: ours['StakedEther']!,
  };
}
