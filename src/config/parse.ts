import { privateKeyToAddress } from 'viem/accounts';
import { isAddress } from 'viem/utils';
import { z } from 'zod';
import { Secret, SecretUrl } from '../lib/secret.ts';
import type { Address, Hex } from '../lib/types.ts';

const LONGEST_PATH = 4_096;

/** What is wrong with a text, as the end of a sentence that begins with the variable's name. Never repeats the text: it may be a secret. */
class Unfit extends Error {}

/** A zod type that reads a text by `read`, which throws `Unfit`. */
function reads<T>(read: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return read(text.trim());
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** Plain decimals as a bigint with `decimals` places, exactly; no sign, exponent or separators. */
function exact(text: string, decimals: number, what: string): bigint {
  const match = /^(\d{1,30})(?:\.(\d+))?$/.exec(text);
  const [, whole = '', fraction = ''] = match ?? [];
  if (match === null) throw new Unfit(`must be ${what} in plain digits, such as 12.5`);
  if (fraction.length > decimals) throw new Unfit(`has more than ${decimals} decimals`);
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

function addressOf(text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new Unfit('must be an address: 0x and 40 hex digits');
  const oneCase = /^0x([0-9a-f]{40}|[0-9A-F]{40})$/.test(text);
  if (!oneCase && !isAddress(text, { strict: true })) throw new Unfit('has a wrong checksum: a digit or its case is mistyped');
  return text.toLowerCase() as Address;
}

function keyOf(text: string): Secret<Hex> {
  const digits = text.replace(/^0x/, '');
  const key = `0x${digits.toLowerCase()}` as const;
  if (!/^[0-9a-fA-F]{64}$/.test(digits) || !isPrivateKey(key)) throw new Unfit('must be a private key: 0x and 64 hex digits');
  return new Secret<Hex>(key);
}

function isPrivateKey(key: Hex): boolean {
  try {
    privateKeyToAddress(key);
    return true;
  } catch {
    return false;
  }
}

/** What cannot be a path, or is a secret in the wrong place: it would be shown, and written to. */
function pathOf(text: string): string {
  if (text.length > LONGEST_PATH) throw new Unfit(`must be a path of no more than ${LONGEST_PATH} characters`);
  if (/\p{Cc}/u.test(text)) throw new Unfit('must be a path: it has a control character or a line break in it');
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(text)) throw new Unfit('must be a path, and is a URL');
  if (/(^|[^0-9a-fA-F])[0-9a-fA-F]{64}([^0-9a-fA-F]|$)/.test(text.replace(/0x/gi, ' ')))
    throw new Unfit('must be a path, and looks like a private key');
  return text;
}

function urlOf(text: string, protocols: readonly string[]): SecretUrl {
  if (!URL.canParse(text)) throw new Unfit('is not a URL');
  const url = new SecretUrl(text);
  if (!isEncoded(new URL(text).username) || !isEncoded(new URL(text).password))
    throw new Unfit('has a user or password with a bare %: write it as %25');
  if (!protocols.includes(url.protocol)) throw new Unfit(`must begin with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
  return url;
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Comma-separated; says which entry is wrong. */
function listOf<T>(text: string, read: (entry: string) => T): readonly T[] {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries
    .filter((entry) => entry !== '')
    .map((entry, index) => {
      try {
        return read(entry);
      } catch (error) {
        if (error instanceof Unfit && entries.length > 1) throw new Unfit(`entry ${index + 1} ${error.message}`);
        throw error;
      }
    });
}

function distinct<T>(values: readonly T[], key: (value: T) => string): readonly T[] {
  const keys = values.map(key);
  const repeated = keys.findIndex((each, index) => keys.indexOf(each) !== index);
  if (repeated !== -1) throw new Unfit(`names the same thing twice (entry ${repeated + 1})`);
  return values;
}

export const usd8 = reads((text) => exact(text, 8, 'an amount of USD'));
export const gweiAsWei = reads((text) => exact(text, 9, 'an amount of gwei'));
export const nativeAsWei = reads((text) => exact(text, 18, 'an amount of native tokens'));
export const address = reads(addressOf);
export const addresses = reads((text): ReadonlySet<Address> => new Set(listOf(text, addressOf)));
export const privateKey = reads(keyOf);
export const privateKeys = reads((text) => distinct(listOf(text, keyOf), (key) => key.reveal()));
export const rpcUrls = reads((text) =>
  distinct(
    listOf(text, (entry) => urlOf(entry, ['https:', 'http:', 'wss:', 'ws:'])),
    (url) => url.reveal(),
  ),
);
export const httpUrls = reads((text) =>
  distinct(
    listOf(text, (entry) => urlOf(entry, ['https:', 'http:'])),
    (url) => url.reveal(),
  ),
);
export const httpUrl = reads((text) => urlOf(text, ['https:', 'http:']));
export const words = reads((text): ReadonlySet<string> => new Set(listOf(text, (entry) => entry.toLowerCase())));
export const path = reads(pathOf);
export const host = reads((text) => {
  if (!/^[\w.:[\]%-]{1,255}$/.test(text)) throw new Unfit('must be a host name or an IP address');
  return text;
});
export const secret = (shortest: number) =>
  reads((text) => {
    if (text.length < shortest) throw new Unfit(`must have at least ${shortest} characters`);
    // What travels in a header can be nothing else.
    if (!/^[\x21-\x7e]+$/.test(text)) throw new Unfit('may hold only ASCII letters, digits and punctuation, no spaces');
    return new Secret(text);
  });

export function integer(least: number, most: number) {
  return reads((text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new Unfit(`must be a whole number from ${least} to ${most}`);
    return value;
  });
}

export function oneOf<const T extends string>(...choices: readonly T[]) {
  return reads((text) => {
    const choice = choices.find((each) => each === text);
    if (choice === undefined) throw new Unfit(`must be one of ${choices.join(', ')}`);
    return choice;
  });
}

/** Entries of `known`. */
export function someOf<const T extends string>(known: readonly T[]) {
  return reads((text) =>
    distinct(
      listOf(text, (entry) => {
        const choice = known.find((each) => each === entry);
        if (choice !== undefined) return choice;
        throw new Unfit(`is unknown; known: ${known.join(', ')}`);
      }),
      (each) => each,
    ),
  );
}

/** A share in basis points. */
export const share = reads((text) => {
  const bps = exact(text, 4, 'a share from 0 to 1');
  if (bps > 10_000n) throw new Unfit('must be a share from 0 to 1');
  return bps;
});

/** A share in basis points, or `auto`. */
export const shareBps = reads((text): number | 'auto' => {
  if (text === 'auto') return text;
  const bps = exact(text, 4, '`auto` or a share from 0 to 1');
  if (bps > 10_000n) throw new Unfit('must be `auto` or a share from 0 to 1');
  return Number(bps);
});
