/** A block full of position events: decoded, folded into the mirror, taken in by the watchlist, and taken back as by a reorganisation. */
import { toEventSelector } from 'viem';
import { parseLogs } from '../../src/chain/parse.ts';
import { RAY, rayMulDown } from '../../src/lib/math.ts';
import type { Address, Head, Hex } from '../../src/lib/types.ts';
import { Journal } from '../../src/mirror/journal.ts';
import { foldLog, Unread } from '../../src/protocols/aave-v3/fold.ts';
import type { Reserve } from '../../src/protocols/aave-v3/state.ts';
import { Watchlist } from '../../src/risk/watchlist.ts';
import { Prng } from '../devnet/prng.ts';
import { Crowd } from './crowd.ts';
import { type Bench, type Choice, quantile, type Result } from './result.ts';

const ACCOUNTS = 100_000;
const EVENTS = 2_000;
const WARM_UP = 40;
const RUNS = 200;
const HASH: Hex = `0x${'ab'.repeat(32)}`;
const MINT = toEventSelector(
  'event Mint(address indexed caller, address indexed onBehalfOf, uint256 value, uint256 balanceIncrease, uint256 index)',
);
const BURN = toEventSelector(
  'event Burn(address indexed from, address indexed target, uint256 value, uint256 balanceIncrease, uint256 index)',
);

async function run({ seed, accounts = ACCOUNTS }: Choice): Promise<Result[]> {
  const crowd = new Crowd(accounts, seed);
  const { state } = crowd;
  for (const reserve of state.reserves.values()) {
    state.byAToken.set(reserve.aToken, reserve);
    state.byDebtToken.set(reserve.debtToken, reserve);
  }
  const list = new Watchlist(crowd.bounds, crowd.slots());
  list.suspects(crowd.moment(), true);
  const random = new Prng(seed);
  const times = { decode: [] as number[], apply: [] as number[], watch: [] as number[], undo: [] as number[], folded: [] as number[] };
  for (let turn = -WARM_UP; turn < RUNS; turn++) {
    const { answer, touched } = blockOf(crowd, random, turn + WARM_UP + 1);
    const before = touched.map((slot) => state.accounts.read(slot));
    const journal = new Journal();
    const started = performance.now();
    const logs = parseLogs(JSON.parse(answer));
    const decoded = performance.now();
    journal.begin();
    const unread = new Unread();
    const head: Head = { ...state.head, number: turn, timestamp: crowd.moment().timestamp };
    for (const log of logs) foldLog(log, head, state, journal, unread);
    const undo = journal.take();
    const applied = performance.now();
    crowd.bounds.forget();
    list.suspects(crowd.moment(), true);
    const watched = performance.now();
    undo();
    const undone = performance.now();
    check(
      before,
      touched.map((slot) => state.accounts.read(slot)),
    );
    crowd.bounds.forget();
    list.suspects(crowd.moment(), true);
    if (turn < 0) continue;
    times.decode.push(decoded - started);
    times.apply.push(applied - decoded);
    times.watch.push(watched - applied);
    times.undo.push(undone - watched);
    times.folded.push(applied - decoded + undone - watched);
  }
  const label = `${EVENTS.toLocaleString('en-US')} events in a block, ${accounts.toLocaleString('en-US')} accounts`;
  const result = (name: string, values: readonly number[], notes: string): Result => ({
    ...{ name, ours: quantile(values, 0.5), unit: 'ms', figures: { accounts, p99: quantile(values, 0.99) } },
    notes: `p99 ${quantile(values, 0.99).toFixed(2)} ms${notes}`,
  });
  return [
    result(label, times.folded, '; applied and taken back; what was before is there again each time'),
    result('  applied', times.apply, ''),
    result('  taken back', times.undo, ''),
    result('  JSON decoded and checked', times.decode, '; apart'),
    result('  taken in by the watchlist', times.watch, '; apart'),
  ];
}

/** What a node answers for a block in which so many accounts supply, withdraw, borrow and repay. */
function blockOf(crowd: Crowd, random: Prng, block: number): { readonly answer: string; readonly touched: readonly number[] } {
  const { accounts, reserves } = crowd.state;
  const touched = new Set<number>();
  const logs: object[] = [];
  while (logs.length < EVENTS) {
    const slot = Math.floor(random.next() * accounts.length);
    const { address, supplied, owed } = accounts.read(slot);
    const debt = random.next() < 0.5;
    const [entry] = debt ? owed : supplied;
    if (entry === undefined) continue;
    const [id, scaled] = entry;
    touched.add(slot);
    logs.push(logOf(reserves.get(id)!, debt, scaled, address, random, block, logs.length));
  }
  return { answer: JSON.stringify(logs), touched: [...touched] };
}

/** A hundredth more or less, with some interest since the last time. */
function logOf(reserve: Reserve, debt: boolean, scaled: bigint, holder: Address, random: Prng, block: number, place: number): object {
  const { borrowIndexRay, liquidityIndexRay } = reserve.indexes;
  const indexRay = debt ? borrowIndexRay : liquidityIndexRay;
  const amountRaw = rayMulDown(scaled, indexRay);
  const more = random.next() < 0.5;
  const holderTopic = word(BigInt(holder));
  const other = word(BigInt(Math.floor(random.next() * 2 ** 48)));
  return {
    address: debt ? reserve.debtToken : reserve.aToken,
    topics: more ? [MINT, other, holderTopic] : [BURN, holderTopic, other],
    data: word(amountRaw / 100n, amountRaw / RAY, indexRay),
    blockNumber: `0x${block.toString(16)}`,
    blockHash: HASH,
    logIndex: `0x${place.toString(16)}`,
    transactionHash: HASH,
    transactionIndex: '0x0',
    removed: false,
  };
}

function word(...values: readonly bigint[]): Hex {
  return `0x${values.map((value) => value.toString(16).padStart(64, '0')).join('')}`;
}

function check(before: readonly object[], after: readonly object[]): void {
  const text = (all: readonly object[]) =>
    JSON.stringify(all, (_, value) =>
      value instanceof Map || value instanceof Set ? [...value].sort() : typeof value === 'bigint' ? `${value}` : value,
    );
  if (text(before) !== text(after)) throw new Error('what was taken back is not what was before');
}

export const blocks: Bench = { name: 'blocks', about: 'a block of 2,000 position events, folded and taken back', run };
