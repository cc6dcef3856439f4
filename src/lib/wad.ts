/** A wad, not below zero, to four decimals, floored: a health factor is never shown better than it is. */
export function wadText(wad: bigint): string {
  const tenThousandths = wad / 10n ** 14n;
  return `${tenThousandths / 10_000n}.${String(tenThousandths % 10_000n).padStart(4, '0')}`;
}
