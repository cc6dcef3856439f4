import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Ethers from 'ethers';
import { explainError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import type { Hex } from '../lib/types.ts';

export type KeystoreResult = { readonly ok: true; readonly key: Secret<Hex> } | { readonly ok: false; readonly problem: string };

/** Decrypts a V3 keystore file. Takes a second or so: that is its purpose. The password is the file's text without its last line break. */
export async function readKeystore(keystoreFile: string, passwordFile: string): Promise<KeystoreResult> {
  let json: string;
  let password: string;
  try {
    json = readFileSync(keystoreFile, 'utf8');
  } catch (error) {
    return { ok: false, problem: `KEEPER_KEYSTORE: ${explainError(error)}` };
  }
  try {
    password = readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    return { ok: false, problem: `KEEPER_KEYSTORE_PASSWORD_FILE: ${explainError(error)}` };
  }
  // NOTE: CommonJS, as the bundle library loads it: an `import` would load ethers a second time.
  const { Wallet, isKeystoreJson } = createRequire(import.meta.url)('ethers') as typeof Ethers;
  if (!isKeystoreJson(json)) return { ok: false, problem: 'KEEPER_KEYSTORE: the file is not a V3 keystore' };
  try {
    const { privateKey } = await Wallet.fromEncryptedJson(json, password);
    return { ok: true, key: new Secret(privateKey as Hex) };
  } catch {
    return { ok: false, problem: 'KEEPER_KEYSTORE_PASSWORD_FILE: the password does not open the keystore' };
  }
}
