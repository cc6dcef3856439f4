import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { commandKeeper } from '../../ledger/control.ts';
import { OperatorError } from '../../lib/errors.ts';
import { type OutputOptions, print, warn } from '../output.ts';

const DESCRIPTIONS = {
  pause: 'the running keeper sends nothing more until resume',
  resume: 'the running keeper sends again; closes an open breaker',
  kill: 'the running keeper sends nothing more, restarts included, until resume --after-kill',
} as const;

/** `pause`, `resume`, `kill`: a command left in the ledger of DATA_DIR, and the keeper's answer. */
export function addControl(program: Command): void {
  for (const command of ['pause', 'resume', 'kill'] as const) {
    const described = program.command(command).description(DESCRIPTIONS[command]).option('--json', 'one JSON document on stdout');
    if (command === 'resume') described.option('--after-kill', 'lift a kill too');
    described.action((options: OutputOptions & { afterKill?: true }) => give(command, options));
  }
}

async function give(command: keyof typeof DESCRIPTIONS, options: OutputOptions & { afterKill?: true }): Promise<void> {
  const { dataDir, warnings } = await loadConfig('store');
  for (const warning of warnings) await warn(warning);
  const answer = await commandKeeper(dataDir, { command, afterKill: options.afterKill === true });
  if (answer.kind === 'no-keeper') throw new OperatorError(`no keeper runs on ${dataDir}; DATA_DIR says which is meant`);
  if (answer.kind === 'silent')
    throw new OperatorError(`the keeper on ${dataDir} did not answer within ${answer.waitedMs / 1_000} s; the command was taken back`);
  if (!answer.done) throw new OperatorError(answer.answer);
  await print(options, { done: true, answer: answer.answer }, () => answer.answer);
}
