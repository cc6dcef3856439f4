/** What contracts/Executor.sol says: why it refused, and how a sequence ended. What the contracts below it say is named where it is known. */
import {
  type AbiParameter,
  decodeAbiParameters,
  decodeErrorResult,
  decodeFunctionData,
  parseEventLogs,
  size,
  slice,
  toFunctionSelector,
} from 'viem';
import { executorAbi } from '../generated/executor.ts';
import type { Address, Hex, RawLog } from '../lib/types.ts';
import { meaningOfCode, protocolErrors } from './known-errors.ts';

/** One group's end, in the order of the groups. */
export type GroupOutcome =
  | { readonly outcome: 'done'; readonly index: number; readonly profitRaw: bigint }
  | { readonly outcome: 'reverted'; readonly index: number; readonly reason: string };

/** A sequence's end. `grossRaw` is the rise of the numeraire, `profitRaw` what was left of it after the bid. */
export type Settlement = {
  readonly numeraire: Address;
  readonly grossRaw: bigint;
  readonly bidRaw: bigint;
  readonly profitRaw: bigint;
  readonly groups: readonly GroupOutcome[];
};

/** Deeper nesting is not followed: the data comes from contracts that nobody vouches for. */
const MAX_DEPTH = 8;
const MAX_TEXT = 200;

const solidityErrors = [
  { type: 'error', name: 'Error', inputs: [{ name: 'reason', type: 'string' }] },
  { type: 'error', name: 'Panic', inputs: [{ name: 'code', type: 'uint256' }] },
] as const;
const knownErrors = [...executorAbi.filter((entry) => entry.type === 'error'), ...solidityErrors, ...protocolErrors];

/**
 * Revert data in one line: `StepFailed(2): HealthFactorNotBelowThreshold()`. Errors of unknown contracts appear as their selector. Never throws,
 * whatever the data: the Executor cuts reasons short, and anybody's contract may have written them.
 */
export function decodeExecutorError(data: Hex): string {
  return describe(data, 0);
}

function describe(data: Hex, depth: number): string {
  if (data === '0x') return 'no reason given';
  const unknown = `unknown error ${data.slice(0, 10)}`;
  if (depth === MAX_DEPTH) return unknown;
  const failed = failedStep(data);
  if (failed !== undefined) return `StepFailed(${failed.index}): ${describe(failed.reason, depth + 1)}`;
  try {
    const { errorName, args } = decodeErrorResult({ abi: knownErrors, data });
    const meaning = errorName === 'Error' ? meaningOfCode(String(args?.[0])) : undefined;
    return `${errorName}(${(args ?? []).map(oneLine).join(', ')}${meaning === undefined ? '' : `: ${meaning}`})`;
  } catch {
    return unknown;
  }
}

const stepFailedSelector = toFunctionSelector('StepFailed(uint256,bytes)');
const stepFailedHead: readonly AbiParameter[] = [{ type: 'uint256' }, { type: 'uint256' }, { type: 'uint256' }];
const STEP_FAILED_HEAD_BYTES = 4 + 3 * 32;

/** NOTE: decoded by hand, because an outer bound may have cut off the end of the inner reason. */
function failedStep(data: Hex): { index: bigint; reason: Hex } | undefined {
  if (!data.startsWith(stepFailedSelector) || size(data) < STEP_FAILED_HEAD_BYTES) return undefined;
  const [index, , length] = decodeAbiParameters(stepFailedHead, slice(data, 4)) as [bigint, bigint, bigint];
  const there = size(data) - STEP_FAILED_HEAD_BYTES;
  const end = length < BigInt(there) ? STEP_FAILED_HEAD_BYTES + Number(length) : undefined;
  return { index, reason: there === 0 || length === 0n ? '0x' : slice(data, STEP_FAILED_HEAD_BYTES, end) };
}

function oneLine(value: unknown): string {
  const text = String(value).replace(/[^\x20-\x7e]+/g, ' ');
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

/**
 * How the sequence in a receipt ended, or undefined when none of the Executor's settled in it.
 *
 * @param executor other contracts can emit the same events; theirs are not read
 */
export function decodeSettlement(logs: readonly Pick<RawLog, 'address' | 'topics' | 'data'>[], executor: Address): Settlement | undefined {
  const own = logs.filter((log) => log.address.toLowerCase() === executor.toLowerCase());
  const groups: GroupOutcome[] = [];
  for (const { eventName, args } of parseEventLogs({ abi: executorAbi, logs: own.map(asViemLog) })) {
    if (eventName === 'GroupDone') groups.push({ outcome: 'done', index: Number(args.index), profitRaw: args.profit });
    if (eventName === 'GroupReverted') {
      groups.push({ outcome: 'reverted', index: Number(args.index), reason: decodeExecutorError(args.reason) });
    }
    if (eventName === 'Settled') {
      const { gross, bid, profit } = args;
      return { numeraire: args.numeraire.toLowerCase() as Address, grossRaw: gross, bidRaw: bid, profitRaw: profit, groups };
    }
  }
  return undefined;
}

/** The share that calldata of `Executor.execute` bids, in basis points; undefined for any other calldata. */
export function decodeBidBps(data: Hex): number | undefined {
  try {
    const { functionName, args } = decodeFunctionData({ abi: executorAbi, data });
    return functionName === 'execute' ? Number(args[0].bidBps) : undefined;
  } catch {
    return undefined;
  }
}

/** viem's decoder wants a whole log, of which it reads only these fields. */
function asViemLog({ address, topics, data }: Pick<RawLog, 'address' | 'topics' | 'data'>) {
  const place = { blockHash: null, blockNumber: null, logIndex: null, transactionHash: null, transactionIndex: null, removed: false };
  return { ...place, address, data, topics: topics as [] | [Hex, ...Hex[]] };
}
