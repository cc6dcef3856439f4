const WEI = 10n ** 18n;

/** USD worth (8 decimals) of a cost in wei, rounded up, at a price of the native token in USD with 8 decimals. */
export function costUsd8Up(wei: bigint, nativeUsd8: bigint): bigint {
  return (wei * nativeUsd8 + WEI - 1n) / WEI;
}
