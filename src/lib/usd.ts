const NATIVE_UNIT = 10n ** 18n;

/** Exact plain decimals of a USD figure with 8 decimals, at least two of them shown: `-12.34`, `0.00000001`. */
export function usdText(usd8: bigint): string {
  const sign = usd8 < 0n ? '-' : '';
  const digits = (usd8 < 0n ? -usd8 : usd8).toString().padStart(9, '0');
  const fraction = digits.slice(-8).replace(/0{1,6}$/, '');
  return `${sign}${digits.slice(0, -8)}.${fraction}`;
}

/** USD (8 decimals) of an amount in wei of the native token, rounded towards minus infinity. */
export function weiToUsd8Floor(wei: bigint, nativeUsd8: bigint): bigint {
  return floorDiv(wei * nativeUsd8, NATIVE_UNIT);
}

/** Least amount of wei worth at least `usd8`. */
export function usd8ToWeiUp(usd8: bigint, nativeUsd8: bigint): bigint {
  return (usd8 * NATIVE_UNIT + nativeUsd8 - 1n) / nativeUsd8;
}

/** USD (8 decimals) of a raw token amount at a price of one whole token, rounded towards minus infinity. */
export function rawToUsd8Floor(amountRaw: bigint, price: { readonly priceUsd8: bigint; readonly decimals: number }): bigint {
  return floorDiv(amountRaw * price.priceUsd8, 10n ** BigInt(price.decimals));
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a < 0n && quotient * b !== a ? quotient - 1n : quotient;
}
