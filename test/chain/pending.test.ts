/** The public mempool: what is handed on, once and believed only by its own bytes; what is not. */
import { type Hex, keccak256, numberToHex, parseTransaction, type TransactionSerialized } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, describe, expect, it } from 'vitest';
import { startAnvil } from '../../scripts/devnet/anvil.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { type PendingNotice, PendingTransactions } from '../../src/chain/pending.ts';
import { type PendingTransaction, parsePendingTransaction } from '../../src/chain/pending-body.ts';
import { isOfInterest } from '../../src/chain/pending-frame.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address } from '../../src/lib/types.ts';
import { MempoolDouble } from '../support/mempool-double.ts';

const sender = privateKeyToAccount(`0x${'42'.repeat(32)}`);
const from = sender.address.toLowerCase() as Address;
const wanted: Address = `0x${'aa'.repeat(20)}`;
const other: Address = `0x${'bb'.repeat(20)}`;
const interest = { to: new Set([wanted]), selectors: new Set(['0x6fadcf72']), from: new Set<Address>() };

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const work of cleanup.splice(0).toReversed()) await work();
});

const shared = { chainId: 7777, to: wanted, data: '0x6fadcf72' as Hex, gas: 100_000n, value: 3n };
const accessList = [{ address: other, storageKeys: [`0x${'01'.repeat(32)}` as Hex] }];
const kinds = {
  legacy: { ...shared, type: 'legacy', gasPrice: 10n ** 10n },
  eip2930: { ...shared, type: 'eip2930', gasPrice: 10n ** 10n, accessList },
  eip1559: { ...shared, type: 'eip1559', maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 7n, accessList },
} as const;
type Kind = keyof typeof kinds;

const signed = (kind: Kind, nonce: number): Promise<Hex> => sender.signTransaction({ ...kinds[kind], nonce });

/** The body as a node announces it. */
async function body(nonce: number, to: Address = wanted) {
  const raw = await sender.signTransaction({ ...kinds.eip1559, to, nonce });
  const { r, s, yParity } = parseTransaction(raw as TransactionSerialized<'eip1559'>);
  const quantities = { gas: '0x186a0', value: '0x3', maxFeePerGas: '0x2540be400', maxPriorityFeePerGas: '0x7', chainId: '0x1e61' };
  return {
    ...{ hash: keccak256(raw), type: '0x2', from, to, nonce: numberToHex(nonce), input: '0x6fadcf72', accessList },
    ...{ ...quantities, v: numberToHex(yParity!), r: numberToHex(BigInt(r!)), s: numberToHex(BigInt(s!)) },
  };
}

function watch(urls: readonly string[]) {
  const seen: PendingTransaction[] = [];
  const notices: PendingNotice[] = [];
  let changed = Promise.withResolvers<void>();
  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const pending = new PendingTransactions({
    urls: urls.map((url) => new SecretUrl(url)),
    interest: () => interest,
    onTransaction: (transaction) => {
      seen.push(transaction);
      change();
    },
    notify: (notice) => {
      notices.push(notice);
      change();
    },
  });
  cleanup.push(() => pending.close());
  const until = async (holds: () => boolean) => {
    while (!holds()) await changed.promise;
  };
  const kinds = () => notices.map(({ kind }) => kind);
  return { seen, notices, kinds, until, open: () => until(() => kinds().filter((kind) => kind === 'pending-from').length >= urls.length) };
}

async function doubled(manner?: 'full' | 'refuses') {
  const double = await MempoolDouble.start(manner);
  cleanup.push(() => double.stop());
  return double;
}

it.each(Object.keys(kinds) as Kind[])(
  'a transaction of type %s comes from a real node with the bytes that its sender signed',
  async (kind) => {
    const anvil = await startAnvil();
    cleanup.push(() => anvil.stop());
    await rpc(anvil.rpcUrl, 'anvil_setBalance', [sender.address, '0xde0b6b3a7640000']);
    const { seen, open, until } = watch([anvil.wsUrl]);
    await open();
    const raw = await signed(kind, 0);
    const txHash = await rpc<Hex>(anvil.rpcUrl, 'eth_sendRawTransaction', [raw]);
    await until(() => seen.length > 0);
    expect(seen).toMatchObject([
      { txHash, raw, from, nonce: 0, to: wanted, data: '0x6fadcf72', gas: 100_000n, maxFeePerGasWei: 10n ** 10n },
    ]);
  },
);

describe('an endpoint', () => {
  it('is listened to for what is of interest alone', async () => {
    const double = await doubled();
    const { seen, open, until } = watch([double.url]);
    await open();
    double.announce(await body(0, other));
    double.announce(await body(1));
    await until(() => seen.length > 0);
    expect(seen.map(({ nonce }) => nonce)).toEqual([1]);
  });

  it('is one of several: each transaction is handed on once, and a made-up body does not keep the true one out', async () => {
    const [lying, honest] = [await doubled(), await doubled()];
    const { seen, open, until } = watch([lying.url, honest.url]);
    await open();
    const [first, second] = [await body(0), await body(1)];
    lying.announce({ ...first, value: '0x4' });
    lying.announce(second);
    await until(() => seen.length > 0);
    honest.announce(second);
    honest.announce(first);
    await until(() => seen.length > 1);
    expect(seen.map(({ nonce }) => nonce)).toEqual([1, 0]);
  });

  it('that hangs up is subscribed to again', async () => {
    const double = await doubled();
    const { seen, notices, open, until } = watch([double.url]);
    await open();
    const again = double.subscribed();
    double.hangUp();
    await again;
    await until(() => notices.length === 3);
    double.announce(await body(5));
    await until(() => seen.length > 0);
    expect(notices.map(({ kind }) => kind)).toEqual(['pending-from', 'pending-lost', 'pending-from']);
  });

  it('that announces bare hashes is unsupported', async () => {
    const double = await doubled();
    const { kinds, open, until } = watch([double.url]);
    await open();
    double.announce(`0x${'12'.repeat(32)}`);
    await until(() => kinds().includes('pending-unsupported'));
    expect(double.subscriptions).toBe(1);
  });

  it('that refuses full bodies is unsupported', async () => {
    const double = await doubled('refuses');
    const { notices, until } = watch([double.url]);
    await until(() => notices.length > 0);
    expect(notices).toMatchObject([{ kind: 'pending-unsupported' }]);
  });

  it('that announces nonsense is still listened to', async () => {
    const double = await doubled();
    const { seen, open, until } = watch([double.url]);
    await open();
    for (const nonsense of [
      { from, to: wanted, input: '0x6fadcf72' },
      { ...(await body(0)), r: 'no' },
      { ...(await body(0)), type: '0x3' },
    ])
      double.announce(nonsense);
    double.announce(await body(2));
    await until(() => seen.length > 0);
    expect(seen.map(({ nonce }) => nonce)).toEqual([2]);
  });

  it('that floods is heard within a budget, and says how much was dropped', async () => {
    const double = await doubled();
    const { seen, notices, open, until } = watch([double.url]);
    await open();
    const nonsense = { ...(await body(0)), value: '0x4' };
    const flood = setInterval(() => {
      for (let i = 0; i < 300; i++) double.announce(nonsense);
    }, 20);
    try {
      await until(() => notices.some(({ kind }) => kind === 'pending-dropped'));
    } finally {
      clearInterval(flood);
    }
    expect(seen).toEqual([]);
  });
});

describe('a message', () => {
  const message = (result: object, space = 0) =>
    JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: '0x1', result } }, null, space);
  const plain = { from: other, to: wanted, input: '0x6fadcf72ff' };

  it.each([
    ['calls what is wanted', plain, true],
    ['in upper case and by the older name of its data', { from: other, to: `0x${'AA'.repeat(20)}`, data: '0x6FADCF72' }, true],
    ['calls something else of it', { ...plain, input: '0x12345678' }, false],
    ['calls something else', { ...plain, to: other }, false],
    ['creates a contract', { ...plain, to: null }, false],
    ['sends nothing but value', { ...plain, input: '0x' }, false],
    ['only mentions it', { from: other, to: other, input: '0x6fadcf72', accessList: [{ address: wanted }] }, false],
  ])('that %s', (_, result, expected) => {
    expect(isOfInterest(message(result), interest)).toBe(expected);
    expect(isOfInterest(message(result, 1), interest)).toBe(expected);
  });

  it('of a watched sender is wanted whatever it does', () => {
    expect(isOfInterest(message({ ...plain, to: null }), { ...interest, from: new Set([other]) })).toBe(true);
  });
});

it('a body is read only when its own bytes have its hash', async () => {
  const genuine = await body(3);
  expect(parsePendingTransaction(genuine).raw).toBe(await signed('eip1559', 3));
  for (const changed of [{ to: other }, { nonce: '0x4' }, { input: '0x6fadcf7200' }, { gas: '0x1' }, { accessList: [] }])
    expect(() => parsePendingTransaction({ ...genuine, ...changed })).toThrow(/another hash/);
});
