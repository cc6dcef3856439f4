/**
 * `node scripts/stress/derive.ts --eth <csv> --btc <csv>`: the presets of `bailiff stress`, from rounds of Chainlink's feeds (`updated_at,answer_1e8`). For each
 * month the worst fall of ether within 24 hours, and what bitcoin had lost at its worst in the same hours; the three worst months.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

type Round = { readonly at: number; readonly answer: number };
type Fall = { readonly from: number; readonly to: number; readonly share: number };

const DAY_S = 86_400;
const SHOWN = 3;

const { values } = parseArgs({ options: { eth: { type: 'string' }, btc: { type: 'string' } } });
if (values.eth === undefined || values.btc === undefined) throw new Error('give --eth and --btc');
const [ether, bitcoin] = [roundsOf(values.eth), roundsOf(values.btc)];

const months = Map.groupBy(ether, ({ at }) => new Date(at * 1_000).toISOString().slice(0, 7));
const worst = Array.from(months, ([month, rounds]) => ({ month, fall: worstFall(rounds) })).toSorted((a, b) => a.fall.share - b.fall.share);
for (const { month, fall } of worst.slice(0, SHOWN)) {
  const same = worstFall(bitcoin.filter(({ at }) => at >= fall.from && at <= fall.to));
  console.log(`'${month}': [${shockOf('WETH', fall)}, ${shockOf('WBTC', same)}],`);
}

function roundsOf(path: string): readonly Round[] {
  const rows = readFileSync(path, 'utf8').trim().split('\n').slice(1);
  const rounds = rows.map((row) => row.split(',').map(Number)).map(([at = 0, answer = 0]) => ({ at, answer }));
  return rounds.filter(({ at, answer }) => at > 0 && answer > 0).toSorted((a, b) => a.at - b.at);
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
