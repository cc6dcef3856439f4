import type { ViewAnswer, ViewCall } from '../lib/types.ts';
import type { Journal } from '../mirror/journal.ts';

/** What logs do not tell: some calls of a block's one batch, and what becomes of their answers. */
export type Ask = { readonly calls: readonly ViewCall[]; take(answers: readonly ViewAnswer[], journal: Journal): void };

/** Hands each its own of the answers, which stand in the order of all calls. */
export function takeAnswers(asks: readonly Ask[], answers: readonly ViewAnswer[], journal: Journal): void {
  let from = 0;
  for (const ask of asks) {
    ask.take(answers.slice(from, from + ask.calls.length), journal);
    from += ask.calls.length;
  }
}
