/** A line of figures against a price move, for terminals and as a picture. */
export type Dot = { readonly movePercent: number; readonly debtUsd: number; readonly profitUsd: number };

const BAR = 30;
const [WIDTH, HEIGHT, MARGIN] = [720, 360, 56];

/** A row a point: the move, a bar of the debt, the debt and the profit. */
export function chartText(dots: readonly Dot[]): string {
  const most = Math.max(...dots.map(({ debtUsd }) => debtUsd), 1);
  const money = (usd: number) => usd.toLocaleString('en', { maximumFractionDigits: 0 });
  const cells = dots.map(({ movePercent, debtUsd, profitUsd }) => [
    `${movePercent.toFixed(1)}%`,
    '█'.repeat(Math.round((debtUsd / most) * BAR)),
    money(debtUsd),
    money(profitUsd),
  ]);
  const width = (column: number, head: string) => Math.max(head.length, ...cells.map((row) => row[column]!.length));
  const [moves, debts, profits] = [width(0, 'price'), width(2, 'debt $'), width(3, 'profit $')];
  const line = ([move, bar, debt, profit]: readonly string[]) =>
    `${move!.padStart(moves)}  ${bar!.padEnd(BAR)}  ${debt!.padStart(debts)}  ${profit!.padStart(profits)}`;
  return [line(['price', 'liquidatable', 'debt $', 'profit $']), ...cells.map(line)].join('\n');
}

/** Both lines, each on a scale of its own: profit is a hundredth of the debt. */
export function chartSvg(title: string, dots: readonly Dot[]): string {
  const [right, bottom] = [WIDTH - MARGIN, HEIGHT - MARGIN];
  const x = (place: number) => MARGIN + ((right - MARGIN) * place) / Math.max(1, dots.length - 1);
  const line = (of: (dot: Dot) => number) => {
    const most = Math.max(...dots.map(of), 1);
    const points = dots.map((dot, place) => `${x(place).toFixed(1)},${(bottom - ((bottom - MARGIN) * of(dot)) / most).toFixed(1)}`);
    return { most: Math.round(most).toLocaleString('en'), points: points.join(' ') };
  };
  const [debt, profit] = [line(({ debtUsd }) => debtUsd), line(({ profitUsd }) => profitUsd)];
  const ticks = dots.flatMap(({ movePercent }, place) =>
    place % Math.ceil(dots.length / 6) === 0 || place === dots.length - 1
      ? [`<text x="${x(place).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${movePercent.toFixed(1)}%</text>`]
      : [],
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${MARGIN}" y="20" font-size="14">${escaped(title)}</text>`,
    `<path d="M${MARGIN} ${MARGIN} V${bottom} H${right}" fill="none" stroke="#888"/>`,
    ...ticks,
    `<polyline points="${debt.points}" fill="none" stroke="#b33" stroke-width="2"/>`,
    `<polyline points="${profit.points}" fill="none" stroke="#27a" stroke-width="2"/>`,
    `<text x="${MARGIN}" y="${MARGIN - 18}" fill="#b33">liquidatable debt, up to $${debt.most}</text>`,
    `<text x="${MARGIN}" y="${MARGIN - 4}" fill="#27a">profit of one block, up to $${profit.most}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
