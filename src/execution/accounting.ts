import { parseAbiItem, toEventSelector } from 'viem';
import type { Address, Hex, RawLog } from '../lib/types.ts';

/** What the chain says of a mined transaction. */
export type Receipt = {
  readonly txHash: Hex;
  readonly from: Address;
  readonly succeeded: boolean;
  readonly block: number;
  readonly blockHash: Hex;
  readonly gasUsed: bigint;
  /** Everything that the sender paid for gas, a rollup's data fee included. */
  readonly gasWei: bigint;
  readonly logs: readonly RawLog[];
};

/** The native token's place in `balanceChanges`. */
export const NATIVE: Address = '0x0000000000000000000000000000000000000000';

const TRANSFER = toEventSelector(parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)'));
const DEPOSIT = toEventSelector(parseAbiItem('event Deposit(address indexed dst, uint256 wad)'));
const WITHDRAWAL = toEventSelector(parseAbiItem('event Withdrawal(address indexed src, uint256 wad)'));

/**
 * Changes of our balances by one transaction, from its receipt alone: token transfers in and out of our addresses, wrapped native made and unmade
 * (WETH9 tells of those without a Transfer), and gas. The bid leaves as unwrapped native, so native changes by gas alone; only what a sender itself
 * unwraps stays with it. What one of ours sends another changes nothing.
 *
 * @param own Executor, lanes, keeper and treasury
 */
export function balanceChanges(receipt: Receipt, own: ReadonlySet<Address>, wrappedNative: Address): Readonly<Record<Address, bigint>> {
  const changes: Record<Address, bigint> = {};
  const add = (token: Address, deltaRaw: bigint) => {
    changes[token] = (changes[token] ?? 0n) + deltaRaw;
  };
  for (const log of receipt.logs) {
    const [topic, first, second] = log.topics;
    if (topic === undefined || first === undefined || log.data.length !== 66) continue;
    const amount = BigInt(log.data);
    if (topic === TRANSFER && second !== undefined) {
      if (own.has(addressOf(first))) add(log.address, -amount);
      if (own.has(addressOf(second))) add(log.address, amount);
    } else if (log.address === wrappedNative && own.has(addressOf(first))) {
      if (topic === DEPOSIT) add(wrappedNative, amount);
      if (topic === WITHDRAWAL) add(wrappedNative, -amount);
      if (topic === WITHDRAWAL && addressOf(first) === receipt.from) add(NATIVE, amount);
    }
  }
  if (own.has(receipt.from)) add(NATIVE, -receipt.gasWei);
  return Object.fromEntries(Object.entries(changes).filter(([, delta]) => delta !== 0n));
}

/** Shares of a whole by weight that add up to it exactly: each rounded down, the last takes the rest. Equal shares when all weights are zero. */
export function shares(whole: bigint, weights: readonly bigint[]): readonly bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  let left = whole;
  return weights.map((weight, index) => {
    if (index === weights.length - 1) return left;
    const share = total > 0n ? (whole * weight) / total : whole / BigInt(weights.length);
    left -= share;
    return share;
  });
}

function addressOf(topic: Hex): Address {
  return `0x${topic.slice(26)}`;
}
