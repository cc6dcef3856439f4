/** The source of src/generated/executor.ts, compiled from contracts/Executor.sol. */
import { compilerSettings } from '../../hardhat.config.ts';
import { compileUnit } from '../devnet/compile.ts';

const SOURCE = 'contracts/Executor.sol';

/** Throws with the compiler's messages when the contract does not compile. */
export async function executorModule(): Promise<string> {
  const { Executor } = await compileUnit({ name: 'executor', solc: 'solc-0.8.27', entries: [SOURCE], settings: compilerSettings });
  if (!Executor) throw new Error(`${SOURCE} declares no Executor`);
  const entries = Executor.abi.map((entry) => `  ${JSON.stringify(entry)},\n`).join('');
  return [
    `// Generated from ${SOURCE} by \`node scripts/generate/executor.ts\`. Do not edit.\n`,
    `export const executorAbi = [\n${entries}] as const;\n`,
    `/** Creation code, without the constructor's arguments. */\nexport const executorBytecode = '${Executor.bytecode}' as const;\n`,
  ].join('\n');
}
