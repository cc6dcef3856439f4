/** What is ours at a venue as margin, over the ledger's life; a fact for each deployment. Raw units of the token that it is paid out in. */
import type { Address } from '../lib/types.ts';

export type Capital = {
  readonly deployment: string;
  readonly executor: Address;
  readonly token: Address;
  readonly first: { readonly block: number; readonly amountRaw: bigint };
  readonly last: { readonly block: number; readonly amountRaw: bigint };
  /** By others than the keeper: the owner's deposits and withdrawals. */
  readonly depositedRaw: bigint;
  readonly withdrawnRaw: bigint;
  /** What our own transactions left there, beside what they paid out. */
  readonly leftRaw: bigint;
};

/** Capital facts' keys begin with it. */
export const CAPITAL = 'capital ';

type Seen = Pick<Capital, 'deployment' | 'executor' | 'token'> & { readonly block: number; readonly amountRaw: bigint };

/**
 * The capital as it is seen now.
 *
 * @param oursRaw what of the change since it was seen last our own transactions made
 */
export function seenAgain(before: Capital | undefined, { block, amountRaw, ...account }: Seen, oursRaw: bigint): Capital {
  const last = { block, amountRaw };
  if (before === undefined || before.executor !== account.executor)
    return { ...account, first: last, last, depositedRaw: 0n, withdrawnRaw: 0n, leftRaw: 0n };
  const othersRaw = amountRaw - before.last.amountRaw - oursRaw;
  return {
    ...{ ...account, first: before.first, last, leftRaw: before.leftRaw + oursRaw },
    depositedRaw: before.depositedRaw + (othersRaw > 0n ? othersRaw : 0n),
    withdrawnRaw: before.withdrawnRaw - (othersRaw < 0n ? othersRaw : 0n),
  };
}

export function capitalText(capital: Capital): string {
  return JSON.stringify(capital, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

export function capitalOf(text: string): Capital {
  const { first, last, depositedRaw, withdrawnRaw, leftRaw, ...account } = JSON.parse(text) as Capital;
  const at = ({ block, amountRaw }: Capital['first']) => ({ block, amountRaw: BigInt(amountRaw) });
  const sums = { depositedRaw: BigInt(depositedRaw), withdrawnRaw: BigInt(withdrawnRaw), leftRaw: BigInt(leftRaw) };
  return { ...account, first: at(first), last: at(last), ...sums };
}
