import { encodeAbiParameters, stringToHex } from 'viem';
import { describe, expect, test } from 'vitest';
import type { Hex, RawLog, ViewAnswer } from '../../src/lib/types.ts';
import { addressOf, dataWord, intOf, textOf, topicAddress, uintOf, viewCall } from '../../src/lib/words.ts';

const answer = (data: Hex): ViewAnswer => ({ ok: true, data });
const ADDRESS = '0x00000000000000000000000000000000000a11ce';

describe('answers', () => {
  test('are read word by word', () => {
    const data = encodeAbiParameters([{ type: 'uint256' }, { type: 'int256' }, { type: 'address' }], [7n, -3n, ADDRESS]);
    expect([uintOf(answer(data)), intOf(answer(data), 1), addressOf(answer(data), 2)]).toEqual([7n, -3n, ADDRESS]);
  });

  test('of every size are told to the unit, and what is no number is refused', () => {
    for (let bits = 0n; bits <= 256n; bits++)
      for (const value of [2n ** bits - 1n, 2n ** (bits - 1n < 0n ? 0n : bits - 1n) + 1n])
        expect(uintOf(answer(encodeAbiParameters([{ type: 'uint256' }], [value])))).toBe(value);
    for (const wrong of ['g', '0.5', `_${'0'.repeat(20)}`, `x${'0'.repeat(50)}`])
      expect(() => uintOf(answer(`0x${wrong.padStart(64, '0')}`))).toThrow(SyntaxError);
  });

  test('that failed, are short, or hold no address read as undefined', () => {
    const failed: ViewAnswer = { ok: false, data: encodeAbiParameters([{ type: 'uint256' }], [7n]) };
    for (const bad of [failed, undefined, answer('0x'), answer('0x01')])
      expect([uintOf(bad), intOf(bad), addressOf(bad)]).toEqual([undefined, undefined, undefined]);
    expect(uintOf(answer(encodeAbiParameters([{ type: 'uint256' }], [7n])), 1)).toBeUndefined();
    expect(addressOf(answer(encodeAbiParameters([{ type: 'uint256' }], [1n << 160n])))).toBeUndefined();
  });
});

describe('names', () => {
  const text = (value: string) => textOf(answer(encodeAbiParameters([{ type: 'string' }], [value])));

  test('as string or as bytes32', () => {
    expect([text('USD₮0'), textOf(answer(stringToHex('MKR', { size: 32 })))]).toEqual(['USD₮0', 'MKR']);
  });

  test('cannot break a line, turn it round, or fill it', () => {
    expect(text('A\nB\u001b[31m\u202eC')).toBe('AB[31mC');
    expect(text('x'.repeat(5_000))).toBe('x'.repeat(32));
  });

  test('of a length beyond the answer is no string', () => {
    const lying = `0x${'20'.padStart(64, '0')}${'ff'.repeat(32)}` as Hex;
    expect(textOf(answer(lying))).toBe(' ');
    expect(textOf({ ok: false, data: '0x' })).toBeUndefined();
  });
});

describe('logs', () => {
  const log = {
    address: ADDRESS,
    topics: ['0x01', `0x${'0'.repeat(24)}${ADDRESS.slice(2).toUpperCase()}`],
    data: '0x',
    blockNumber: 5,
    logIndex: 2,
  };

  test('that are too short are refused by name', () => {
    const short = log as unknown as RawLog;
    expect(() => dataWord(short, 0)).toThrow('log 2 of 0x00000000000000000000000000000000000a11ce in block 5 is too short');
    expect(() => topicAddress(short, 2)).toThrow('lacks topic 2');
    expect(topicAddress(short, 1)).toBe(ADDRESS);
  });
});

test('calls are the selector and the words', () => {
  expect(viewCall('function balanceOf(address)')(ADDRESS, ADDRESS).data).toBe(`0x70a08231${ADDRESS.slice(2).padStart(64, '0')}`);
});
