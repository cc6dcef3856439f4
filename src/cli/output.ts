import { usdText } from '../lib/usd.ts';

/** What a command was told about its output. */
export type OutputOptions = { readonly json?: true };

/** Exactly one document on stdout with `--json`, otherwise the text for people. Written whole before it resolves. */
export async function print(options: OutputOptions, document: unknown, text: () => string): Promise<void> {
  await write(process.stdout, options.json ? JSON.stringify(document) : text());
}

export function warn(message: string): Promise<void> {
  return write(process.stderr, `warning: ${message}`);
}

function write(stream: NodeJS.WriteStream, line: string): Promise<void> {
  return new Promise((resolve) => stream.write(`${line}\n`, () => resolve()));
}

/** USD for people, to the cent, cut and not rounded; documents carry all eight decimals. */
export function cents(usd8: bigint): string {
  return usdText(usd8 - (usd8 % 1_000_000n));
}

/** Columns as wide as they need to be; those named in `right` are aligned to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], right: readonly string[] = []): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (right.includes(header[column] ?? '') ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}
