/** The next block's time and base fee, from headers alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Anvil, startAnvil } from '../../scripts/devnet/anvil.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Head, Hex } from '../../src/lib/types.ts';
import { nextBaseFeeWei, nextMoment, nextTimestamp, withPending } from '../../src/oracles/moment.ts';
import { ChainFollower } from '../support/chain-follower.ts';

const ADDRESS = '0x0000000000000000000000000000000000000b0b';

function heads(...timestamps: readonly number[]): Head[] {
  return timestamps.map((timestamp, number) => ({
    ...{ number, timestamp, hash: '0x' as Hex, parentHash: '0x' as Hex },
    ...{ baseFeeWei: 10n ** 9n, gasLimit: 60_000_000n, gasUsed: 30_000_000n },
  }));
}

describe('timestamp', () => {
  test('the usual gap after the head, a missed slot or two notwithstanding', () => {
    expect(nextTimestamp(heads(0, 12, 24, 48, 60, 72))).toBe(84);
    expect(nextTimestamp(heads(100, 102, 104, 106))).toBe(108);
  });

  test('follows a chain that changes its pace', () => {
    const slow = Array.from({ length: 40 }, (_, i) => i * 12);
    const fast = Array.from({ length: 33 }, (_, i) => 40 * 12 + i * 2);
    expect(nextTimestamp(heads(...slow, ...fast))).toBe(40 * 12 + 33 * 2);
  });

  test('several blocks a second share one', () => {
    expect(nextTimestamp(heads(5, 5, 5, 5, 6, 6, 6))).toBe(6);
  });

  test('after a single known block the smallest gap', () => {
    expect(nextTimestamp(heads(1_000))).toBe(1_001);
  });
});

describe('pending answers', () => {
  const mirrored = { answer: 1n, updatedAt: 5, roundId: 9n };

  test('win over the mirrored ones', () => {
    const pending = new Map([['0xaa', { answer: 2n, updatedAt: 6, roundId: 10n }]] as const);
    const moment = withPending(nextMoment(heads(0, 12), { answer: () => mirrored }), pending);
    expect([moment.number, moment.timestamp]).toEqual([2, 24]);
    expect([moment.answer('0xaa')?.answer, moment.answer('0xbb')?.answer]).toEqual([2n, 1n]);
  });
});

describe('base fee', () => {
  let anvil: Anvil;
  beforeAll(async () => {
    anvil = await startAnvil({ flags: ['--base-fee', '1000000000'] });
    await rpc(anvil.rpcUrl, 'anvil_setBalance', [ADDRESS, '0xffffffffffffffffffffff']);
    await rpc(anvil.rpcUrl, 'anvil_impersonateAccount', [ADDRESS]);
  }, 30_000);
  afterAll(async () => {
    await anvil?.stop();
  });

  test('is the chain’s own after empty, half full, full and ordinary blocks', async () => {
    const follower = new ChainFollower(anvil.rpcUrl, ADDRESS, []);
    // Creation code that burns what it is given: JUMPDEST, PUSH1 0, JUMP.
    const burn = async (gas: bigint) =>
      rpc(anvil.rpcUrl, 'eth_sendTransaction', [{ from: ADDRESS, data: '0x5b600056', gas: `0x${gas.toString(16)}` }]);
    const blocks: bigint[][] = [
      [],
      [16_000_000n, 14_000_000n],
      [16_000_000n, 16_000_000n, 16_000_000n, 12_000_000n],
      [1_000_000n],
      [16_000_000n, 14_000_001n],
      [],
      [],
    ];
    const used = new Set<bigint>();
    for (const gases of blocks) {
      for (const gas of gases) await burn(gas);
      await rpc(anvil.rpcUrl, 'evm_mine');
      const head = await follower.headAt();
      used.add(head.gasUsed);
      const predicted = nextBaseFeeWei(head);
      await rpc(anvil.rpcUrl, 'evm_mine');
      expect((await follower.headAt(head.number + 1)).baseFeeWei).toBe(predicted);
    }
    expect([...used].sort((a, b) => Number(a - b))).toEqual([0n, 1_000_000n, 30_000_000n, 30_000_001n, 60_000_000n]);
  }, 30_000);
});
