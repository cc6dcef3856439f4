/**
 * What differs between the releases of the protocol, as data: chosen once, at the anchor. Read off each release's sources; tests execute 3.0
 * (core-v3 1.19.3) and 3.6 (aave-v3-origin 3.6.0), the others are not on npm as contracts.
 */
import { percentMulHalfUp, percentMulUp } from '../../lib/math.ts';
import type { Address, ViewCall } from '../../lib/types.ts';
import { MirrorError } from '../../mirror/types.ts';
import { type Closing, RESERVE_SHARE, totalShareCeiled, totalShareFloored } from './closing.ts';
import { binomial, type Compounding, exponential } from './interest.ts';
import { LISTED_MODES, type Modes, NAMED_MODES } from './modes.ts';
import { calls } from './reads.ts';
import { DIRECTED, HALF_UP, type Scaling } from './scaling.ts';
import { DIRECTED_SEIZING, HALF_UP_SEIZING, REPAID_UP_SEIZING, type Seizing } from './seizing.ts';
import { AVERAGED, SUMMED, SUMMED_OF_WEIGHTED, type Weighing } from './weighing.ts';

export type Rules = {
  readonly release: string;
  readonly scaling: Scaling;
  readonly compounded: Compounding;
  readonly weighing: Weighing;
  readonly closing: Closing;
  readonly seizing: Seizing;
  readonly modes: Modes;
  /** Whether there are debts at a fixed rate (the stable debt tokens). */
  readonly fixedDebt: boolean;
  /** Whether the value of a BalanceTransfer is known to be scaled. 3.0.0's tokens logged the amount, those of 3.0.1 the scaled one. */
  readonly tellsTransfers: boolean;
  /** What a reserve may give out. */
  readonly available: (pool: Address, asset: Address, aToken: Address) => ViewCall;
  /** Up to when no liquidation touches a reserve; none where pauses have no grace period. */
  readonly grace: (pool: Address, asset: Address) => readonly ViewCall[];
  /** Whether liquidations ask the L2 sequencer's sentinel. */
  readonly asksSentinel: boolean;
  readonly flashFeeRaw: (amountRaw: bigint, premiumBps: bigint) => bigint;
};

const V30: Rules = {
  release: '3.0',
  scaling: HALF_UP,
  compounded: binomial,
  weighing: AVERAGED,
  closing: RESERVE_SHARE,
  seizing: HALF_UP_SEIZING,
  modes: NAMED_MODES,
  fixedDebt: true,
  tellsTransfers: false,
  available: (_, asset, aToken) => calls.balance(asset, aToken),
  grace: () => [],
  asksSentinel: true,
  flashFeeRaw: percentMulHalfUp,
};
const V31: Rules = {
  ...V30,
  release: '3.1',
  tellsTransfers: true,
  available: (pool, asset) => calls.virtualBalance(pool, asset),
  grace: (pool, asset) => [calls.gracePeriod(pool, asset)],
};
const V32: Rules = { ...V31, release: '3.2', modes: LISTED_MODES, fixedDebt: false };
const V33: Rules = { ...V32, release: '3.3', closing: totalShareFloored(AVERAGED) };
const V34: Rules = { ...V33, release: '3.4', compounded: exponential };
const V35: Rules = {
  ...V34,
  release: '3.5',
  scaling: DIRECTED,
  weighing: SUMMED_OF_WEIGHTED,
  closing: totalShareCeiled(SUMMED_OF_WEIGHTED),
  seizing: REPAID_UP_SEIZING,
  flashFeeRaw: percentMulUp,
};
const V36: Rules = { ...V35, release: '3.6', weighing: SUMMED };
const V37: Rules = { ...V36, release: '3.7', seizing: DIRECTED_SEIZING, asksSentinel: false };

/** By POOL_REVISION, of pools that account for their own liquidity. */
const ACCOUNTING: Readonly<Record<string, Rules>> = {
  '4': V31,
  '5': V32,
  '6': V32,
  '7': V33,
  '8': V34,
  '9': V35,
  '10': V36,
  '11': V37,
};
/** By POOL_REVISION, of those that do not. NOTE: forks count for themselves: Spark's fourth revision is 3.0 still. */
const HOLDING: Readonly<Record<string, Rules>> = { '1': V30, '2': V30, '3': V30, '4': V30 };

/** For tests of one release's arithmetic. */
export const RELEASES: readonly Rules[] = [V30, V31, V32, V33, V34, V35, V36, V37];

/** @param accounts whether the pool answers for the liquidity that it accounts for itself (3.1 and later). Throws a MirrorError for an unknown one. */
export function rulesOf(pool: Address, revision: bigint, accounts: boolean): Rules {
  const known = accounts ? ACCOUNTING : HOLDING;
  const rules = known[String(revision)];
  if (rules !== undefined) return rules;
  throw new MirrorError(
    `pool ${pool} has revision ${revision} ${accounts ? 'with' : 'without'} virtual accounting; known are ${Object.keys(known).join(', ')}`,
  );
}
