import { type Result, ratio, rounded } from './result.ts';

/** The results for people: ours first, each peer under it with how many times better ours is. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.flatMap((result): string[][] => [
    [result.name, `${figure(result.ours)} ${result.unit}`, '', result.notes],
    ...(result.peers ?? []).map((peer) => [
      `  ${peer.name}`,
      `${figure(peer.value)} ${result.unit}`,
      `x ${rounded(ratio(result, peer))}`,
      '',
    ]),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(([name, value, better, notes]) =>
      `${name!.padEnd(widths[0]!)}  ${value!.padStart(widths[1]!)}  ${better!.padStart(widths[2]!)}  ${notes}`.trimEnd(),
    )
    .join('\n');
}

function figure(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString('en-US') : String(rounded(value));
}
