import { compileUnit } from '../../scripts/devnet/compile.ts';

/** Stand-ins for price adapters that are not on npm. */
export function adapterDoubles() {
  return compileUnit({
    name: 'adapter doubles',
    solc: 'solc-0.8.27',
    entries: ['test/oracles/contracts/AdapterDoubles.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
}
