import { parseTransaction } from 'viem';
import { balanceChanges, type Receipt } from '../execution/accounting.ts';
import { decodeExecutorError, decodeSettlement, type Settlement } from '../execution/decode-executor.ts';
import { settleMined } from '../execution/settlement.ts';
import type { ExecutionChain } from '../execution/types.ts';
import type { OpenTransaction, TransactionResult } from '../ledger/types.ts';
import type { Address, BlockRef } from '../lib/types.ts';
import { rawToUsd8Floor } from '../lib/usd.ts';
import type { OwnAccount } from '../protocols/types.ts';
import type { Settings } from './settings.ts';

export type PricesAt = (
  block: BlockRef,
  tokens: readonly Address[],
) => Promise<ReadonlyMap<Address, { readonly priceUsd8: bigint; readonly decimals: number }>>;

type Prices = Awaited<ReturnType<PricesAt>>;

/** Settles a mined transaction with the Executor's own words and the oracle prices at the end of its block. */
export async function settleReceipt(
  transaction: OpenTransaction,
  receipt: Receipt,
  settings: Settings,
  chain: ExecutionChain,
  pricesAt: PricesAt,
  accounts: readonly OwnAccount[] = [],
): Promise<TransactionResult> {
  // Whichever Executor it was sent to.
  const executor = parseTransaction(transaction.raw).to?.toLowerCase() as Address | undefined;
  const counted = executor === undefined ? undefined : decodeSettlement(receipt.logs, executor);
  const changes = changesOf(receipt, settings, accounts);
  const changed = Object.keys(changes) as Address[];
  const prices = await pricesAt({ number: receipt.block, hash: receipt.blockHash }, [
    ...new Set([settings.wrappedNative, ...changed, ...(counted === undefined ? [] : [counted.numeraire])]),
  ]);
  const realised = counted && inWei(booked(counted, changes, settings), prices, settings.wrappedNative);
  const settlement = realised && withInventory(realised, inventoryWei(receipt, prices, settings));
  const reason = receipt.succeeded ? undefined : await revertReason(transaction, receipt, chain);
  return settleMined(transaction, receipt, settlement, reason, {
    changes,
    nativeUsd8: prices.get(settings.wrappedNative)?.priceUsd8 ?? 0n,
    unpriced: counted !== undefined && isUnpriced(counted.numeraire, prices, settings.wrappedNative),
    worthUsd8(token, amountRaw) {
      const price = prices.get(token);
      return price === undefined ? undefined : rawToUsd8Floor(amountRaw, price);
    },
  });
}

/** Of our balances, and of what is ours at venues: what is deposited there is not lost, what a position realised there is won. */
function changesOf(receipt: Receipt, { own, wrappedNative }: Settings, accounts: readonly OwnAccount[]): Readonly<Record<Address, bigint>> {
  const changes = { ...balanceChanges(receipt, own, wrappedNative) };
  for (const account of accounts) {
    const change = account.changedBy(receipt.logs);
    if (change !== undefined && change.deltaRaw !== 0n) changes[change.token] = (changes[change.token] ?? 0n) + change.deltaRaw;
  }
  return changes;
}

/** The venue's meter counts a position that stays as lost, and one that goes as won: what was made by either leg is what it realised. */
function booked(settlement: Settlement, changes: Readonly<Record<Address, bigint>>, { wrappedNative }: Settings): Settlement {
  const { numeraire, groups } = settlement;
  if (numeraire === wrappedNative) return settlement;
  const realizedRaw = changes[numeraire] ?? 0n;
  const done = groups.map((group) => (group.outcome === 'done' ? { ...group, profitRaw: realizedRaw } : group));
  return { ...settlement, grossRaw: realizedRaw, profitRaw: realizedRaw, groups: done };
}

/** What was kept of a liquidation counts at the oracle's price, and what was sold of it is taken off: together they come to what was made. */
function withInventory(settlement: Settlement, wei: bigint): Settlement {
  if (wei === 0n) return settlement;
  // NOTE: whatever keeps or sells inventory is alone in its transaction.
  const groups = settlement.groups.map((group) => (group.outcome === 'done' ? { ...group, profitRaw: group.profitRaw + wei } : group));
  return { ...settlement, grossRaw: settlement.grossRaw + wei, profitRaw: settlement.profitRaw + wei, groups };
}

function inventoryWei(receipt: Receipt, prices: Prices, { inventory, wrappedNative }: Settings): bigint {
  if (inventory === undefined) return 0n;
  const native = prices.get(wrappedNative)?.priceUsd8 ?? 0n;
  const changes = Object.entries(balanceChanges(receipt, new Set([inventory]), wrappedNative)) as [Address, bigint][];
  return changes.reduce((sum, [token, deltaRaw]) => {
    const price = token === wrappedNative ? undefined : prices.get(token);
    if (price === undefined || native === 0n) return sum;
    return sum + (deltaRaw * price.priceUsd8 * 10n ** 18n) / native / 10n ** BigInt(price.decimals);
  }, 0n);
}

/** Why a mined transaction reverted: a receipt does not say. */
async function revertReason(transaction: OpenTransaction, { txHash, blockHash }: Receipt, chain: ExecutionChain): Promise<string> {
  const { to, data } = parseTransaction(transaction.raw);
  if (to == null || data === undefined) return 'reverted';
  const { lane: from, gasLimit } = transaction;
  const reason = await chain.explain({ txHash, blockHash, from, to: to.toLowerCase() as Address, data, gasLimit });
  return reason === undefined ? 'reverted; run again it would not' : decodeExecutorError(reason);
}

/** Whether what was made can not be told in wei. */
function isUnpriced(numeraire: Address, prices: Prices, wrappedNative: Address): boolean {
  return numeraire !== wrappedNative && (prices.get(numeraire) === undefined || (prices.get(wrappedNative)?.priceUsd8 ?? 0n) === 0n);
}

/** A sequence on margin is counted in another token: what it made, in wei at that token's price; nothing where there is none, which is told (`unpriced`). */
function inWei(settlement: Settlement, prices: Prices, wrappedNative: Address): Settlement {
  if (settlement.numeraire === wrappedNative) return settlement;
  const [token, native] = [prices.get(settlement.numeraire), prices.get(wrappedNative)];
  const wei = (amountRaw: bigint) => {
    if (token === undefined || native === undefined || native.priceUsd8 === 0n) return 0n;
    return (amountRaw * token.priceUsd8 * 10n ** 18n) / native.priceUsd8 / 10n ** BigInt(token.decimals);
  };
  return {
    ...settlement,
    grossRaw: wei(settlement.grossRaw),
    bidRaw: wei(settlement.bidRaw),
    profitRaw: wei(settlement.profitRaw),
    groups: settlement.groups.map((group) => (group.outcome === 'done' ? { ...group, profitRaw: wei(group.profitRaw) } : group)),
  };
}
