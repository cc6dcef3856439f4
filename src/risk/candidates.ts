import type { Address } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Bounds } from '../protocols/bounds.ts';
import type { Protocol, Slot } from '../protocols/types.ts';
import type { Candidate } from './types.ts';
import { Watchlist } from './watchlist.ts';

/** Judgements at one moment. */
export type Judged = {
  readonly candidates: readonly Candidate[];
  /** All that are in debt, those included that nobody had to look at. */
  readonly positions: number;
  readonly unknown: readonly { readonly protocol: Protocol; readonly slot: Slot; readonly reason: string }[];
};

/** What there is to judge of a protocol at a moment; everything else in debt is healthy. `lost`: 1 at the place of those that are liquidatable for certain. */
type Suspects = { readonly slots: readonly Slot[]; readonly positions: number; readonly lost?: Uint8Array };

/**
 * Tells what is liquidatable. A moment costs what it touches: of a protocol that says how far its positions are from it, only those are judged that moves have
 * brought near. What is reported is judged exactly, always.
 */
export class Watch {
  /** Since which block each position has been liquidatable, so that delays can be told. */
  readonly #since = new Map<string, number>();
  readonly #lists = new WeakMap<Bounds, Watchlist>();

  /**
   * Judges the block that will include us, and goes on from there.
   *
   * @param headNumber the block whose end state is judged; a position not liquidatable before it became so in it
   */
  judge(protocols: readonly Protocol[], at: Moment, headNumber: number): Judged {
    const judged = this.#judge(protocols, at, headNumber, true);
    const still = new Set<string>();
    for (const candidate of judged.candidates) {
      const key = keyOf(candidate.protocol, candidate.market, candidate.account);
      still.add(key);
      this.#since.set(key, candidate.sinceBlock);
    }
    for (const key of this.#since.keys()) if (!still.has(key)) this.#since.delete(key);
    return judged;
  }

  /**
   * What would be judged if the block `number` ended like this; nothing is remembered of it. A crash may bring down a tenth of all: of those that are
   * liquidatable beyond any rounding the health factor is worked out when it is asked for.
   */
  foresee(protocols: readonly Protocol[], at: Moment, number: number): Judged {
    return this.#judge(protocols, at, number, false);
  }

  #judge(protocols: readonly Protocol[], at: Moment, number: number, keep: boolean): Judged {
    const candidates: Candidate[] = [];
    const unknown: { protocol: Protocol; slot: Slot; reason: string }[] = [];
    let positions = 0;
    for (const protocol of protocols) {
      const suspects = this.#suspects(protocol, at, keep);
      positions += suspects.positions;
      for (const [place, slot] of suspects.slots.entries()) {
        let verdict = suspects.lost?.[place] === 1 ? undefined : protocol.judge(slot, at);
        if (verdict?.kind === 'healthy') continue;
        if (verdict?.kind === 'unknown') {
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
          get healthFactorWad() {
            verdict ??= protocol.judge(slot, at);
            return verdict.kind === 'unknown' ? 0n : verdict.healthFactorWad;
          },
          sinceBlock: Math.min(since, number),
        });
      }
    }
    return { candidates, positions, unknown };
  }

  #suspects(protocol: Protocol, at: Moment, keep: boolean): Suspects {
    const { bounds } = protocol;
    if (bounds === undefined) return everything(protocol);
    try {
      const list = this.#lists.get(bounds);
      const slots = list?.suspects(at, keep);
      if (list !== undefined && slots !== undefined)
        return { slots, positions: list.positions, ...(!keep && { lost: list.lost(slots, at) }) };
      const fresh = new Watchlist(bounds, protocol.slots());
      const first = fresh.suspects(at, keep);
      if (first === undefined) return everything(protocol);
      this.#lists.set(bounds, fresh);
      return { slots: first, positions: fresh.positions };
    } catch {
      // Some figure that no arithmetic can take. What the list took in half is not to be relied on.
      this.#lists.delete(bounds);
      return everything(protocol);
    }
  }
}

function everything(protocol: Protocol): Suspects {
  const slots = [...protocol.slots()];
  return { slots, positions: slots.length };
}

function keyOf(protocol: string, market: string, account: Address): string {
  return `${protocol}/${market}/${account}`;
}
