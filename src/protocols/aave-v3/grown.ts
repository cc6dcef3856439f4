import { type Compounding, debtIndexRay, type Indexes, incomeIndexRay } from './interest.ts';

/** What a reserve's stored indexes have grown to at a timestamp, each worked out when it is first asked for. */
export class Grown {
  readonly timestamp: number;
  readonly #indexes: Indexes;
  readonly #compounded: Compounding;
  #incomeRay: bigint | undefined;
  #debtRay: bigint | undefined;

  constructor(indexes: Indexes, timestamp: number, compounded: Compounding) {
    this.#indexes = indexes;
    this.timestamp = timestamp;
    this.#compounded = compounded;
  }

  get incomeRay(): bigint {
    this.#incomeRay ??= incomeIndexRay(this.#indexes, this.timestamp);
    return this.#incomeRay;
  }

  get debtRay(): bigint {
    this.#debtRay ??= debtIndexRay(this.#indexes, this.timestamp, this.#compounded);
    return this.#debtRay;
  }
}

/** As of the last timestamp that was asked for: moments that differ in their prices alone have it in common. A market's indexes are its own, and so is its way to compound. */
const last = new WeakMap<Indexes, Grown>();

export function grownAt(indexes: Indexes, timestamp: number, compounded: Compounding): Grown {
  const known = last.get(indexes);
  if (known?.timestamp === timestamp) return known;
  const grown = new Grown(indexes, timestamp, compounded);
  last.set(indexes, grown);
  return grown;
}
