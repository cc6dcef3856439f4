import type { Switch } from './types.ts';

/** The operator's switch and the breaker that opens by itself. Sending needs `running` and a closed breaker. */
export type BreakerState = {
  readonly switch: Switch;
  readonly reason: string | undefined;
  readonly consecutiveFailures: number;
  readonly maxConsecutiveFailures: number;
  /** When it opened, unix ms of this machine; undefined while it is closed. */
  readonly openSince: number | undefined;
};

export type BreakerEvent =
  /** A transaction was mined: with profit, or not. */
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed' }
  /** The count as the ledger has it, after a reorg took outcomes back. */
  | { readonly kind: 'recounted'; readonly consecutiveFailures: number }
  | { readonly kind: 'command'; readonly command: 'pause' | 'resume' | 'kill'; readonly afterKill: boolean; readonly by: string };

/** To be performed in order; the new state counts once the first two kinds are durable. */
export type BreakerCommand =
  | { readonly kind: 'save-switch'; readonly state: Switch; readonly reason: string }
  | { readonly kind: 'reset-failures' }
  | {
      readonly kind: 'report';
      readonly event: 'breaker.opened' | 'breaker.closed' | 'keeper.paused' | 'keeper.resumed' | 'keeper.killed';
      readonly reason: string;
    }
  /** To whoever gave the command. */
  | { readonly kind: 'answer'; readonly done: boolean; readonly answer: string };

type Saved = { readonly state: Switch; readonly reason: string | undefined };

/** As the ledger left it: a restart closes no breaker and lifts no switch. */
export function restoreBreaker(saved: Saved, consecutiveFailures: number, maxConsecutiveFailures: number, now: number): BreakerState {
  const openSince = consecutiveFailures >= maxConsecutiveFailures ? now : undefined;
  return { switch: saved.state, reason: saved.reason, consecutiveFailures, maxConsecutiveFailures, openSince };
}

export function stepBreaker(state: BreakerState, event: BreakerEvent, now: number): Step {
  switch (event.kind) {
    case 'succeeded':
      // NOTE: an open breaker stays open when what was already under way succeeds: only an operator closes it.
      return [state.openSince === undefined ? { ...state, consecutiveFailures: 0 } : state, []];
    case 'failed':
      return counted(state, state.consecutiveFailures + 1, now);
    case 'recounted':
      return counted(state, event.consecutiveFailures, now);
    case 'command':
      return obeyed(state, event);
  }
}

function counted(state: BreakerState, consecutiveFailures: number, now: number): Step {
  const counting = { ...state, consecutiveFailures };
  if (state.openSince !== undefined || consecutiveFailures < state.maxConsecutiveFailures) return [counting, []];
  const reason = `${consecutiveFailures} transactions in a row were mined without profit`;
  return [{ ...counting, openSince: now }, [{ kind: 'report', event: 'breaker.opened', reason }]];
}

type Command = Extract<BreakerEvent, { kind: 'command' }>;
type Step = readonly [BreakerState, readonly BreakerCommand[]];

function obeyed(state: BreakerState, { command, afterKill, by }: Command): Step {
  if (command === 'kill') return moved(state, 'killed', 'keeper.killed', by);
  if (state.switch === 'killed') {
    if (command === 'pause') return [state, [answer(true, 'killed already: nothing is sent')]];
    if (!afterKill) return [state, [answer(false, 'killed: only `resume --after-kill` lifts that')]];
  }
  return command === 'pause' ? moved(state, 'paused', 'keeper.paused', by) : resumed(state, by);
}

/** An operator's resume also closes the breaker and forgets the failures. */
function resumed(state: BreakerState, by: string): Step {
  const [running, commands] = moved(state, 'running', 'keeper.resumed', by);
  const closed: BreakerCommand = { kind: 'report', event: 'breaker.closed', reason: `by ${by}` };
  return [
    { ...running, consecutiveFailures: 0, openSince: undefined },
    [{ kind: 'reset-failures' }, ...(state.openSince === undefined ? [] : [closed]), ...commands],
  ];
}

function moved(state: BreakerState, to: Switch, event: Extract<BreakerCommand, { kind: 'report' }>['event'], by: string): Step {
  if (state.switch === to) return [state, [answer(true, `${to} already`)]];
  const reason = `by ${by}`;
  return [
    { ...state, switch: to, reason },
    [{ kind: 'save-switch', state: to, reason }, { kind: 'report', event, reason }, answer(true, to)],
  ];
}

function answer(done: boolean, text: string): BreakerCommand {
  return { kind: 'answer', done, answer: text };
}
