import { join } from 'node:path';
import { parse } from 'dotenv';
import { ConfigError } from '../lib/errors.ts';
import { hide } from '../lib/secret.ts';
import { isReadableByAll, readText } from './files.ts';
import { aboutVariables, UNSUPPORTED, UNSUPPORTED_SECRETS } from './variables.ts';

export type Variables = Readonly<Record<string, string>>;
export type Read = { readonly variables: Variables; readonly warnings: readonly string[] };

const LARGEST_BYTES = 1_000_000;

/**
 * The variables of `.env` in `folder`, overruled by those of `env`; empty ones count as unset. Secrets are taken out of `env`, so that no child process and no
 * crash report gets them, and are known to `scrub` from here on, whether or not they are any good.
 */
export function readEnvironment(folder: string, env: NodeJS.ProcessEnv): Read {
  const file = readDotenv(join(folder, '.env'));
  const merged = { ...file.variables, ...env };
  const variables = Object.fromEntries(
    Object.entries(merged).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1].trim() !== ''),
  );
  const secrets = new Set<string>(UNSUPPORTED_SECRETS);
  for (const { name, secret } of aboutVariables()) if (secret) secrets.add(name);
  for (const name of secrets) delete env[name];
  for (const name of [...aboutVariables().map((about) => about.name), ...UNSUPPORTED]) {
    const value = variables[name] ?? '';
    if (secrets.has(name)) for (const entry of value.split(',')) hide(entry.trim());
    hideKeys(value);
  }
  return { variables, warnings: file.warnings };
}

/** A private key is one wherever it was put by mistake. */
export function hideKeys(text: string): void {
  for (const [key] of text.matchAll(/(?<![0-9a-fA-F])(0x)?[0-9a-fA-F]{64}(?![0-9a-fA-F])/g)) hide(key);
}

function readDotenv(file: string): Read {
  const read = readText(file, LARGEST_BYTES);
  if (!read.ok) {
    if (read.absent) return { variables: {}, warnings: [] };
    throw new ConfigError([`.env ${read.reason}: mend it or move it away`]);
  }
  // NOTE: `parse` alone: dotenv's `config` writes a tip to stdout, which belongs to the log lines.
  return {
    variables: parse(read.text),
    warnings: isReadableByAll(file) ? [`${file} can be read by every user of this machine: chmod 600 it`] : [],
  };
}
