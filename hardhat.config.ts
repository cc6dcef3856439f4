import { createRequire } from 'node:module';
import type { HardhatUserConfig } from 'hardhat/config';

const { resolve } = createRequire(import.meta.url);

/** How our own contracts are compiled, here and for src/generated. Without a metadata hash a comment changes no bytecode. */
export const compilerSettings = {
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 10_000 },
  viaIR: true,
  metadata: { bytecodeHash: 'none' },
};

const config: HardhatUserConfig = {
  solidity: {
    // NOTE: the path keeps Hardhat from downloading a compiler list; solc-js of the same version comes with npm.
    compilers: [{ version: '0.8.27', path: resolve('solc-0.8.27/soljson.js'), settings: compilerSettings }],
  },
  paths: { sources: './contracts', tests: { solidity: './test/contracts' }, cache: './.cache/hardhat', artifacts: './.cache/artifacts' },
  test: { solidity: { fuzz: { runs: 256, seed: '0xba111ff' }, invariant: { runs: 64, depth: 32 } } },
};

export default config;
