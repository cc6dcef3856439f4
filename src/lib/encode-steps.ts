/** Steps and sequences as contracts/Executor.sol reads them: its NatSpec has the layout. */
import { size, toFunctionSelector } from 'viem';
import { getAbiItem } from 'viem/utils';
import { executorAbi } from '../generated/executor.ts';
import { keccak256 } from './keccak.ts';
import type { AmountPatch, AnnouncedCallback, Group, Sequence, Step } from './steps.ts';
import type { Address, Hex } from './types.ts';

const EXECUTE = toFunctionSelector(getAbiItem({ abi: executorAbi, name: 'execute' }));

const KIND = { call: 0, approve: 1, enter: 2, pay: 3 } as const;
const HAS_VALUE = 0x04;
const HAS_PATCH = 0x08;
const HAS_ANSWER = 0x10;
const LOOKS = 0x20;
const NEGATES = 0x40;

const SELECTOR_BYTES = 4;
const WORD_BYTES = 32;
const WORD_DIGITS = 64;
/** Of `Sequence` and of `Group`, each place that something longer stands at included. */
const SEQUENCE_WORDS = 7;
const GROUP_WORDS = 4;
const VIEW_BYTES = SELECTOR_BYTES + WORD_BYTES;
/** An offset that no patch of calldata has. */
const VALUE_OFFSET = 0;
const BPS = 10_000;

/** The packed steps: a group's, or the payload of a callback. Throws a RangeError for what does not fit the layout. */
export function encodeSteps(steps: readonly Step[]): Hex {
  return joined(steps.map(encodeStep));
}

/** Calldata of `Executor.execute`. Throws a RangeError for a sequence that the Executor could only refuse. */
export function encodeExecute(sequence: Sequence): Hex {
  if (sequence.sweep.includes(sequence.numeraire)) throw new RangeError('the numeraire is swept as profit, not by `sweep`');
  if (!(sequence.bidBps >= 0 && sequence.bidBps <= BPS)) throw new RangeError(`bidBps ${sequence.bidBps} is not within 0 and ${BPS}`);
  const { numeraire, minProfitRaw, gasCostRaw, bidBps, lastBlock, sweep } = sequence;
  const groups = sequence.groups.map(encodeGroup);
  const sweepAt = SEQUENCE_WORDS * WORD_BYTES;
  const groupsAt = sweepAt + (1 + sweep.length) * WORD_BYTES;
  let at = groups.length * WORD_BYTES;
  const places = groups.map((group) => {
    const place = at;
    at += group.length / 2;
    return word(place);
  });
  return (EXECUTE +
    word(WORD_BYTES) +
    addressWord(numeraire) +
    signedWord(minProfitRaw) +
    word(gasCostRaw) +
    word(bidBps) +
    word(lastBlock) +
    word(sweepAt) +
    word(groupsAt) +
    word(sweep.length) +
    sweep.map(addressWord).join('') +
    word(groups.length) +
    places.join('') +
    groups.join('')) as Hex;
}

/** A `Group` as ABI encoding has it, without `0x`: three words, where the steps are, their length, and the steps filled up to whole words. */
function encodeGroup({ optional, gasLimit = 0n, minProfitRaw, steps }: Group): string {
  const packed = encodeSteps(steps).slice(2);
  const digits = Math.ceil(packed.length / WORD_DIGITS) * WORD_DIGITS;
  return (
    word(optional ? 1 : 0) +
    word(gasLimit) +
    signedWord(minProfitRaw) +
    word(GROUP_WORDS * WORD_BYTES) +
    word(packed.length / 2) +
    packed.padEnd(digits, '0')
  );
}

function encodeStep(step: Step): Hex {
  switch (step.kind) {
    case 'approve':
      return joined([uint(KIND.approve, 1), step.token, step.spender, uint(step.amountRaw, WORD_BYTES)]);
    case 'pay':
      return joined([uint(KIND.pay, 1), step.token, uint(step.argument, 1)]);
    case 'call':
      return encodeCall(step, KIND.call, []);
    case 'enter':
      return encodeCall(step, KIND.enter | (step.callback.answer === '0x' ? 0 : HAS_ANSWER), encodeCallback(step.callback));
  }
}

function encodeCall(step: Extract<Step, { kind: 'call' | 'enter' }>, head: number, callback: readonly Hex[]): Hex {
  const { target, valueWei, data, patch } = step;
  return joined([
    uint(head | (valueWei === 0n ? 0 : HAS_VALUE) | (patch === undefined ? 0 : flagsOf(patch)), 1),
    target,
    ...(valueWei === 0n ? [] : [uint(valueWei, 16)]),
    ...(patch === undefined ? [] : encodePatch(patch, size(data))),
    ...callback,
    uint(size(data), 3),
    data,
  ]);
}

function flagsOf(patch: AmountPatch): number {
  return HAS_PATCH | ('look' in patch ? LOOKS : 0) | (patch.negated === true ? NEGATES : 0);
}

function encodePatch(patch: AmountPatch, dataBytes: number): readonly Hex[] {
  const { offset } = patch;
  if (offset !== 'value' && (offset < SELECTOR_BYTES || offset + WORD_BYTES > dataBytes)) {
    throw new RangeError(`a patch at byte ${offset} is outside the arguments of ${dataBytes} bytes of calldata`);
  }
  const place = uint(offset === 'value' ? VALUE_OFFSET : offset, 3);
  if (!('look' in patch)) return [patch.token, place];
  const { target, data } = patch.look;
  if (size(data) !== VIEW_BYTES) throw new RangeError(`a view of ${size(data)} bytes is not a selector and one word`);
  return [target, data, place];
}

function encodeCallback({ caller, selector, argument, payload, answer }: AnnouncedCallback): readonly Hex[] {
  if (size(selector) !== SELECTOR_BYTES) throw new RangeError(`${selector} is no selector`);
  if (answer !== '0x' && size(answer) !== WORD_BYTES) throw new RangeError(`the answer ${answer} is not one word`);
  return [caller, selector, uint(argument, 1), keccak256(payload), answer];
}

function joined(parts: readonly Hex[]): Hex {
  let all = '0x';
  for (const part of parts) all += part.slice(2);
  return all as Hex;
}

/** Big-endian; throws when the number is negative or too large. */
function uint(value: number | bigint, bytes: number): Hex {
  const digits = value.toString(16);
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`);
  if (value < 0 || digits.length > 2 * bytes) throw new RangeError(`${value} does not fit into ${bytes} unsigned bytes`);
  return `0x${digits.padStart(2 * bytes, '0')}`;
}

function word(value: number | bigint): string {
  return uint(value, WORD_BYTES).slice(2);
}

function signedWord(value: bigint): string {
  if (BigInt.asIntN(256, value) !== value) throw new RangeError(`${value} does not fit into ${WORD_BYTES} signed bytes`);
  return word(BigInt.asUintN(256, value));
}

function addressWord(address: Address): string {
  return address.slice(2).toLowerCase().padStart(WORD_DIGITS, '0');
}
