import { createRequire } from 'node:module';
import type * as Ethers from 'ethers';
import { z } from 'zod';
import { hide, Secret } from '../lib/secret.ts';
import type { Hex } from '../lib/types.ts';
import { isReadableByAll, readText } from './files.ts';

export type KeystoreResult =
  | { readonly ok: true; readonly key: Secret<Hex>; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problem: string };

const LARGEST_BYTES = 100_000;
/** What common wallets write takes 256 MB and a second or two; beyond these bounds a file could hold up the start for hours, or take the machine's memory. */
const MOST_SCRYPT_BYTES = 1_073_741_824;
/** N r p: the work. Wallets write 2^21 to 2^23. */
const MOST_SCRYPT_WORK = 2 ** 25;
const MOST_PBKDF2_ROUNDS = 10_000_000;

const count = z.int().min(1);
const scrypt = z.object({ kdf: z.literal('scrypt'), kdfparams: z.object({ n: count, r: count, p: count }) });
const pbkdf2 = z.object({ kdf: z.literal('pbkdf2'), kdfparams: z.object({ c: count }) });
const format = z.object({ version: z.literal([3, '3']), crypto: z.discriminatedUnion('kdf', [scrypt, pbkdf2]) });

/** Decrypts a V3 keystore file. Takes a second or so: that is its purpose. The password is the file's text without its last line break. */
export async function readKeystore(keystoreFile: string, passwordFile: string): Promise<KeystoreResult> {
  const keystore = readText(keystoreFile, LARGEST_BYTES);
  if (!keystore.ok) return { ok: false, problem: `KEEPER_KEYSTORE: ${keystore.reason}` };
  const read = readText(passwordFile, LARGEST_BYTES);
  if (!read.ok) return { ok: false, problem: `KEEPER_KEYSTORE_PASSWORD_FILE: ${read.reason}` };
  const password = read.text.replace(/\r?\n$/, '');
  hide(password);
  const unfit = unfitFor(keystore.text);
  if (unfit !== undefined) return { ok: false, problem: `KEEPER_KEYSTORE: ${unfit}` };
  // NOTE: CommonJS, as the bundle library loads it: an `import` would load ethers a second time.
  const { decryptKeystoreJson } = createRequire(import.meta.url)('ethers') as typeof Ethers;
  try {
    const { privateKey } = await decryptKeystoreJson(keystore.text, password);
    const warnings = isReadableByAll(passwordFile)
      ? ['KEEPER_KEYSTORE_PASSWORD_FILE: can be read by every user of this machine: chmod 600 it']
      : [];
    return { ok: true, key: new Secret(privateKey as Hex), warnings };
  } catch (error) {
    return { ok: false, problem: refusalOf(error) };
  }
}

/** Why the file cannot be opened by any password, without trying one. */
function unfitFor(text: string): string | undefined {
  let json: unknown;
  try {
    json = inLowerCase(JSON.parse(text));
  } catch {
    return 'the file is not a V3 keystore (it is not JSON)';
  }
  const parsed = format.safeParse(json);
  if (!parsed.success) return 'the file is not a V3 keystore with scrypt or pbkdf2';
  const { crypto } = parsed.data;
  const heavy =
    crypto.kdf === 'pbkdf2'
      ? crypto.kdfparams.c > MOST_PBKDF2_ROUNDS
      : 128 * crypto.kdfparams.n * crypto.kdfparams.r > MOST_SCRYPT_BYTES ||
        crypto.kdfparams.n * crypto.kdfparams.r * crypto.kdfparams.p > MOST_SCRYPT_WORK;
  return heavy ? `the parameters of its ${crypto.kdf} ask for far more than any wallet’s: make it anew` : undefined;
}

/** Some wallets write `Crypto`; the names are read in any case, as the library that decrypts reads them. */
function inLowerCase(json: unknown, depth = 0): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json) || depth > 3) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const lower = name.toLowerCase();
      return [lower, lower === 'kdf' && typeof value === 'string' ? value.toLowerCase() : inLowerCase(value, depth + 1)];
    }),
  );
}

function refusalOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (/incorrect password/.test(message)) return 'KEEPER_KEYSTORE_PASSWORD_FILE: the password does not open the keystore';
  if (/address\/privateKey mismatch/.test(message)) return 'KEEPER_KEYSTORE: its address is not that of its key: the file was changed';
  if (/Scrypt: |kdf\.N/.test(message))
    return 'KEEPER_KEYSTORE: its scrypt parameters are not valid (RFC 7914): make it anew with another wallet';
  return 'KEEPER_KEYSTORE: the file is a damaged V3 keystore, or of a kind that is not supported';
}
