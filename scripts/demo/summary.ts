/** The verdict on a run: the chain's views and the lens on one side, what the keeper did and wrote down on the other. */
import type { Address, Hex } from 'viem';
import type { TransactionRecord } from '../../src/ledger/reader.ts';
import { usdText } from '../../src/lib/usd.ts';
import type { MarketEvidence } from './markets.ts';
import type { Takeover } from './perp.ts';

export type Update = { readonly title: string; readonly block: number; readonly txHashes: readonly Hex[] };

export type DemoSummary = {
  readonly ok: boolean;
  readonly liquidatable: number;
  readonly profitable: number;
  readonly liquidated: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly profitUsd: string;
  readonly gasUsd: string;
  readonly bidUsd: string;
  /** Liquidations by the blocks between the update that made them possible and the block that took them. */
  readonly blocksAfterUpdate: Readonly<Record<string, number>>;
  readonly protocols: Readonly<
    Record<string, { readonly liquidatable: number; readonly profitable: number; readonly liquidated: number; readonly profitUsd: string }>
  >;
  readonly updates: readonly {
    readonly title: string;
    readonly block: number;
    readonly transactions: number;
    readonly liquidatable: number;
    /** Of those that the lens tried. */
    readonly profitable: number;
    /** Liquidatable, and too many for the lens. */
    readonly untried: number;
    readonly liquidatedSameBlock: number;
    readonly liquidatedNextBlock: number;
    /** Profitable, and left by name for later in blocks that were full of gas. */
    readonly crowdedOut: number;
  }[];
  /** From the head's arrival until the keeper had decided the block, in ms, and how many of its blocks took longer than a slot. */
  readonly lagMs: { readonly p50: number; readonly p99: number; readonly blocks: number; readonly late: number };
  /** Positions of a perp venue that we took over, and their closes: both legs. USD as plain decimals. */
  readonly takeovers: readonly {
    readonly account: Address;
    readonly block: number;
    readonly takenUsd: string;
    readonly discountUsd: string;
    readonly closedUsd: string | null;
    readonly madeUsd: string | null;
  }[];
  /** Transactions of ours that were mined in vain. */
  readonly reverted: number;
  readonly ledgerEqualsChain: boolean;
  /** Why `ok` is false; empty otherwise. */
  readonly shortfalls: readonly string[];
};

export type Evidence = {
  readonly markets: readonly MarketEvidence[];
  readonly executors: readonly Address[];
  readonly takeovers: readonly Takeover[];
  readonly updates: readonly Update[];
  readonly ledger: readonly TransactionRecord[];
  /** The last reason the keeper gave for leaving an account alone. */
  readonly skips: ReadonlyMap<Address, string>;
  /** Of each block that the keeper decided. */
  readonly lagsMs: readonly number[];
  readonly slotMs: number;
  /** Of a block's gas limit, what was used. */
  gasShare(block: number): Promise<number>;
  /** Change of our balances over the run, by asset. */
  readonly chainChanges: ReadonlyMap<Address, bigint>;
};

/** A block that is at least so full holds all that transactions of estimated gas can: the rest of their limits has to be free when their turn comes. */
const FULL = 0.5;
/** Why a crowd is left for later blocks where one has no room for it: gas, or pools that others of it close at. */
const CROWDED = new Set(['block-full', 'below-min-profit', 'gas-too-high']);

export async function summarise(evidence: Evidence, progress: (line: string) => void): Promise<DemoSummary> {
  const { markets, executors } = evidence;
  const ours = markets.flatMap(({ liquidations }) => liquidations).filter(({ liquidator }) => executors.includes(liquidator));
  const shortfalls: string[] = [];
  const updates: DemoSummary['updates'][number][] = [];
  /** With the protocol of each. */
  const everLiquidatable = new Map<Address, string>();
  const everProfitable = new Map<Address, string>();
  const lastUpdateOf = new Map<string, number>();
  for (const update of evidence.updates) {
    const { title, block, txHashes } = update;
    progress(`the lens tries the liquidations that block ${block} made possible`);
    const liquidatable = new Set<Address>();
    let [untried, crowdedOut] = [0, 0];
    const isFull = Math.min(await evidence.gasShare(block), await evidence.gasShare(block + 1)) >= FULL;
    const profitable: { account: Address; profitUsd: number; within: number | undefined }[] = [];
    for (const { protocol, judge, within } of markets)
      for (const { account, liquidatable: isLiquidatable, profitUsd, untried: isUntried } of await judge(update)) {
        if (isUntried) untried++;
        if (isLiquidatable) liquidatable.add(account);
        if (isLiquidatable) everLiquidatable.set(account, protocol);
        if (profitUsd === null) continue;
        profitable.push({ account, profitUsd, within });
        everProfitable.set(account, protocol);
      }
    const taken = [0, 0];
    for (const { account, profitUsd, within } of profitable) {
      const last = block + (within ?? 1);
      const delay = ours.find((one) => one.account === account && one.block >= block && one.block <= last)?.block;
      const reason = evidence.skips.get(account);
      if (delay !== undefined && delay <= block + 1) taken[delay - block]!++;
      // What pays alone may not pay behind others that close at the same pool: it is enough that the keeper says so.
      else if (delay === undefined && isFull && reason !== undefined && CROWDED.has(reason)) crowdedOut++;
      else if (delay === undefined && (within === undefined || reason === undefined))
        shortfalls.push(
          `${account} would have paid ${profitUsd.toFixed(2)} USD after the update in block ${block} and was not liquidated by block ${last} (${reason ?? 'no reason given'})`,
        );
    }
    for (const one of ours)
      if (one.block >= block && liquidatable.has(one.account)) lastUpdateOf.set(`${one.txHash}${one.account}${one.block}`, block);
    updates.push({
      ...{ title, block, transactions: txHashes.length, liquidatable: liquidatable.size, profitable: profitable.length, untried },
      ...{ liquidatedSameBlock: taken[0]!, liquidatedNextBlock: taken[1]!, crowdedOut },
    });
  }

  const blocksAfterUpdate: Record<string, number> = {};
  for (const one of ours) {
    const since = lastUpdateOf.get(`${one.txHash}${one.account}${one.block}`);
    const key = since === undefined ? 'another cause' : String(one.block - since);
    blocksAfterUpdate[key] = (blocksAfterUpdate[key] ?? 0) + 1;
  }
  const liquidated = new Set(ours.map(({ account }) => account));
  const skipped: Record<string, number> = {};
  for (const account of everLiquidatable.keys()) {
    if (liquidated.has(account)) continue;
    const reason = evidence.skips.get(account) ?? 'not seen';
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  }

  const sums = sumLedger(evidence.ledger);
  const mismatch = differences(sums.changes, evidence.chainChanges);
  for (const line of mismatch) shortfalls.push(`ledger and chain disagree: ${line}`);
  if (ours.length === 0) shortfalls.push('nothing was liquidated');
  return {
    ok: shortfalls.length === 0,
    liquidatable: everLiquidatable.size,
    profitable: everProfitable.size,
    liquidated: liquidated.size,
    skipped,
    profitUsd: usdText(sums.netUsd8),
    gasUsd: usdText(sums.gasUsd8),
    bidUsd: usdText(sums.bidUsd8),
    blocksAfterUpdate,
    protocols: Object.fromEntries(
      markets.map(({ protocol, liquidations }) => [
        protocol,
        {
          liquidatable: [...everLiquidatable.values()].filter((name) => name === protocol).length,
          profitable: [...everProfitable.values()].filter((name) => name === protocol).length,
          liquidated: new Set(liquidations.flatMap(({ liquidator, account }) => (executors.includes(liquidator) ? [account] : []))).size,
          profitUsd: usdText(profitOf(protocol, evidence.ledger)),
        },
      ]),
    ),
    updates,
    takeovers: evidence.takeovers
      .filter(({ liquidator }) => executors.includes(liquidator))
      .map(({ account, block, takenUsd, discountUsd, closedUsd, madeUsd }) => ({
        ...{ account, block, takenUsd: takenUsd.toFixed(2), discountUsd: discountUsd.toFixed(2) },
        ...{ closedUsd: closedUsd?.toFixed(2) ?? null, madeUsd: madeUsd?.toFixed(2) ?? null },
      })),
    lagMs: lagOf(evidence),
    reverted: evidence.ledger.filter(({ outcome }) => outcome === 'reverted').length,
    ledgerEqualsChain: mismatch.length === 0,
    shortfalls,
  };
}

function lagOf({ lagsMs, slotMs }: Evidence): DemoSummary['lagMs'] {
  const sorted = lagsMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), blocks: sorted.length, late: sorted.filter((lagMs) => lagMs > slotMs).length };
}

function profitOf(protocol: string, ledger: readonly TransactionRecord[]): bigint {
  const attempts = ledger.flatMap((transaction) => transaction.attempts).filter((attempt) => attempt.protocol === protocol);
  return attempts.reduce((sum, { result }) => sum + (result?.profitUsd8 ?? 0n), 0n);
}

function sumLedger(ledger: readonly TransactionRecord[]) {
  const changes = new Map<Address, bigint>();
  const sums = { netUsd8: 0n, gasUsd8: 0n, bidUsd8: 0n };
  for (const { mined } of ledger) {
    if (mined === undefined) continue;
    sums.netUsd8 += mined.netUsd8;
    sums.gasUsd8 += (mined.gasWei * mined.nativeUsd8) / 10n ** 18n;
    sums.bidUsd8 += (mined.bidWei * mined.nativeUsd8) / 10n ** 18n;
    for (const [token, delta] of Object.entries(mined.balanceChanges) as [Address, bigint][])
      changes.set(token, (changes.get(token) ?? 0n) + delta);
  }
  return { ...sums, changes };
}

function differences(ledger: ReadonlyMap<Address, bigint>, chain: ReadonlyMap<Address, bigint>): string[] {
  const tokens = new Set([...ledger.keys(), ...chain.keys()]);
  return [...tokens].flatMap((token) => {
    const [ours, theirs] = [ledger.get(token) ?? 0n, chain.get(token) ?? 0n];
    return ours === theirs ? [] : [`${token}: ${ours} in the ledger, ${theirs} on the chain`];
  });
}
