import { type Artifact, compileUnit } from '../../../scripts/devnet/compile.ts';

export function priceFeedDoubles(): Promise<Record<string, Artifact>> {
  return compileUnit({
    name: 'comet price feed doubles',
    solc: 'solc-0.8.27',
    entries: ['test/protocols/compound-v3/contracts/PriceFeedDoubles.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
}
