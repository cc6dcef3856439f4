import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Wraps } from '../../src/keeper.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

/** No node that could tell in advance: what reverts is found out by having it mined. */
const unforeseen: Wraps = {
  chain: (chain) => ({ ...chain, simulate: async () => ({ kind: 'unavailable', reason: 'no simulations here' }) }),
};
const executorAbi = parseAbi(['function unregister(address asset)']);

let stage: Stage;
let keeper: TestKeeper;

beforeAll(async () => {
  stage = await setStage({ sees: 'mempool' });
  keeper = startTestKeeper({ ...stage.environment, PUBLIC_MEMPOOL: 'only', MAX_CONSECUTIVE_FAILURES: '1000' }, stage.folder, unforeseen);
  await keeper.until(({ event }) => event === 'block.processed', 'the first block');
  // From here on no profit can be counted: every liquidation reverts.
  await asOwner(encodeFunctionData({ abi: executorAbi, functionName: 'unregister', args: [stage.devnet.deployments.wrappedNative] }));
});

afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

async function asOwner(data: Hex): Promise<void> {
  const { rpcUrl, accounts } = stage.devnet;
  const from: Address = accounts.keeper.address;
  await rpc(rpcUrl, 'anvil_impersonateAccount', [from]);
  await rpc(rpcUrl, 'eth_sendTransaction', [{ from, to: stage.executor, data }]);
  await seal();
}

async function seal(): Promise<void> {
  const { number } = await stage.devnet.builder.seal();
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
}

async function priceIs(usd8: bigint): Promise<void> {
  const { rpcUrl, market } = stage.devnet;
  await transmit(rpcUrl, market.feeds['ETH / USD']!, usd8, { tipWei: 20_000_000_000n });
  await seal();
}

const lines = (event: string) => keeper.lines.filter((line) => line.event === event);
const times = (event: string) => [...Map.groupBy(lines(event), ({ account }) => account).values()].map((own) => own.length);

it('what reverts twice for the same reason is left alone until a price moves', async () => {
  await priceIs(2_800_00000000n);
  for (let block = 0; block < 5; block++) await seal();
  expect(times('attempt.reverted').length).toBeGreaterThan(3);
  expect(new Set(times('attempt.reverted'))).toEqual(new Set([2]));
  expect(lines('attempt.reverted').every(({ reason }) => String(reason).startsWith('NotRegistered('))).toBe(true);
  const skipped = lines('plan.skipped').filter(({ reason }) => reason === 'keeps-reverting');
  expect(new Set(skipped.map(({ account }) => account)).size).toBe(times('attempt.reverted').length);
  expect(skipped[0]).toMatchObject({ times: '2', cause: expect.stringContaining('NotRegistered') });

  await priceIs(2_780_00000000n);
  await seal();
  expect(Math.max(...times('attempt.reverted'))).toBe(3);
});
