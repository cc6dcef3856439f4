import { loadConfig } from '../../config/load.ts';
import { commandKeeper } from '../../ledger/control.ts';
import { OperatorError } from '../../lib/errors.ts';
import { type OutputOptions, print, warn } from '../output.ts';

/** `pause`, `resume`, `kill`: a command left in the ledger of DATA_DIR, and the keeper's answer. */
export async function control(command: 'pause' | 'resume' | 'kill', options: OutputOptions & { readonly afterKill?: true }): Promise<void> {
  const { dataDir, warnings } = await loadConfig('store');
  for (const warning of warnings) await warn(warning);
  const answer = await commandKeeper(dataDir, { command, afterKill: options.afterKill === true });
  if (answer.kind === 'no-keeper') throw new OperatorError(`no keeper runs on ${dataDir}; DATA_DIR says which is meant`);
  if (answer.kind === 'silent')
    throw new OperatorError(`the keeper on ${dataDir} did not answer within ${answer.waitedMs / 1_000} s; the command was taken back`);
  if (!answer.done) throw new OperatorError(answer.answer);
  await print(options, { done: true, answer: answer.answer }, () => answer.answer);
}
