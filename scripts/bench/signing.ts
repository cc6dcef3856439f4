/** The last steps before the wire: a transaction signed, a bundle handed to a relay. */
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { FlashbotsBundleProvider as Library } from '@flashbots/ethers-provider-bundle';
import type * as Ethers from 'ethers';
import { keccak256, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { keyLane } from '../../src/execution/lane.ts';
import { flashbotsRelay } from '../../src/execution/relays/flashbots.ts';
import type { Hex } from '../../src/lib/types.ts';
import { type Bench, medianMs, type Result } from './result.ts';

const RUNS = 300;
const WARM_UP = 100;
const CHAIN_ID = 7_777;
const KEY = keccak256(toHex('bench'));
const TO = '0x00000000000000000000000000000000000e8ec0';
const DATA: Hex = `0x${'5a'.repeat(1_400)}`;

async function run(): Promise<Result[]> {
  return [await signing(), await sending()];
}

async function signing(): Promise<Result> {
  const { Wallet } = createRequire(import.meta.url)('ethers') as typeof Ethers;
  const lane = keyLane(KEY);
  const wallet = new Wallet(KEY);
  const fees = { maxFeeWei: 2_000_000_000n, priorityFeeWei: 1_000_000_000n };
  let nonce = 0;
  const ours = await medianMs(
    RUNS,
    () => lane.sign({ chainId: CHAIN_ID, nonce: nonce++, to: TO, data: DATA, valueWei: 0n, gasLimit: 900_000n, ...fees }),
    WARM_UP,
  );
  const theirs = await medianMs(
    RUNS,
    () =>
      wallet.signTransaction({
        ...{ type: 2, chainId: CHAIN_ID, nonce: nonce++, to: TO, data: DATA, value: 0n, gasLimit: 900_000n },
        ...{ maxFeePerGas: fees.maxFeeWei, maxPriorityFeePerGas: fees.priorityFeeWei },
      }),
    WARM_UP,
  );
  const account = privateKeyToAccount(KEY);
  const plain = await medianMs(
    RUNS,
    () =>
      account.signTransaction({
        ...{ type: 'eip1559', chainId: CHAIN_ID, nonce: nonce++, to: TO, data: DATA, gas: 900_000n },
        ...{ maxFeePerGas: fees.maxFeeWei, maxPriorityFeePerGas: fees.priorityFeeWei },
      }),
    WARM_UP,
  );
  const peers = [
    { name: 'viem', value: plain * 1_000 },
    { name: 'ethers', value: theirs * 1_000 },
  ];
  return { name: 'signing a transaction', ours: ours * 1_000, unit: 'µs', peers, notes: '1.4 kB of calldata; hashed before and after' };
}

async function sending(): Promise<Result> {
  const account = privateKeyToAccount(KEY);
  const raw = await account.signTransaction({ chainId: CHAIN_ID, type: 'eip1559', nonce: 0, to: TO, data: DATA, gas: 900_000n });
  const relayDouble = await listen();
  try {
    const url = `http://127.0.0.1:${(relayDouble.address() as AddressInfo).port}`;
    const relay = flashbotsRelay({ url, authKey: KEY, chainId: CHAIN_ID, timeoutMs: 5_000 });
    let block = 1;
    const ours = await medianMs(
      RUNS,
      async () => {
        const result = await relay.send({ txs: [raw], targetBlock: block++, replacementUuid: 'bench' });
        if (result.kind !== 'accepted') throw new Error(`the relay did not take it: ${result.reason}`);
      },
      WARM_UP,
    );
    const byHand = await medianMs(
      RUNS,
      async () => {
        const body = JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'eth_sendBundle',
          params: [{ txs: [raw], blockNumber: toHex(block++) }],
        });
        const signature = await account.signMessage({ message: keccak256(toHex(body)) });
        const headers = { 'content-type': 'application/json', 'x-flashbots-signature': `${account.address}:${signature}` };
        await (await fetch(url, { method: 'POST', headers, body })).json();
      },
      WARM_UP,
    );
    const library = libraryAt(url);
    const withLibrary = await medianMs(
      RUNS,
      () => library.sendRawBundle([raw], block++, { revertingTxHashes: [], replacementUuid: 'bench' }),
      WARM_UP,
    );
    const notes = 'the answer included, from a relay that does nothing, in this process';
    const peers = [
      { name: 'viem and fetch', value: byHand * 1_000 },
      { name: 'Flashbots’ library', value: withLibrary * 1_000 },
    ];
    return { name: 'handing over a bundle', ours: ours * 1_000, unit: 'µs', peers, notes };
  } finally {
    relayDouble.closeAllConnections();
    await new Promise((resolve) => relayDouble.close(resolve));
  }
}

function libraryAt(url: string): Library {
  const require = createRequire(import.meta.url);
  const ethers = require('ethers') as typeof Ethers;
  const { FlashbotsBundleProvider } = require('@flashbots/ethers-provider-bundle') as { FlashbotsBundleProvider: typeof Library };
  const chain = new ethers.JsonRpcProvider('http://127.0.0.1:1', CHAIN_ID, { staticNetwork: true });
  const parts = [chain, new ethers.Wallet(KEY), new ethers.FetchRequest(url)] as unknown as ConstructorParameters<typeof Library>;
  return new FlashbotsBundleProvider(parts[0], parts[1], parts[2], CHAIN_ID);
}

async function listen(): Promise<Server> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { id } = JSON.parse(body) as { id: number };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { bundleHash: keccak256(toHex(body)) } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export const signingAndSending: Bench = { name: 'signing', about: 'signing, and handing a bundle to a relay', run };
