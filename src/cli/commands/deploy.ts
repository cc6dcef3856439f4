import { type Command, InvalidArgumentError } from 'commander';
import { isAddress } from 'viem';
import { loadConfig } from '../../config/load.ts';
import type { Address } from '../../lib/types.ts';
import { type OutputOptions, print, warn } from '../output.ts';
import type { DeployDocument } from '../shapes.ts';

const USUAL_WAIT_S = 180;

type DeployOptions = OutputOptions & { readonly owner?: Address; readonly timeout: number };

export function addDeploy(program: Command): void {
  program
    .command('deploy')
    .description('deploys the Executor and prints its address')
    .option('--owner <address>', 'who owns it, instead of the keeper’s key; the keeper is then an operator', parseOwner)
    .option('--timeout <seconds>', 'how long to wait until it is mined', parseSeconds, USUAL_WAIT_S)
    .option('--json', 'one JSON document on stdout')
    .action(async (options: DeployOptions) => {
      const config = await loadConfig('deploy');
      for (const warning of config.warnings) await warn(warning);
      const { deployExecutor } = await import('../deploy.ts');
      const document = await deployExecutor(config, options.owner, options.timeout);
      await print(options, document, () => deployText(document));
    });
}

function deployText(document: DeployDocument): string {
  return [
    `Executor    ${document.executor}`,
    `owner       ${document.owner}`,
    `treasury    ${document.treasury}`,
    `operators   ${document.operators.join(', ') || 'none'}`,
    `mined       block ${document.block}, ${document.txHash}`,
    '',
    `EXECUTOR_ADDRESS=${document.executor}`,
  ].join('\n');
}

function parseOwner(text: string): Address {
  if (!isAddress(text)) throw new InvalidArgumentError('It must be an address with a right checksum, or in lower case.');
  return text.toLowerCase() as Address;
}

function parseSeconds(text: string): number {
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds === 0) throw new InvalidArgumentError('It must be a whole number of seconds, at least 1.');
  return seconds;
}
