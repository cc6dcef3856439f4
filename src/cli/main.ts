import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { explainError, OperatorError } from '../lib/errors.ts';
import { addControl } from './commands/control.ts';
import { addDeploy } from './commands/deploy.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEnv } from './commands/env.ts';
import { addExplain } from './commands/explain.ts';
import { addReport } from './commands/report.ts';
import { addRun } from './commands/run.ts';
import { addScan } from './commands/scan.ts';

const BAD_USAGE = 2;

const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
  description: string;
};

const program = new Command('bailiff').description(description).version(version).exitOverride().showSuggestionAfterError(false);
// The one line about a failure is written below, whoever found it.
program.configureOutput({ outputError: () => undefined, writeErr: () => undefined });
for (const add of [addRun, addScan, addExplain, addReport, addDoctor, addDeploy, addControl, addEnv]) add(program);

process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
// A pipe whose reader has gone (`| head`) is no failure to report, least of all into that pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await program.parseAsync(process.argv);
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
