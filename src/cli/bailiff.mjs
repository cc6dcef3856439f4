#!/usr/bin/env node
// Plain JavaScript, because it may be started by a Node that does not run TypeScript: then the Node of this package takes over.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const main = new URL('./main.ts', import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);
// Type stripping without a flag, and node:sqlite with all that the ledger uses.
if (major > 24 || (major === 24 && minor >= 0)) {
  await import(main.href);
} else {
  const own = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(own)) {
    process.stderr.write(`error: Node ${process.versions.node} is too old: use Node 24 or later, or run \`npm run setup\` here once\n`);
    process.exit(2);
  }
  const child = spawn(own, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`error: ${own} could not be started (${error.message})\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
