const WEI = 10n ** 18n;

/** USD worth (8 decimals) of a cost in wei, rounded up, at a price of the native token in USD with 8 decimals. */
export function costUsd8Up(wei: bigint, nativeUsd8: bigint): bigint {
  return (wei * nativeUsd8 + WEI - 1n) / WEI;
}

/** Exact plain decimals of a USD figure with 8 decimals, at least two of them shown: `-12.34`, `0.00000001`. */
export function usdText(usd8: bigint): string {
  const sign = usd8 < 0n ? '-' : '';
  const digits = (usd8 < 0n ? -usd8 : usd8).toString().padStart(9, '0');
  const fraction = digits.slice(-8).replace(/0{1,6}$/, '');
  return `${sign}${digits.slice(0, -8)}.${fraction}`;
}
