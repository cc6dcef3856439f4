import { max } from '../lib/math.ts';
import { INVENTORY } from '../risk/types.ts';
import type { Database } from './database.ts';
import { costUsd8Up } from './money.ts';
import type { Spending } from './types.ts';

/** The event after which consecutive failures are counted. */
export const FAILURES_RESET = 'failures.reset';

/** More than any operator's limit on consecutive failures needs to be told apart. */
const LONGEST_STREAK = 1_000;

/**
 * Gas and losses of what was mined and settled since `sinceMs`, and the worst case of everything still open, whenever it was intended. A loss is a
 * mined transaction that left us poorer; gains do not make up for it. A failure is a mined transaction that reverted or lost money.
 */
export async function spendingSince(db: Database, sinceMs: number): Promise<Spending> {
  const open = await db
    .selectFrom('transactions')
    .select(['worst_gas_usd8', 'channel', 'lane', 'nonce'])
    .where('outcome', 'is', null)
    .execute();
  const mined = await db
    .selectFrom('transactions')
    .select(['gas_wei', 'native_usd8', 'net_usd8'])
    .where('settled_at', '>=', sinceMs)
    .where('mined_block', 'is not', null)
    .execute();
  const worstGas = sumOf(open);
  // A bundle that fails is not mined, and loses nothing.
  const worstLoss = sumOf(open.filter((row) => row.channel === 'public'));
  const gas = mined.reduce((sum, row) => sum + costUsd8Up(BigInt(row.gas_wei ?? 0), BigInt(row.native_usd8 ?? 0)), 0n);
  const loss = mined.reduce((sum, row) => sum + lossOf(BigInt(row.net_usd8 ?? 0)), 0n);
  return { gasUsd8: worstGas + gas, lossUsd8: worstLoss + loss, consecutiveFailures: await failureStreak(db) };
}

async function failureStreak(db: Database): Promise<number> {
  const reset = await db
    .selectFrom('events')
    .select((eb) => eb.fn.max('id').as('id'))
    .where('event', '=', FAILURES_RESET)
    .executeTakeFirstOrThrow();
  const latest = await db
    .selectFrom('transactions')
    .select(['outcome', 'net_usd8'])
    .where('mined_block', 'is not', null)
    .where('settled_event', '>', reset.id ?? 0)
    // What only freed a nonce has tried nothing; what sold inventory may cost a little, and did what it should.
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('attempts')
          .select('attempt_id')
          .whereRef('attempts.tx_hash', '=', 'transactions.tx_hash')
          .where(({ eb, or }) => or([eb('attempts.protocol', '!=', INVENTORY), eb('transactions.outcome', '!=', 'included')])),
      ),
    )
    .orderBy('mined_block', 'desc')
    .orderBy('nonce', 'desc')
    .limit(LONGEST_STREAK)
    .execute();
  const success = latest.findIndex((row) => row.outcome === 'included' && BigInt(row.net_usd8 ?? 0) >= 0n);
  return success === -1 ? latest.length : success;
}

/** NOTE: of all that was signed for one nonce, one can be mined. */
function sumOf(open: readonly { readonly worst_gas_usd8: string; readonly lane: string; readonly nonce: number }[]): bigint {
  const worst = new Map<string, bigint>();
  for (const { lane, nonce, worst_gas_usd8: text } of open) {
    const key = `${lane} ${nonce}`;
    worst.set(key, max(worst.get(key) ?? 0n, BigInt(text)));
  }
  return [...worst.values()].reduce((sum, usd8) => sum + usd8, 0n);
}

function lossOf(netUsd8: bigint): bigint {
  return netUsd8 < 0n ? -netUsd8 : 0n;
}
