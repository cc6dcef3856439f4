import { FlashbotsBundleProvider } from '@flashbots/ethers-provider-bundle';
import { JsonRpcProvider, Wallet } from 'ethers';
import fc from 'fast-check';
import { type Hex, keccak256, toBytes } from 'viem';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CHAIN_ID } from '../../scripts/devnet/anvil.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import {
  account,
  accounts,
  balance,
  COINBASE,
  encode,
  GWEI,
  hashes,
  nextNumber,
  post,
  relay,
  searcher,
  sendBundle,
  sendPublic,
  sign,
  startWorld,
  type World,
} from './builder/harness.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const ETH = 10n ** 18n;
const UUID = '0c8a0f4b-2f0e-4a55-b0d2-1a2f7a1c5d3e';

type CallResult = {
  coinbaseDiff: string;
  ethSentToCoinbase: string;
  gasFees: string;
  bundleGasPrice: string;
  bundleHash: Hex;
  stateBlockNumber: number;
  totalGasUsed: number;
  results: {
    txHash: Hex;
    fromAddress: string;
    toAddress: string;
    gasUsed: number;
    coinbaseDiff: string;
    value?: string;
    error?: string;
    revert?: string;
  }[];
};

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

async function call(txs: Hex[], extra: object = {}) {
  const blockNumber = `0x${(await nextNumber(world)).toString(16)}`;
  const answer = await relay(world, 'eth_callBundle', { txs, blockNumber, stateBlockNumber: 'latest', ...extra });
  return { ...answer, result: answer.result as CallResult };
}

describe('eth_callBundle', () => {
  it('tells what the sealed block then does, to the wei', async () => {
    const [a, b] = await accounts(world, 0, 2);
    const txs = [
      await sign(a!, { to: world.auction, value: ETH, data: encode('pay') }),
      await sign(b!, { tipWei: 3n * GWEI, to: a!.address, value: 5n }),
    ];
    const { result } = await call(txs);
    const before = await balance(world, COINBASE);
    await sendBundle(world, txs);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes(txs));
    expect(before + BigInt(result.coinbaseDiff)).toBe(await balance(world, COINBASE));
    expect(result.totalGasUsed).toBe(block.gasUsed);
    expect(BigInt(result.ethSentToCoinbase)).toBe(ETH);
    expect(BigInt(result.gasFees)).toBe(GWEI * BigInt(result.results[0]!.gasUsed) + 3n * GWEI * 21_000n);
    expect(result).toMatchObject({
      bundleHash: block.bundles[0]!.bundleHash,
      bundleGasPrice: String(BigInt(result.coinbaseDiff) / BigInt(result.totalGasUsed)),
      stateBlockNumber: block.number - 1,
      results: [
        { txHash: hashes(txs)[0], fromAddress: a!.address.toLowerCase(), toAddress: world.auction, value: '0x' },
        { txHash: hashes(txs)[1], gasUsed: 21_000, coinbaseDiff: String(3n * GWEI * 21_000n) },
      ],
    });
  });

  it('shows the number, time and coinbase of the block to come', async () => {
    const [a] = await accounts(world, 10, 1);
    const txs = [await sign(a!, { to: world.auction, value: 1n, data: encode('pay') })];
    const other = '0x00000000000000000000000000000000c0ffee00';
    const { result } = await call(txs, { coinbase: other });
    expect(result.ethSentToCoinbase).toBe('1');
    await sendBundle(world, txs);
    const block = await world.builder.seal();
    const read = (name: string) =>
      rpc<Hex>(world.anvil.rpcUrl, 'eth_call', [{ to: world.auction, data: keccak256(toBytes(`${name}()`)).slice(0, 10) }, 'latest']);
    expect(Number(await read('lastNumber'))).toBe(block.number);
    expect(Number(await read('lastTimestamp'))).toBe(block.timestamp);
    expect(await read('lastCoinbase')).toContain(COINBASE.slice(2));
  });

  it('names the transaction that reverts, with its reason, and goes on', async () => {
    const [a, b] = await accounts(world, 20, 2);
    const { result } = await call([await sign(a!, { to: world.auction, data: encode('fail') }), await sign(b!)]);
    expect(result.results[0]).toMatchObject({ error: 'execution reverted', revert: 'no deal' });
    expect(result.results[1]).not.toHaveProperty('error');
  });

  it('says when a transaction runs out of gas', async () => {
    const [a] = await accounts(world, 30, 1);
    const { result } = await call([await sign(a!, { gas: 30_000n, to: world.auction, data: encode('win', 77n) })]);
    expect(result.results[0]).toMatchObject({ error: 'out of gas', gasUsed: 30_000 });
  });

  it('refuses what cannot be in the block at all, in the relay’s words', async () => {
    const [a] = await accounts(world, 40, 1);
    const high = await call([await sign(a!, { nonce: 3 })]);
    expect(high.error).toMatchObject({
      code: -32000,
      message: `err: nonce too high: address ${a!.address.toLowerCase()}, tx: 3 state: 0; txhash ${hashes([await sign(a!, { nonce: 3 })])[0]}`,
    });
    expect((await call([await sign(a!, { maxFeeWei: 1n, tipWei: 0n })])).error!.message).toContain(
      'max fee per gas less than block base fee',
    );
    expect((await call([await sign(a!, { value: 10_000n * ETH })])).error!.message).toMatch(/insufficient funds/i);
    expect((await call([await sign(a!, { gas: 20_000n })])).error!.message).toMatch(/intrinsic gas/i);
  });

  it('simulates on the state that it is told', async () => {
    const [a] = await accounts(world, 50, 1);
    const win = await sign(a!, { to: world.auction, data: encode('win', 50n) });
    await sendBundle(world, [win]);
    const { number } = await world.builder.seal();
    expect((await call([win])).error!.message).toContain('nonce too low');
    const { result } = await call([win], { blockNumber: `0x${number.toString(16)}`, stateBlockNumber: `0x${(number - 1).toString(16)}` });
    expect(result.results[0]).not.toHaveProperty('error');
    expect(result.stateBlockNumber).toBe(number - 1);
  });

  it('leaves no trace: no head, no pending transaction, no state', async () => {
    const [a] = await accounts(world, 60, 1);
    const seen: unknown[] = [];
    const socket = new WebSocket(world.anvil.wsUrl);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const subscribed = new Promise<void>((resolve) => {
      let confirmed = 0;
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(String(data)) as { id?: number; params?: { result: unknown } };
        if (message.params) seen.push(message.params.result);
        else if (++confirmed === 2) resolve();
      };
    });
    for (const [id, topic] of ['newHeads', 'newPendingTransactions'].entries())
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_subscribe', params: [topic] }));
    await subscribed;
    const before = await rpc(world.anvil.rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
    const txs = [await sign(a!, { to: world.auction, value: 5n, data: encode('win', 60n) })];
    for (let times = 0; times < 5; times++) await call(txs);
    // A block afterwards is the first thing that anybody hears of, and its state has nothing of the simulation.
    const block = await world.builder.seal();
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), { timeout: 30_000 });
    socket.close();
    expect(seen).toMatchObject([{ hash: block.hash, parentHash: (before as { hash: Hex }).hash }]);
    expect(block.txs).toEqual([]);
    expect(await rpc(world.anvil.rpcUrl, 'eth_getTransactionCount', [a!.address, 'latest'])).toBe('0x0');
  });
});

describe('every subscriber', () => {
  it('sees one head per sealed block, each the child of the one before, however much is simulated', async () => {
    const heads: { number: Hex; hash: Hex; parentHash: Hex }[] = [];
    const socket = new WebSocket(world.anvil.wsUrl);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const subscribed = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(String(data)) as { params?: { result: (typeof heads)[number] } };
        if (message.params) heads.push(message.params.result);
        else resolve();
      };
    });
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
    await subscribed;
    const sealed: Hex[] = [];
    for (let round = 0; round < 5; round++) {
      const senders = await accounts(world, 700 + 10 * round, 6);
      for (const [index, sender] of senders.slice(0, 4).entries())
        await sendBundle(world, [
          await sign(sender, { tipWei: GWEI * BigInt(index), to: world.auction, data: encode('win', BigInt(700 + round)) }),
        ]);
      for (const sender of senders.slice(4)) await sendPublic(world.anvil, await sign(sender));
      sealed.push((await world.builder.seal()).hash);
    }
    await vi.waitFor(() => expect(heads.length).toBeGreaterThanOrEqual(5), { timeout: 30_000 });
    socket.close();
    expect(heads.map(({ hash }) => hash)).toEqual(sealed);
    expect(heads.slice(1).map(({ parentHash }) => parentHash)).toEqual(sealed.slice(0, -1));
  });
});

describe('the signature', () => {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 7,
    method: 'flashbots_getBundleStatsV2',
    params: [{ bundleHash: `0x${'11'.repeat(32)}`, blockNumber: '0x1' }],
  });
  const signed = async (text: string) => searcher.signMessage({ message: keccak256(toBytes(text)) });

  it('is accepted when it is right', async () => {
    const signature = `${searcher.address}:${await signed(body)}`;
    expect(await post(world.builder.url, body, signature)).toMatchObject({ status: 200, result: { isSimulated: false } });
  });

  it.each([
    ['missing', async () => undefined],
    ['without an address', async () => signed(body)],
    ['no signature', async () => `${searcher.address}:0x1234`],
    ['no point on the curve', async () => `${searcher.address}:0x${'ff'.repeat(64)}1b`],
    ['of another address', async () => `${account(1).address}:${await signed(body)}`],
    ['of another body', async () => `${searcher.address}:${await signed(`${body} `)}`],
  ])('is refused with 403 and a clear error when it is %s', async (_, header) => {
    const answer = await post(world.builder.url, body, await header());
    expect(answer).toMatchObject({ status: 403, error: { code: -32600, message: expect.stringContaining('X-Flashbots-Signature') } });
  });
});

describe('bad input', () => {
  it.each([
    ['no JSON', '{', -32700],
    ['a batch', '[]', -32600],
    ['a number', '7', -32600],
    ['no method', '{"id":1}', -32600],
  ])('gets a JSON-RPC error: %s', async (_, body, code) => {
    expect((await post(world.builder.url, body)).error!.code).toBe(code);
  });

  it('gets a JSON-RPC error: an unknown method', async () => {
    expect(await relay(world, 'eth_mineBitcoin', {})).toMatchObject({ error: { code: -32601 } });
  });

  it('gets a JSON-RPC error: a body that is too large', async () => {
    expect(await post(world.builder.url, ' '.repeat(2_100_000))).toMatchObject({ status: 413, error: { code: -32600 } });
  });

  it.each([
    ['no transactions and nothing to cancel', { txs: [] }, 'empty, and no replacementUuid'],
    ['bytes that are no transaction', { txs: ['0x02c0'] }, 'txs[0]: not a signed transaction'],
    ['something that is not hex', { txs: ['hello'] }, 'expected 0x-prefixed hex bytes'],
    ['a decimal block number', { blockNumber: 12 }, 'blockNumber'],
    ['a uuid that is none', { replacementUuid: 'mine' }, 'replacementUuid'],
    ['a reverting hash that is none', { revertingTxHashes: ['0x12'] }, 'revertingTxHashes.0: expected a 32-byte hash'],
    ['a negative time', { minTimestamp: -1 }, 'minTimestamp'],
  ])('gets a JSON-RPC error from eth_sendBundle: %s', async (_, change, message) => {
    const good = { txs: [await sign(account(60))], blockNumber: `0x${(await nextNumber(world)).toString(16)}` };
    const answer = await relay(world, 'eth_sendBundle', { ...good, ...change });
    expect(answer.error).toMatchObject({ code: -32602, message: expect.stringContaining(message) });
  });

  it('refuses what no builder could include', async () => {
    const refused = async (raw: Hex) => (await relay(world, 'eth_sendBundle', { txs: [raw], blockNumber: '0x1' })).error!.message;
    const fields = { type: 'eip1559', nonce: 0, gas: 100_000n, maxFeePerGas: GWEI, to: searcher.address } as const;
    expect(await refused(await searcher.signTransaction({ ...fields, chainId: 1 }))).toContain(`for chain 1, not ${CHAIN_ID}`);
    expect(await refused(await searcher.signTransaction({ ...fields, chainId: CHAIN_ID, gas: 16_777_217n }))).toContain('EIP-7825');
    expect(await refused(await searcher.signTransaction({ ...fields, chainId: CHAIN_ID, to: undefined, data: '0x00' }))).toContain(
      'contract creation',
    );
  });

  it('refuses more than 100 transactions or 300 kB', async () => {
    const raw = await sign(account(60));
    expect((await relay(world, 'eth_sendBundle', { txs: Array(101).fill(raw), blockNumber: '0x1' })).error!.code).toBe(-32602);
    const heavy = await sign(account(60), { data: `0x${'00'.repeat(150_001)}` });
    expect((await relay(world, 'eth_sendBundle', { txs: [heavy, heavy], blockNumber: '0x1' })).error!.message).toContain(
      'more than 300000 bytes',
    );
  });

  it('never crashes, whatever it is sent', async () => {
    const methods = ['eth_sendBundle', 'eth_callBundle', 'eth_cancelBundle', 'eth_sendPrivateTransaction', 'flashbots_getBundleStatsV2'];
    const keys = ['txs', 'blockNumber', 'stateBlockNumber', 'replacementUuid', 'tx', 'bundleHash', 'timestamp', 'minTimestamp'];
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constant('0x1'),
      fc.array(fc.constantFrom('0x02', '0x', '0xf8', await sign(account(61)))),
      fc.uuid(),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...methods), fc.dictionary(fc.constantFrom(...keys), value), async (method, params) => {
        const answer = await relay(world, method, params);
        expect(answer.status).toBe(200);
        expect(answer.error?.code).not.toBe(-32603);
      }),
      { numRuns: 60, seed: 20 },
    );
    expect((await world.builder.status()).chainId).toBe(CHAIN_ID);
    expect(world.builder.complaints()).toEqual([]);
  });
});

describe('the Flashbots library', () => {
  let provider: FlashbotsBundleProvider;
  beforeAll(async () => {
    // NOTE: the library is CommonJS, for which ethers has types of their own; the classes are the same.
    type Create = Parameters<typeof FlashbotsBundleProvider.create>;
    const chain = new JsonRpcProvider(world.anvil.rpcUrl, CHAIN_ID, { staticNetwork: true, polling: true }) as unknown as Create[0];
    const signer = Wallet.createRandom() as unknown as Create[1];
    provider = await FlashbotsBundleProvider.create(chain, signer, world.builder.url, { name: 'devnet', chainId: CHAIN_ID });
  });

  it('simulates', async () => {
    const [a] = await accounts(world, 100, 1);
    const txs = [await sign(a!, { to: world.auction, value: ETH, data: encode('pay') })];
    const simulation = await provider.simulate(txs, await nextNumber(world));
    expect(simulation).toMatchObject({ ethSentToCoinbase: ETH, firstRevert: undefined });
    const failing = await provider.simulate([await sign(a!, { to: world.auction, data: encode('fail') })], await nextNumber(world));
    expect(failing).toMatchObject({ firstRevert: { revert: 'no deal' } });
  });

  it('sends a bundle, which lands, and reads its statistics', async () => {
    const [a] = await accounts(world, 110, 1);
    const txs = [await sign(a!)];
    const number = await nextNumber(world);
    const sent = await provider.sendRawBundle(txs, number);
    if ('error' in sent) throw new Error(sent.error.message);
    expect(sent.bundleHash).toBe(FlashbotsBundleProvider.generateBundleHash(hashes(txs)));
    expect(await provider.getBundleStatsV2(sent.bundleHash, number)).toMatchObject({ isSimulated: false, receivedAt: expect.any(String) });
    expect((await world.builder.seal()).txs).toEqual(hashes(txs));
    expect(await provider.getBundleStatsV2(sent.bundleHash, number)).toMatchObject({
      isSimulated: true,
      sealedByBuildersAt: [{ pubkey: COINBASE }],
    });
    expect(await sent.receipts()).toMatchObject([{ blockNumber: number, status: 1 }]);
  });

  it('cancels a bundle', async () => {
    const [a] = await accounts(world, 120, 1);
    const sent = await provider.sendRawBundle([await sign(a!)], await nextNumber(world), { replacementUuid: UUID });
    expect(await provider.cancelBundles(UUID)).toEqual({ bundleHashes: ['bundleHash' in sent ? sent.bundleHash : ''] });
    expect((await world.builder.seal()).txs).toEqual([]);
  });

  it('sends a private transaction with a plain number as its last block', async () => {
    const [a] = await accounts(world, 130, 1);
    const raw = await sign(a!);
    await provider.sendPrivateTransaction({ signedTransaction: raw }, { maxBlockNumber: await nextNumber(world) });
    expect((await world.builder.seal()).privateTxs).toEqual(hashes([raw]));
  });

  it('gets an error object, not an exception, for a refused bundle', async () => {
    expect(await provider.sendRawBundle([await sign(account(140))], 1)).toMatchObject({
      error: { message: expect.stringContaining('block 1 has passed') },
    });
  });
});
