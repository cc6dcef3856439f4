import type { Surcharge } from '../chain/rollup.ts';
import type { Address } from '../lib/types.ts';
import type { PriceMoves } from '../risk/price-moves.ts';
import type { BidPolicy } from './bids/policy.ts';
import type { GasUse } from './gas.ts';
import type { Patience } from './patience.ts';

/** What one block's planning takes for granted: the operator's wishes and the block's prices. */
export type Terms = {
  readonly executor: Address;
  /** Profit is counted, and paid, in this token: wrapped native. */
  readonly numeraire: Address;
  /** USD of one whole numeraire, 8 decimals: the price that turns profit into USD. */
  readonly numeraireUsd8: bigint;
  /** Base fee of the block that will include us plus our priority fee, per gas. */
  readonly gasPriceWei: bigint;
  /** The same for what bids nothing, and has to be taken for its tip. Absent: no different. */
  readonly unbidGasPriceWei?: bigint;
  /** Of the gas that a plan is estimated at, what is likely to be used (gas.ts), in basis points. Absent: all of it. */
  readonly gasUsedBps?: bigint;
  /** The same by protocol, where it is known. */
  readonly gasUse?: Pick<GasUse, 'usedBps' | 'usedOfManyBps'>;
  /** What a rollup charges for one liquidation beyond its gas: data posted on the parent chain, the operator's fee. */
  readonly surcharge: Surcharge;
  readonly minProfitUsd8: bigint;
  /** Share of (gross - gas) offered to the builder. Zero where nobody takes bids. */
  readonly bid: BidPolicy;
  /** Largest repayment in USD, 8 decimals. */
  readonly maxPositionUsd8: bigint;
  tokenAllowed(token: Address): boolean;
  /** Gas that one transaction may use (EIP-7825, or the block's own limit when lower). */
  readonly maxTransactionGas: bigint;
  /** Gas that all our transactions of a block may use. */
  readonly maxBlockGas: bigint;
  /** So many liquidations there is time for in a block. Absent: as many as there are. */
  readonly mostPlans?: number;
  /** A whole slot is left: many candidates may be weighed in several orders. Absent: what is planned follows an update at once. */
  readonly unhurried?: true;
  /** How the pools have moved, where they may move again before a plan is carried out; undefined where nothing can come between. */
  readonly moves?: PriceMoves;
  /** What may be left for later blocks, where nobody else comes and pools recover. Absent: nothing is. */
  readonly patience?: Patience | undefined;
};

/** Intrinsic cost of a transaction, the Executor's own frame, and the sweep to the treasury (measured on the devnet: 112k without a group). */
export const TRANSACTION_GAS = 130_000n;
/** What a group adds by itself: its calldata, its frame and its profit check (measured on the devnet: about 45k). */
export const GROUP_GAS = 60_000n;
