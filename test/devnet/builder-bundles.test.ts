import fc from 'fast-check';
import { type Hex, keccak256 } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BLOCK_GAS_LIMIT } from '../../scripts/devnet/anvil.ts';
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
  relay,
  sendBundle,
  sendPublic,
  sign,
  startWorld,
  type World,
} from './builder/harness.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const ETH = 10n ** 18n;
const UUID = '6f0a2b0e-5f4f-4d38-9d4b-2c1d7a3e9b10';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

describe('the order of a block', () => {
  it('puts a bundle on top in its own order, before public transactions that tip more', async () => {
    const [a, b, c] = await accounts(world, 0, 3);
    const generous = await sign(c!, { tipWei: 50n * GWEI });
    await sendPublic(world.anvil, generous);
    const bundle = [await sign(a!, { tipWei: 1n }), await sign(b!, { tipWei: 20n * GWEI })];
    await sendBundle(world, bundle);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes([...bundle, generous]));
    expect(block.bundles).toHaveLength(1);
  });

  it('orders public transactions by tip, one sender by nonce, equals by arrival', async () => {
    const [a, b, c, d] = await accounts(world, 10, 4);
    const low = await sign(a!, { tipWei: GWEI });
    const early = await sign(b!, { tipWei: 3n * GWEI });
    const late = await sign(c!, { tipWei: 3n * GWEI });
    const first = await sign(d!, { tipWei: 2n * GWEI });
    const second = await sign(d!, { nonce: 1, tipWei: 9n * GWEI });
    for (const raw of [low, early, late, first, second]) await sendPublic(world.anvil, raw);
    expect((await world.builder.seal()).txs).toEqual(hashes([early, late, first, second, low]));
  });

  it('ranks bundles by what reaches the coinbase per gas, direct payments included', async () => {
    const [a, b, c] = await accounts(world, 20, 3);
    const tips = [await sign(a!, { tipWei: 5n * GWEI })];
    const pays = [await sign(b!, { tipWei: 0n, to: world.auction, value: ETH, data: encode('pay') })];
    const paysButBurns = [
      await sign(c!, { tipWei: 0n, to: world.auction, value: ETH, data: encode('pay') }),
      await sign(c!, { nonce: 1, gas: 5_000_000n, tipWei: 0n, to: world.auction, data: encode('burn', 4_000_000n) }),
    ];
    for (const bundle of [tips, paysButBurns, pays]) await sendBundle(world, bundle);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes([...pays, ...paysButBurns, ...tips]));
    expect(block.bundles.map(({ revenueWei }) => BigInt(revenueWei))).toEqual([ETH, ETH, 5n * GWEI * 21_000n]);
  });

  it('ranks again by what a bundle is worth on top of those already taken', async () => {
    const [a, b, c] = await accounts(world, 30, 3);
    const deal = (value: bigint) => ({ tipWei: 0n, to: world.auction, value, data: encode('dwindle') });
    const best = [await sign(a!, deal(10n * ETH))];
    // Alone worth 9 ETH, after `best` a tenth of that: less than `steady`, which alone is worth less.
    const dwindling = [await sign(b!, deal(9n * ETH))];
    const steady = [await sign(c!, { tipWei: 0n, to: world.auction, value: 5n * ETH, data: encode('pay') })];
    for (const bundle of [dwindling, steady, best]) await sendBundle(world, bundle);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes([...best, ...steady, ...dwindling]));
    expect(block.bundles.map(({ revenueWei }) => BigInt(revenueWei))).toEqual([10n * ETH, 5n * ETH, (9n * ETH) / 10n]);
  });

  it('moves a pending public transaction to its place in the bundle that backruns it', async () => {
    const [updater, keeper, other] = await accounts(world, 40, 3);
    const update = await sign(updater!, { tipWei: GWEI });
    const better = await sign(other!, { tipWei: 9n * GWEI });
    await sendPublic(world.anvil, update);
    await sendPublic(world.anvil, better);
    const backrun = await sign(keeper!, { tipWei: 2n * GWEI });
    await sendBundle(world, [update, backrun]);
    expect((await world.builder.seal()).txs).toEqual(hashes([update, backrun, better]));
  });

  it('takes bundles whose nonces follow each other, whichever came first', async () => {
    const [lane] = await accounts(world, 50, 1);
    const second = [await sign(lane!, { nonce: 1, tipWei: 9n * GWEI })];
    const first = [await sign(lane!, { tipWei: GWEI })];
    await sendBundle(world, second);
    await sendBundle(world, first);
    expect((await world.builder.seal()).txs).toEqual(hashes([...first, ...second]));
  });

  it('pays the coinbase exactly what it reports', async () => {
    const [a, b, c] = await accounts(world, 60, 3);
    await sendBundle(world, [await sign(a!, { to: world.auction, value: 12_345n, data: encode('pay') }), await sign(b!)]);
    await sendPublic(world.anvil, await sign(c!, { tipWei: 7n * GWEI }));
    const before = await balance(world, COINBASE);
    const block = await world.builder.seal();
    const publicTipWei = 7n * GWEI * 21_000n;
    expect(await balance(world, COINBASE)).toBe(before + BigInt(block.bundles[0]!.revenueWei) + publicTipWei);
  });
});

describe('all or nothing', () => {
  it('takes one of two bundles that hold the same transaction, and nothing of the other', async () => {
    const [updater, a, b] = await accounts(world, 100, 3);
    const update = await sign(updater!);
    const losing = [update, await sign(a!, { tipWei: 2n * GWEI })];
    const winning = [update, await sign(b!, { tipWei: 3n * GWEI })];
    await sendBundle(world, losing);
    await sendBundle(world, winning);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes(winning));
    expect(block.skipped).toMatchObject([{ reason: `transaction ${hashes([update])[0]} is already taken` }]);
  });

  it('leaves out the whole bundle when one of its transactions reverts', async () => {
    const [a, b] = await accounts(world, 110, 2);
    const failing = await sign(b!, { to: world.auction, data: encode('fail') });
    await sendBundle(world, [await sign(a!), failing]);
    const block = await world.builder.seal();
    expect(block.txs).toEqual([]);
    expect(block.skipped[0]!.reason).toContain(`transaction ${hashes([failing])[0]} reverts`);
  });

  it('includes a revert that the bundle allows', async () => {
    const [a, b] = await accounts(world, 120, 2);
    const bundle = [await sign(a!), await sign(b!, { to: world.auction, data: encode('fail') })];
    await sendBundle(world, bundle, { revertingTxHashes: hashes([bundle[1]!]) });
    expect((await world.builder.seal()).txs).toEqual(hashes(bundle));
  });

  it('leaves out a bundle that only a better one makes revert', async () => {
    const [a, b, c] = await accounts(world, 130, 3);
    const win = (tipWei: bigint) => ({ tipWei, to: world.auction, data: encode('win', 1n) });
    const worse = [await sign(a!), await sign(b!, win(2n * GWEI))];
    const better = [await sign(c!, win(90n * GWEI))];
    await sendBundle(world, worse);
    await sendBundle(world, better);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes(better));
    expect(block.skipped[0]!.reason).toContain('reverts');
  });

  it('leaves out a bundle that a better one leaves without funds, and keeps the rest', async () => {
    const [a, poor, b] = await accounts(world, 140, 3);
    const spend = [await sign(poor!, { to: a!.address, value: 999n * ETH, tipWei: 9n * GWEI })];
    const broke = [await sign(poor!, { nonce: 1, to: a!.address, value: 999n * ETH, tipWei: 5n * GWEI })];
    const other = [await sign(b!, { tipWei: GWEI })];
    for (const bundle of [other, broke, spend]) await sendBundle(world, bundle);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes([...spend, ...other]));
    expect(block.skipped[0]!.reason).toMatch(/insufficient funds/i);
  });

  it('leaves out what does not fit under the gas limit', async () => {
    const [a, ...many] = await accounts(world, 150, 5);
    await rpc(world.anvil.rpcUrl, 'evm_setBlockGasLimit', ['0x1e8480']);
    const big = { gas: 600_000n, tipWei: 9n * GWEI, to: world.auction, data: encode('burn', 500_000n) };
    for (const sender of many) await sendBundle(world, [await sign(sender, big)]);
    const small = [await sign(a!, { gas: 21_000n, tipWei: GWEI })];
    await sendBundle(world, small);
    const block = await world.builder.seal();
    await rpc(world.anvil.rpcUrl, 'evm_setBlockGasLimit', [`0x${BLOCK_GAS_LIMIT.toString(16)}`]);
    expect(block.bundles).toHaveLength(4);
    expect(block.txs.at(-1)).toBe(hashes(small)[0]);
    expect(block.skipped).toMatchObject([{ reason: 'does not fit into the block' }]);
  });
});

describe('when a bundle counts', () => {
  it('only in the block that it names', async () => {
    const [a] = await accounts(world, 200, 1);
    const number = await nextNumber(world);
    const bundle = [await sign(a!)];
    await sendBundle(world, bundle, { blockNumber: `0x${(number + 1).toString(16)}` });
    expect((await world.builder.seal()).txs).toEqual([]);
    expect((await world.builder.seal()).txs).toEqual(hashes(bundle));
    expect(await relay(world, 'eth_sendBundle', { txs: bundle, blockNumber: `0x${number.toString(16)}` })).toMatchObject({
      error: { message: `block ${number} has passed: ${number + 2} is being built` },
    });
  });

  it('only within its timestamps', async () => {
    const [a, b, c] = await accounts(world, 210, 3);
    const { timestamp } = await world.builder.seal();
    await sendBundle(world, [await sign(a!)], { minTimestamp: timestamp + 13 });
    await sendBundle(world, [await sign(b!)], { maxTimestamp: timestamp + 11 });
    const inTime = [await sign(c!)];
    await sendBundle(world, inTime, { minTimestamp: timestamp + 12, maxTimestamp: timestamp + 12 });
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes(inTime));
    expect((await world.builder.bundles(block.number)).map(({ outcome }) => outcome)).toEqual(['skipped', 'skipped', 'taken']);
  });

  it('not once a later one of the same signer has its uuid', async () => {
    const [a, b] = await accounts(world, 220, 2);
    await sendBundle(world, [await sign(a!, { tipWei: 9n * GWEI })], { replacementUuid: UUID });
    const later = [await sign(b!)];
    await sendBundle(world, later, { replacementUuid: UUID });
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes(later));
    expect((await world.builder.bundles(block.number)).map(({ outcome }) => outcome)).toEqual(['replaced', 'taken']);
  });

  it('not when its signer cancelled it, but when somebody else tried to', async () => {
    const [a, b] = await accounts(world, 230, 2);
    const cancelled = await sendBundle(world, [await sign(a!)], { replacementUuid: UUID });
    expect((await relay(world, 'eth_cancelBundle', { replacementUuid: UUID })).result).toEqual([cancelled]);
    const kept = [await sign(b!)];
    await sendBundle(world, kept, { replacementUuid: UUID });
    expect((await relay(world, 'eth_cancelBundle', { replacementUuid: UUID }, account(9_100))).result).toEqual([]);
    expect((await world.builder.seal()).txs).toEqual(hashes(kept));
  });

  it('not when its signer replaced it by an empty one', async () => {
    const [a] = await accounts(world, 240, 1);
    await sendBundle(world, [await sign(a!)], { replacementUuid: UUID });
    await sendBundle(world, [], { replacementUuid: UUID });
    expect((await world.builder.seal()).txs).toEqual([]);
  });
});

describe('private transactions', () => {
  it('are never in the public pool, and stand between bundles and public ones', async () => {
    const [a, b, c] = await accounts(world, 300, 3);
    const hidden = await sign(a!);
    expect((await relay(world, 'eth_sendPrivateTransaction', { tx: hidden })).result).toBe(hashes([hidden])[0]);
    expect(await rpc(world.anvil.rpcUrl, 'eth_getTransactionByHash', hashes([hidden]))).toBeNull();
    const open = await sign(b!, { tipWei: 9n * GWEI });
    await sendPublic(world.anvil, open);
    const bundle = [await sign(c!, { tipWei: 1n })];
    await sendBundle(world, bundle);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes([...bundle, hidden, open]));
    expect(block.privateTxs).toEqual(hashes([hidden]));
  });

  it('are tried again until they can be included', async () => {
    const [a] = await accounts(world, 310, 1);
    const later = await sign(a!, { nonce: 1 });
    await relay(world, 'eth_sendPrivateTransaction', { tx: later });
    expect((await world.builder.seal()).txs).toEqual([]);
    const first = await sign(a!);
    await sendBundle(world, [first]);
    expect((await world.builder.seal()).txs).toEqual(hashes([first, later]));
  });

  it('are given up after 25 blocks', async () => {
    const [a] = await accounts(world, 320, 1);
    await relay(world, 'eth_sendPrivateTransaction', { tx: await sign(a!, { nonce: 1 }) });
    for (let block = 0; block < 24; block++) await world.builder.seal();
    expect((await world.builder.status()).privateWaiting).toBe(1);
    await world.builder.seal();
    expect((await world.builder.status()).privateWaiting).toBe(0);
  });

  it('are not included while they revert', async () => {
    const [a] = await accounts(world, 330, 1);
    const failing = await sign(a!, { to: world.auction, data: encode('fail') });
    await relay(world, 'eth_sendPrivateTransaction', { tx: failing });
    expect((await world.builder.seal()).txs).toEqual([]);
    expect((await relay(world, 'eth_cancelPrivateTransaction', { txHash: hashes([failing])[0] })).result).toBe(true);
  });
});

describe('the public pool', () => {
  it('keeps what is not for this block, and gives it its turn later', async () => {
    const [a, b, c] = await accounts(world, 400, 3);
    const cheap = await sign(a!, { maxFeeWei: 2n * GWEI, tipWei: 0n });
    const gapped = await sign(b!, { nonce: 1 });
    await sendPublic(world.anvil, cheap);
    await sendPublic(world.anvil, gapped);
    const bundle = [await sign(c!)];
    await sendBundle(world, bundle);
    await rpc(world.anvil.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', [`0x${(3n * GWEI).toString(16)}`]);
    expect((await world.builder.seal()).txs).toEqual(hashes(bundle));
    const filler = await sign(b!);
    await sendPublic(world.anvil, filler);
    await rpc(world.anvil.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', [`0x${GWEI.toString(16)}`]);
    expect((await world.builder.seal()).txs).toEqual(hashes([filler, gapped, cheap]));
  });

  it('gives way to a bundle that uses the same nonce', async () => {
    const [a] = await accounts(world, 410, 1);
    const pending = await sign(a!, { tipWei: 9n * GWEI });
    const next = await sign(a!, { nonce: 1, tipWei: 8n * GWEI });
    await sendPublic(world.anvil, pending);
    await sendPublic(world.anvil, next);
    const bundle = [await sign(a!, { tipWei: GWEI })];
    await sendBundle(world, bundle);
    expect((await world.builder.seal()).txs).toEqual(hashes([...bundle, next]));
  });

  it('takes a replacement instead of what it replaces', async () => {
    const [a] = await accounts(world, 420, 1);
    await sendPublic(world.anvil, await sign(a!, { maxFeeWei: 90n * GWEI }));
    const replacement = await sign(a!, { maxFeeWei: 95n * GWEI });
    await sendPublic(world.anvil, replacement);
    expect((await world.builder.seal()).txs).toEqual(hashes([replacement]));
  });

  it('loses nothing that comes in while blocks are sealed around bundles', async () => {
    const senders = await accounts(world, 430, 4);
    const bundlers = await accounts(world, 440, 40);
    const sent: Hex[] = [];
    const feed = async (sender: PrivateKeyAccount, index: number) => {
      for (let nonce = 0; nonce < 25; nonce++) {
        const tipWei = GWEI * BigInt(1 + ((nonce * 7 + index) % 5));
        sent.push(await sendPublic(world.anvil, await sign(sender, { nonce, tipWei })));
      }
    };
    let feeding = true;
    const fed = Promise.all(senders.map(feed)).finally(() => {
      feeding = false;
    });
    const included: Hex[] = [];
    for (const bundler of bundlers) {
      if (!feeding) break;
      const bundle = [await sign(bundler)];
      await sendBundle(world, bundle);
      const block = await world.builder.seal();
      expect(block.txs[0]).toBe(hashes(bundle)[0]);
      included.push(...block.txs);
    }
    await fed;
    for (let block = 0; block < 3; block++) included.push(...(await world.builder.seal()).txs);
    expect(sent).toHaveLength(100);
    expect(sent.filter((hash) => !included.includes(hash))).toEqual([]);
  });
});

describe('whatever bundles meet', () => {
  type Kind = 'pay' | 'win' | 'dwindle' | 'fail' | 'transfer';
  const transaction = fc.record({
    kind: fc.constantFrom<Kind>('pay', 'win', 'win', 'dwindle', 'fail', 'transfer', 'transfer'),
    prize: fc.bigInt(0n, 1n),
    value: fc.bigInt(0n, 1_000_000n),
    tipGwei: fc.bigInt(0n, 5n),
    mayRevert: fc.boolean(),
  });
  const bundles = fc.array(fc.record({ own: fc.array(transaction, { minLength: 1, maxLength: 3 }), shared: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  });

  it('the block holds the taken ones whole, in order, on top, by what they pay, and nothing of the others', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(bundles, async (wanted) => {
        round += 1;
        const senders = await accounts(world, 1_000 * round, 40);
        const shared = await sign(senders[39]!, { tipWei: GWEI });
        await sendPublic(world.anvil, shared);
        const lists: Hex[][] = [];
        const allowed = new Set<Hex>();
        for (const [index, { own, shared: backruns }] of wanted.entries()) {
          const list = backruns ? [shared] : [];
          for (const [nonce, { kind, prize, value, tipGwei, mayRevert }] of own.entries()) {
            const call = kind === 'transfer' ? {} : { to: world.auction, data: encode(kind, 1_000n * BigInt(round) + prize) };
            const raw = await sign(senders[index]!, { nonce, tipWei: tipGwei * GWEI, value, ...call });
            if (mayRevert) allowed.add(keccak256(raw));
            list.push(raw);
          }
          lists.push(list);
          await sendBundle(world, list, { revertingTxHashes: [...allowed] });
        }
        const before = await balance(world, COINBASE);
        const block = await world.builder.seal();
        const top = block.bundles.flatMap(({ txs }) => txs);
        expect(block.txs.slice(0, top.length)).toEqual(top);
        for (const { txs } of block.bundles) expect(lists.map(hashes)).toContainEqual(txs);
        const expected = new Set([...top, keccak256(shared)]);
        expect(block.txs.filter((hash) => !expected.has(hash))).toEqual([]);
        expect(block.bundles.length + block.skipped.length).toBe(wanted.length);
        const receipts = await rpc<{ transactionHash: Hex; status: Hex }[]>(world.anvil.rpcUrl, 'eth_getBlockReceipts', [block.hash]);
        for (const { transactionHash, status } of receipts) expect(status === '0x1' || allowed.has(transactionHash)).toBe(true);
        const publicTipWei = top.includes(keccak256(shared)) ? 0n : GWEI * 21_000n;
        const revenueWei = block.bundles.reduce((sum, bundle) => sum + BigInt(bundle.revenueWei), 0n);
        expect(await balance(world, COINBASE)).toBe(before + revenueWei + publicTipWei);
        const scores = block.bundles.map(({ revenueWei: paid, gasUsed }) => (BigInt(paid) * 1_000_000_000n) / BigInt(gasUsed));
        expect(scores).toEqual(scores.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0)));
      }),
      { numRuns: 12, seed: 7 },
    );
  });
});

it('leaves no complaint behind and no transaction stuck', async () => {
  expect(world.builder.complaints()).toEqual([]);
  expect(await rpc(world.anvil.rpcUrl, 'txpool_status')).toMatchObject({ pending: '0x0', queued: '0x0' });
});
