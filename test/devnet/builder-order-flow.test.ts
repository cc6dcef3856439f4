import type { Hex } from 'viem';
import { keccak256 } from 'viem';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  accounts,
  encode,
  GWEI,
  hashes,
  nextNumber,
  relay,
  searcher,
  sendBundle,
  sign,
  startWorld,
  type World,
} from './builder/harness.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

const HINTS = ['hash', 'contract_address', 'function_selector', 'calldata'];

/** The next hint of the stream. */
async function nextHint(listen: AbortSignal): Promise<unknown> {
  const response = await fetch(`${world.builder.url}/hints`, { signal: listen });
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const data = /^data: (.*)\n\n/m.exec(text);
    if (data !== null) return JSON.parse(data[1]!);
  }
  return undefined;
}

function offer(raw: Hex, hints: readonly string[] = HINTS) {
  const body = { version: 'v0.1', inclusion: { block: '0x1' }, body: [{ tx: raw, canRevert: false }], privacy: { hints } };
  return relay(world, 'mev_sendBundle', body);
}

async function bid(hash: Hex, raws: readonly Hex[], method = 'mev_sendBundle', signer = searcher) {
  const block = `0x${(await nextNumber(world)).toString(16)}`;
  const body = [{ hash }, ...raws.map((tx) => ({ tx, canRevert: false }))];
  return relay(world, method, { version: 'v0.1', inclusion: { block }, body }, signer);
}

/** A busy machine may take its time. */
const PATIENCE = { timeout: 30_000 };

describe('a transaction that its sender auctions', () => {
  it('is told of by as much as its sender allows, and stands in no public pool', async () => {
    const [a, b] = await accounts(world, 0, 2);
    const data = encode('win', 7n);
    const raw = await sign(a!, { to: world.auction, data });
    const stop = new AbortController();
    const hint = nextHint(stop.signal);
    // The stream is open once its first bytes are there; a hint before that would be missed.
    await vi.waitFor(async () => {
      await offer(await sign(b!, { value: 1n }), ['hash']);
      expect(await Promise.race([hint, Promise.resolve('not yet')])).not.toBe('not yet');
    }, PATIENCE);
    expect(await hint).toEqual({ hash: expect.stringMatching(/^0x[0-9a-f]{64}$/), logs: null, txs: [] });
    const second = nextHint(stop.signal);
    await vi.waitFor(async () => {
      await offer(raw);
      expect(await Promise.race([second, Promise.resolve('not yet')])).not.toBe('not yet');
    }, PATIENCE);
    expect(await second).toEqual({
      hash: keccak256(raw),
      logs: null,
      txs: [{ to: world.auction.toLowerCase(), functionSelector: data.slice(0, 10), callData: data }],
    });
    stop.abort();
    expect((await world.builder.seal()).txs).toEqual([]);
  });

  it('lands with the best bid right behind it, in one block', async () => {
    const [a, b, c] = await accounts(world, 10, 3);
    const raw = await sign(a!, { value: 1n });
    await offer(raw);
    const low = await sign(b!, { tipWei: 2n * GWEI });
    const high = await sign(c!, { tipWei: 9n * GWEI });
    expect((await bid(keccak256(raw), [low])).error).toBeUndefined();
    expect((await bid(keccak256(raw), [high])).error).toBeUndefined();
    expect((await world.builder.seal()).txs).toEqual(expect.arrayContaining(hashes([raw, high])));
    const block = (await world.builder.blocks(0)).at(-1)!;
    expect(block.txs.indexOf(keccak256(high))).toBe(block.txs.indexOf(keccak256(raw)) + 1);
    expect(block.txs).not.toContain(keccak256(low));
  });

  it('lands by itself a block later when nobody bids', async () => {
    const [a] = await accounts(world, 20, 1);
    const raw = await sign(a!, { value: 1n });
    await offer(raw);
    expect((await world.builder.seal()).txs).not.toContain(keccak256(raw));
    expect((await world.builder.seal()).txs).toContain(keccak256(raw));
  });

  it('takes one transaction behind it and no more, and none of an unknown one', async () => {
    const [a, b, c] = await accounts(world, 30, 3);
    const raw = await sign(a!, { value: 1n });
    await offer(raw);
    const two = await bid(keccak256(raw), [await sign(b!), await sign(c!)]);
    expect(two.error?.message).toContain('one backrun behind one hinted transaction');
    const unknown = await bid(keccak256('0x1234'), [await sign(b!)]);
    expect(unknown.error?.message).toContain('is not waiting for a bid');
  });

  it('is simulated with its backrun without being shown', async () => {
    const [a, b] = await accounts(world, 40, 2);
    const raw = await sign(a!, { value: 1n });
    await offer(raw);
    const good = await bid(keccak256(raw), [await sign(b!, { tipWei: 3n * GWEI })], 'mev_simBundle');
    expect(good.result).toMatchObject({ success: true, gasUsed: '0xa410' });
    const bad = await bid(keccak256(raw), [await sign(b!, { to: world.auction, data: encode('fail') })], 'mev_simBundle');
    expect(bad.result).toMatchObject({ success: false, error: expect.stringContaining('reverted') });
    expect(JSON.stringify([good, bad])).not.toContain(raw.slice(2));
  });

  it('goes on top in a bundle of the raw transactions of one who knows them, too', async () => {
    const [a, b] = await accounts(world, 50, 2);
    const raw = await sign(a!, { value: 1n });
    await offer(raw);
    const mine = await sign(b!, { tipWei: 5n * GWEI });
    await sendBundle(world, [raw, mine]);
    expect((await world.builder.seal()).txs).toEqual(expect.arrayContaining(hashes([raw, mine])));
  });
});
