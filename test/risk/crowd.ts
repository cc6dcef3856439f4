import type { Moment } from '../../src/oracles/types.ts';
import type { Bounds } from '../../src/protocols/bounds.ts';
import type { Slot } from '../../src/protocols/types.ts';

/** Positions that no chain stands behind, and what may happen to them. */
export interface Crowd {
  /** Another one after everything was read anew. */
  readonly bounds: Bounds;
  /** Those in debt. */
  slots(): readonly Slot[];
  /** All that cannot be told healthy, each judged in bigint. */
  unhealthy(at: Moment): readonly Slot[];
  /** Those of them that can be told. */
  liquidatable(at: Moment): readonly Slot[];
  /** Where things stand. */
  moment(): Moment;
  /** Where they may come to stand, or never will. */
  hypothetical(): Moment;
  /** Something happens: to prices, to somebody, to the rules, to the time. */
  happen(): void;
  /** Called where a change has been made that will be taken back. */
  betweenThem: (() => void) | undefined;
}
