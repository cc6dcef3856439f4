import { createRequire } from 'node:module';
import type { HardhatUserConfig } from 'hardhat/config';

const { resolve } = createRequire(import.meta.url);

const config: HardhatUserConfig = {
  solidity: {
    // NOTE: the path keeps Hardhat from downloading a compiler list; solc-js of the same version comes with npm.
    compilers: [
      {
        version: '0.8.27',
        path: resolve('solc-0.8.27/soljson.js'),
        settings: { evmVersion: 'cancun', optimizer: { enabled: true, runs: 10_000 }, viaIR: true },
      },
    ],
  },
  paths: { sources: './contracts', tests: { solidity: './test/contracts' }, cache: './.cache/hardhat', artifacts: './.cache/artifacts' },
  test: { solidity: { fuzz: { runs: 256 } } },
};

export default config;
