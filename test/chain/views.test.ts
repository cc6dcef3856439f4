import { encodeAbiParameters, encodeFunctionData, keccak256 } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createViews } from '../../src/chain/actions/callAt.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { ChainNotice } from '../../src/chain/types.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address, Hex, ViewCall } from '../../src/lib/types.ts';
import { account, call, TallyChain, tallyAbi } from '../support/tally-chain.ts';

let chain: TallyChain;
let pool: RpcPool;
let calls: string[] = [];
let old: Hex;
let now: Hex;

beforeAll(async () => {
  chain = await TallyChain.start();
  for (let first = 0; first < 1_200; first += 200)
    await chain.act(...Array.from({ length: 200 }, (_, i) => call.change(account(first + i), BigInt(first + i - 600))));
  old = (await chain.block()).hash;
  await chain.act(call.change(account(0), 5_000n));
  now = (await chain.block()).hash;
  const notify = (notice: ChainNotice) => {
    if (notice.kind === 'call') calls.push(notice.method);
  };
  pool = await RpcPool.open([new SecretUrl(chain.http)], { notify });
});
afterAll(async () => {
  pool.close();
  await chain.stop();
});
afterEach(() => {
  calls = [];
});

const balanceOf = (n: number): ViewCall => ({
  to: chain.tally,
  data: encodeFunctionData({ abi: tallyAbi, functionName: 'balanceOf', args: [account(n)] }),
});
const fails = (): ViewCall => ({ to: chain.tally, data: encodeFunctionData({ abi: tallyAbi, functionName: 'fails' }) });
const heavy = (from: bigint, slots: bigint): ViewCall => ({
  to: chain.tally,
  data: encodeFunctionData({ abi: tallyAbi, functionName: 'heavy', args: [from, slots] }),
});
const word = (value: number): Hex => `0x${BigInt.asUintN(256, BigInt(value)).toString(16).padStart(64, '0')}`;

/** Tally.sol: the balances' mapping. */
const BALANCES_SLOT = 0n;

const ways = [
  ['through Multicall3', () => chain.multicall3],
  ['call by call', () => undefined],
  ['where Multicall3 has no code', () => account(77)],
] as const;

describe.each(ways)('reads %s', (_, multicall3: () => Address | undefined) => {
  it('answer any number of calls in order, at the block with that hash', async () => {
    const views = createViews(pool, multicall3());
    const asked = Array.from({ length: 1_200 }, (_, i) => balanceOf(i));
    const answers = await views.callAt(old, asked);
    expect(answers).toEqual(asked.map((_, i) => ({ ok: true, data: word(i - 600) })));
    expect(await views.callAt(now, [balanceOf(0)])).toEqual([{ ok: true, data: word(4_400) }]);
  });

  it('answer what a contract keeps in a slot, beside calls, at the block with that hash', async () => {
    const slot = keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [account(0), BALANCES_SLOT]));
    const kept: ViewCall = { to: chain.tally, data: slot, storage: true };
    const views = createViews(pool, multicall3());
    expect(await views.callAt(old, [balanceOf(1), kept])).toEqual([word(-599), word(-600)].map((data) => ({ ok: true, data })));
    expect(await views.callAt(now, [kept])).toEqual([{ ok: true, data: word(4_400) }]);
  });

  it('answer one that reverts beside those that do not', async () => {
    const answers = await createViews(pool, multicall3()).callAt(now, [balanceOf(1), fails(), balanceOf(2)]);
    expect(answers).toEqual([
      { ok: true, data: word(-599) },
      { ok: false, data: '0x' },
      { ok: true, data: word(-598) },
    ]);
  });

  it('answer with nothing where there is no contract', async () => {
    expect(await createViews(pool, multicall3()).callAt(now, [{ to: account(1), data: '0x' }])).toEqual([{ ok: true, data: '0x' }]);
  });

  it('ask nobody when there is nothing to ask', async () => {
    expect(await createViews(pool, multicall3()).callAt(now, [])).toEqual([]);
    expect(calls).toEqual([]);
  });
});

describe('batched reads', () => {
  it('take one call for hundreds', async () => {
    await createViews(pool, chain.multicall3).callAt(
      now,
      Array.from({ length: 500 }, (_, i) => balanceOf(i)),
    );
    expect(calls).toEqual(['eth_call']);
  });

  it.each([
    ['for its last calls, which then look reverted', 13],
    ['as a whole', 24],
  ])(
    'are repeated in parts when the batch’s gas does not suffice %s',
    async (_, count) => {
      // Each takes some 40 million gas: together more than the 500 million that a batch asks for, alone well below.
      const asked = Array.from({ length: count }, (_, i) => heavy(BigInt(i) << 32n, 18_000n));
      const answers = await createViews(pool, chain.multicall3).callAt(now, asked);
      expect(answers).toEqual(asked.map(() => ({ ok: true, data: word(1) })));
    },
    30_000,
  );

  it('ask again about a call that fails without a reason only once', async () => {
    const views = createViews(pool, chain.multicall3);
    await views.callAt(now, [fails(), balanceOf(1)]);
    expect(calls).toEqual(['eth_call', 'eth_call']);
    await views.callAt(now, [fails(), balanceOf(1)]);
    expect(calls).toHaveLength(3);
  });

  it('reject for a block that nobody knows', async () => {
    const asked = createViews(pool, chain.multicall3).callAt(`0x${'ab'.repeat(32)}`, [balanceOf(1)]);
    await expect(asked).rejects.toMatchObject({ kind: 'unknown-block' });
  });
});
