/** Calldata where a bundle waits for it: functions of words, structs of words, and `bytes`, their heads laid out once. Equal to viem's by test. */
import { type AbiFunction, type AbiParameter, type AbiParameterToPrimitiveType, toFunctionSelector } from 'viem';
import type { Hex } from './types.ts';

const WORD_BYTES = 32;
const WORD_DIGITS = 64;
const ADDRESS = /^0x[0-9a-f]{40}$/i;

type Writer = { readonly words: number; readonly write: (value: unknown) => string };
type Arguments<Inputs extends AbiFunction['inputs']> = { [Place in keyof Inputs]: AbiParameterToPrimitiveType<Inputs[Place]> };

/** Throws a TypeError for a function with arguments of other types; what it returns throws a RangeError for values that do not fit theirs. */
export function calldataOf<const F extends AbiFunction>(item: F): (...args: Arguments<F['inputs']>) => Hex {
  const selector = toFunctionSelector(item);
  const writers = item.inputs.map((input) => (input.type === 'bytes' ? 'bytes' : writerOf(input)));
  const headBytes = WORD_BYTES * writers.reduce((sum, writer) => sum + (writer === 'bytes' ? 1 : writer.words), 0);
  return (...args: readonly unknown[]) => {
    let head: string = selector;
    let tail = '';
    for (const [place, writer] of writers.entries()) {
      if (writer === 'bytes') {
        const digits = (args[place] as Hex).slice(2);
        head += wordOf(headBytes + tail.length / 2);
        tail += wordOf(digits.length / 2) + digits.padEnd(Math.ceil(digits.length / WORD_DIGITS) * WORD_DIGITS, '0');
      } else head += writer.write(args[place]);
    }
    return (head + tail) as Hex;
  };
}

function writerOf(parameter: AbiParameter): Writer {
  const { type } = parameter;
  if (type === 'tuple' && 'components' in parameter) return structWriter(parameter.components);
  if (type === 'address') return { words: 1, write: (value) => addressWord(value as Hex) };
  if (type === 'bool') return { words: 1, write: (value) => wordOf(value === true ? 1 : 0) };
  const [, kind, bits] = /^(u?int)(\d*)$/.exec(type) ?? [];
  if (kind === undefined) throw new TypeError(`${type} is neither a number, an address, a truth value, bytes nor a struct of such words`);
  const cut = kind === 'int' ? BigInt.asIntN : BigInt.asUintN;
  const width = Number(bits || 256);
  const write = (value: unknown) => {
    const number = BigInt(value as bigint | number);
    if (cut(width, number) !== number) throw new RangeError(`${number} is no ${type}`);
    return wordOf(BigInt.asUintN(256, number));
  };
  return { words: 1, write };
}

/** NOTE: only a struct of words stands in the head itself; one with `bytes` in it is refused like any other type. */
function structWriter(components: readonly AbiParameter[]): Writer {
  const members = components.map((component) => ({ name: component.name ?? '', ...writerOf(component) }));
  return {
    words: members.reduce((sum, { words }) => sum + words, 0),
    write: (value) => members.map(({ name, write }) => write((value as Readonly<Record<string, unknown>>)[name])).join(''),
  };
}

function addressWord(address: Hex): string {
  if (!ADDRESS.test(address)) throw new RangeError(`${address} is no address`);
  return address.slice(2).toLowerCase().padStart(WORD_DIGITS, '0');
}

function wordOf(value: number | bigint): string {
  return value.toString(16).padStart(WORD_DIGITS, '0');
}
