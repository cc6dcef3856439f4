/** What the Executor's own work costs, so that nobody makes it dearer unseen. contracts/README.md has the figures. */
import { hexToBytes } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { encodeExecute } from '../../src/lib/encode-steps.ts';
import type { Step } from '../../src/lib/steps.ts';
import type { Address } from '../../src/lib/types.ts';
import { World } from './world.ts';

const IDLE: Address = '0x00000000000000000000000000000000001d1e00';
const idleCall: Step = { kind: 'call', target: IDLE, valueWei: 0n, data: `0xaabbccdd${'00'.repeat(31)}01` };

let world: World;
beforeAll(async () => {
  world = await World.start();
  // One STOP: what is measured is the Executor's.
  await rpc(world.anvil.rpcUrl, 'anvil_setCode', [IDLE, '0x00']);
}, 120_000);
afterAll(() => world?.stop());

/** Gas beyond the 21,000 and the calldata's. */
async function executionGas(steps: number, optional = false): Promise<number> {
  const sequence = world.sequence([], { groups: [{ optional, minProfitRaw: 0n, steps: Array(steps).fill(idleCall) }] });
  const calldataGas = hexToBytes(encodeExecute(sequence)).reduce((gas, byte) => gas + (byte === 0 ? 4 : 16), 0);
  return Number((await world.execute(sequence)).gasUsed) - 21_000 - calldataGas;
}

it('one group of five steps costs under 32,000, a third of it cold reads', async () => {
  expect(await executionGas(5)).toBeLessThan(32_000);
});

it('a further step costs under 1,100', async () => {
  expect(((await executionGas(25)) - (await executionGas(5))) / 20).toBeLessThan(1_100);
});

it('making a group optional costs under 2,000', async () => {
  expect((await executionGas(5, true)) - (await executionGas(5))).toBeLessThan(2_000);
});
