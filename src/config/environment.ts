import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { ConfigError, explainError } from '../lib/errors.ts';
import { aboutVariables, UNSUPPORTED_SECRETS } from './variables.ts';

export type Variables = Readonly<Record<string, string>>;
export type Read = { readonly variables: Variables; readonly warnings: readonly string[] };

/**
 * The variables of `.env` in `folder`, overruled by those of `env`; empty ones count as unset. Secrets are taken out of `env`, so that no child process and no
 * crash report gets them.
 */
export function readEnvironment(folder: string, env: NodeJS.ProcessEnv): Read {
  const file = readDotenv(join(folder, '.env'));
  const merged = { ...file.variables, ...env };
  const variables = Object.fromEntries(
    Object.entries(merged).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1].trim() !== ''),
  );
  for (const { name, secret } of aboutVariables()) if (secret) delete env[name];
  for (const name of UNSUPPORTED_SECRETS) delete env[name];
  return { variables, warnings: file.warnings };
}

/** Others than the owner may read it. False when there is none. */
export function isReadableByAll(file: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && (stats.mode & 0o004) !== 0;
}

function readDotenv(file: string): Read {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { variables: {}, warnings: [] };
    throw new ConfigError([`.env cannot be read (${explainError(error)}): mend its permissions or move it away`]);
  }
  // NOTE: `parse` alone: dotenv's `config` writes a tip to stdout, which belongs to the log lines.
  return {
    variables: parse(text),
    warnings: isReadableByAll(file) ? [`${file} can be read by every user of this machine: chmod 600 it`] : [],
  };
}
