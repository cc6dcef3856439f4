import type { Address } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Protocol, Slot } from '../protocols/types.ts';
import type { Candidate } from './types.ts';

/** Judgements of one pass over all positions. */
export type Judged = {
  readonly candidates: readonly Candidate[];
  readonly positions: number;
  readonly unknown: readonly { readonly protocol: Protocol; readonly slot: Slot; readonly reason: string }[];
};

/** Remembers since which block each position has been liquidatable, so that delays can be told. */
export class Watch {
  readonly #since = new Map<string, number>();

  /**
   * Judges every position at the block that will include us.
   *
   * @param headNumber the block whose end state is judged; a position not liquidatable before it became so in it
   */
  judge(protocols: readonly Protocol[], at: Moment, headNumber: number): Judged {
    const judged = this.#judge(protocols, at, headNumber);
    const still = new Set<string>();
    for (const candidate of judged.candidates) {
      const key = keyOf(candidate.protocol, candidate.market, candidate.account);
      still.add(key);
      this.#since.set(key, candidate.sinceBlock);
    }
    for (const key of this.#since.keys()) if (!still.has(key)) this.#since.delete(key);
    return judged;
  }

  /** What would be judged if the block `number` ended like this; nothing is remembered of it. */
  foresee(protocols: readonly Protocol[], at: Moment, number: number): Judged {
    return this.#judge(protocols, at, number);
  }

  #judge(protocols: readonly Protocol[], at: Moment, number: number): Judged {
    const candidates: Candidate[] = [];
    const unknown: { protocol: Protocol; slot: Slot; reason: string }[] = [];
    let positions = 0;
    for (const protocol of protocols) {
      for (const slot of protocol.slots()) {
        positions++;
        const verdict = protocol.judge(slot, at);
        if (verdict.kind === 'healthy') continue;
        if (verdict.kind === 'unknown') {
          unknown.push({ protocol, slot, reason: verdict.reason });
          continue;
        }
        const account = protocol.accountOf(slot);
        const market = protocol.marketOf(slot);
        const since = this.#since.get(keyOf(protocol.name, market, account)) ?? number;
        candidates.push({
          protocol: protocol.name,
          market,
          aliases: protocol.aliasesOf(slot),
          deployment: protocol.id,
          slot,
          account,
          healthFactorWad: verdict.healthFactorWad,
          sinceBlock: Math.min(since, number),
        });
      }
    }
    return { candidates, positions, unknown };
  }
}

function keyOf(protocol: string, market: string, account: Address): string {
  return `${protocol}/${market}/${account}`;
}
