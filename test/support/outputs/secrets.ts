/** What must not be found in any output of a keeper, and how it is looked for. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { aboutVariables, UNSUPPORTED_SECRETS } from '../../../src/config/variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Found = { readonly variable: string; readonly around: string };

const NAMES: ReadonlySet<string> = new Set([
  ...aboutVariables()
    .filter(({ secret }) => secret)
    .map(({ name }) => name),
  ...UNSUPPORTED_SECRETS,
]);
/** Shorter parts of a URL turn up in innocent text; a key is never that short. */
const SHORTEST = 8;

/** The secrets of an environment, by the form in which they would be found: the variable that has them. */
export function secretsOf(env: Environment, folder: string): ReadonlyMap<string, string> {
  const forms = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !NAMES.has(name)) continue;
    for (const entry of value.split(',').map((each) => each.trim()))
      for (const part of partsOf(entry)) for (const form of formsOf(part)) forms.set(form, name);
  }
  const passwordFile = env['KEEPER_KEYSTORE_PASSWORD_FILE'];
  if (passwordFile !== undefined)
    for (const form of formsOf(textOf(resolve(folder, passwordFile)).trim())) forms.set(form, 'the keystore’s password');
  return forms;
}

/** Of a URL the parts that are keys: its host is fit to be shown. */
function partsOf(entry: string): readonly string[] {
  if (!URL.canParse(entry)) return [entry];
  const url = new URL(entry);
  const parts = [url.username, url.password, ...url.pathname.split('/'), ...url.searchParams.values()];
  return parts.filter((part) => part.length >= SHORTEST);
}

function formsOf(secret: string): readonly string[] {
  if (secret.length < SHORTEST) return [];
  const [, digits] = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(secret) ?? [];
  if (digits !== undefined) return [digits.toLowerCase(), digits.toUpperCase(), Buffer.from(digits, 'hex').toString('base64').slice(0, -2)];
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1),
  ];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The first of the secrets that the output holds, with what stands before it. */
export function findSecret(output: string | Buffer, secrets: ReadonlyMap<string, string>): Found | undefined {
  for (const [form, variable] of secrets) {
    const at = output.indexOf(form);
    if (at !== -1) return { variable, around: String(output.slice(Math.max(0, at - 80), at)) };
  }
  return undefined;
}
