import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { encryptKeystoreJsonSync } from 'ethers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng } from '../../scripts/devnet/prng.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { aboutVariables, UNSUPPORTED } from '../../src/config/variables.ts';
import { ConfigError, explainError } from '../../src/lib/errors.ts';
import { type Case, FILES, leakIn, makeCase, SECRETS } from './cases.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2_000);
/** Thousands of small files are written and read on the way. */
const PATIENCE_MS = 600_000;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260);
/** Of one line about one problem; a list of choices is the longest. */
const LONGEST_LINE = 300;
const NAMES = new Set<string>([...aboutVariables().map(({ name }) => name), ...UNSUPPORTED, '.env']);

let folder: string;
let keystore: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-fuzz-'));
  const account = { address: '0x0000000000000000000000000000000000000000', privateKey: SECRETS.key };
  const { address: _, ...json } = JSON.parse(encryptKeystoreJsonSync(account, SECRETS.password, { scrypt: { N: 2, r: 1, p: 1 } }));
  keystore = JSON.stringify(json);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Only those that are not there yet: writing is what takes the time. */
const there = new Map<string, string>();
function putFiles(files: Case['files']): void {
  if (files['.env'] === undefined && there.delete('.env')) rmSync(join(folder, '.env'));
  for (const [name, text] of Object.entries(files)) {
    if (there.get(name) === text) continue;
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    there.set(name, text);
  }
}

/** What is wrong with the way in which this ended; nothing, as a rule. */
async function faultsOf({ purpose, env, files, good }: Case): Promise<readonly string[]> {
  putFiles(files);
  const given = { ...env };
  try {
    const config = await loadConfig(purpose, { folder, env: given });
    return [
      ...(printsSecret(config) && !isMisplaced({ env, files }) ? ['the configuration prints a secret'] : []),
      ...leftIn(given),
      ...(purpose !== 'store' && config.chain.rpcUrls.length === 0 ? ['started without an endpoint'] : []),
      ...(purpose === 'run' && config.mode === 'live' && !(config.executor && config.keys.keeper) ? ['live without executor or key'] : []),
    ];
  } catch (error) {
    if (!(error instanceof ConfigError)) return [`threw ${error instanceof Error ? error.stack : String(error)}`];
    return [
      ...(good ? [`refused: ${error.message}`] : []),
      ...(error.exitCode === 2 && error.problems.length > 0 ? [] : ['exit code']),
      ...error.problems.flatMap(faultsOfLine),
      ...(explainError(error).includes('\n') ? ['more than one line'] : []),
      ...leftIn(given),
    ];
  }
}

function printsSecret(config: Config): boolean {
  const json = JSON.stringify(config, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  return leakIn(`${json} ${inspect(config, { depth: 9 })}`) !== undefined;
}

/** A secret that was given as the name of a folder or a market: nobody can know it for one. */
function isMisplaced({ env, files }: Pick<Case, 'env' | 'files'>): boolean {
  const open = Object.entries(env).filter(([name]) => !aboutVariables().some((about) => about.name === name && about.secret));
  return leakIn(open.map(([, value]) => value).join('\n')) !== undefined || files['.env'] !== undefined;
}

function faultsOfLine(line: string): readonly string[] {
  const [, name, rest = ''] = /^([A-Z][A-Z0-9_]*|\.env):? (.+)$/.exec(line) ?? [];
  return [
    ...(name !== undefined && NAMES.has(name) ? [] : [`names no variable: ${line}`]),
    ...(rest.length >= 8 && line.length <= LONGEST_LINE ? [] : [`${line.length} characters: ${line.slice(0, 80)}`]),
    ...(/\n|\bat .+:\d+:\d+|node:|Error|undefined|\[object|NaN|ZodError/.test(line.replace(/"[^"]*"/g, ''))
      ? [`speaks to programmers: ${line}`]
      : []),
    ...(leakIn(line) === undefined ? [] : [`tells the secret ${leakIn(line)}: ${line}`]),
  ];
}

function leftIn(env: Readonly<Record<string, string>>): readonly string[] {
  return aboutVariables()
    .filter(({ name, secret }) => secret && name in env)
    .map(({ name }) => `${name} is left in the environment`);
}

test(`${RUNS} environments and deployment files each start, or end with clear lines and exit code 2`, {
  timeout: PATIENCE_MS,
}, async () => {
  const random = new Prng(SEED);
  const faults: string[] = [];
  for (let run = 0; run < RUNS && faults.length < 5; run++) {
    const made = makeCase(random, keystore);
    const found = await faultsOf(made);
    if (found.length > 0) faults.push(`run ${run}, ${made.purpose}: ${found.join('; ').slice(0, 2_000)}`);
  }
  expect(faults).toEqual([]);
});

test('the check fails where it should', async () => {
  expect(faultsOfLine(`KEEPER_PRIVATE_KEY: ${SECRETS.key} is no key`)).toHaveLength(1);
  expect(faultsOfLine('something is wrong')).not.toEqual([]);
  expect(faultsOfLine("RPC_URLS: TypeError: Cannot read properties of undefined (reading 'x')")).toHaveLength(1);
  expect(faultsOfLine('RPC_URLS: is not a URL')).toEqual([]);
  const refused = { purpose: 'run', env: {}, files: { [FILES.book]: '{}' }, good: true } as const;
  expect(await faultsOf(refused)).toEqual([expect.stringMatching(/^refused: RPC_URLS: required/)]);
});
