import { toFunctionSelector } from 'viem';
import type { Hex, ViewAnswer, ViewCall } from '../lib/types.ts';
import { ShapeError } from './parse.ts';

/** Multicall3.aggregate3: each call may fail by itself. */
const AGGREGATE3 = toFunctionSelector('aggregate3((address target, bool allowFailure, bytes callData)[])');

const word = (value: number): string => value.toString(16).padStart(64, '0');
const TRUE = word(1);
const CALL_DATA_OFFSET = word(0x60);

/** Written out by hand: a block's batch holds hundreds of calls, and this is ten times as fast as a general encoder. */
export function encodeAggregate3(calls: readonly ViewCall[]): Hex {
  const offsets: string[] = [];
  const tuples: string[] = [];
  let offset = calls.length * 32;
  for (const { to, data } of calls) {
    const hexLength = data.length - 2;
    const padded = data.slice(2).padEnd(Math.ceil(hexLength / 64) * 64, '0');
    offsets.push(word(offset));
    tuples.push(to.slice(2).padStart(64, '0'), TRUE, CALL_DATA_OFFSET, word(hexLength / 2), padded);
    offset += 128 + padded.length / 2;
  }
  return `${AGGREGATE3}${word(32)}${word(calls.length)}${offsets.join('')}${tuples.join('')}`;
}

/** The `(bool success, bytes returnData)[]` that aggregate3 returns. Throws `ShapeError` when it is not that, for exactly `count` calls. */
export function decodeAggregate3(returned: Hex, count: number): ViewAnswer[] {
  const hex = returned.slice(2);
  const number = (at: number): number => {
    const text = hex.slice(at * 2, at * 2 + 64);
    const value = text.length === 64 ? Number.parseInt(text, 16) : Number.NaN;
    if (!(value <= hex.length)) throw new ShapeError('aggregate3', 'answer cut off or malformed');
    return value;
  };
  const list = number(0);
  if (number(list) !== count) throw new ShapeError('aggregate3', `not the answers to ${count} calls`);
  const base = list + 32;
  return Array.from({ length: count }, (_, i) => {
    const tuple = base + number(base + i * 32);
    const bytes = tuple + number(tuple + 32);
    const length = number(bytes);
    const data = hex.slice((bytes + 32) * 2, (bytes + 32 + length) * 2);
    if (data.length !== length * 2) throw new ShapeError('aggregate3', 'answer cut off or malformed');
    return { ok: number(tuple) === 1, data: `0x${data}` };
  });
}
