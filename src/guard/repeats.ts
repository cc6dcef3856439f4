import type { Plan, SkipReason } from '../strategy/types.ts';

/** What price, position and pools make of a plan; what gas and bid make of it does not matter here. */
type Shape = Pick<Plan, 'option' | 'flash' | 'repayRaw' | 'seizedRaw' | 'grossWei'>;
type Position = { readonly protocol: string; readonly market: string; readonly account: string };
type Sent = { readonly attempts: readonly (Position & { readonly attemptId: string })[] };
type Mined = {
  readonly attempts: readonly { readonly attemptId: string; readonly outcome: string; readonly reason: string | undefined }[];
};
type Failure = { readonly shape: Shape; readonly reason: string; readonly times: number };

/** So often may a plan revert for one reason. */
const MOST_TIMES = 2;
/** Figures that differ by less are the same: interest alone moves them by this in hours. */
const TOLERANCE_BPS = 1n;
const BPS = 10_000n;
/** Remembered at once; the oldest are forgotten first. */
const MOST_REMEMBERED = 10_000;
/** Being late says nothing about a plan. */
const LATE = /^Expired\(/;

/**
 * Remembers for the length of a run which plans were mined and reverted. One that did so twice for the same reason is not sent again until something has
 * changed: a price, the position, a pool, all of which show in what it repays, seizes and brings.
 */
export class Repeats {
  readonly #sent = new Map<string, { readonly key: string; readonly shape: Shape }>();
  readonly #failures = new Map<string, Failure>();

  /** @param plans those that the transactions were made of, among others */
  sent(transactions: readonly Sent[], plans: readonly Plan[]): void {
    const shapes = new Map(plans.map((plan) => [keyOf(plan.candidate), plan]));
    for (const { attempts } of transactions)
      for (const attempt of attempts) {
        const key = keyOf(attempt);
        const shape = shapes.get(key);
        if (shape !== undefined) remember(this.#sent, attempt.attemptId, { key, shape });
      }
  }

  /** What became of a transaction that was mined. Asked twice, it counts once. */
  mined({ attempts }: Mined): void {
    for (const attempt of attempts) this.#count(attempt);
  }

  check(plan: Plan): SkipReason | undefined {
    const failure = this.#failures.get(keyOf(plan.candidate));
    if (failure === undefined || failure.times < MOST_TIMES || !alike(failure.shape, plan)) return undefined;
    return { reason: 'keeps-reverting', figures: { cause: failure.reason, times: String(failure.times) } };
  }

  #count({ attemptId, outcome, reason = '' }: Mined['attempts'][number]): void {
    const sent = this.#sent.get(attemptId);
    if (sent === undefined) return;
    this.#sent.delete(attemptId);
    const { key, shape } = sent;
    const before = this.#failures.get(key);
    this.#failures.delete(key);
    if (outcome !== 'reverted') return;
    if (LATE.test(reason)) {
      if (before !== undefined) remember(this.#failures, key, before);
      return;
    }
    const again = before !== undefined && nameOf(before.reason) === nameOf(reason) && alike(before.shape, shape);
    remember(this.#failures, key, { shape, reason, times: again ? before.times + 1 : 1 });
  }
}

function alike(a: Shape, b: Shape): boolean {
  return (
    a.option === b.option &&
    a.flash === b.flash &&
    close(a.repayRaw, b.repayRaw) &&
    close(a.seizedRaw, b.seizedRaw) &&
    close(a.grossWei, b.grossWei)
  );
}

function close(a: bigint, b: bigint): boolean {
  const gap = a > b ? a - b : b - a;
  const size = a < 0n ? -a : a;
  return gap * BPS <= size * TOLERANCE_BPS;
}

/** An error's amounts differ from one time to the next; its name, and codes of a few digits, do not. */
function nameOf(reason: string): string {
  return reason.replaceAll(/-?\d{4,}/g, '#');
}

function keyOf({ protocol, market, account }: Position): string {
  return `${protocol}/${market}/${account}`;
}

function remember<T>(all: Map<string, T>, key: string, value: T): void {
  all.set(key, value);
  if (all.size > MOST_REMEMBERED) all.delete(all.keys().next().value!);
}
