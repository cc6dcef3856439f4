import type { Generated } from 'kysely';
import type { Switch } from '../guard/types.ts';
import type { Hex } from '../lib/types.ts';
import type { ControlCommand, IntendedTransaction, OutcomeKind } from './types.ts';

/** Amounts are decimal text: no database keeps 256-bit integers, and every figure stays exact. Times are unix ms of this machine. */
type Amount = string;

export type TransactionsTable = {
  tx_hash: Hex;
  raw: Hex;
  lane: Hex;
  nonce: number;
  channel: IntendedTransaction['channel'];
  target_block: number;
  last_block: number;
  gas_limit: Amount;
  max_fee_wei: Amount;
  worst_gas_wei: Amount;
  worst_gas_usd8: Amount;
  intended_at: number;
  sent_at: number | null;
  outcome: OutcomeKind | null;
  settled_at: number | null;
  /** The event that settled it: orders settlements against resets. */
  settled_event: number | null;
  mined_block: number | null;
  mined_block_hash: Hex | null;
  gas_used: Amount | null;
  gas_wei: Amount | null;
  bid_wei: Amount | null;
  net_usd8: Amount | null;
  native_usd8: Amount | null;
  balance_changes: string | null;
};

export type AttemptsTable = {
  attempt_id: string;
  tx_hash: Hex;
  position: number;
  protocol: string;
  market: string;
  account: Hex;
  debt_asset: Hex;
  collateral_asset: Hex;
  repay_raw: Amount;
  repay_usd8: Amount;
  expected_profit_wei: Amount;
  expected_profit_usd8: Amount;
  since_block: number;
  update_tx_hash: Hex | null;
  outcome: OutcomeKind | null;
  reason: string | null;
  gross_wei: Amount | null;
  bid_wei: Amount | null;
  gas_wei: Amount | null;
  profit_wei: Amount | null;
  profit_usd8: Amount | null;
};

export type EventsTable = { id: Generated<number>; at: number; tx_hash: Hex | null; event: string; figures: string };

export type DecisionsTable = {
  id: Generated<number>;
  at: number;
  block: number;
  protocol: string;
  market: string;
  account: Hex;
  kind: 'plan' | 'skip';
  detail: string;
};

export type SwitchesTable = { id: Generated<number>; at: number; state: Switch; reason: string };

export type CommandsTable = {
  id: Generated<number>;
  at: number;
  command: ControlCommand['command'];
  after_kill: number;
  answered_at: number | null;
  answer: string | null;
};

export type FactsTable = { key: string; value: string; at: number };

/** Positions that are held at a venue; the hedge as JSON, which nothing but a restart reads. */
export type HedgesTable = { id: string; hedge: string; at: number };

/** Parent orders of inventory, by token; JSON likewise. */
export type UnwindsTable = { id: string; unwind: string; at: number };

export type Schema = {
  migrations: { version: number; name: string; at: number };
  transactions: TransactionsTable;
  attempts: AttemptsTable;
  events: EventsTable;
  decisions: DecisionsTable;
  switches: SwitchesTable;
  commands: CommandsTable;
  facts: FactsTable;
  hedges: HedgesTable;
  unwinds: UnwindsTable;
};
