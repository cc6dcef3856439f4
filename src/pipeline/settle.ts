import { parseTransaction } from 'viem';
import { balanceChanges, type Receipt } from '../execution/accounting.ts';
import { decodeExecutorError, decodeSettlement, type Settlement } from '../execution/decode-executor.ts';
import { settleMined } from '../execution/settlement.ts';
import type { ExecutionChain } from '../execution/types.ts';
import type { OpenTransaction, TransactionResult } from '../ledger/types.ts';
import type { Address, BlockRef } from '../lib/types.ts';
import { rawToUsd8Floor } from '../lib/usd.ts';
import type { Settings } from './settings.ts';

export type PricesAt = (
  block: BlockRef,
  tokens: readonly Address[],
) => Promise<ReadonlyMap<Address, { readonly priceUsd8: bigint; readonly decimals: number }>>;

/** Settles a mined transaction with the Executor's own words and the oracle prices at the end of its block. */
export async function settleReceipt(
  transaction: OpenTransaction,
  receipt: Receipt,
  settings: Settings,
  chain: ExecutionChain,
  pricesAt: PricesAt,
): Promise<TransactionResult> {
  // Whichever Executor it was sent to.
  const executor = parseTransaction(transaction.raw).to?.toLowerCase() as Address | undefined;
  const counted = executor === undefined ? undefined : decodeSettlement(receipt.logs, executor);
  const changed = Object.keys(balanceChanges(receipt, settings.own, settings.wrappedNative)) as Address[];
  const prices = await pricesAt({ number: receipt.block, hash: receipt.blockHash }, [
    ...new Set([settings.wrappedNative, ...changed, ...(counted === undefined ? [] : [counted.numeraire])]),
  ]);
  const settlement = counted && inWei(counted, prices, settings.wrappedNative);
  const reason = receipt.succeeded ? undefined : await revertReason(transaction, receipt, chain);
  return settleMined(transaction, receipt, settlement, reason, {
    own: settings.own,
    wrappedNative: settings.wrappedNative,
    nativeUsd8: prices.get(settings.wrappedNative)?.priceUsd8 ?? 0n,
    worthUsd8(token, amountRaw) {
      const price = prices.get(token);
      return price === undefined ? undefined : rawToUsd8Floor(amountRaw, price);
    },
  });
}

/** Why a mined transaction reverted: a receipt does not say. */
async function revertReason(transaction: OpenTransaction, { txHash, blockHash }: Receipt, chain: ExecutionChain): Promise<string> {
  const { to, data } = parseTransaction(transaction.raw);
  if (to == null || data === undefined) return 'reverted';
  const { lane: from, gasLimit } = transaction;
  const reason = await chain.explain({ txHash, blockHash, from, to: to.toLowerCase() as Address, data, gasLimit });
  return reason === undefined ? 'reverted; run again it would not' : decodeExecutorError(reason);
}

/** A sequence on margin is counted in another token: what it made, in wei at that token's price; nothing where there is none. */
function inWei(settlement: Settlement, prices: Awaited<ReturnType<PricesAt>>, wrappedNative: Address): Settlement {
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
