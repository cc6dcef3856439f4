/** Exit codes of a command that a signal ends before it has anything to settle. */
export const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;
export type StopSignal = keyof typeof INTERRUPTED;

let handle = (signal: StopSignal): void => process.exit(INTERRUPTED[signal]);

/**
 * Takes the signals for the length of the process.
 *
 * NOTE: once, and never taken back: a signal that arrives while modules are being loaded waits for the event loop, and is lost when its listener has been
 * replaced by then.
 */
export function takeSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => handle(signal));
}

/** Whatever comes from now on goes here. */
export function onSignal(handler: (signal: StopSignal) => void): void {
  handle = handler;
}
