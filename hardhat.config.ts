import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { HardhatUserConfig } from 'hardhat/config';

const { resolve } = createRequire(import.meta.url);

/** How our own contracts are compiled, here and for src/generated. Without a metadata hash a comment changes no bytecode. */
export const compilerSettings = {
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 10_000 },
  viaIR: true,
  metadata: { bytecodeHash: 'none' },
};

// NOTE: the path keeps Hardhat from downloading a compiler list; solc-js of the same version comes with npm.
const compiler = { version: '0.8.27', path: resolve('solc-0.8.27/soljson.js') };
const tests = fileURLToPath(new URL('test/contracts', import.meta.url));
const solidityTests = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sol'));

/** Of each fuzz test, and for every ten of them one sequence of fifty calls of each invariant. `EXECUTOR_RUNS=10000` makes more than 100,000 in all. */
const runs = Number(process.env['EXECUTOR_RUNS'] ?? 1_000);

const config: HardhatUserConfig = {
  solidity: {
    compilers: [{ ...compiler, settings: compilerSettings }],
    // Tests deploy the Executor from its artifact, so only that is compiled slowly.
    overrides: Object.fromEntries(
      solidityTests.map((file) => [`test/contracts/${file}`, { ...compiler, settings: { evmVersion: 'cancun' } }]),
    ),
  },
  paths: { sources: './contracts', tests: { solidity: './test/contracts' }, cache: './.cache/hardhat', artifacts: './.cache/artifacts' },
  test: { solidity: { fuzz: { runs, seed: '0xba111ff' }, invariant: { runs: Math.ceil(runs / 10), depth: 50 } } },
};

export default config;
