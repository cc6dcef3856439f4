import fc from 'fast-check';
import { concatHex, encodeErrorResult, numberToHex, size, slice } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeExecutorError, decodeSettlement } from '../../src/execution/decode-executor.ts';
import { executorAbi } from '../../src/generated/executor.ts';
import { encodeExecute, encodeSteps } from '../../src/lib/encode-steps.ts';
import type { Step } from '../../src/lib/steps.ts';
import type { Hex } from '../../src/lib/types.ts';
import { enterPool } from './enter.ts';
import { type Contract, call, stranger, World } from './world.ts';

const MAX_UINT256 = 2n ** 256n - 1n;

let world: World;
let target: Contract;
let pool: Contract;
let pot: Contract;
beforeAll(async () => {
  world = await World.start();
  target = await world.deploy('AnyTargetDouble');
  pool = await world.deploy('CallbackDouble');
  pot = await world.deploy('PotDouble');
  await world.send(stranger, world.weth, 'deposit', [], 1_000_000n);
  await world.send(stranger, world.weth, 'transfer', [pot.address, 1_000_000n]);
}, 120_000);
afterAll(() => world?.stop());

describe('packed steps', () => {
  it('bring every call to its target as it was written, with its value', async () => {
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 300 }).map((array) => `0x${Buffer.from(array).toString('hex')}` as Hex);
    const calls = fc.array(fc.record({ data: bytes, valueWei: fc.bigInt(0n, 100n) }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(calls, async (parts) => {
        const before = await world.read<bigint>(target, 'calls');
        const held = await world.nativeBalance(target.address);
        const steps = parts.map((part): Step => ({ kind: 'call', target: target.address, ...part }));
        const total = parts.reduce((sum, { valueWei }) => sum + valueWei, 0n);
        const funding = [call(pot, 'give', [world.weth.address, world.executor.address, total]), call(world.weth, 'withdraw', [total])];
        await world.execute(world.sequence([...funding, ...steps]));
        expect(await world.read<bigint>(target, 'calls')).toBe(before + BigInt(parts.length));
        expect(await world.read(target, 'last')).toBe(parts.at(-1)!.data);
        expect((await world.nativeBalance(target.address)) - held).toBe(total);
      }),
      { numRuns: 25, seed: 7, examples: [[[{ data: '0x', valueWei: 0n }]], [[{ data: '0x095ea7', valueWei: 1n }]]] },
    );
  }, 60_000);

  it('are refused when they are cut short anywhere, whatever follows them in the calldata', async () => {
    const data = `0xaabbccdd${'11'.repeat(32)}` as const;
    const steps: readonly Step[] = [
      { kind: 'call', target: target.address, valueWei: 0n, data: '0x', patch: { look: { target: pool.address, data }, offset: 'value' } },
      {
        kind: 'call',
        target: target.address,
        valueWei: 1n,
        data,
        patch: { token: world.weth.address, offset: 4 },
      },
      enterPool(pool, '0x'),
      { kind: 'approve', token: world.weth.address, spender: stranger, amountRaw: 1n },
      { kind: 'pay', token: world.weth.address, argument: 1 },
    ];
    for (const step of steps) {
      const whole = encodeSteps([step]);
      for (let end = 1; end < size(whole); end += 1) {
        expect(await reason(slice(whole, 0, end)), `${step.kind} cut at ${end}`).toBe('MalformedSteps(0)');
      }
    }
  }, 60_000);

  it('are refused with flags that mean nothing', async () => {
    const patched: Step = { kind: 'call', target: target.address, valueWei: 0n, data: '0x', patch: { token: stranger, offset: 'value' } };
    const flagged: readonly [flag: number, step: Step][] = [
      ...[0x10, 0x80].map((flag): [number, Step] => [flag, patched]),
      ...[0x10, 0x20, 0x40, 0x80].map((flag): [number, Step] => [flag, { kind: 'call', target: target.address, valueWei: 0n, data: '0x' }]),
      ...[0x20, 0x40, 0x80].map((flag): [number, Step] => [flag, enterPool(pool, '0x')]),
      ...[0x04, 0x08, 0x10, 0x20, 0x40, 0x80].flatMap((flag): [number, Step][] => [
        [flag, { kind: 'approve', token: world.weth.address, spender: stranger, amountRaw: 0n }],
        [flag, { kind: 'pay', token: world.weth.address, argument: 0 }],
      ]),
    ];
    for (const [flag, step] of flagged) {
      const bytes = encodeSteps([step]);
      const head = numberToHex(Number(slice(bytes, 0, 1)) | flag, { size: 1 });
      expect(await reason(concatHex([head, slice(bytes, 1)])), `${step.kind} | ${flag}`).toBe('MalformedSteps(0)');
    }
  });

  const reason = (steps: Hex) => world.refusal(world.packed(steps));
});

describe('the encoder refuses', () => {
  const plain: Extract<Step, { kind: 'call' }> = { kind: 'call', target: stranger, valueWei: 0n, data: `0xaabbccdd${'00'.repeat(32)}` };
  const callback = { caller: stranger, selector: '0xaabbccdd', argument: 0, payload: '0x', answer: '0x' } as const;
  const cases: readonly [string, Step][] = [
    ['a value above 128 bits', { ...plain, valueWei: 2n ** 128n }],
    ['a negative value', { ...plain, valueWei: -1n }],
    ['a patch on the selector', { ...plain, patch: { token: stranger, offset: 3 } }],
    ['a patch past the end', { ...plain, patch: { token: stranger, offset: 5 } }],
    ['a view of more than one word', { ...plain, patch: { look: { target: stranger, data: `${plain.data}00` }, offset: 4 } }],
    ['an amount above 256 bits', { kind: 'approve', token: stranger, spender: stranger, amountRaw: MAX_UINT256 + 1n }],
    ['an argument above a byte', { kind: 'pay', token: stranger, argument: 256 }],
    ['a selector of another length', { ...plain, kind: 'enter', callback: { ...callback, selector: '0xaabbcc' } }],
    ['an answer of another length', { ...plain, kind: 'enter', callback: { ...callback, answer: '0x01' } }],
  ];
  it.each(cases)('%s', (_, step) => {
    expect(() => encodeSteps([step])).toThrow(RangeError);
  });

  it('to sweep the numeraire, and a bid beyond the whole profit', () => {
    expect(() => encodeExecute(world.sequence([], { sweep: [world.weth.address] }))).toThrow('swept as profit');
    expect(() => encodeExecute(world.sequence([], { bidBps: 10_001 }))).toThrow('bidBps 10001');
  });
});

describe('revert data', () => {
  const nested = (data: Hex, times: number): Hex =>
    times === 0 ? data : encodeErrorResult({ abi: executorAbi, errorName: 'StepFailed', args: [BigInt(times), nested(data, times - 1)] });

  it('is named: the Executor’s own, texts, panics, steps within steps', () => {
    const own = encodeErrorResult({ abi: executorAbi, errorName: 'InsufficientProfit', args: [-5n, 10n] });
    expect(decodeExecutorError(own)).toBe('InsufficientProfit(-5, 10)');
    expect(decodeExecutorError(nested(own, 2))).toBe('StepFailed(2): StepFailed(1): InsufficientProfit(-5, 10)');
    expect(decodeExecutorError(`0x4e487b71${'11'.padStart(64, '0')}`)).toBe('Panic(17)');
    expect(decodeExecutorError('0x')).toBe('no reason given');
    expect(decodeExecutorError('0x12345678')).toBe('unknown error 0x12345678');
  });

  it('never makes the decoder throw or say much, cut off anywhere or made up', () => {
    const text = encodeErrorResult({
      abi: [{ type: 'error', name: 'Error', inputs: [{ type: 'string', name: '' }] }],
      errorName: 'Error',
      args: ['x\n'.repeat(400)],
    });
    const whole = nested(text, 3);
    for (let end = 0; end <= size(whole); end += 7) {
      expect(decodeExecutorError(end === 0 ? '0x' : slice(whole, 0, end)).length).toBeLessThan(300);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const head of ['', slice(whole, 0, 4), slice(text, 0, 4)]) {
          const said = decodeExecutorError(`0x${head.slice(2)}${Buffer.from(bytes).toString('hex')}`);
          expect(said).toMatch(/^[\x20-\x7e…]{1,300}$/);
        }
      }),
      { seed: 7 },
    );
  });
});

it('reads a settlement from the Executor’s logs only', async () => {
  const give = call(pot, 'give', [world.weth.address, world.executor.address, 5n]);
  const { from, data } = world.packed(encodeSteps([give]));
  const { logs } = await world.transact({ from, to: world.executor.address, data });
  const settled = {
    numeraire: world.weth.address,
    grossRaw: 5n,
    bidRaw: 0n,
    profitRaw: 5n,
    groups: [{ outcome: 'done', index: 0, profitRaw: 5n }],
  };
  expect(decodeSettlement(logs, world.executor.address)).toEqual(settled);
  expect(decodeSettlement(logs, pot.address)).toBeUndefined();
  const forged = logs.map((log) => ({ ...log, address: pot.address }));
  expect(decodeSettlement(forged, world.executor.address)).toBeUndefined();
});
