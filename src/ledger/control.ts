import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerFile, openDatabase } from './database.ts';
import { isLocked } from './lock.ts';
import { requireVersion } from './migrations.ts';
import type { ControlCommand } from './types.ts';

export type CommandAnswer =
  | { readonly kind: 'answered'; readonly done: boolean; readonly answer: string }
  /** Nobody holds the folder. */
  | { readonly kind: 'no-keeper' }
  | { readonly kind: 'silent'; readonly waitedMs: number };

const LOOK_EVERY_MS = 50;
const REFUSED = 'refused: ';

/** The text that a keeper acknowledges a command with (`Ledger.acknowledge`). */
export function spokenAnswer(done: boolean, answer: string): string {
  return done ? answer : `${REFUSED}${answer}`;
}

function heardAnswer(text: string): CommandAnswer {
  const refused = text.startsWith(REFUSED);
  return { kind: 'answered', done: !refused, answer: refused ? text.slice(REFUSED.length) : text };
}

/** Leaves a command for the keeper that runs on `dataDir` and waits for its answer. What is not answered in time is taken back. */
export async function commandKeeper(
  dataDir: string,
  { command, afterKill }: Pick<ControlCommand, 'command' | 'afterKill'>,
  waitMs = 5_000,
): Promise<CommandAnswer> {
  if (!isLocked(dataDir)) return { kind: 'no-keeper' };
  const file = ledgerFile(dataDir);
  const db = openDatabase(file, 'command');
  try {
    await requireVersion(db, file);
    const row = { command, after_kill: afterKill ? 1 : 0, at: Date.now(), answered_at: null, answer: null };
    const { id } = await db.insertInto('commands').values(row).returning('id').executeTakeFirstOrThrow();
    for (const until = Date.now() + waitMs; ; await sleep(LOOK_EVERY_MS)) {
      const { answer } = await db.selectFrom('commands').select('answer').where('id', '=', id).executeTakeFirstOrThrow();
      if (answer !== null) return heardAnswer(answer);
      if (Date.now() >= until) break;
    }
    const unanswered = { answer: 'taken back: no answer in time', answered_at: Date.now() };
    const taken = await db.updateTable('commands').set(unanswered).where('id', '=', id).where('answered_at', 'is', null).executeTakeFirst();
    if (taken.numUpdatedRows === 0n) {
      const { answer } = await db.selectFrom('commands').select('answer').where('id', '=', id).executeTakeFirstOrThrow();
      if (answer !== null) return heardAnswer(answer);
    }
    return isLocked(dataDir) ? { kind: 'silent', waitedMs: waitMs } : { kind: 'no-keeper' };
  } finally {
    await db.destroy();
  }
}
