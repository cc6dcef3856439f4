/** A 20-byte address, always lowercase inside the program; checksummed only where it is shown. */
export type Address = `0x${string}`;
export type Hex = `0x${string}`;

/** A block's place in the chain. */
export type BlockRef = { readonly number: number; readonly hash: Hex };

/** What the keeper keeps of a block header. Timestamps are unix seconds of the chain, never of this machine. */
export type Head = BlockRef & {
  readonly parentHash: Hex;
  readonly timestamp: number;
  readonly baseFeeWei: bigint;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  /** What the block's logs are held against; absent where a chain's headers do not tell it. */
  readonly logsBloom?: Hex;
  readonly receiptsRoot?: Hex;
};

/** A log as the chain gave it, undecoded. */
export type RawLog = {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly logIndex: number;
  readonly transactionHash: Hex;
};

/** Logs wanted: any of `addresses` (all, when absent) whose first topic is any of `topics0`. */
export type LogFilter = { readonly addresses?: readonly Address[]; readonly topics0: readonly Hex[] };

/**
 * A contract call without effect. `alone`: made by no contract, because the callee answers none; costs more than a place in the batch. `storage`: no call, but
 * the word that the contract keeps in slot `data`, where no view tells it; costs as much as one that is made alone.
 */
export type ViewCall = { readonly to: Address; readonly data: Hex; readonly alone?: true; readonly storage?: true };
/** Its answer: the returned bytes, or the fact that it reverted (with the revert data). */
export type ViewAnswer = { readonly ok: true; readonly data: Hex } | { readonly ok: false; readonly data: Hex };
