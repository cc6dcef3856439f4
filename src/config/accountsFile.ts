/** `--accounts FILE`: who is known to have positions, so that a keeper need not go through the whole history before it begins. */
import { resolve } from 'node:path';
import { ConfigError } from '../lib/errors.ts';
import type { Address } from '../lib/types.ts';
import type { Told } from '../mirror/told.ts';
import type { ProtocolName } from '../protocols/types.ts';
import { readText } from './files.ts';

const MOST_BYTES = 512 * 1024 * 1024;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const MOST_SHOWN = 60;
const PROTOCOLS: ReadonlySet<string> = new Set<ProtocolName>([
  'aave-v3',
  'morpho-blue',
  'compound-v2',
  'compound-v3',
  'perp-v2',
  'synthetix-v3-perps',
]);

/**
 * One account a line: an address, for all protocols; or JSON with `protocol` and `account`, for those of that protocol. Empty lines are passed over. Throws a
 * ConfigError that names the file and the line.
 */
export function readAccountsFile(file: string, folder = process.cwd()): readonly Told[] {
  const read = readText(resolve(folder, file), MOST_BYTES);
  if (!read.ok) throw new ConfigError([`--accounts: ${file} ${read.absent ? `does not exist` : read.reason}`]);
  const told: Told[] = [];
  for (const [place, text] of read.text.split('\n').entries()) {
    const line = text.trim();
    if (line === '') continue;
    const one = ADDRESS.test(line) ? { account: line.toLowerCase() as Address } : readObject(line);
    if (typeof one === 'string') throw new ConfigError([`--accounts: ${file}:${place + 1}: ${one}`]);
    told.push(one);
  }
  return told;
}

function readObject(line: string): Told | string {
  if (!line.startsWith('{')) return `not an address: ${shown(line)}`;
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return `neither an address nor JSON: ${shown(line)}`;
  }
  const { protocol, account } = fields;
  if (typeof account !== 'string' || !ADDRESS.test(account)) return `"account" is no address: ${shown(line)}`;
  if (typeof protocol !== 'string' || !PROTOCOLS.has(protocol)) return `"protocol" is none of ${[...PROTOCOLS].join(', ')}: ${shown(line)}`;
  return { account: account.toLowerCase() as Address, protocol };
}

function shown(line: string): string {
  return JSON.stringify(line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line);
}
