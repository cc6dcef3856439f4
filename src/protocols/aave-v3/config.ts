/** The packed configuration word of a reserve (ReserveConfiguration.sol has its layout). */

export type ReserveConfig = {
  readonly liquidationThresholdBps: bigint;
  /** 10500 is a bonus of 5%. */
  readonly liquidationBonusBps: bigint;
  readonly decimals: number;
  readonly active: boolean;
  readonly paused: boolean;
  readonly flashLoanEnabled: boolean;
  /** The treasury's share of the bonus. */
  readonly liquidationProtocolFeeBps: bigint;
  /** The efficiency mode that it belongs to, 0 for none; unused from 3.2 on. */
  readonly eMode: number;
};

export function decodeReserveConfig(word: bigint): ReserveConfig {
  const bits = (from: number, count: number) => (word >> BigInt(from)) & ((1n << BigInt(count)) - 1n);
  return {
    liquidationThresholdBps: bits(16, 16),
    liquidationBonusBps: bits(32, 16),
    decimals: Number(bits(48, 8)),
    active: bits(56, 1) === 1n,
    paused: bits(60, 1) === 1n,
    flashLoanEnabled: bits(63, 1) === 1n,
    liquidationProtocolFeeBps: bits(152, 16),
    eMode: Number(bits(168, 8)),
  };
}

/** UserConfiguration.sol: two bits a reserve id, the lower one for debt, the higher one for collateral. */
export function decodeUserConfig(word: bigint): { readonly collateralIds: readonly number[]; readonly debtIds: readonly number[] } {
  const collateralIds: number[] = [];
  const debtIds: number[] = [];
  for (let id = 0, rest = word; rest !== 0n; id++, rest >>= 2n) {
    if ((rest & 1n) === 1n) debtIds.push(id);
    if ((rest & 2n) === 2n) collateralIds.push(id);
  }
  return { collateralIds, debtIds };
}
