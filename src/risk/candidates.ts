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
    const candidates: Candidate[] = [];
    const unknown: { protocol: Protocol; slot: Slot; reason: string }[] = [];
    const stillLiquidatable = new Set<string>();
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
        const key = `${protocol.name}/${market}/${account}`;
        stillLiquidatable.add(key);
        const since = Math.min(this.#since.get(key) ?? headNumber, headNumber);
        this.#since.set(key, since);
        candidates.push({
          protocol: protocol.name,
          market,
          aliases: protocol.aliasesOf(slot),
          deployment: protocol.id,
          slot,
          account,
          healthFactorWad: verdict.healthFactorWad,
          sinceBlock: since,
        });
      }
    }
    for (const key of this.#since.keys()) if (!stillLiquidatable.has(key)) this.#since.delete(key);
    return { candidates, positions, unknown };
  }
}
