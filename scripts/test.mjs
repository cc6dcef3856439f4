// `npm test`: lint and types beside the Solidity tests, then the Vitest suite; one closing line that counts them all.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const report = `${root}.cache/vitest.json`;
mkdirSync(`${root}.cache`, { recursive: true });
// Hundreds of processes are started, and most of a start is compiling the same modules.
process.env.NODE_COMPILE_CACHE = `${root}.cache/node`;

let failed = 0;
let passed = 0;

/** Resolves when the command has ended; what it printed is shown then, so that two of them do not mix. */
async function run(title, command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text));
  const status = await new Promise((resolve) => {
    child.once('close', resolve);
    child.once('error', ({ message }) => {
      printed += `${message}\n`;
      resolve(null);
    });
  });
  process.stdout.write(`\n> ${title}\n${printed}`);
  return { ok: status === 0, printed };
}

function count(ok) {
  if (ok) passed++;
  else failed++;
}

async function checks() {
  count((await run('lint', 'biome', ['check', '--error-on-warnings', '.'])).ok);
  count((await run('types', 'tsc', ['--noEmit', '-p', '.'])).ok);
}

async function solidity() {
  const { ok, printed } = await run('Solidity tests', 'hardhat', ['test', 'solidity']);
  const succeeded = Number(/(\d+) passing/.exec(printed)?.[1] ?? 0);
  const broken = Number(/(\d+) failing/.exec(printed)?.[1] ?? 0);
  passed += succeeded;
  failed += broken + (ok === (broken === 0) && succeeded > 0 ? 0 : 1);
}

process.stdout.write('\n> lint, types and the Solidity tests; a minute\n');
await Promise.all([checks(), solidity()]);

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
