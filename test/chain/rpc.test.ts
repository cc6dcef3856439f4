import { toEventSelector } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../scripts/devnet/fault-proxy.ts';
import { getHead } from '../../src/chain/actions/getHead.ts';
import { getLogsByHash } from '../../src/chain/actions/getLogs.ts';
import { RpcError } from '../../src/chain/errors.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { ChainNotice } from '../../src/chain/types.ts';
import { OperatorError } from '../../src/lib/errors.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import { account, call, TallyChain } from '../support/tally-chain.ts';

const KEY = 'key-that-must-not-be-shown';
const HTML = '<!doctype html><html><body>Bad gateway</body></html>';
const CHANGED = toEventSelector('Changed(address,int256)');

let chain: TallyChain;
let other: TallyChain;
let first: FaultProxy;
let second: FaultProxy;
let foreign: FaultProxy;

beforeAll(async () => {
  chain = await TallyChain.start();
  other = await TallyChain.start({ chainId: 99 });
  first = await FaultProxy.start(chain.http);
  second = await FaultProxy.start(chain.http);
  foreign = await FaultProxy.start(other.http);
});
afterAll(async () => {
  await Promise.all([first, second, foreign].map((proxy) => proxy.stop()));
  await Promise.all([chain.stop(), other.stop()]);
});
const closing: RpcPool[] = [];
afterEach(() => {
  for (const pool of closing.splice(0)) pool.close();
  for (const proxy of [first, second]) {
    proxy.fault = { kind: 'none' };
    proxy.calls.length = 0;
  }
});

async function open(urls: readonly string[], options: { chainId?: number; timeoutMs?: number } = {}) {
  const notices: ChainNotice[] = [];
  const notify = (notice: ChainNotice) => void notices.push(notice);
  const pool = await RpcPool.open(
    urls.map((url) => new SecretUrl(url)),
    { timeoutMs: 300, ...options, notify },
  );
  closing.push(pool);
  const faults = () => notices.flatMap((notice) => ('reason' in notice ? [notice.reason] : []));
  return { pool, notices, faults };
}

describe('calls over several endpoints', () => {
  it('go to the first that works', async () => {
    const { pool } = await open([first.http, second.http], { timeoutMs: 10_000 });
    second.calls.length = 0;
    expect((await getHead(pool, 'latest')).number).toBe(2);
    expect(second.calls).not.toContain('eth_getBlockByNumber');
  });

  it.each([
    ['is too slow', { kind: 'slow', ms: 1_000 }, 'no answer within 300 ms'],
    ['never answers', { kind: 'silent' }, 'no answer within 300 ms'],
    ['answers with a web page', { kind: 'page', status: 200, body: HTML }, 'answered with HTML instead of JSON'],
    ['limits the rate', { kind: 'page', status: 429, body: 'slow down' }, 'too many requests (HTTP 429)'],
    [
      'limits the rate in JSON',
      { kind: 'error', methods: ['eth_getBlockByNumber'], code: -32005, message: 'request rate limited' },
      'rate limited',
    ],
    ['answers with half of the JSON', { kind: 'truncated' }, 'cut off'],
    ['answers nonsense', { kind: 'result', results: { eth_getBlockByNumber: { number: 'seven' } } }, 'block number: not a quantity'],
  ] as const)('go to the next when one %s', async (_, fault, reason) => {
    for (const scheme of ['http', 'ws'] as const) {
      const { pool, faults } = await open([first[scheme], second[scheme]]);
      first.fault = fault;
      // A status is HTTP's; over an open socket there is none.
      if (scheme === 'ws' && fault.kind === 'page') continue;
      expect((await getHead(pool, 'latest')).number).toBe(2);
      expect(faults().join()).toContain(reason);
      expect(faults().join()).toContain(first.host);
      first.fault = { kind: 'none' };
    }
  });

  it('go to the next when one is down, and back when it has rested', async () => {
    const { pool, notices } = await open([first.ws, second.http]);
    await first.down();
    expect((await getHead(pool, 'latest')).number).toBe(2);
    await first.up();
    first.calls.length = 0;
    await expect.poll(async () => (await getHead(pool, 'latest')) && first.calls.length).toBeGreaterThan(0);
    expect(notices).toContainEqual({ kind: 'endpoint-back', host: first.host });
  });

  it('outlive a short outage of the only endpoint', async () => {
    const { pool } = await open([first.ws]);
    await first.down();
    const asked = getHead(pool, 'latest');
    await first.up();
    expect((await asked).number).toBe(2);
  });

  it('end with a bounded number of attempts, naming the host and never the URL', async () => {
    const { pool, notices } = await open([`${first.http}/${KEY}`]);
    first.fault = { kind: 'page', status: 503, body: HTML };
    first.calls.length = 0;
    const error = await getHead(pool, 'latest').catch((caught: RpcError) => caught);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ kind: 'bad-answer', message: expect.stringContaining(first.host) });
    expect(first.calls).toHaveLength(4);
    expect(JSON.stringify([notices, String(error), (error as Error).stack])).not.toContain(KEY);
  });

  it('report a revert at once, with its data', async () => {
    const { pool } = await open([first.http, second.http]);
    const asked = pool.request('eth_call', [{ to: chain.tally, data: '0xdeadbeef' }, 'latest']);
    await expect(asked).rejects.toMatchObject({ kind: 'reverted' });
    expect(second.calls).not.toContain('eth_call');
  });

  it('do not believe "no logs" from an endpoint that does not know the block yet', async () => {
    const { pool } = await open([first.http, second.http]);
    await chain.act(call.change(account(1), 1n));
    const head = await getHead(pool, 'latest');
    first.fault = { kind: 'result', results: { eth_getLogs: [], eth_getBlockByHash: null } };
    expect(await getLogsByHash(pool, head, { addresses: [chain.tally], topics0: [CHANGED] })).toHaveLength(1);
    expect(first.calls).toContain('eth_getBlockByHash');
  });

  it('take an answer of 20 MiB, and none without bound', async () => {
    for (const url of [first.http, first.ws]) {
      const { pool } = await open([url], { timeoutMs: 5_000 });
      const large = `0x${'ab'.repeat(10 * 1024 * 1024)}`;
      first.fault = { kind: 'result', results: { eth_call: large } };
      expect(await pool.request('eth_call', [])).toHaveLength(large.length);
      first.fault = { kind: 'result', results: { eth_call: `0x${'ab'.repeat(33 * 1024 * 1024)}` } };
      await expect(pool.request('eth_call', [])).rejects.toMatchObject({ kind: 'too-much' });
      first.fault = { kind: 'none' };
    }
  }, 20_000);

  it('answer a batch in the order of its calls', async () => {
    for (const url of [first.http, first.ws]) {
      const { pool } = await open([url]);
      const numbers = ['0x1', '0x0', '0x2', '0x99'];
      const answers = await pool.batch(numbers.map((number) => ({ method: 'eth_getBlockByNumber', params: [number, false] })));
      const got = answers.map((answer) => (answer.ok ? (answer.result as { number: string } | null)?.number : 'error'));
      expect(got).toEqual(['0x1', '0x0', '0x2', undefined]);
    }
  });
});

describe('opening', () => {
  it('refuses an endpoint of another chain by its host, and goes on with the others', async () => {
    const { pool, faults } = await open([foreign.http, first.http], { chainId: 31337 });
    expect(pool.chainId).toBe(31337);
    expect(faults()).toEqual([`${foreign.host}: is on chain 99, not on chain 31337`]);
    expect((await getHead(pool, 'latest')).hash).toBe((await chain.block()).hash);
  });

  it('takes the chain of the preferred endpoint when the operator names none, and refuses others later', async () => {
    const { pool, faults } = await open([first.http, foreign.http]);
    await expect.poll(faults).toEqual([`${foreign.host}: is on chain 99, not on chain 31337`]);
    first.fault = { kind: 'silent' };
    await expect(getHead(pool, 'latest', { attempts: 2 })).rejects.toThrow();
    expect(foreign.calls).not.toContain('eth_getBlockByNumber');
  });

  it('fails with one line that names every host and its fault', async () => {
    first.fault = { kind: 'page', status: 200, body: HTML };
    const opened = open([`${first.http}/${KEY}`, foreign.ws], { chainId: 1 });
    const error = await opened.catch((caught: Error) => caught);
    expect(error).toBeInstanceOf(OperatorError);
    expect((error as Error).message).toContain(`${first.host}: answered with HTML instead of JSON`);
    expect((error as Error).message).toContain(`${foreign.host}: is on chain 99, not on chain 1`);
    expect((error as Error).message).not.toContain(KEY);
  });
});
