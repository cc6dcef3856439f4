/** Where a keeper can be made to die: before and after each durable write, and each send. Nothing of this is in src/: the ledger, the relays and the chain are wrapped. */
import type { Wraps } from '../../src/keeper.ts';

const LEDGER_WRITES = [
  'intend',
  'sent',
  'goPublic',
  'settle',
  'reopen',
  'decide',
  'setSwitch',
  'resetFailures',
  'acknowledge',
  'put',
] as const;

export type Point = `ledger.${(typeof LEDGER_WRITES)[number]}` | 'relay.send' | 'chain.broadcast';
export type When = 'before' | 'after';
/** At its `hit`-th time, the point kills. */
export type Failpoint = { readonly point: Point; readonly when: When; readonly hit: number };

export const POINTS: readonly Point[] = [...LEDGER_WRITES.map((name): Point => `ledger.${name}`), 'relay.send', 'chain.broadcast'];

/** One failpoint at a time; none until `arm`. */
export class Trap {
  #armed: Failpoint | undefined;
  #left = 0;
  readonly #kill: () => void;

  constructor(kill: () => void) {
    this.#kill = kill;
  }

  arm(failpoint: Failpoint): void {
    this.#armed = failpoint;
    this.#left = failpoint.hit;
  }

  wraps(): Wraps {
    return {
      ledger: (ledger) => this.#guard(ledger, LEDGER_WRITES, 'ledger'),
      relay: (relay) => this.#guard(relay, ['send'], 'relay'),
      chain: (chain) => this.#guard(chain, ['broadcast'], 'chain'),
    };
  }

  #guard<T extends object>(target: T, names: readonly string[], prefix: string): T {
    return new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name, object);
        if (typeof member !== 'function') return member;
        // Private fields want the object itself as `this`, not its proxy.
        const method = member.bind(object) as (...given: unknown[]) => Promise<unknown>;
        if (!names.includes(String(name))) return method;
        const point = `${prefix}.${String(name)}` as Point;
        return async (...given: unknown[]) => {
          this.#reached(point, 'before');
          const answer = await method(...given);
          this.#reached(point, 'after');
          return answer;
        };
      },
    });
  }

  #reached(point: Point, when: When): void {
    if (this.#armed?.point !== point || this.#armed.when !== when) return;
    this.#left -= 1;
    if (this.#left === 0) this.#kill();
  }
}
