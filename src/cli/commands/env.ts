import { environmentJson, environmentMarkdown } from '../../config/table.ts';
import { type OutputOptions, print, table } from '../output.ts';

export async function env(options: OutputOptions & { readonly markdown?: true }): Promise<void> {
  const variables = environmentJson();
  await print(options, variables, () => {
    if (options.markdown) return environmentMarkdown();
    const rows = variables.map(({ name, default: value, required, description }) => [
      name,
      (required ? 'required' : value).replaceAll('`', ''),
      description.replaceAll('`', ''),
    ]);
    return table(['variable', 'default', 'meaning'], rows);
  });
}
