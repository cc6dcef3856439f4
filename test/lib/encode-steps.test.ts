import fc from 'fast-check';
import { encodeFunctionData } from 'viem';
import { expect, it } from 'vitest';
import { executorAbi } from '../../src/generated/executor.ts';
import { encodeExecute, encodeSteps } from '../../src/lib/encode-steps.ts';
import type { Sequence, Step } from '../../src/lib/steps.ts';
import type { Address, Hex } from '../../src/lib/types.ts';

const address = fc.bigInt(0n, 2n ** 160n - 1n).map((number): Address => `0x${number.toString(16).padStart(40, '0')}`);
const uint = (bits: bigint) => fc.bigInt(0n, 2n ** bits - 1n);
const int = fc.bigInt(-(2n ** 255n), 2n ** 255n - 1n);
const bytes = fc.uint8Array({ maxLength: 100 }).map((data): Hex => `0x${Buffer.from(data).toString('hex')}`);
const step = fc.oneof(
  fc.record({ kind: fc.constant('approve' as const), token: address, spender: address, amountRaw: uint(256n) }),
  fc.record({ kind: fc.constant('pay' as const), token: address, argument: fc.nat(255) }),
  fc.record({ kind: fc.constant('call' as const), target: address, valueWei: uint(128n), data: bytes }),
) satisfies fc.Arbitrary<Step>;
const group = fc.record({ optional: fc.boolean(), gasLimit: uint(256n), minProfitRaw: int, steps: fc.array(step, { maxLength: 5 }) });
const sequence: fc.Arbitrary<Sequence> = fc.record({
  ...{ numeraire: fc.constant<Address>(`0x${'ff'.repeat(20)}`), minProfitRaw: int, gasCostRaw: uint(256n), bidBps: fc.nat(10_000) },
  ...{ lastBlock: fc.nat(), sweep: fc.array(fc.constant<Address>(`0x${'0a'.repeat(20)}`), { maxLength: 4 }) },
  groups: fc.array(group, { maxLength: 4 }),
});

it('is ABI encoding as viem has it, byte for byte', () => {
  const property = fc.property(sequence, (one) => {
    const { numeraire, minProfitRaw, gasCostRaw, bidBps, lastBlock, sweep, groups } = one;
    const args = {
      ...{ numeraire, minProfit: minProfitRaw, gasCost: gasCostRaw, bidBps: BigInt(bidBps), lastBlock: BigInt(lastBlock), sweep },
      groups: groups.map(({ optional, gasLimit = 0n, minProfitRaw: minProfit, steps }) => ({
        ...{ optional, gasLimit, minProfit, steps: encodeSteps(steps) },
      })),
    };
    expect(encodeExecute(one)).toBe(encodeFunctionData({ abi: executorAbi, functionName: 'execute', args: [args] }));
  });
  fc.assert(property, { numRuns: 150, seed: 1 });
});

it.each<[string, Partial<Sequence>]>([
  ['gas below zero', { gasCostRaw: -1n }],
  ['more gas than a word holds', { gasCostRaw: 2n ** 256n }],
  ['more profit than a signed word holds', { minProfitRaw: 2n ** 255n }],
  ['a bid of more than everything', { bidBps: 10_001 }],
  ['a sweep of the numeraire', { sweep: [`0x${'01'.repeat(20)}`] }],
])('refuses %s', (_, part) => {
  const plain: Sequence = {
    ...{ numeraire: `0x${'01'.repeat(20)}`, minProfitRaw: 0n, gasCostRaw: 0n, bidBps: 0, lastBlock: 1, sweep: [], groups: [] },
  };
  expect(() => encodeExecute({ ...plain, ...part })).toThrow(RangeError);
});
