/** Steps and sequences as contracts/Executor.sol reads them: its NatSpec has the layout. */
import { concatHex, encodeFunctionData, numberToHex, prepareEncodeFunctionData, size } from 'viem';
import { executorAbi } from '../generated/executor.ts';
import { keccak256 } from './keccak.ts';
import type { AmountPatch, AnnouncedCallback, Sequence, Step } from './steps.ts';
import type { Hex } from './types.ts';

/** Its selector is hashed once, not for every call. */
const execute = prepareEncodeFunctionData({ abi: executorAbi, functionName: 'execute' });

const KIND = { call: 0, approve: 1, enter: 2, pay: 3 } as const;
const HAS_VALUE = 0x04;
const HAS_PATCH = 0x08;
const HAS_ANSWER = 0x10;
const LOOKS = 0x20;
const NEGATES = 0x40;

const SELECTOR_BYTES = 4;
const WORD_BYTES = 32;
const VIEW_BYTES = SELECTOR_BYTES + WORD_BYTES;
/** An offset that no patch of calldata has. */
const VALUE_OFFSET = 0;
const BPS = 10_000;

/** The packed steps: a group's, or the payload of a callback. Throws a RangeError for what does not fit the layout. */
export function encodeSteps(steps: readonly Step[]): Hex {
  // NOTE: not viem's `concat`, which makes a Uint8Array of an empty list.
  return concatHex(steps.map(encodeStep));
}

/** Calldata of `Executor.execute`. Throws a RangeError for a sequence that the Executor could only refuse. */
export function encodeExecute(sequence: Sequence): Hex {
  if (sequence.sweep.includes(sequence.numeraire)) throw new RangeError('the numeraire is swept as profit, not by `sweep`');
  if (!(sequence.bidBps >= 0 && sequence.bidBps <= BPS)) throw new RangeError(`bidBps ${sequence.bidBps} is not within 0 and ${BPS}`);
  const groups = sequence.groups.map((group) => ({
    optional: group.optional,
    gasLimit: group.gasLimit ?? 0n,
    minProfit: group.minProfitRaw,
    steps: encodeSteps(group.steps),
  }));
  return encodeFunctionData({
    ...execute,
    args: [
      {
        numeraire: sequence.numeraire,
        minProfit: sequence.minProfitRaw,
        gasCost: sequence.gasCostRaw,
        bidBps: BigInt(sequence.bidBps),
        lastBlock: BigInt(sequence.lastBlock),
        sweep: sequence.sweep,
        groups,
      },
    ],
  });
}

function encodeStep(step: Step): Hex {
  switch (step.kind) {
    case 'approve':
      return concatHex([uint(KIND.approve, 1), step.token, step.spender, uint(step.amountRaw, WORD_BYTES)]);
    case 'pay':
      return concatHex([uint(KIND.pay, 1), step.token, uint(step.argument, 1)]);
    case 'call':
      return encodeCall(step, KIND.call, []);
    case 'enter':
      return encodeCall(step, KIND.enter | (step.callback.answer === '0x' ? 0 : HAS_ANSWER), encodeCallback(step.callback));
  }
}

function encodeCall(step: Extract<Step, { kind: 'call' | 'enter' }>, head: number, callback: readonly Hex[]): Hex {
  const { target, valueWei, data, patch } = step;
  return concatHex([
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

/** Big-endian; throws when the number is negative or too large. */
function uint(value: number | bigint, bytes: number): Hex {
  try {
    return numberToHex(value, { size: bytes });
  } catch (cause) {
    throw new RangeError(`${value} does not fit into ${bytes} unsigned bytes`, { cause });
  }
}
