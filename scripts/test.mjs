// `npm test`: lint, types, the Solidity tests and the Vitest suite, one after another; one closing line that counts them all.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const report = `${root}.cache/vitest.json`;
mkdirSync(`${root}.cache`, { recursive: true });
// Hundreds of processes are started, and most of a start is compiling the same modules.
process.env.NODE_COMPILE_CACHE = `${root}.cache/node`;

let failed = 0;
let passed = 0;

function run(title, command, args) {
  process.stdout.write(`\n> ${title}\n`);
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (stdout) process.stdout.write(stdout);
  if (error) process.stdout.write(`${error.message}\n`);
  return { ok: status === 0, stdout: stdout ?? '' };
}

function count(ok) {
  if (ok) passed++;
  else failed++;
}

count(run('lint', 'biome', ['check', '--error-on-warnings', '.']).ok);
count(run('types', 'tsc', ['--noEmit', '-p', '.']).ok);

const solidity = run('Solidity tests', 'hardhat', ['test', 'solidity']);
const solidityPassed = Number(/(\d+) passing/.exec(solidity.stdout)?.[1] ?? 0);
const solidityFailed = Number(/(\d+) failing/.exec(solidity.stdout)?.[1] ?? 0);
passed += solidityPassed;
failed += solidityFailed + (solidity.ok === (solidityFailed === 0) && solidityPassed > 0 ? 0 : 1);

process.stdout.write('\n> Vitest\n');
const { status } = spawnSync(
  'vitest',
  [
    'run',
    '--config',
    'test/vitest.config.ts',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
try {
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
  passed += numPassedTests;
  failed += numFailedTests + (status !== 0 && numFailedTests === 0 ? 1 : 0);
} catch {
  failed++;
}

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
