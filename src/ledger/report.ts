import type { Unwind } from '../guard/unwind-types.ts';
import type { Address, Hex } from '../lib/types.ts';
import { INVENTORY } from '../risk/types.ts';
import type { Capital } from './capital.ts';
import { type Efficiency, efficiencyOf } from './efficiency.ts';
import { costUsd8Up } from './money.ts';
import type { TransactionRecord } from './reader.ts';
import { type RelayLine, relayLines } from './relay-notes.ts';
import { type Stated, type StatedRisk, statedOf } from './stated.ts';
import type { OutcomeKind } from './types.ts';

/** One attempt as people and scripts see it. Without a result yet, it is `open`. */
export type AttemptLine = {
  readonly attemptId: string;
  readonly outcome: OutcomeKind | 'open';
  readonly reason: string | undefined;
  readonly protocol: string;
  readonly market: string;
  readonly account: Address;
  readonly debtAsset: Address;
  readonly collateralAsset: Address;
  readonly repayRaw: bigint;
  readonly repayUsd8: bigint;
  readonly txHash: Hex;
  readonly updateTxHash: Hex | undefined;
  readonly channel: 'bundle' | 'public';
  readonly lane: Address;
  readonly nonce: number;
  readonly sinceBlock: number;
  readonly targetBlock: number;
  /** The block that took its transaction. */
  readonly block: number | undefined;
  /** 0: in the very block of the update that made it liquidatable. */
  readonly blocksAfterUpdate: number | undefined;
  readonly expectedProfitUsd8: bigint;
  /** Undefined while it is open, and where it came in a token that had no price; so is what is left of it. */
  readonly grossWei: bigint | undefined;
  readonly bidWei: bigint | undefined;
  readonly gasWei: bigint | undefined;
  readonly profitWei: bigint | undefined;
  readonly profitUsd8: bigint | undefined;
  /** What was stated of it when it was planned; undefined where nothing was, or nobody asked. */
  readonly risk?: StatedRisk | undefined;
};

export type Totals = {
  /** Change of all our balances over every mined transaction, gas and bids included. */
  readonly profitUsd8: bigint;
  readonly gasUsd8: bigint;
  readonly bidUsd8: bigint;
  readonly attempts: number;
  readonly included: number;
  readonly reverted: number;
  readonly missed: number;
  readonly replaced: number;
  readonly expired: number;
  readonly open: number;
  readonly transactionsMined: number;
};

export type Report = {
  readonly from: { readonly block: number };
  readonly to: { readonly block: number };
  readonly totals: Totals;
  /** How many included attempts landed so many blocks after the update that made them possible. */
  readonly blocksAfterUpdate: Readonly<Record<string, number>>;
  /** How many attempts came to nothing, by outcome and reason. */
  readonly misses: Readonly<Record<string, number>>;
  readonly efficiency: Efficiency;
  readonly stated: Stated;
  readonly relays: readonly RelayLine[];
  /** At venues, over the ledger's whole life. */
  readonly capital: readonly Capital[];
  /** Collateral that is kept and being sold, as it was seen last. */
  readonly inventory: readonly Unwind[];
  readonly attempts: readonly AttemptLine[];
};

/** @param risks what was stated, by `statedKey` */
export function attemptLines(
  transactions: readonly TransactionRecord[],
  risks: ReadonlyMap<string, StatedRisk> = new Map(),
): readonly AttemptLine[] {
  return transactions.flatMap((transaction) =>
    transaction.attempts.map(({ result, ...intended }): AttemptLine => {
      const block = transaction.mined?.block;
      const known = result?.unpriced ? undefined : result;
      return {
        attemptId: intended.attemptId,
        outcome: result?.outcome ?? 'open',
        reason: result?.reason,
        protocol: intended.protocol,
        market: intended.market,
        account: intended.account,
        debtAsset: intended.debtAsset,
        collateralAsset: intended.collateralAsset,
        repayRaw: intended.repayRaw,
        repayUsd8: intended.repayUsd8,
        txHash: transaction.txHash,
        updateTxHash: intended.updateTxHash,
        channel: transaction.channel,
        lane: transaction.lane,
        nonce: transaction.nonce,
        sinceBlock: intended.sinceBlock,
        targetBlock: transaction.targetBlock,
        block,
        blocksAfterUpdate: block === undefined ? undefined : block - intended.sinceBlock,
        expectedProfitUsd8: intended.expectedProfitUsd8,
        grossWei: known?.grossWei,
        bidWei: result?.bidWei,
        gasWei: result?.gasWei,
        profitWei: known?.profitWei,
        profitUsd8: known?.profitUsd8,
        risk: risks.get(statedKey({ ...intended, block: transaction.targetBlock - 1 })),
      };
    }),
  );
}

export function totalsOf(transactions: readonly TransactionRecord[]): Totals {
  const mined = transactions.flatMap((transaction) => (transaction.mined === undefined ? [] : [transaction.mined]));
  const outcomes = transactions.flatMap((transaction) => transaction.attempts.map(({ result }) => result?.outcome ?? 'open'));
  const count = (outcome: AttemptLine['outcome']) => outcomes.filter((each) => each === outcome).length;
  return {
    profitUsd8: mined.reduce((sum, { netUsd8 }) => sum + netUsd8, 0n),
    gasUsd8: mined.reduce((sum, { gasWei, nativeUsd8 }) => sum + costUsd8Up(gasWei, nativeUsd8), 0n),
    bidUsd8: mined.reduce((sum, { bidWei, nativeUsd8 }) => sum + costUsd8Up(bidWei, nativeUsd8), 0n),
    attempts: outcomes.length,
    included: count('included'),
    reverted: count('reverted'),
    missed: count('missed'),
    replaced: count('replaced'),
    expired: count('expired'),
    open: count('open'),
    transactionsMined: mined.length,
  };
}

/** A plan by its position and the head that it was made at. */
export function statedKey(plan: {
  readonly protocol: string;
  readonly market: string;
  readonly account: Address;
  readonly block: number;
}): string {
  return `${plan.protocol}/${plan.market}/${plan.account}/${plan.block}`;
}

/**
 * @param notes what relays said, by transaction
 * @param risks what was stated of plans, by `statedKey`
 * @param span the blocks that the keeper is known to have seen, which may hold no transaction at all
 */
export function reportOf(
  transactions: readonly TransactionRecord[],
  notes: Parameters<typeof relayLines>[1],
  risks: ReadonlyMap<string, StatedRisk>,
  span: { readonly from?: number; readonly to?: number },
  capital: readonly Capital[] = [],
  inventory: readonly Unwind[] = [],
): Report {
  const lines = attemptLines(transactions, risks);
  const blocks = transactions.map(({ mined, targetBlock }) => mined?.block ?? targetBlock);
  const from = span.from ?? Math.min(...blocks, span.to ?? Number.MAX_SAFE_INTEGER);
  const to = Math.max(...blocks, span.to ?? 0);
  return {
    from: { block: blocks.length === 0 && span.from === undefined ? to : from },
    to: { block: Math.max(to, span.from ?? 0) },
    totals: totalsOf(transactions),
    blocksAfterUpdate: tally(
      lines
        .filter(({ outcome, protocol }) => outcome === 'included' && protocol !== INVENTORY)
        .map(({ blocksAfterUpdate }) => String(blocksAfterUpdate)),
    ),
    misses: tally(
      lines
        .filter(({ outcome }) => outcome !== 'included' && outcome !== 'open')
        .map(({ outcome, reason }) => (reason === undefined ? outcome : `${outcome}: ${reason}`)),
    ),
    efficiency: efficiencyOf(lines),
    stated: statedOf(lines),
    relays: relayLines(transactions, notes),
    capital,
    inventory,
    attempts: lines,
  };
}

function tally(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
