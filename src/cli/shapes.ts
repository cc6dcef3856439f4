import { z } from 'zod';

/** The documents that commands print with `--json`: a contract with scripts. Fields may be added, none renamed. */

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const block = z.int().min(0);
/** Integers that may pass 2^53. */
const integer = z.string().regex(/^-?\d+$/);
/** Plain decimals: `-12.34`. */
const usd = z.string().regex(/^-?\d+\.\d{2,8}$/);
const holding = z.object({ asset: address, symbol: z.string(), decimals: z.int(), amountRaw: integer, valueUsd: usd });
const skip = z.looseObject({ reason: z.string() });
/** What is likely to become of a plan between quote and inclusion. Shares and slippage in basis points; the worst is what 5% of the included fall short of. */
const risk = z.object({
  ...{ includedBps: z.int(), revertedBps: z.int() },
  slippageBps: z.object({ p5: z.int(), p50: z.int(), p95: z.int() }),
  ...{ expectedProfitWei: integer, expectedProfitUsd: usd, worstProfitWei: integer, worstProfitUsd: usd },
  ...{ paths: z.int(), seed: z.int(), blocksSeen: z.int() },
});
const plan = z.object({
  option: z.string(),
  debtAsset: address,
  collateralAsset: address,
  repayRaw: integer,
  seizedRaw: integer,
  repayUsd: usd,
  route: z.string(),
  flash: z.string(),
  flashFeeRaw: integer,
  grossWei: integer,
  gasUnits: integer,
  gasWei: integer,
  bidWei: integer,
  profitWei: integer,
  profitUsd: usd,
  /** What its protocol tells of it beside. Of a takeover: discount, cost of the close, funding that the account owes. */
  told: z.record(z.string(), z.string()).optional(),
  risk: risk.optional(),
});

const position = z
  .object({
    protocol: z.string(),
    market: z.string(),
    account: address,
    healthFactorWad: integer.optional(),
    liquidatable: z.boolean(),
    collateralUsd: usd,
    debtUsd: usd,
    collateral: z.array(holding),
    debt: z.array(holding),
    plan: plan.optional(),
    skip: skip.optional(),
  })
  .refine((row) => (row.plan === undefined) !== (row.skip === undefined), 'either a plan or a skip');

const head = z.object({ number: block, hash, timestamp: z.int() });

export const scanShape = z.object({ block: head, positions: z.array(position) });
export const explainShape = z.object({
  block: head,
  account: address,
  positions: z.array(position),
  /** What a keeper on this DATA_DIR decided before, newest first. */
  decisions: z.array(
    z.object({ at: z.int(), block, protocol: z.string(), market: z.string(), kind: z.enum(['plan', 'skip']), detail: z.string() }),
  ),
});

const stressRound = z.object({
  liquidatable: z.int(),
  planned: z.int(),
  debtUsd: usd,
  badDebtUsd: usd,
  repayUsd: usd,
  seizedUsd: usd,
  gasUsd: usd,
  bidUsd: usd,
  profitUsd: usd,
  /** Liquidatable and left alone, by reason. */
  skipped: z.record(z.string(), z.int()),
  /** What selling all that is seized does to a token's price at the pools, in parts of a million. */
  impacts: z.array(z.object({ token: address, symbol: z.string(), soldRaw: integer, movePpm: z.int() })),
  positions: z.array(
    z.object({
      ...{ protocol: z.string(), market: z.string(), account: address, healthFactorWad: integer },
      ...{ debtUsd: usd, collateralUsd: usd, plan: plan.optional(), skip: skip.optional() },
    }),
  ),
});
export const stressShape = z.object({
  block: head,
  shocks: z.array(z.object({ token: address, symbol: z.string(), movePpm: z.int(), feeds: z.array(address) })),
  /** The first is the shock itself; in each further one prices have followed the pools. */
  rounds: z.array(stressRound).min(1),
  curve: z.array(z.object({ part: z.int(), parts: z.int(), liquidatable: z.int(), debtUsd: usd, profitUsd: usd })),
});

export const deployShape = z.object({
  executor: address,
  owner: address,
  txHash: hash,
  block,
  chainId: z.int(),
  operators: z.array(address),
  treasury: address,
  wrappedNative: address,
});

export const attemptShape = z.object({
  attemptId: z.string(),
  outcome: z.enum(['included', 'reverted', 'missed', 'replaced', 'expired', 'open']),
  reason: z.string().optional(),
  protocol: z.string(),
  market: z.string(),
  account: address,
  debtAsset: address,
  collateralAsset: address,
  repayRaw: integer,
  repayUsd: usd,
  txHash: hash,
  updateTxHash: hash.optional(),
  channel: z.enum(['bundle', 'public']),
  lane: address,
  nonce: z.int(),
  sinceBlock: block,
  targetBlock: block,
  block: block.optional(),
  blocksAfterUpdate: z.int().optional(),
  expectedProfitUsd: usd,
  grossWei: integer.optional(),
  bidWei: integer.optional(),
  gasWei: integer.optional(),
  profitWei: integer.optional(),
  profitUsd: usd.optional(),
  risk: z.object({ includedBps: z.int(), revertedBps: z.int(), expectedProfitUsd: usd, worstProfitUsd: usd }).optional(),
});

export const reportShape = z.object({
  from: z.object({ block }),
  to: z.object({ block }),
  totals: z.object({
    profitUsd: usd,
    gasUsd: usd,
    bidUsd: usd,
    attempts: z.int(),
    included: z.int(),
    reverted: z.int(),
    missed: z.int(),
    replaced: z.int(),
    expired: z.int(),
    open: z.int(),
    transactionsMined: z.int(),
  }),
  blocksAfterUpdate: z.record(z.string(), z.int()),
  misses: z.record(z.string(), z.int()),
  /** Shares in basis points, left out where there is nothing to take a share of. */
  efficiency: z.object({
    ...{ tried: z.int(), won: z.int() },
    ...{ captureRateBps: z.int().optional(), slippageBps: z.int().optional(), revertRateBps: z.int().optional() },
    ...{ bidShareBps: z.int().optional(), gasShareBps: z.int().optional() },
    blocksToLiquidate: z.object({ p50: z.int(), p90: z.int(), most: z.int() }).optional(),
    residualDebtUsd: usd,
    missedProfitUsd: z.record(z.string(), usd),
  }),
  /** What was stated of plans before they were sent, and what became of them: of those settled. */
  stated: z.object({
    ...{ attempts: z.int(), settled: z.int(), expectedProfitUsd: usd, profitUsd: usd },
    ...{ expectedIncluded: z.int(), included: z.int(), expectedReverted: z.int(), reverted: z.int(), belowWorst: z.int() },
  }),
  /** In transactions of ours; landed are those that it had accepted and that were mined. */
  relays: z.array(z.object({ relay: z.string(), sent: z.int(), accepted: z.int(), refused: z.int(), landed: z.int() })),
  /** Margin at venues, in raw units of the token that it is paid out in, over the ledger's whole life. */
  capital: z.array(
    z.object({
      ...{ deployment: z.string(), executor: address, token: address },
      ...{ first: z.object({ block, amountRaw: integer }), last: z.object({ block, amountRaw: integer }) },
      ...{ depositedRaw: integer, withdrawnRaw: integer, leftRaw: integer },
    }),
  ),
  /** Collateral that is kept and being sold; `entryUsd`: the price of a whole token when it was taken up. */
  inventory: z.array(
    z.object({
      ...{ token: address, phase: z.enum(['opening', 'selling', 'stopping']), heldRaw: integer },
      ...{ valueUsd: usd, entryUsd: usd, sinceBlock: block },
    }),
  ),
  attempts: z.array(attemptShape),
});

export const doctorShape = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), mend: z.string() })),
});

export const controlShape = z.object({ done: z.boolean(), answer: z.string() });

export const envShape = z.array(
  z.object({ name: z.string(), default: z.string(), required: z.boolean(), secret: z.boolean(), description: z.string() }),
);

/** Of `run`, when it has stopped. */
export const runShape = z.object({ stopped: z.enum(['SIGINT', 'SIGTERM']) });

export type DeployDocument = z.output<typeof deployShape>;
export type DoctorDocument = z.output<typeof doctorShape>;
