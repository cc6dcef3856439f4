import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Anvil, anvilBinary, startAnvil } from '../../scripts/devnet/anvil.ts';
import { type Fault, startBuilder } from '../../scripts/devnet/builder/client.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { accounts, hashes, nextNumber, relay, searcher, sendBundle, sendPublic, sign, startWorld, type World } from './builder/harness.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let world: World;
beforeAll(async () => {
  world = await startWorld({ slotMs: 200 });
});
afterAll(() => world?.stop());
afterEach(async () => {
  await world.builder.hold();
  await world.builder.clearFaults();
});

const stats = { bundleHash: `0x${'22'.repeat(32)}`, blockNumber: '0x1' };
const ask = () => relay(world, 'flashbots_getBundleStatsV2', stats);

describe('faults of the relay', () => {
  it('429 and 500, for as many requests as told', async () => {
    await world.builder.fault({ kind: 'http429', count: 2 });
    expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([429, 429, 200]);
    await world.builder.fault({ kind: 'http500' });
    await expect(ask()).rejects.toThrow(/JSON/);
    await world.builder.clearFaults();
    expect((await ask()).status).toBe(200);
  });

  it('for one method alone', async () => {
    await world.builder.fault({ kind: 'http429', method: 'eth_sendBundle' });
    expect((await ask()).status).toBe(200);
    expect((await relay(world, 'eth_sendBundle', {})).status).toBe(429);
  });

  it('drop: a bundle is accepted and never included, the next one is', async () => {
    const [a, b] = await accounts(world, 0, 2);
    await world.builder.fault({ kind: 'drop', method: 'eth_sendBundle', count: 1 });
    expect(await sendBundle(world, [await sign(a!)])).toMatch(/^0x/);
    const kept = [await sign(b!)];
    await sendBundle(world, kept);
    const block = await world.builder.seal();
    expect(block.txs).toEqual(hashes(kept));
    expect(await world.builder.bundles(block.number)).toMatchObject([
      { outcome: 'skipped', reason: 'dropped by a fault' },
      { outcome: 'taken' },
    ]);
  });

  it('delay: the answer comes late', async () => {
    await world.builder.fault({ kind: 'delay', delayMs: 300, count: 1 });
    const from = performance.now();
    expect((await ask()).status).toBe(200);
    expect(performance.now() - from).toBeGreaterThanOrEqual(299);
  });

  it('silent: no answer ever, and the bundle lands all the same', async () => {
    const [a] = await accounts(world, 10, 1);
    const bundle = [await sign(a!)];
    await world.builder.fault({ kind: 'silent', method: 'eth_sendBundle', count: 1 });
    const sending = sendBundle(world, bundle);
    const waiting = vi.waitFor(async () => expect((await world.builder.status()).bundlesWaiting).toBe(1), { timeout: 30_000 });
    await Promise.race([sending.then(() => Promise.reject(new Error('it answered'))), waiting]);
    expect((await world.builder.seal()).txs).toEqual(hashes(bundle));
    sending.catch(() => undefined);
  });

  it.each<[NonNullable<Fault['wrong']>, RegExp]>([
    ['html', /is not valid JSON/],
    ['text', /JSON/],
  ])('wrong: %s instead of an answer', async (wrong, message) => {
    await world.builder.fault({ kind: 'wrong', wrong, count: 1 });
    await expect(ask()).rejects.toThrow(message);
  });

  it('wrong: a result without the promised fields', async () => {
    await world.builder.fault({ kind: 'wrong', count: 1 });
    expect(await ask()).toMatchObject({ status: 200, result: { nonsense: expect.anything() } });
  });
});

describe('time', () => {
  it('passes 12 seconds a block, and longer over missed slots and warps', async () => {
    const first = await world.builder.seal();
    const second = await world.builder.seal();
    expect(second.timestamp - first.timestamp).toBe(12);
    await world.builder.warp(3_600);
    expect((await world.builder.seal()).timestamp - second.timestamp).toBe(3_612);
  });

  it('goes on by slots on the wall clock, missed ones included', async () => {
    const { number, timestamp } = await world.builder.seal();
    await world.builder.missSlots(2);
    await world.builder.resume();
    const next = await world.builder.waitForBlock(number + 1);
    expect(next.timestamp - timestamp).toBe(36);
    expect((await world.builder.waitForBlock(number + 2)).timestamp - next.timestamp).toBe(12);
  });

  it('does not wait for a relay request that hangs', async () => {
    await world.builder.fault({ kind: 'silent' });
    const hanging = ask().catch(() => undefined);
    const { head } = await world.builder.resume();
    expect((await world.builder.waitForBlock(head + 3)).number).toBe(head + 3);
    expect(hanging).toBeInstanceOf(Promise);
  });

  it('stands still while held', async () => {
    await world.builder.resume();
    await world.builder.waitForBlock(await nextNumber(world));
    const { head } = await world.builder.hold();
    await expect(world.builder.waitForBlock(head + 1, 500)).rejects.toThrow(`block ${head + 1} was not sealed within 500 ms`);
  });
});

describe('a reorg', () => {
  const blockAt = (number: number) =>
    rpc<{ hash: Hex; parentHash: Hex; transactions: Hex[] }>(world.anvil.rpcUrl, 'eth_getBlockByNumber', [
      `0x${number.toString(16)}`,
      false,
    ]);

  it('replaces blocks by empty ones with other hashes, and the chain goes on from there', async () => {
    const [a] = await accounts(world, 100, 1);
    const raw = await sign(a!);
    await sendBundle(world, [raw]);
    const orphan = await world.builder.seal();
    const parent = await blockAt(orphan.number - 1);
    const empty = await world.builder.seal();
    const reorged = await world.builder.reorg(2, 'drop');
    expect(reorged).toMatchObject({ from: orphan.number, to: empty.number, orphaned: hashes([raw]) });
    const replaced = await blockAt(orphan.number);
    expect(replaced).toMatchObject({ parentHash: parent.hash, transactions: [] });
    expect(replaced.hash).not.toBe(orphan.hash);
    expect((await blockAt(empty.number)).hash).toBe(reorged.newHead);
    expect(await rpc(world.anvil.rpcUrl, 'eth_getTransactionReceipt', hashes([raw]))).toBeNull();
    const next = await world.builder.seal();
    expect((await blockAt(next.number)).parentHash).toBe(reorged.newHead);
    expect(next.timestamp).toBe(empty.timestamp + 12);
  });

  it('gives transactions back to the public pool', async () => {
    const [a] = await accounts(world, 110, 1);
    const raw = await sign(a!);
    await sendBundle(world, [raw]);
    await world.builder.seal();
    await world.builder.reorg(1, 'return');
    expect((await world.builder.seal()).txs).toEqual(hashes([raw]));
  });

  it('keeps transactions in other blocks', async () => {
    const [a] = await accounts(world, 120, 1);
    const raw = await sign(a!);
    await sendBundle(world, [raw]);
    const { number, hash } = await world.builder.seal();
    await world.builder.reorg(1, 'keep');
    expect(await blockAt(number)).toMatchObject({ transactions: hashes([raw]) });
    expect((await blockAt(number)).hash).not.toBe(hash);
  });

  it('of an empty block alone is still another block', async () => {
    const { number, hash } = await world.builder.seal();
    await world.builder.reorg(1, 'drop');
    expect((await blockAt(number)).hash).not.toBe(hash);
  });
});

describe('the process', () => {
  it('takes control commands only as JSON, and answers a bad one with one line', async () => {
    const plain = await fetch(`${world.builder.url}/control`, { method: 'POST', body: '{"cmd":"status"}' });
    expect(plain.status).toBe(415);
    const bad = await fetch(`${world.builder.url}/control`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"cmd":"explode"}',
    });
    expect(await bad.json()).toMatchObject({ ok: false, error: expect.stringContaining('cmd') });
    await expect(world.builder.reorg(100_000, 'drop')).rejects.toThrow(/cannot reorg/);
  });

  it.each([
    ['without --rpc', [], 2, '--rpc is required'],
    ['with a bad coinbase', ['--rpc', 'http://127.0.0.1:1', '--coinbase', 'me'], 2, '--coinbase: not an address: me'],
    ['with an unknown flag', ['--rpc', 'http://127.0.0.1:1', '--fast'], 2, 'Unknown option'],
    ['with no chain there', ['--rpc', 'http://127.0.0.1:1'], 1, 'ECONNREFUSED'],
  ])('%s ends with one clear line', async (_, flags, code, message) => {
    const child = spawn(process.execPath, ['scripts/devnet/builder/main.ts', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [exitCode] = await once(child, 'close');
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  describe('on a chain of its own', () => {
    let anvil: Anvil;
    beforeAll(async () => {
      anvil = await startAnvil();
    });
    afterAll(() => anvil.stop());

    it('ends with 0 on SIGTERM', async () => {
      const child = spawn(process.execPath, ['scripts/devnet/builder/main.ts', '--rpc', anvil.rpcUrl, '--slot-ms', '50'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
      expect(JSON.parse(String(line).split('\n')[0]!)).toMatchObject({
        event: 'builder.listening',
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      });
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    });

    it('ends when the process that started it has gone', async () => {
      const child = spawn(process.execPath, ['scripts/devnet/builder/main.ts', '--rpc', anvil.rpcUrl, '--with-parent'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      child.stdin.end();
      expect(await once(child, 'exit')).toEqual([0, null]);
    });

    it('takes over a chain that holds transactions already', async () => {
      await rpc(anvil.rpcUrl, 'anvil_setBalance', [searcher.address, '0xde0b6b3a7640000']);
      const raw = await sign(searcher);
      await sendPublic(anvil, raw);
      const builder = await startBuilder({ rpcUrl: anvil.rpcUrl, hold: true });
      try {
        expect((await builder.seal()).txs).toEqual(hashes([raw]));
      } finally {
        await builder.stop();
      }
    });
  });

  it('refuses a chain whose pool has another order', async () => {
    const anvil = spawn(anvilBinary(), ['--port', '0', '--no-mining'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const port = await new Promise<string>((resolve) => {
        anvil.stdout.setEncoding('utf8').on('data', (text: string) => {
          const match = /Listening on [^\s]*:(\d+)/.exec(text);
          if (match) resolve(match[1]!);
        });
      });
      await expect(startBuilder({ rpcUrl: `http://127.0.0.1:${port}` })).rejects.toThrow('anvil must run with --order fifo');
    } finally {
      anvil.kill();
    }
  });
});
