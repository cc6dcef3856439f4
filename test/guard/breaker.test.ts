import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BreakerCommand, type BreakerEvent, type BreakerState, restoreBreaker, stepBreaker } from '../../src/guard/breaker.ts';

const fresh = restoreBreaker({ state: 'running', reason: undefined }, 0, 3, 0);
const order = (command: 'pause' | 'resume' | 'kill', afterKill = false): BreakerEvent => ({
  kind: 'command',
  command,
  afterKill,
  by: 'test',
});
const failed: BreakerEvent = { kind: 'failed' };

function run(events: readonly BreakerEvent[], from = fresh): { state: BreakerState; commands: BreakerCommand[] } {
  const commands: BreakerCommand[] = [];
  let state = from;
  for (const [now, event] of events.entries()) {
    const [next, more] = stepBreaker(state, event, now);
    state = next;
    commands.push(...more);
  }
  return { state, commands };
}

const reports = (commands: readonly BreakerCommand[]) => commands.flatMap((command) => (command.kind === 'report' ? [command.event] : []));
const answers = (commands: readonly BreakerCommand[]) => commands.flatMap((command) => (command.kind === 'answer' ? [command.done] : []));

describe('the breaker', () => {
  test('opens at the limit, once', () => {
    const { state, commands } = run([failed, failed, failed, failed]);
    expect(state.openSince).toBe(2);
    expect(reports(commands)).toEqual(['breaker.opened']);
  });

  test('a success in between starts the count anew', () => {
    expect(run([failed, failed, { kind: 'succeeded' }, failed, failed]).state.openSince).toBeUndefined();
  });

  test('once open, a late success does not close it; a resume does', () => {
    const open = run([failed, failed, failed, { kind: 'succeeded' }]);
    expect(open.state.openSince).toBeDefined();
    const { state, commands } = run([order('resume')], open.state);
    expect(state).toMatchObject({ openSince: undefined, consecutiveFailures: 0 });
    expect(commands).toContainEqual({ kind: 'reset-failures' });
    expect(reports(commands)).toEqual(['breaker.closed']);
  });

  test('is open again after a restart when the ledger counts as many', () => {
    expect(restoreBreaker({ state: 'running', reason: undefined }, 3, 3, 9).openSince).toBe(9);
    expect(restoreBreaker({ state: 'running', reason: undefined }, 2, 3, 9).openSince).toBeUndefined();
  });

  test('opens on a recount too', () => {
    expect(reports(run([{ kind: 'recounted', consecutiveFailures: 3 }]).commands)).toEqual(['breaker.opened']);
  });
});

describe('the switch', () => {
  test('pause is lifted by resume, each saved before it is reported and answered', () => {
    const { state, commands } = run([order('pause'), order('resume')]);
    expect(state.switch).toBe('running');
    expect(commands.map((command) => command.kind)).toEqual([
      'save-switch',
      'report',
      'answer',
      'reset-failures',
      'save-switch',
      'report',
      'answer',
    ]);
  });

  test('kill is lifted by nothing but resume after a kill', () => {
    const killed = run([order('pause'), order('kill')]).state;
    expect(killed.switch).toBe('killed');
    const refused = run([order('resume'), order('pause')], killed);
    expect(refused.state.switch).toBe('killed');
    expect(answers(refused.commands)).toEqual([false, true]);
    expect(run([order('resume', true)], killed).state.switch).toBe('running');
  });

  test('the same command again changes and saves nothing', () => {
    const { commands } = run([order('kill')], run([order('kill')]).state);
    expect(commands).toEqual([{ kind: 'answer', done: true, answer: 'killed already' }]);
  });
});

const anyEvent: fc.Arbitrary<BreakerEvent> = fc.oneof(
  fc.constant<BreakerEvent>({ kind: 'succeeded' }),
  fc.constant<BreakerEvent>({ kind: 'failed' }),
  fc.nat(5).map((consecutiveFailures): BreakerEvent => ({ kind: 'recounted', consecutiveFailures })),
  fc
    .tuple(fc.constantFrom('pause' as const, 'resume' as const, 'kill' as const), fc.boolean())
    .map(([command, afterKill]) => order(command, afterKill)),
);

test('whatever happens: killed ends only by resume after a kill, open only by a resume, and each command is answered once', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
      let state = fresh;
      for (const [now, event] of events.entries()) {
        const [next, commands] = stepBreaker(state, event, now);
        if (state.switch === 'killed' && next.switch !== 'killed') expect(event).toMatchObject({ command: 'resume', afterKill: true });
        if (state.openSince !== undefined && next.openSince === undefined) expect(event).toMatchObject({ command: 'resume' });
        if (next.switch !== state.switch)
          expect(commands).toContainEqual(expect.objectContaining({ kind: 'save-switch', state: next.switch }));
        expect(commands.filter((command) => command.kind === 'answer')).toHaveLength(event.kind === 'command' ? 1 : 0);
        state = next;
      }
    }),
    { seed: 11, numRuns: 500 },
  );
});
