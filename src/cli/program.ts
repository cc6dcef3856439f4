import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { PRESETS } from '../risk/shocks.ts';
import { oneOf, shock, since, wholeNumber } from './arguments.ts';

const JSON_HELP = 'one JSON document on stdout';
const DEPLOY_WAIT_S = 180;
const DOCTOR_WAIT_S = 30;
const STRESS_ROUNDS = 5;
const STRESS_POINTS = 10;

/** Every command with its help. What a command does is loaded when it is called: help and mistakes should not wait for it. */
export function createProgram(): Command {
  const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
    description: string;
  };
  const program = new Command('bailiff').description(description).version(version).exitOverride().showSuggestionAfterError(false);
  // Whoever called writes the one line about a failure, wherever it was found.
  program.configureOutput({ outputError: () => undefined, writeErr: () => undefined });

  program
    .command('run')
    .description('the keeper')
    .option(
      '--accounts <file>',
      'begin with these accounts, one a line, before the history is known: an address, or JSON with protocol and account',
    )
    .option('--json', 'log lines on stderr, one JSON document on stdout at the end')
    .action(async (options) => (await import('./commands/run.ts')).run(options));
  program
    .command('scan')
    .description('one pass: sync, then the positions by health with what liquidating each would bring')
    .option('--limit <count>', 'only the worst so many (default: all with --json, else 40)', wholeNumber(1, 10_000_000))
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/scan.ts')).scan(options));
  program
    .command('explain')
    .description('the positions of an account and why each is or is not being liquidated')
    .argument('<account>', 'its address')
    .option('--json', JSON_HELP)
    .action(async (account, options) => (await import('./commands/explain.ts')).explain(account, options));
  program
    .command('stress')
    .description('what would become liquidatable if prices moved: sizes, profit, bad debt, price impact, cascades; sends nothing')
    .option('--shock <move>', 'TOKEN=PERCENT%, such as WETH=-20%, by symbol or address; may be given several times', shock, [])
    .option('--preset <month>', `the worst day of a month: ${Object.keys(PRESETS).join(', ')}`, oneOf(Object.keys(PRESETS)))
    .option('--rounds <count>', 'how often prices may follow the pools that were sold into', wholeNumber(1, 20), STRESS_ROUNDS)
    .option('--points <count>', 'of the chart of debt and profit against the move', wholeNumber(1, 100), STRESS_POINTS)
    .option('--svg <file>', 'writes that chart there as a picture')
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/stress.ts')).stress(options));
  program
    .command('report')
    .description('realised profit and loss, efficiency, delays and misses, from the ledger alone')
    .option('--since <when>', 'a block number, a time back such as 90m, 24h or 7d, or a date such as 2026-01-31', since)
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/report.ts')).report(options));
  program
    .command('doctor')
    .description('checks what a run depends on, and says what to mend; sends nothing')
    .option('--wait <seconds>', 'how long an endpoint has to show a new block', wholeNumber(0, 3_600), DOCTOR_WAIT_S)
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/doctor.ts')).doctor(options));
  program
    .command('deploy')
    .description('deploys the Executor and prints its address')
    .option('--owner <address>', 'who owns it, instead of the keeper’s key; the keeper is then an operator')
    .option('--timeout <seconds>', 'how long to wait until it is mined', wholeNumber(1, 86_400), DEPLOY_WAIT_S)
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/deploy.ts')).deploy(options));
  program
    .command('pause')
    .description('the running keeper sends nothing more until resume')
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/control.ts')).control('pause', options));
  program
    .command('resume')
    .description('the running keeper sends again; closes an open breaker')
    .option('--after-kill', 'lift a kill too')
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/control.ts')).control('resume', options));
  program
    .command('kill')
    .description('the running keeper sends nothing more, restarts included, until resume --after-kill')
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/control.ts')).control('kill', options));
  program
    .command('env')
    .description('the table of environment variables, from the schema')
    .option('--markdown', 'as the README has it')
    .option('--json', JSON_HELP)
    .action(async (options) => (await import('./commands/env.ts')).env(options));
  return program;
}
