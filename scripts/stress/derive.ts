/**
 * `node scripts/stress/derive.ts --eth CSV --btc CSV [--months 2022-05,2022-06,2022-11]`: the presets of `bailiff stress`, from prices. For each month the worst fall of
 * ether within 24 hours, and what bitcoin had lost at its worst in the same hours; of the four worst months unless others are named. A file has either rounds of
 * Chainlink's feed (`updated_at,answer_1e8`) or candles of an hour (`timestamp,open,high,low,close,…`), of which the closes count.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

type Round = { readonly at: number; readonly answer: number };
type Fall = { readonly from: number; readonly to: number; readonly share: number };

const DAY_S = 86_400;
const HOUR_S = 3_600;
const SHOWN = 4;

const { values } = parseArgs({ options: { eth: { type: 'string' }, btc: { type: 'string' }, months: { type: 'string' } } });
if (values.eth === undefined || values.btc === undefined) throw new Error('give --eth and --btc');
const [ether, bitcoin] = [roundsOf(values.eth), roundsOf(values.btc)];

const months = Map.groupBy(ether, ({ at }) => new Date(at * 1_000).toISOString().slice(0, 7));
const falls = Array.from(months, ([month, rounds]) => ({ month, fall: worstFall(rounds) }));
const named = values.months?.split(',');
const shown = named
  ? falls.filter(({ month }) => named.includes(month))
  : falls.toSorted((a, b) => a.fall.share - b.fall.share).slice(0, SHOWN);
for (const { month, fall } of shown) {
  const same = worstFall(bitcoin.filter(({ at }) => at >= fall.from && at <= fall.to));
  console.log(`'${month}': [${shockOf('WETH', fall)}, ${shockOf('WBTC', same)}],`);
}

function roundsOf(path: string): readonly Round[] {
  const [header = '', ...rows] = readFileSync(path, 'utf8').trim().split('\n');
  const roundOf = header.startsWith('timestamp,open,high,low,close') ? candle : feedRound;
  return rows
    .map((row) => roundOf(row.split(',')))
    .filter(({ at, answer }) => at > 0 && answer > 0)
    .toSorted((a, b) => a.at - b.at);
}

function feedRound([at, answer]: readonly string[]): Round {
  return { at: Number(at), answer: Number(answer) };
}

/** Told by the hour's beginning, in UTC; its close is the price when it ends. */
function candle([begins = '', , , , close]: readonly string[]): Round {
  return { at: Date.parse(`${begins.replace(' ', 'T')}Z`) / 1_000 + HOUR_S, answer: Number(close) };
}

function worstFall(rounds: readonly Round[]): Fall {
  let worst: Fall = { from: 0, to: 0, share: 0 };
  for (const [index, high] of rounds.entries())
    for (let later = index + 1; later < rounds.length && rounds[later]!.at <= high.at + DAY_S; later++) {
      const share = rounds[later]!.answer / high.answer - 1;
      if (share < worst.share) worst = { from: high.at, to: rounds[later]!.at, share };
    }
  return worst;
}

function shockOf(asset: string, { share }: Fall): string {
  return `{ asset: '${asset}', movePpm: ${(Math.round(share * 1_000) * 1_000).toLocaleString('en').replaceAll(',', '_')} }`;
}
