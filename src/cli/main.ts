import { CommanderError } from 'commander';
import { explainError, OperatorError } from '../lib/errors.ts';
import { createProgram } from './program.ts';
import { takeSignals } from './signals.ts';

const BAD_USAGE = 2;

takeSignals();
// A pipe whose reader has gone (`| head`) is no failure to report, least of all into that pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (process.exitCode !== 0) process.stderr.write(`error: ${lineOf(error)}\n`);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USAGE;
  return error instanceof OperatorError ? error.exitCode : 1;
}

function lineOf(error: unknown): string {
  if (error instanceof CommanderError)
    return error.code === 'commander.help' ? 'name a command; --help lists them' : error.message.replace(/^error: /, '');
  return explainError(error);
}
