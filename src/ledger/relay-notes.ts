import type { Hex } from '../lib/types.ts';
import type { TransactionRecord } from './reader.ts';

/** What one relay, or the public mempool's endpoint, said to a transaction. */
export type RelayWord = { readonly relay: string; readonly answer: string; readonly detail: string };

/** As the books keep it beside a transaction that went out. What it went out by several times is told apart by a number. */
export function noteOf(words: readonly RelayWord[]): Readonly<Record<string, string>> {
  const names = words.map(({ relay }) => relay);
  const name = (relay: string, index: number) => (names.indexOf(relay) === names.lastIndexOf(relay) ? relay : `${index} ${relay}`);
  return Object.fromEntries(words.map(({ relay, answer, detail }, index) => [name(relay, index), `${answer} ${detail}`]));
}

/** What relays were handed and what came of it, in transactions of ours. */
export type RelayLine = {
  readonly relay: string;
  /** How often it was handed one. */
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  /** Mined of those that it had accepted. NOTE: others may have had them too, and nobody tells whose bundle it was. */
  readonly landed: number;
};

/** @param notes those of each transaction, by its hash */
export function relayLines(
  transactions: readonly TransactionRecord[],
  notes: ReadonlyMap<Hex, readonly Readonly<Record<string, string>>[]>,
): readonly RelayLine[] {
  const lines = new Map<string, { sent: number; accepted: number; refused: number; landed: number }>();
  for (const { txHash, mined } of transactions) {
    const took = new Set<string>();
    for (const [name, word] of (notes.get(txHash) ?? []).flatMap((note) => Object.entries(note))) {
      const relay = name.replace(/^\d+ /, '');
      const answer = word.split(' ', 1)[0];
      if (answer === 'resting' || relay.includes(' ')) continue;
      const line = lines.get(relay) ?? { sent: 0, accepted: 0, refused: 0, landed: 0 };
      lines.set(relay, line);
      line.sent++;
      if (answer === 'refused') line.refused++;
      if (answer !== 'accepted') continue;
      line.accepted++;
      if (mined !== undefined && !took.has(relay)) line.landed++;
      took.add(relay);
    }
  }
  return Array.from(lines, ([relay, line]) => ({ relay, ...line }));
}
