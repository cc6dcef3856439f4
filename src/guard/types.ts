/** The operator's limits. Undefined lists mean no restriction. */
export type Limits = {
  readonly maxBaseFeeWei: bigint;
  readonly maxGasUsd8PerDay: bigint;
  readonly maxLossUsd8PerDay: bigint;
  readonly maxPositionUsd8: bigint;
  readonly maxConsecutiveFailures: number;
  readonly allowTokens: ReadonlySet<string> | undefined;
  readonly denyTokens: ReadonlySet<string>;
  /** `protocol/market`, `market`, or an address. */
  readonly denyMarkets: ReadonlySet<string>;
};

export type Switch = 'running' | 'paused' | 'killed';
