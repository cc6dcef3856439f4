import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng } from '../../scripts/devnet/prng.ts';
import { MAIN } from '../cli/cli.ts';
import { type Case, leakIn, makeCase } from './cases.ts';

const RUNS = Number(process.env['FUZZ_CLI_RUNS'] ?? 30);
const SEED = 77;
const LONGEST_MS = 60_000;
const COMMANDS = {
  run: ['run'],
  deploy: ['deploy', '--timeout', '1'],
  store: ['report'],
  scan: ['scan'],
  doctor: ['env'],
} as const;

let folder: string;
/** An endpoint that answers every question with a page: what gets as far as asking it has passed all checks. */
let page: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-fuzz-cli-'));
  page = createServer((_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>'));
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
});
afterAll(() => {
  page.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Loopback in place of the hosts of the cases: no name is looked up. */
const local = (text: string) =>
  text
    .replace(/wss?:\/\/node\.example\.org/g, `http://127.0.0.1:${(page.address() as AddressInfo).port}`)
    .replace(
      /https?:\/\/(user:[^@]*@)?(rpc|relay)\.example\.org/g,
      (_, user = '') => `http://${user}127.0.0.1:${(page.address() as AddressInfo).port}`,
    )
    .replace(/example\.org/g, 'localhost');

async function faultsOf({ purpose, env, files }: Case, run: number): Promise<readonly string[]> {
  const dir = join(folder, String(run));
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), local(text), { mode: 0o600 });
  // No process can be started with a NUL in its environment.
  const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, local(value).replaceAll('\0', '').slice(0, 20_000)]));
  const child = spawn(process.execPath, [MAIN, ...COMMANDS[purpose]], {
    cwd: dir,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], HOME: dir, HTTP_PORT: '0', ...given },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  // What does not end by itself has started.
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  const secret = leakIn(openValues(given, files)) === undefined ? leakIn(stdout + stderr) : undefined;
  return [
    ...(secret === undefined ? [] : [`tells the secret ${secret}`]),
    ...(/\n\s+at .+:\d+|node:internal|UnhandledPromise|ZodError/.test(stdout + stderr) ? ['a stack trace'] : []),
    ...(code === 2 && !/^(warning: [^\n]+\n)*error: [^\n]+\n$/.test(stderr) ? ['not one line'] : []),
    ...(code === 1 && !/no endpoint of RPC_URLS is usable|ledger/.test(stderr) ? ['failed late'] : []),
    ...([0, 1, 2, null].includes(code) ? [] : ['exit code']),
  ].map((fault) => `run ${run}, ${purpose}, ${code}: ${fault}: ${stderr.slice(0, 600)}`);
}

test(`${RUNS} times the command line starts, or ends with one line: no stack, no secret`, { timeout: 400_000 }, async () => {
  const random = new Prng(SEED);
  const cases = Array.from({ length: RUNS }, () => makeCase(random, '{}'));
  const faults: string[] = [];
  const two = [0, 1].map(async (first) => {
    for (let run = first; run < RUNS; run += 2) faults.push(...(await faultsOf(cases[run]!, run)));
  });
  await Promise.all(two);
  expect(faults).toEqual([]);
});

/** What was given in the open, where nobody can know a secret for one. */
function openValues(env: Readonly<Record<string, string>>, files: Readonly<Record<string, string>>): string {
  return `${env['DATA_DIR'] ?? ''} ${env['DENY_MARKETS'] ?? ''} ${env['HTTP_HOST'] ?? ''} ${files['.env'] ?? ''}`;
}
