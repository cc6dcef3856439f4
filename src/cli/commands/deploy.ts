import { isAddress } from 'viem/utils';
import { loadConfig } from '../../config/load.ts';
import { ConfigError } from '../../lib/errors.ts';
import type { Address } from '../../lib/types.ts';
import { deployExecutor } from '../deploy.ts';
import { type OutputOptions, print, warn } from '../output.ts';
import type { DeployDocument } from '../shapes.ts';

export async function deploy(options: OutputOptions & { readonly owner?: string; readonly timeout: number }): Promise<void> {
  const owner = options.owner === undefined ? undefined : ownerOf(options.owner);
  const config = await loadConfig('deploy');
  for (const warning of config.warnings) await warn(warning);
  const document = await deployExecutor(config, owner, options.timeout);
  await print(options, document, () => deployText(document));
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

function ownerOf(text: string): Address {
  if (!isAddress(text)) throw new ConfigError(['--owner must be an address with a right checksum, or in lower case']);
  return text.toLowerCase() as Address;
}
