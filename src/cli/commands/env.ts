import type { Command } from 'commander';
import { environmentJson, environmentMarkdown } from '../../config/table.ts';
import { type OutputOptions, print, table } from '../output.ts';

export function addEnv(program: Command): void {
  program
    .command('env')
    .description('the table of environment variables, from the schema')
    .option('--json', 'one JSON document on stdout')
    .option('--markdown', 'as the README has it')
    .action(async (options: OutputOptions & { markdown?: true }) => {
      const variables = environmentJson();
      await print(options, variables, () => {
        if (options.markdown) return environmentMarkdown();
        const rows = variables.map(({ name, default: value, required, description }) => [
          name,
          required ? 'required' : value,
          description.replaceAll('`', ''),
        ]);
        return table(['variable', 'default', 'meaning'], rows);
      });
    });
}
