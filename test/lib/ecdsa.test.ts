import fc from 'fast-check';
import { recoverAddress } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { expect, it } from 'vitest';
import { signerOf, signHash } from '../../src/lib/ecdsa.ts';
import type { Hex } from '../../src/lib/types.ts';

const word = (least: bigint, most: bigint) => fc.bigInt(least, most).map((value): Hex => `0x${value.toString(16).padStart(64, '0')}`);
/** The order of the curve. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

it('signs as viem does, to the bit, and is recovered', async () => {
  const property = fc.asyncProperty(word(1n, ORDER - 1n), word(0n, 2n ** 256n - 1n), async (key, hash) => {
    const ours = signHash(hash, key);
    const { r, s, yParity } = await sign({ hash, privateKey: key });
    expect(ours).toEqual({ r, s, yParity });
    expect(await recoverAddress({ hash, signature: ours })).toBe(privateKeyToAccount(key).address);
    expect(signerOf(hash, ours)).toBe(privateKeyToAccount(key).address.toLowerCase());
  });
  await fc.assert(property, { numRuns: 50, seed: 1 });
});

it('refuses what is no key', () => {
  expect(() => signHash(`0x${'01'.repeat(32)}`, `0x${'00'.repeat(32)}`)).toThrow(/Expected Private/);
});

it('recovers nobody from what nobody can have signed', () => {
  const hash: Hex = `0x${'01'.repeat(32)}`;
  const none: Hex = `0x${'00'.repeat(32)}`;
  expect(signerOf(hash, { r: none, s: none, yParity: 0 })).toBeUndefined();
  expect(signerOf(hash, { r: `0x${'ff'.repeat(32)}`, s: hash, yParity: 1 })).toBeUndefined();
});
