/** The shapes of relay requests, as Flashbots documents them. Keys that are not listed are let through unread (`builders`, refunds, …). */
import type { Address, Hex } from 'viem';
import { z } from 'zod';

const MAX_TRANSACTIONS = 100;
const MAX_BUNDLE_BYTES = 300_000;

const bytes = z
  .string()
  .regex(/^0x([0-9a-f]{2})+$/i, 'expected 0x-prefixed hex bytes')
  .transform((value) => value as Hex);
const hash = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/i, 'expected a 32-byte hash')
  .transform((value) => value.toLowerCase() as Hex);
const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/i, 'expected an address')
  .transform((value) => value.toLowerCase() as Address);
const seconds = z.number().int().min(0).nullish();
/** Block numbers are hex strings; no chain has more than 2^52 blocks. */
const blockNumber = z
  .string()
  .regex(/^0x[0-9a-f]{1,13}$/i, 'expected a hex number')
  .transform(Number);
/** NOTE: the Flashbots library sends maxBlockNumber as it got it, often a plain number. */
const looseBlockNumber = z.union([blockNumber, z.number().int().min(0)]);
const uuid = z.guid();

const transactions = z
  .array(bytes)
  .max(MAX_TRANSACTIONS)
  .refine((raws) => raws.reduce((sum, raw) => sum + (raw.length - 2) / 2, 0) <= MAX_BUNDLE_BYTES, `more than ${MAX_BUNDLE_BYTES} bytes`);

const sendBundle = z.object({
  txs: transactions,
  blockNumber,
  minTimestamp: seconds,
  maxTimestamp: seconds,
  revertingTxHashes: z.array(hash).max(MAX_TRANSACTIONS).nullish(),
  replacementUuid: uuid.nullish(),
});
const callBundle = z.object({
  txs: transactions.min(1),
  blockNumber,
  stateBlockNumber: z.union([z.literal('latest'), blockNumber]),
  timestamp: seconds,
  coinbase: address.nullish(),
});
const cancelBundle = z.object({ replacementUuid: uuid });
const sendPrivateTransaction = z.object({ tx: bytes, maxBlockNumber: looseBlockNumber.nullish() });
const cancelPrivateTransaction = z.object({ txHash: hash });
const bundleStats = z.object({ bundleHash: hash, blockNumber });

/** MEV-Share v0.1. */
const bodyItem = z.union([z.object({ hash }), z.object({ tx: bytes, canRevert: z.boolean().default(false) })]);
const HINTS = ['hash', 'contract_address', 'function_selector', 'calldata', 'logs', 'default_logs', 'tx_hash'] as const;
const mevSendBundle = z.object({
  version: z.enum(['v0.1', 'beta-1']),
  inclusion: z.object({ block: blockNumber, maxBlock: blockNumber.nullish() }),
  body: z.array(bodyItem).min(1).max(MAX_TRANSACTIONS),
  privacy: z.object({ hints: z.array(z.enum(HINTS)).nullish() }).nullish(),
});
export type MevBundle = z.infer<typeof mevSendBundle>;

export const requests = {
  sendBundle,
  callBundle,
  cancelBundle,
  sendPrivateTransaction,
  cancelPrivateTransaction,
  bundleStats,
  mevSendBundle,
};

/** A JSON-RPC error, answered as such. */
export class RelayError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The one parameter object of a relay method. Throws a RelayError (-32602) that names what is wrong. */
export function readParams<S extends z.ZodType>(schema: S, params: unknown): z.infer<S> {
  if (!Array.isArray(params) || params.length !== 1) throw new RelayError(-32602, 'invalid params: expected an array with one object');
  const parsed = schema.safeParse(params[0]);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RelayError(-32602, `invalid params: ${issue!.path.join('.') || 'params[0]'}: ${issue!.message}`);
}
