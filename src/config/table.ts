import { aboutVariables } from './variables.ts';

/** Of `bailiff env --json`. */
export function environmentJson() {
  return aboutVariables().map(({ name, description, default: value, required, secret }) => ({
    name,
    default: value,
    required,
    secret,
    description,
  }));
}

/** The README's table, between its markers. */
export function environmentMarkdown(): string {
  const rows = aboutVariables().map(({ name, description, default: value, required }) => {
    const shown = required ? 'required' : /^[\w./-]+$/.test(value) && !WORDS.has(value) ? `\`${value}\`` : value;
    return `| \`${name}\` | ${description.replaceAll('|', '\\|')} | ${shown} |`;
  });
  return ['| variable | meaning | default |', '| --- | --- | --- |', ...rows].join('\n');
}

/** Defaults that are said rather than set. */
const WORDS: ReadonlySet<string> = new Set(['unset', 'none', 'any']);
