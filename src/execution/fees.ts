/** What a transaction offers for its gas. */

export type Fees = { readonly maxFeeWei: bigint; readonly tipWei: bigint };

/** A bundle that pays no bid is taken for its tip. */
export const LEAST_TIP_WEI = 1_000_000_000n;

/** A replacement must pay at least a tenth more than what it replaces; an eighth is what most nodes ask. */
const BUMP_NUMERATOR = 9n;
const BUMP_DENOMINATOR = 8n;
/** EIP-1559: the base fee rises by an eighth a block at most. */
const RISE_NUMERATOR = 9n;
const RISE_DENOMINATOR = 8n;
const MAX_RISE = 2n;

/**
 * Enough to stand whatever the base fee does until its last block, up to twice the first one's.
 *
 * @param baseFeeWei of the first block that can take it
 * @param blocks how many blocks can take it
 * @param replaced what it has to outbid to take its place
 */
export function feesFor(baseFeeWei: bigint, tipWei: bigint, blocks: number, replaced: Fees | undefined): Fees {
  const limit = baseFeeWei * MAX_RISE;
  let highest = baseFeeWei;
  for (let block = 0; block < blocks && highest < limit; block++) highest = (highest * RISE_NUMERATOR) / RISE_DENOMINATOR + 1n;
  const raised = replaced === undefined ? undefined : outbid(replaced);
  const tip = most(tipWei, raised?.tipWei ?? 0n);
  return { tipWei: tip, maxFeeWei: most((highest < limit ? highest : limit) + tip, raised?.maxFeeWei ?? 0n) };
}

function outbid({ maxFeeWei, tipWei }: Fees): Fees {
  return { maxFeeWei: bumped(maxFeeWei), tipWei: bumped(tipWei) };
}

/**
 * The fees cut to what a transaction can pay without costing more than it brings. Undefined where that does not do for a block of this base fee, or does not
 * outbid what it replaces.
 *
 * @param mostWei per gas
 */
export function capped({ maxFeeWei, tipWei }: Fees, mostWei: bigint, baseFeeWei: bigint, replaced: Fees | undefined): Fees | undefined {
  const least = most(baseFeeWei + tipWei, replaced === undefined ? 0n : bumped(replaced.maxFeeWei));
  if (mostWei < least) return undefined;
  return { tipWei, maxFeeWei: maxFeeWei < mostWei ? maxFeeWei : mostWei };
}

/** The higher of each. */
export function highest(a: Fees | undefined, b: Fees): Fees {
  return a === undefined ? b : { maxFeeWei: most(a.maxFeeWei, b.maxFeeWei), tipWei: most(a.tipWei, b.tipWei) };
}

function bumped(wei: bigint): bigint {
  return (wei * BUMP_NUMERATOR) / BUMP_DENOMINATOR + 1n;
}

export function most(a: bigint, b: bigint): bigint {
  return b > a ? b : a;
}
