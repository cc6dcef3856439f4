import { callAs, readActorCode } from '../chain/actions/callAs.ts';
import type { Rpc } from '../chain/types.ts';
import type { Errands } from '../lib/errands.ts';
import type { Address, Head, Hex } from '../lib/types.ts';
import { actingOf, oddityIn, type Trial, trialOf } from './transfers.ts';

/** Blocks from one later trial to the next: what was found changes with a token's upgrade, pause or fee, and the Executor's own checks hold meanwhile. */
const TRIAL_EVERY = 64;
/** Trials begun in one block. */
const MOST_AT_ONCE = 200;

/** Who knows the pools, and has to keep away from odd tokens. */
export type Exchanging = {
  holders(): ReadonlyMap<Address, { readonly holder: Address; readonly heldRaw: bigint }>;
  shun(odd: ReadonlyMap<Address, string>): void;
};

/** `cause` is undefined for a token that is odd no more. */
export type Finding = { readonly token: Address; readonly cause: string | undefined };

export type TokenTrialsParts = {
  readonly rpc: Rpc;
  /** Without it nothing can be tried. */
  readonly multicall3: Address | undefined;
  readonly exchanging: Exchanging;
  readonly recipient: Address;
  /** Whatever can wait makes room in a block with trials. */
  readonly errands: Errands;
  readonly found: (finding: Finding) => void;
};

/**
 * Tries every token that a mirrored pool holds: each once when it is first there, then one of all in turn, those that are odd twice as often.
 * What cannot be tried is taken for an ordinary token.
 */
export class TokenTrials {
  readonly #parts: TokenTrialsParts;
  readonly #tried = new Set<Address>();
  readonly #odd = new Map<Address, string>();
  #code: Hex | undefined;
  #turn = 0;
  #busy = false;

  constructor(parts: TokenTrialsParts) {
    this.#parts = parts;
  }

  /** Resolves when the tokens that are due have been tried, or could not be; never rejects. */
  async onBlock(block: Head): Promise<void> {
    if (this.#busy || this.#parts.multicall3 === undefined) return;
    const trials = this.#due(block);
    if (trials.length === 0) return;
    this.#parts.errands.take(block.number);
    this.#busy = true;
    try {
      await this.#try(trials, block, this.#parts.multicall3);
    } catch {
      // No endpoint answered. Those that were never tried are due again in the next block.
    } finally {
      this.#busy = false;
    }
  }

  #due(block: Head): readonly Trial[] {
    const { exchanging, recipient } = this.#parts;
    const holders = exchanging.holders();
    const trials = (tokens: Iterable<Address>) =>
      [...tokens].flatMap((token) => {
        const { holder, heldRaw } = holders.get(token)!;
        return trialOf(token, holder, heldRaw, recipient) ?? [];
      });
    const fresh = trials([...holders.keys()].filter((token) => !this.#tried.has(token)));
    if (fresh.length > 0) return fresh.slice(0, MOST_AT_ONCE);
    return block.number % TRIAL_EVERY === 0 ? trials(this.#next([...holders.keys()])) : [];
  }

  #next(known: readonly Address[]): readonly Address[] {
    const queue = [...known, ...known.filter((token) => this.#odd.has(token))];
    return queue.length === 0 ? [] : [queue[this.#turn++ % queue.length]!];
  }

  async #try(trials: readonly Trial[], block: Head, multicall3: Address): Promise<void> {
    const { rpc, exchanging, found } = this.#parts;
    this.#code ??= await readActorCode(rpc, multicall3, block.hash);
    if (this.#code === undefined) return;
    const acted = await callAs(rpc, this.#code, block.hash, trials.map(actingOf));
    for (const [place, trial] of trials.entries()) {
      const { token } = trial;
      const cause = oddityIn(acted[place]!, trial);
      this.#tried.add(token);
      if (cause === this.#odd.get(token)) continue;
      if ((cause === undefined) !== !this.#odd.has(token)) found({ token, cause });
      if (cause === undefined) this.#odd.delete(token);
      else this.#odd.set(token, cause);
    }
    exchanging.shun(new Map(this.#odd));
  }
}
