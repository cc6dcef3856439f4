import { describe, expect, it } from 'vitest';
import { Repeats } from '../../src/guard/repeats.ts';
import type { Plan } from '../../src/strategy/types.ts';
import { attempt, result, transaction } from '../ledger/fixtures-plain.ts';

const REASON = 'StepFailed(1): Error(52: collateral cannot be liquidated)';
const account = attempt(1).account;

function plan(over: Partial<Plan> = {}): Plan {
  const candidate = { protocol: 'aave-v3', market: 'core', account } as Plan['candidate'];
  return {
    candidate,
    option: 'USDC/WETH',
    flash: 'aave',
    repayRaw: 10n ** 9n,
    seizedRaw: 10n ** 18n,
    grossWei: 10n ** 16n,
    ...over,
  } as Plan;
}

/** Sends the plan and has it mined, each time as another attempt. */
class Trial {
  readonly repeats = new Repeats();
  #count = 0;

  ends(outcome: 'included' | 'reverted', reason: string = REASON, of: Plan = plan()): void {
    const sent = transaction(1, { attempts: [attempt(1, this.#count++)] });
    const { attempts, ...mined } = result(sent, outcome);
    this.repeats.sent([sent], [of]);
    this.repeats.mined({ ...mined, attempts: attempts.map((one) => ({ ...one, reason })) });
  }

  check = (of: Plan = plan()) => this.repeats.check(of)?.reason;
}

describe('a plan that was mined and reverted', () => {
  it('is sent a second time, and not a third time for the same reason, which is told', () => {
    const trial = new Trial();
    trial.ends('reverted');
    expect(trial.check()).toBeUndefined();
    trial.ends('reverted');
    expect(trial.repeats.check(plan())).toEqual({ reason: 'keeps-reverting', figures: { cause: REASON, times: '2' } });
  });

  it('is sent again once it repays, seizes or brings another amount, or does so another way', () => {
    const trial = new Trial();
    trial.ends('reverted');
    trial.ends('reverted');
    const changes = [
      { repayRaw: 1_000_200_000n },
      { seizedRaw: 999n * 10n ** 15n },
      { grossWei: 2n * 10n ** 16n },
      { option: 'DAI/WETH' },
      { flash: 'uniswap' },
    ];
    expect(changes.map((over) => trial.check(plan(over)))).toEqual(changes.map(() => undefined));
  });

  it('is the same while interest alone has moved its figures', () => {
    const trial = new Trial();
    trial.ends('reverted');
    trial.ends('reverted', REASON, plan({ repayRaw: 10n ** 9n + 40n }));
    expect(trial.check(plan({ repayRaw: 10n ** 9n + 80n }))).toBe('keeps-reverting');
  });

  it('begins anew with another reason, and after a success', () => {
    const trial = new Trial();
    trial.ends('reverted');
    trial.ends('reverted', 'ReserveFrozen()');
    expect(trial.check()).toBeUndefined();
    trial.ends('included');
    trial.ends('reverted', 'ReserveFrozen()');
    expect(trial.check()).toBeUndefined();
  });

  it('has the same reason when only the amounts in it differ', () => {
    const trial = new Trial();
    trial.ends('reverted', 'GroupBelowMinimum(123456, 999999)');
    trial.ends('reverted', 'GroupBelowMinimum(123999, 999998)');
    expect(trial.check()).toBe('keeps-reverting');
  });

  it('is not blamed for being mined too late', () => {
    const trial = new Trial();
    trial.ends('reverted');
    for (let times = 0; times < 3; times++) trial.ends('reverted', 'Expired(17)');
    expect(trial.check()).toBeUndefined();
    trial.ends('reverted');
    expect(trial.check()).toBe('keeps-reverting');
  });

  it('counts once, however often its result is told', () => {
    const repeats = new Repeats();
    const sent = transaction(1);
    repeats.sent([sent], [plan()]);
    for (let times = 0; times < 3; times++) repeats.mined(result(sent, 'reverted'));
    expect(repeats.check(plan())).toBeUndefined();
  });
});
