import { readAccountsFile } from '../../config/accountsFile.ts';
import { loadConfig } from '../../config/load.ts';
import { runKeeper } from '../../keeper.ts';
import { OperatorError } from '../../lib/errors.ts';
import { createTelemetry, type Telemetry } from '../../telemetry/telemetry.ts';
import { type OutputOptions, print } from '../output.ts';
import { INTERRUPTED, onSignal, type StopSignal } from '../signals.ts';

/** The keeper's own bounds are shorter; these end a process that something stuck, or left open, would keep alive. */
const LONGEST_END_MS = 9_500;
const LONGEST_DRAIN_MS = 500;

export async function run(options: OutputOptions & { readonly accounts?: string }): Promise<void> {
  const stop = new AbortController();
  let running = false;
  let heard: StopSignal | undefined;
  onSignal((signal) => {
    // Nothing is under way before it runs, and the ledger is durable at any moment: there is nothing to end cleanly.
    if (!running) process.exit(INTERRUPTED[signal]);
    heard ??= signal;
    setTimeout(() => process.exit(0), LONGEST_END_MS).unref();
    stop.abort();
  });

  const told = options.accounts === undefined ? undefined : readAccountsFile(options.accounts);
  const config = await loadConfig('run');
  const telemetry = createTelemetry(config.log, options.json ? 'stderr' : 'stdout');
  for (const warning of config.warnings) telemetry.log.warn('config.warning', { warning });
  const started = noticing(telemetry, 'keeper.started', () => {
    running = true;
  });
  try {
    await runKeeper(config, started, stop.signal, told === undefined ? {} : { told });
  } finally {
    telemetry.log.flush();
    setTimeout(() => process.exit(), LONGEST_DRAIN_MS).unref();
  }
  if (heard === undefined) throw new OperatorError('the keeper ended by itself; the last log lines say why');
  if (options.json) await print(options, { stopped: heard }, () => '');
}

/** The same telemetry, which also tells when an event is logged: the keeper has started once it says so. */
function noticing({ log, metrics }: Telemetry, wanted: string, notice: () => void): Telemetry {
  const event: Telemetry['log']['event'] = (name, fields) => {
    if (name === wanted) notice();
    log.event(name, fields);
  };
  return { metrics, log: { ...log, event } };
}
