/** Calldata where a bundle waits for it: functions of words and `bytes`, their heads laid out once. Equal to viem's by test. */
import { type AbiFunction, type AbiParameterToPrimitiveType, toFunctionSelector } from 'viem';
import type { Hex } from './types.ts';

const WORD_BYTES = 32;
const WORD_DIGITS = 64;
const ADDRESS = /^0x[0-9a-f]{40}$/i;

type Arguments<Inputs extends AbiFunction['inputs']> = { [Place in keyof Inputs]: AbiParameterToPrimitiveType<Inputs[Place]> };

/** Throws a TypeError for a function with arguments of other types; what it returns throws a RangeError for values that do not fit theirs. */
export function calldataOf<const F extends AbiFunction>(item: F): (...args: Arguments<F['inputs']>) => Hex {
  const selector = toFunctionSelector(item);
  const writers = item.inputs.map(({ type }) => writerOf(type));
  const headBytes = WORD_BYTES * writers.length;
  return (...args: readonly unknown[]) => {
    let head: string = selector;
    let tail = '';
    for (const [place, writer] of writers.entries()) {
      if (writer === 'bytes') {
        const digits = (args[place] as Hex).slice(2);
        head += wordOf(headBytes + tail.length / 2);
        tail += wordOf(digits.length / 2) + digits.padEnd(Math.ceil(digits.length / WORD_DIGITS) * WORD_DIGITS, '0');
      } else head += writer(args[place]);
    }
    return (head + tail) as Hex;
  };
}

function writerOf(type: string): 'bytes' | ((value: unknown) => string) {
  if (type === 'bytes') return 'bytes';
  if (type === 'address') return (value) => addressWord(value as Hex);
  if (type === 'bool') return (value) => wordOf(value === true ? 1 : 0);
  const [, kind, bits] = /^(u?int)(\d*)$/.exec(type) ?? [];
  if (kind === undefined) throw new TypeError(`${type} is neither a number, an address, a truth value nor bytes`);
  const cut = kind === 'int' ? BigInt.asIntN : BigInt.asUintN;
  return (value) => {
    const number = BigInt(value as bigint | number);
    if (cut(Number(bits || 256), number) !== number) throw new RangeError(`${number} is no ${type}`);
    return wordOf(BigInt.asUintN(256, number));
  };
}

function addressWord(address: Hex): string {
  if (!ADDRESS.test(address)) throw new RangeError(`${address} is no address`);
  return address.slice(2).toLowerCase().padStart(WORD_DIGITS, '0');
}

function wordOf(value: number | bigint): string {
  return value.toString(16).padStart(WORD_DIGITS, '0');
}
