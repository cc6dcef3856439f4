import { createRequire } from 'node:module';
import type { FlashbotsBundleProvider as Library } from '@flashbots/ethers-provider-bundle';
import type * as Ethers from 'ethers';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, it } from 'vitest';
import { authoriser } from '../../../src/execution/relays/authorise.ts';
import { behindBody, bundleBody } from '../../../src/execution/relays/bodies.ts';
import { flashbotsRelay } from '../../../src/execution/relays/flashbots.ts';
import type { Hex } from '../../../src/lib/types.ts';
import { listen } from '../../support/listening-relay.ts';

const AUTH_KEY: Hex = `0x${'11'.repeat(32)}`;
const CHAIN_ID = 7_777;
const UUID = '5f3c2e9a-8a35-4c51-9f0b-0a1b2c3d4e5f';

/** The library as it comes, asked for a bundle of these transactions. */
async function sendWithLibrary(url: string, txs: readonly Hex[], block: number): Promise<void> {
  const require = createRequire(import.meta.url);
  const ethers = require('ethers') as typeof Ethers;
  const { FlashbotsBundleProvider } = require('@flashbots/ethers-provider-bundle') as { FlashbotsBundleProvider: typeof Library };
  const chain = new ethers.JsonRpcProvider('http://127.0.0.1:1', CHAIN_ID, { staticNetwork: true });
  const parts = [chain, new ethers.Wallet(AUTH_KEY), new ethers.FetchRequest(url)] as unknown as ConstructorParameters<typeof Library>;
  const library = new FlashbotsBundleProvider(parts[0], parts[1], parts[2], CHAIN_ID);
  await library.sendRawBundle([...txs], block, { revertingTxHashes: [], replacementUuid: UUID });
  chain.destroy();
}

async function signedTransactions(count: number): Promise<readonly Hex[]> {
  const account = privateKeyToAccount(`0x${'22'.repeat(32)}`);
  const sign = (nonce: number) =>
    account.signTransaction({
      chainId: CHAIN_ID,
      type: 'eip1559',
      nonce,
      to: account.address,
      data: `0x${'5a'.repeat(900 * nonce)}`,
      gas: 1n,
    });
  return (await Promise.all(Array.from({ length: count }, (_, nonce) => sign(nonce)))) as Hex[];
}

it.each([1, 2, 5])('a bundle of %i transactions is the library’s, byte for byte, signature included', async (count) => {
  const { url, heard } = await listen();
  const txs = await signedTransactions(count);
  await sendWithLibrary(url, txs, 21_000_000 + count);
  const relay = flashbotsRelay({ url, authKey: AUTH_KEY, chainId: CHAIN_ID, timeoutMs: 2_000 });
  expect(await relay.send({ txs, targetBlock: 21_000_000 + count, replacementUuid: UUID })).toMatchObject({ kind: 'accepted' });
  const [theirs, ours] = heard;
  expect(ours).toEqual(theirs);
  expect(bundleBody(1, txs, 21_000_000 + count, UUID)).toBe(theirs!.body);
  expect(authoriser(AUTH_KEY)(Buffer.from(theirs!.body))).toBe(theirs!.signature);
});

it('a transaction behind a hash is what JSON makes of MEV-Share’s version v0.1', () => {
  const [hash, tx]: readonly Hex[] = [`0x${'01'.repeat(32)}`, `0x02${'5a'.repeat(300)}`];
  const block = '0x1406f40';
  expect(behindBody(7, hash!, tx!, 21_000_000)).toBe(
    JSON.stringify({
      method: 'mev_sendBundle',
      params: [{ version: 'v0.1', inclusion: { block, maxBlock: block }, body: [{ hash }, { tx, canRevert: false }] }],
      id: 7,
      jsonrpc: '2.0',
    }),
  );
});
