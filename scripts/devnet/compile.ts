/**
 * Compiles third parties' Solidity sources (and the devnet's own) with solc-js, once: the output is kept under .cache/solc, outside git.
 *
 *   const unit = await compileUnit({
 *     name: 'aave-v3-origin', solc: 'solc-0.8.27',
 *     entries: ['@aave-dao/aave-v3-origin/src/contracts/instances/PoolInstance.sol', 'scripts/devnet/contracts/Multicall3.sol'],
 *     remappings: { 'solidity-utils/': '@bgd-labs/solidity-utils/src/' },
 *     settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
 *   });
 *   unit['PoolInstance'].bytecode
 *
 * A source is named as Solidity imports it: a path inside node_modules, or a path from the repository's root. Only contracts declared in an
 * entry are returned, so a library that has to be deployed and linked is an entry too.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Abi, Hex } from 'viem';
import { COMPILERS } from './compilers.ts';
import { withFileLock } from './file-lock.ts';

/** Byte ranges of the creation code that hold a library's address: file, then library name. */
export type LinkReferences = Record<string, Record<string, { start: number; length: number }[]>>;
/** NOTE: while `linkReferences` is not empty, `bytecode` holds placeholders that are not hex; pass it through `link` (link.ts) first. */
export type Artifact = { abi: Abi; bytecode: Hex; linkReferences: LinkReferences };

export type Unit = {
  name: string;
  /** An installed solc-js package or alias, e.g. `solc-0.8.27`. */
  solc: string;
  entries: readonly string[];
  /** Import prefix to source-name prefix. */
  remappings?: Readonly<Record<string, string>>;
  settings: { optimizer: { enabled: boolean; runs: number }; evmVersion?: string; viaIR?: boolean };
};

export type CompileJob = { soljson: string; wrapper: string; input: string };
export type CompileReply = { ok: true; output: string } | { ok: false; message: string };

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(ROOT, '.cache', 'solc');
const TIMEOUT_MS = 300_000;

const inProcess = new Map<string, Promise<Record<string, Artifact>>>();

/** Throws with the compiler's own messages when a source is missing or does not compile. */
export async function compileUnit(unit: Unit): Promise<Record<string, Artifact>> {
  const require = createRequire(import.meta.url);
  const input = JSON.stringify(await standardJson(unit));
  const manifest: { version: string } = require(`${unit.solc}/package.json`);
  const key = createHash('sha256').update(`${manifest.version}\n${input}`).digest('hex');
  const running = inProcess.get(key);
  if (running) return running;
  const job = { soljson: require.resolve(`${unit.solc}/soljson.js`), wrapper: require.resolve('solc-0.8.27/wrapper.js'), input };
  const result = cachedOrCompiled(unit, key, job);
  inProcess.set(key, result);
  result.catch(() => inProcess.delete(key));
  return result;
}

async function cachedOrCompiled(unit: Unit, key: string, job: CompileJob): Promise<Record<string, Artifact>> {
  const file = join(CACHE, `${key}.json`);
  const cached = async () => (existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Record<string, Artifact>) : undefined);
  const ready = await cached();
  if (ready) return ready;
  return withFileLock(`${file}.lock`, TIMEOUT_MS, async () => (await cached()) ?? (await compileTo(file, unit, job)));
}

async function compileTo(file: string, unit: Unit, job: CompileJob): Promise<Record<string, Artifact>> {
  const started = performance.now();
  process.stderr.write(`devnet: compiling ${unit.name} (once)\n`);
  const artifacts = artifactsOf(unit, await COMPILERS.run(unit.name, job));
  const partial = `${file}.${process.pid}.tmp`;
  await writeFile(partial, JSON.stringify(artifacts));
  await rename(partial, file);
  process.stderr.write(`devnet: compiled ${unit.name} in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  return artifacts;
}

async function standardJson(unit: Unit) {
  const remappings = Object.entries(unit.remappings ?? {});
  const sources: Record<string, { content: string }> = {};
  const open = [...unit.entries];
  // The closure of imports is read up front, not by a callback, because the cache's key has to cover every source.
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (sources[name]) continue;
    const content = await readSource(name, unit.name);
    sources[name] = { content };
    for (const target of importsOf(content)) open.push(resolveImport(name, target, remappings));
  }
  const outputSelection = Object.fromEntries(unit.entries.map((entry) => [entry, { '*': ['abi', 'evm.bytecode'] }]));
  const sorted = Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    language: 'Solidity',
    sources: sorted,
    settings: { ...unit.settings, remappings: remappings.map(([from, to]) => `${from}=${to}`), outputSelection },
  };
}

async function readSource(name: string, unit: string): Promise<string> {
  for (const path of [join(ROOT, 'node_modules', name), join(ROOT, name)]) {
    if (existsSync(path)) return readFile(path, 'utf8');
  }
  throw new Error(`${unit}: no source ${name} in node_modules or in the repository`);
}

function importsOf(content: string): string[] {
  const code = content.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/^\s*import\s+(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)].map((match) => match[1]!);
}

function resolveImport(importer: string, target: string, remappings: readonly [string, string][]): string {
  if (target.startsWith('.')) return posix.join(posix.dirname(importer), target);
  const best = remappings.filter(([from]) => target.startsWith(from)).sort((a, b) => b[0].length - a[0].length)[0];
  return best ? best[1] + target.slice(best[0].length) : target;
}

type SolcOutput = {
  errors?: { severity: string; formattedMessage?: string; message: string }[];
  contracts?: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string; linkReferences: LinkReferences } } }>>;
};

function artifactsOf(unit: Unit, output: string): Record<string, Artifact> {
  const parsed: SolcOutput = JSON.parse(output);
  const errors = (parsed.errors ?? []).filter((error) => error.severity === 'error');
  if (errors.length > 0)
    throw new Error(`${unit.name} does not compile:\n${errors.map((e) => e.formattedMessage ?? e.message).join('\n')}`);
  const artifacts: Record<string, Artifact> = {};
  for (const entry of unit.entries) {
    for (const [name, contract] of Object.entries(parsed.contracts?.[entry] ?? {})) {
      if (artifacts[name]) throw new Error(`${unit.name}: two entries declare ${name}`);
      const { object, linkReferences } = contract.evm.bytecode;
      artifacts[name] = { abi: contract.abi, bytecode: `0x${object}`, linkReferences };
    }
  }
  return artifacts;
}
