import type { ViewAnswer, ViewCall } from '../lib/types.ts';
import { intOf } from '../lib/words.ts';
import { Journal } from '../mirror/journal.ts';
import { type Answer, type LiveSource, opaqueSource, type SourceAudit } from './sources.ts';
import type { Moment, Price } from './types.ts';

/**
 * A source whose formula its contract's own answer has confirmed. Where the two differ later the formula is given up for good: the source is opaque from then on,
 * its answer read once a block.
 */
export class ConfirmedSource implements LiveSource {
  readonly #call: ViewCall;
  #source: LiveSource;

  /** @param call what the contract itself answers */
  constructor(decoded: LiveSource, call: ViewCall) {
    this.#source = decoded;
    this.#call = call;
  }

  get kind() {
    return this.#source.kind;
  }

  get address() {
    return this.#source.address;
  }

  get feeds() {
    return this.#source.feeds;
  }

  get audit(): SourceAudit | undefined {
    if (this.kind === 'opaque') return undefined;
    return { call: this.#call, confirm: (theirs, at) => this.#confirm(theirs, at) };
  }

  answer(at: Moment): Answer {
    return this.#source.answer(at);
  }

  price(at: Moment): Price {
    return this.#source.price(at);
  }

  reads(): readonly ViewCall[] {
    return this.#source.reads();
  }

  ingest(answers: readonly ViewAnswer[], journal: Journal): void {
    this.#source.ingest(answers, journal);
  }

  /** A contract that reverts agrees with a formula that has no answer. NOTE: a block taken back does not bring the formula back. */
  #confirm(theirs: ViewAnswer, at: Moment): boolean {
    const ours = this.#source.answer(at);
    if ((ours.ok ? ours.answer : undefined) === intOf(theirs)) return true;
    const opaque = opaqueSource(this.#source.address, this.#call);
    opaque.ingest([theirs], new Journal());
    this.#source = opaque;
    return false;
  }
}
