/**
 * `bailiff run` with a trap in it: a child process, configured by its environment as the command is, that kills itself with SIGKILL at a failpoint.
 * The failpoint comes as an argument (armed from the start) or, later, as a message from the parent.
 */
import { loadConfig } from '../../src/config/load.ts';
import { runKeeper } from '../../src/keeper.ts';
import { explainError, OperatorError } from '../../src/lib/errors.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { type Failpoint, Trap } from './failpoints.ts';

const trap = new Trap(() => process.kill(process.pid, 'SIGKILL'));
const [armed] = process.argv.slice(2);
if (armed !== undefined) trap.arm(JSON.parse(armed) as Failpoint);
process.on('message', (failpoint: Failpoint) => {
  trap.arm(failpoint);
  process.send!('armed');
});
// Whoever started this has ended.
process.on('disconnect', () => process.exit(1));

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
try {
  const config = await loadConfig('run');
  await runKeeper(config, createTelemetry(config.log, 'stdout'), stop.signal, trap.wraps());
  process.exit(0);
} catch (error) {
  process.stderr.write(`error: ${explainError(error)}\n`);
  process.exit(error instanceof OperatorError ? error.exitCode : 1);
}
