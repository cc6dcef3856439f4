import { concatHex, keccak256, numberToHex, padHex, stringToHex, toFunctionSelector } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeSteps } from '../../src/lib/encode-steps.ts';
import type { AnnouncedCallback, Step } from '../../src/lib/steps.ts';
import type { Address, Hex } from '../../src/lib/types.ts';
import { announceFrom, encodeCallback, enterPool, swapCallback, swapSignature } from './enter.ts';
import { type Contract, call, calldata, owner, stranger, World } from './world.ts';

const ONE = padHex('0x1', { size: 32 });
const ERC3156_ANSWER = keccak256(stringToHex('ERC3156FlashBorrower.onFlashLoan'));

let world: World;
let token: Contract;
let pool: Contract;
let accomplice: Contract;
let restore: () => Promise<void>;

beforeAll(async () => {
  world = await World.start();
  token = await world.deploy('TokenDouble');
  pool = await world.deploy('CallbackDouble');
  accomplice = await world.deploy('CallbackDouble');
}, 120_000);
afterAll(() => world?.stop());
beforeEach(async () => {
  restore = await world.snapshot();
});
afterEach(() => restore());

/** Mints a marker, by which a test sees how often a payload was run. */
const mark = () => call(token, 'mint', [world.executor.address, 1n]);
const marks = () => world.balance(token);

const announce = (payload: Hex, overrides: Partial<AnnouncedCallback> = {}) => announceFrom(pool, payload, overrides);

/** Enters `pool`'s function; by default the pool calls back as announced. */
const enter = (payload: Hex, functionName?: string, args?: readonly unknown[], callback?: AnnouncedCallback) =>
  enterPool(pool, payload, functionName, args, callback);

describe('every callback that a protocol is known to make is served', () => {
  const nobody: Address = '0x0000000000000000000000000000000000000001';
  const cases: readonly [signature: string, args: (payload: Hex) => readonly unknown[], argument: number, answer: Hex][] = [
    ['executeOperation(address,uint256,uint256,address,bytes)', (payload) => [nobody, 1n, 2n, nobody, payload], 4, ONE],
    ['onMorphoFlashLoan(uint256,bytes)', (payload) => [1n, payload], 1, '0x'],
    ['onMorphoLiquidate(uint256,bytes)', (payload) => [1n, payload], 1, '0x'],
    [swapSignature, (payload) => [1n, -1n, payload], 2, '0x'],
    ['uniswapV3FlashCallback(uint256,uint256,bytes)', (payload) => [1n, 0n, payload], 2, '0x'],
    ['uniswapV3MintCallback(uint256,uint256,bytes)', (payload) => [1n, 0n, payload], 2, '0x'],
    ['uniswapV2Call(address,uint256,uint256,bytes)', (payload) => [nobody, 1n, 0n, payload], 3, '0x'],
    ['onFlashLoan(address,address,uint256,uint256,bytes)', (payload) => [nobody, nobody, 1n, 0n, payload], 4, ERC3156_ANSWER],
    ['receiveFlashLoan(address[],uint256[],uint256[],bytes)', (payload) => [[nobody], [1n], [0n], payload], 3, '0x'],
    [
      'onERC721Received(address,address,uint256,bytes)',
      (payload) => [nobody, nobody, 1n, payload],
      3,
      padHex('0x150b7a02', { size: 32, dir: 'right' }),
    ],
  ];

  it.each(cases)('%s', async (signature, args, argument, answer) => {
    const payload = encodeSteps([mark()]);
    const callback = announce(payload, { selector: toFunctionSelector(signature), argument, answer });
    await world.execute(world.sequence([enter(payload, 'callBack', [encodeCallback(signature, args(payload))], callback)]));
    expect(await marks()).toBe(1n);
    expect(await world.read(pool, 'answer')).toBe(answer);
  });
});

describe('a callback', () => {
  it('may carry no steps', async () => {
    await world.execute(world.sequence([enter('0x')]));
  });

  it('may be nested in another, whose answer is kept', async () => {
    const inner = encodeSteps([mark()]);
    const innerEnter: Step = {
      ...call(accomplice, 'callBack', [swapCallback(inner)]),
      kind: 'enter',
      callback: announce(inner, { caller: accomplice.address, answer: ERC3156_ANSWER }),
    };
    const payload = encodeSteps([mark(), innerEnter, mark()]);
    await world.execute(world.sequence([enter(payload, 'callBack', [swapCallback(payload)], announce(payload, { answer: ONE })), mark()]));
    expect(await marks()).toBe(4n);
    expect(await world.read(pool, 'answer')).toBe(ONE);
    expect(await world.read(accomplice, 'answer')).toBe(ERC3156_ANSWER);
  });

  it('may find its bytes anywhere in the calldata, whatever the amounts are', async () => {
    const payload = encodeSteps([mark()]);
    const gap = padHex('0xdead', { size: 32 });
    const words = [gap, gap, numberToHex(160, { size: 32 }), gap, gap, numberToHex((payload.length - 2) / 2, { size: 32 }), payload];
    await world.execute(world.sequence([enter(payload, 'callBack', [concatHex([toFunctionSelector(swapSignature), ...words])])]));
    expect(await marks()).toBe(1n);
  });

  it('may come from another contract than the one entered, if that was announced', async () => {
    const payload = encodeSteps([mark()]);
    const args = [accomplice.address, swapCallback(payload)];
    await world.execute(world.sequence([enter(payload, 'callBackThrough', args, announce(payload, { caller: accomplice.address }))]));
    expect(await marks()).toBe(1n);
  });
});

describe('a callback is refused', () => {
  const payload = () => encodeSteps([mark()]);
  const unexpected = (caller: Contract, selector: Hex) =>
    new RegExp(`^StepFailed\\(0\\): UnexpectedCallback\\(${caller.address}, ${selector}\\)$`, 'i');

  it('when none is announced: outside a sequence, whoever calls', async () => {
    for (const from of [stranger, pool.address, world.executor.address]) {
      expect(await world.refusal({ from, to: world.executor.address, data: swapCallback(payload()) })).toContain('UnexpectedCallback(');
    }
  });

  it('when none is announced: in a plain call', async () => {
    const step = call(pool, 'callBack', [swapCallback(payload())]);
    expect(await world.refusalOf(world.sequence([step]))).toMatch(unexpected(pool, toFunctionSelector(swapSignature)));
  });

  it('after its Enter, and after its sequence', async () => {
    const data = swapCallback(payload());
    const late = world.sequence([enter(payload()), call(pool, 'callBack', [data])]);
    expect(await world.refusalOf(late)).toMatch(/^StepFailed\(1\): UnexpectedCallback/);
    await world.execute(world.sequence([enter(payload())]));
    expect(await world.refusal({ from: pool.address, to: world.executor.address, data })).toContain('UnexpectedCallback(');
  });

  it('from another caller', async () => {
    const step = enter(payload(), 'callBackThrough', [accomplice.address, swapCallback(payload())]);
    expect(await world.refusalOf(world.sequence([step]))).toMatch(unexpected(accomplice, toFunctionSelector(swapSignature)));
  });

  it('with another selector', async () => {
    const signature = 'uniswapV3FlashCallback(uint256,uint256,bytes)';
    const step = enter(payload(), 'callBack', [encodeCallback(signature, [0n, 0n, payload()])]);
    expect(await world.refusalOf(world.sequence([step]))).toMatch(unexpected(pool, toFunctionSelector(signature)));
  });

  it('with less than a selector', async () => {
    expect(await world.refusalOf(world.sequence([enter(payload(), 'callBack', ['0xfa461e'])]))).toMatch(unexpected(pool, '0xfa461e00'));
  });

  it('with other data', async () => {
    const step = enter(payload(), 'callBack', [swapCallback(encodeSteps([mark(), mark()]))], announce(payload()));
    expect(await world.refusalOf(world.sequence([step]))).toBe('StepFailed(0): UnexpectedPayload()');
  });

  it('with the right data in another argument', async () => {
    const signature = 'f(bytes,bytes)';
    const data = encodeCallback(signature, [payload(), '0x']);
    const callback = announce(payload(), { selector: toFunctionSelector(signature), argument: 1 });
    expect(await world.refusalOf(world.sequence([enter(payload(), 'callBack', [data], callback)]))).toBe(
      'StepFailed(0): UnexpectedPayload()',
    );
  });

  it('a second time', async () => {
    const data = swapCallback(payload());
    await world.execute(world.sequence([enter(payload(), 'callBackEach', [[data, data, data]])]));
    expect(await marks()).toBe(1n);
    expect(await world.read(pool, 'refusals')).toBe(2n);
  });

  it('without harm to the right one that follows', async () => {
    const wrong = swapCallback(encodeSteps([mark(), mark()]));
    await world.execute(world.sequence([enter(payload(), 'callBackEach', [[wrong, swapCallback(payload())]])]));
    expect(await marks()).toBe(1n);
    expect(await world.read(pool, 'refusals')).toBe(1n);
  });

  it('while the announced one runs', async () => {
    const again = call(pool, 'callBack', [swapCallback(encodeSteps([mark()]))]);
    const nested = encodeSteps([again]);
    expect(await world.refusalOf(world.sequence([enter(nested)]))).toMatch(/^StepFailed\(0\): StepFailed\(0\): UnexpectedCallback/);
  });

  it('in a static call, so that nobody can have a signature (ERC-1271)', async () => {
    const signature = 'isValidSignature(bytes32,bytes)';
    const data = encodeCallback(signature, [ONE, payload()]);
    const callback = announce(payload(), {
      selector: toFunctionSelector(signature),
      argument: 1,
      answer: padHex('0x1626ba7e', { size: 32, dir: 'right' }),
    });
    const step = enter(payload(), 'staticallyCallBack', [data], callback);
    expect(await world.refusalOf(world.sequence([step]))).toBe('StepFailed(0): Error(refused)');
  });

  it.each<[string, readonly (Hex | number | bigint)[]]>([
    ['an offset beyond the calldata', [0, 0, 4_096, 0]],
    ['an offset that overflows', [0, 0, 2n ** 256n - 1n, 0]],
    ['an offset that overflows with the head', [0, 0, 2n ** 256n - 36n, 0]],
    ['an offset to the last bytes, too few for a length', [0, 0, 100, 0]],
    ['a length past the end by one', [0, 0, 96, 33, ONE]],
    ['a length that overflows', [0, 0, 96, 2n ** 256n - 1n, ONE]],
    ['no argument', [0, 0]],
    ['no arguments at all', []],
  ])('with %s', async (_, words) => {
    const data = concatHex([
      toFunctionSelector(swapSignature),
      ...words.map((word) => (typeof word === 'string' ? word : numberToHex(word, { size: 32 }))),
    ]);
    expect(await world.refusalOf(world.sequence([enter('0x', 'callBack', [data])]))).toBe('StepFailed(0): MalformedCallback()');
  });
});

describe('an Enter', () => {
  it('reverts when no callback comes', async () => {
    expect(await world.refusalOf(world.sequence([enter('0x', 'doNothing', ['0x'])]))).toBe('CallbackMissing(0)');
  });

  it('reverts when the only callback was refused and the refusal swallowed', async () => {
    const step = enter('0x', 'callBackEach', [[swapCallback(encodeSteps([mark()]))]]);
    expect(await world.refusalOf(world.sequence([step]))).toBe('CallbackMissing(0)');
  });

  it('reverts when the callback came but its steps failed', async () => {
    const payload = encodeSteps([mark(), call(pool, 'callBack', ['0x12345678'])]);
    expect(await world.refusalOf(world.sequence([enter(payload, 'callBackEach', [[swapCallback(payload)]])]))).toBe('CallbackMissing(0)');
  });

  it('leaves nothing announced when its optional group is undone', async () => {
    const groups = [
      { optional: true, minProfitRaw: 0n, steps: [enter('0x', 'doNothing', ['0x'])] },
      { optional: true, minProfitRaw: 0n, steps: [call(pool, 'callBack', [swapCallback('0x')])] },
    ];
    const { groups: outcomes } = await world.execute(world.sequence([], { groups }));
    expect(outcomes[0]).toMatchObject({ outcome: 'reverted', reason: 'CallbackMissing(0)' });
    expect(outcomes[1]).toMatchObject({ outcome: 'reverted', reason: expect.stringContaining('UnexpectedCallback(') });
  });
});

describe('Pay', () => {
  const pay = (argument: number): Step => ({ kind: 'pay', token: token.address, argument });
  beforeEach(() => world.send(stranger, token, 'mint', [world.executor.address, 100n]));

  const paying = (argument: number, amount0: bigint, amount1: bigint) => {
    const payload = encodeSteps([pay(argument)]);
    return world.sequence([enter(payload, 'callBack', [swapCallback(payload, amount0, amount1)])]);
  };

  it("sends the callback's caller what its argument says", async () => {
    await world.execute(paying(1, -5n, 7n));
    expect(await world.balance(token, pool.address)).toBe(7n);
  });

  it('refuses an amount of zero or below', async () => {
    expect(await world.refusalOf(paying(0, -5n, 7n))).toBe('StepFailed(0): NothingOwed(0)');
    expect(await world.refusalOf(paying(0, 0n, 7n))).toBe('StepFailed(0): NothingOwed(0)');
  });

  it('refuses more than there is, and a word beyond the arguments', async () => {
    expect(await world.refusalOf(paying(0, 101n, 0n))).toContain('StepFailed(0): TransferFailed(');
    expect(await world.refusalOf(paying(9, 1n, 1n))).toBe('StepFailed(0): MalformedCallback()');
  });

  it('is refused outside a callback, in an optional group too', async () => {
    expect(await world.refusalOf(world.sequence([pay(0)]))).toBe('PayOutsideCallback(0)');
    const groups = [{ optional: true, minProfitRaw: 0n, steps: [pay(0)] }];
    expect((await world.execute(world.sequence([], { groups }))).groups[0]).toMatchObject({ reason: 'PayOutsideCallback(0)' });
  });

  it('of a registered asset to a greedy pool is undone by the profit check', async () => {
    await world.send(owner, world.executor, 'register', [token.address, []]);
    expect(await world.refusalOf(paying(0, 100n, 0n))).toContain('AssetFell(');
  });
});

describe('calldata', () => {
  it('of a call carries the gain of a token where the patch says', async () => {
    await world.send(stranger, token, 'mint', [world.executor.address, 40n]);
    const patched: Step = { ...call(token, 'transfer', [stranger, 1n]), patch: { token: token.address, offset: 36 } };
    await world.execute(world.sequence([patched]));
    expect(await world.balance(token, stranger)).toBe(40n);
  });

  it('carries only the gain of a registered asset, and nothing after a loss', async () => {
    await world.send(owner, world.executor, 'register', [token.address, []]);
    await world.send(stranger, token, 'mint', [world.executor.address, 40n]);
    const patched: Step = { ...call(token, 'transfer', [stranger, 1n]), patch: { token: token.address, offset: 36 } };
    await world.execute(world.sequence([call(token, 'mint', [world.executor.address, 2n]), patched]));
    expect(await world.balance(token, stranger)).toBe(2n);
    const afterLoss = [call(token, 'transfer', [accomplice.address, 5n]), patched, call(token, 'mint', [world.executor.address, 5n])];
    await world.execute(world.sequence(afterLoss));
    expect(await world.balance(token, stranger)).toBe(2n);
  });

  it('of an Enter is patched too, but not its announced payload', async () => {
    await world.send(stranger, token, 'mint', [world.executor.address, 40n]);
    const payload = encodeSteps([{ kind: 'pay', token: token.address, argument: 0 }]);
    const data = calldata(pool, 'callBack', [swapCallback(payload)]);
    const step = { ...enter(payload), patch: { token: token.address, offset: 4 + 64 + 4 } } as Step;
    await world.execute(world.sequence([step]));
    expect(await world.balance(token, pool.address)).toBe(40n);
    const payloadAt = data.indexOf(payload.slice(2)) / 2 - 1;
    const spoilt = { ...enter(payload), patch: { token: token.address, offset: payloadAt } } as Step;
    expect(await world.refusalOf(world.sequence([spoilt]))).toBe('StepFailed(0): UnexpectedPayload()');
  });
});
