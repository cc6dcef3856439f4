/** `node scripts/bench/chart.ts [bench-results.json [docs/ticks.svg]]`: time against size, of what `npm run bench -- --only ticks` measured. */
import { readFileSync, writeFileSync } from 'node:fs';

type Point = { readonly accounts: number; readonly ms: number };
type Line = { readonly name: string; readonly colour: string; readonly points: readonly Point[] };
type Measured = {
  readonly name: string;
  readonly figures?: Readonly<Record<string, number>>;
  readonly peers: readonly { readonly value: number }[];
};

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 70;
const RIGHT = 190;
const TOP = 30;
const BOTTOM = 50;
const TEXT = 'font-family="sans-serif" font-size="12"';

function linesOf(results: readonly Measured[]): Line[] {
  const ticks = results.filter(({ name }) => name.startsWith('tick, ') && name.endsWith(' accounts'));
  const by = (value: (result: Measured) => number): Point[] =>
    ticks.map((result) => ({ accounts: result.figures!['accounts']!, ms: value(result) })).sort((a, b) => a.accounts - b.accounts);
  return [
    { name: 'judging everybody', colour: '#b3261e', points: by(({ peers }) => peers[0]!.value) },
    { name: 'a tick, p99', colour: '#5b7fbf', points: by(({ figures }) => figures!['p99']!) },
    { name: 'a tick, p50', colour: '#1b3a6b', points: by(({ figures }) => figures!['p50']!) },
  ];
}

function svgOf(lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const decades = (values: readonly number[]) =>
    [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))] as const;
  const [left, right] = decades(all.map(({ accounts }) => accounts));
  const [low, high] = decades(all.map(({ ms }) => ms));
  const x = (accounts: number) => LEFT + ((Math.log10(accounts) - left) / (right - left)) * (WIDTH - LEFT - RIGHT);
  const y = (ms: number) => HEIGHT - BOTTOM - ((Math.log10(ms) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const across = range(low, high).map((power) => {
    const at = y(10 ** power).toFixed(1);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#ddd"/><text x="${LEFT - 8}" y="${at}" dy="4" text-anchor="end" ${TEXT}>${10 ** power} ms</text>`;
  });
  const down = range(left, right).map(
    (power) =>
      `<text x="${x(10 ** power).toFixed(1)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle" ${TEXT}>${(10 ** power).toLocaleString('en-US')}</text>`,
  );
  const drawn = lines.map(({ name, colour, points }) => {
    const path = points.map(({ accounts, ms }) => `${x(accounts).toFixed(1)},${y(ms).toFixed(1)}`).join(' ');
    const last = points.at(-1)!;
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${(x(last.accounts) + 8).toFixed(1)}" y="${y(last.ms).toFixed(1)}" dy="4" fill="${colour}" ${TEXT}>${name}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...across,
    ...down,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle" ${TEXT}>accounts</text>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, place) => from + place);
}

const [from = 'bench-results.json', to = 'docs/ticks.svg'] = process.argv.slice(2);
const { results } = JSON.parse(readFileSync(from, 'utf8')) as { readonly results: readonly Measured[] };
writeFileSync(to, svgOf(linesOf(results)));
