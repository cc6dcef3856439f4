import { BPS, mulDivUp } from '../lib/math.ts';
import type { Candidate } from '../risk/types.ts';
import { type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Plan } from './types.ts';

/** As many transactions of a protocol are remembered. */
const LATEST = 64;
/** A node that tells something else than this is not believed. */
const [LEAST_BPS, MOST_BPS] = [5_000n, 15_000n];
/** So many plans in one transaction find much of the storage warm: those tell what others like them need, the latest of them, and nothing of plans alone. */
export const MANY = 5;
const LATEST_OF_MANY = 16;
const LEAST_OF_MANY_BPS = 2_000n;

type Seen = { readonly estimated: bigint; readonly used: bigint };

/** Of several plans estimates err less in the sum than each by itself. */
export const SUM_HEADROOM_BPS = 10_500n;

/** What a plan among many takes of a block's gas, of what it is estimated at: all of it while nothing is known. Rounded up. */
export function gasOfBlock(gasUnits: bigint, protocol: Candidate['protocol'], { gasUse }: Pick<Terms, 'gasUse'>): bigint {
  const takenBps = ((gasUse?.usedOfManyBps(protocol) ?? BPS) * SUM_HEADROOM_BPS) / BPS;
  return takenBps >= BPS ? gasUnits : mulDivUp(gasUnits - TRANSACTION_GAS, takenBps, BPS);
}

/** What one transaction of these plans is estimated at. */
export function gasTogether(plans: readonly Plan[]): bigint {
  return plans.reduce((sum, { gasUnits }) => sum + gasUnits - TRANSACTION_GAS, TRANSACTION_GAS);
}

/**
 * What transactions really use of the gas that they are estimated at. Estimates add up what each part takes by itself; together the parts find storage warm and
 * get refunds, and so the sum is for limits, and what is used of it for profit. Learnt from our own transactions as they were simulated, or mined.
 */
export class GasUse {
  readonly #seen = new Map<Candidate['protocol'], readonly Seen[]>();
  readonly #usedBps = new Map<Candidate['protocol'], bigint>();
  readonly #ofMany = new Map<Candidate['protocol'], readonly bigint[]>();

  /** @param used gas of one transaction of these plans, none of which failed */
  note(plans: readonly Plan[], used: bigint): void {
    const [protocol, ...others] = new Set(plans.map(({ candidate }) => candidate.protocol));
    if (protocol === undefined || others.length > 0) return;
    const estimated = gasTogether(plans);
    const ownBps = mulDivUp(used, BPS, estimated);
    if (plans.length >= MANY && ownBps >= LEAST_OF_MANY_BPS)
      this.#ofMany.set(protocol, [...(this.#ofMany.get(protocol) ?? []), ownBps].slice(-LATEST_OF_MANY));
    if (used * BPS < estimated * LEAST_BPS || used * BPS > estimated * MOST_BPS) return;
    const seen = [...(this.#seen.get(protocol) ?? []), { estimated, used }].slice(-LATEST);
    const sum = (figure: (one: Seen) => bigint) => seen.reduce((total, one) => total + figure(one), 0n);
    this.#seen.set(protocol, seen);
    this.#usedBps.set(
      protocol,
      mulDivUp(
        sum((one) => one.used),
        BPS,
        sum((one) => one.estimated),
      ),
    );
  }

  /** Of an estimate, in basis points, rounded up; all of it while nothing is known. */
  usedBps(protocol: Candidate['protocol']): bigint {
    return this.#usedBps.get(protocol) ?? BPS;
  }

  /** The most that a transaction of many used of its estimate, in basis points; all of it while nothing is known. */
  usedOfManyBps(protocol: Candidate['protocol']): bigint {
    return this.#ofMany.get(protocol)?.reduce((a, b) => (b > a ? b : a)) ?? BPS;
  }
}
