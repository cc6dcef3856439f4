/** Markets of the address book that lie, fail or waste: each is suspended with one line, and the good one beside them is worked as ever. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hex, toHex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HostileMarkets, type Lie } from '../support/hostile.ts';
import { type Line, startTestKeeper } from '../support/keeper.ts';
import { type FaultStage, Play, setFaultStage } from './scene.ts';

const BLOCKS = 10;
const REENTERING = 'reentering-pool';
/** With room for a busy machine: before known wasters were asked apart, the worst block took five times as long. */
const MOST_MS = 60_000;
const NONSENSE: Hex = toHex(2n ** 255n + 3n, { size: 32 });
const DECIMALS_SHIFT = 48n;

let stage: FaultStage;
let play: Play;
let names: string[];
let silent: unknown;

beforeAll(async () => {
  stage = await setFaultStage(23);
  const hostile = await HostileMarkets.on(stage.devnet);
  const weth = stage.devnet.market.tokens['WETH']!;
  const withDecimals = async (decimals: bigint): Promise<Lie> => ({
    part: 'pool',
    signature: 'function getReserveData(address)',
    act: 'answer',
    answer: await hostile.patched('function getReserveData(address)', [weth], (words) => {
      words[0] = (words[0]! & ~(0xffn << DECIMALS_SHIFT)) | (decimals << DECIMALS_SHIFT);
    }),
  });
  const classes: Record<string, readonly Lie[]> = {
    'no-provider': [{ part: 'provider', signature: 'function getPoolConfigurator()', act: 'refuse' }],
    'silent-pool': [{ part: 'pool', signature: 'function getReservesList()', act: 'silence' }],
    'burning-pool': [{ part: 'pool', signature: 'function getReservesList()', act: 'burn' }],
    'wordy-pool': [{ part: 'pool', signature: 'function getUserConfiguration(address)', act: 'megabytes' }],
    'reverting-oracle': [{ part: 'oracle', signature: 'function getAssetPrice(address)', act: 'refuse' }],
    'lying-oracle': [{ part: 'oracle', signature: 'function getAssetPrice(address)', act: 'answer', answer: NONSENSE }],
    'burning-view': [{ part: 'pool', signature: 'function getUserAccountData(address)', act: 'burn' }],
    'wordy-view': [{ part: 'pool', signature: 'function getUserAccountData(address)', act: 'megabytes' }],
    'lying-view': [{ part: 'pool', signature: 'function getUserAccountData(address)', act: 'answer', answer: `0x${'07'.repeat(192)}` }],
    'no-decimals': [await withDecimals(0n)],
    'many-decimals': [await withDecimals(24n)],
    'most-decimals': [await withDecimals(255n)],
  };
  names = Object.keys(classes);
  // Its state is as good as the genuine one's; only what is done there goes wrong.
  classes[REENTERING] = [{ part: 'pool', signature: 'function liquidationCall(address,address,address,uint256,bool)', act: 'reenter' }];
  const markets = [];
  for (const [name, lies] of Object.entries(classes)) markets.push({ name, poolAddressesProvider: await hostile.add(lies), fromBlock: 1 });
  silent = markets.find(({ name }) => name === 'silent-pool');
  const file = join(stage.folder, 'hostile.json');
  const { deployments } = stage.devnet;
  // The good market comes last: it gets what the others leave of each call.
  await writeFile(file, JSON.stringify({ ...deployments, 'aave-v3': [...markets, ...deployments['aave-v3']] }));
  play = await Play.start(stage, { DEPLOYMENTS_FILE: file, MIN_PROFIT_USD: '1' });
}, 240_000);

afterAll(async () => {
  await play?.stop();
  await stage?.close();
});

test('each is suspended with one line, is tried again ever more rarely, and the good market’s positions are liquidated', {
  timeout: 240_000,
}, async () => {
  const took: number[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    const from = performance.now();
    await play.seal();
    took.push(performance.now() - from);
  }
  await play.fall();
  for (let block = 0; block < 4; block++) await play.seal();

  const of = (event: string, market: string) => play.lines.filter((line) => line.event === event && line['market'] === market);
  for (const name of names) {
    const id = `aave-v3/${name}`;
    expect(
      of('market.suspended', id).map(({ reason }) => reason),
      id,
    ).toHaveLength(1);
    expect(of('market.resumed', id), id).toEqual([]);
    // Compared when first read, and after pauses of 1, 2, 4, 8 blocks.
    expect(blocksOf(of('audit.mismatch', id)).size, id).toBeLessThanOrEqual(6);
    expect(of('plan.made', name), id).toEqual([]);
  }
  expect(of('market.suspended', 'aave-v3/core')).toEqual([]);
  expect(play.lines.filter(({ event }) => event === 'block.failed')).toEqual([]);
  expect(of('plan.skipped', REENTERING).map(({ reason }) => reason)).toContain('simulation-reverted');
  const included = play.lines.filter(({ event }) => event === 'attempt.included');
  expect(included.length).toBeGreaterThan(0);
  expect(new Set(included.map(({ market }) => market))).toEqual(new Set(['core']));
  expect((await play.books()).findings).toEqual([]);
  // An endless loop costs what the node allows a call, and only until its market is suspended.
  expect(Math.max(...took)).toBeLessThan(MOST_MS);
  expect(took.sort((a, b) => a - b)[took.length >> 1]!).toBeLessThan(MOST_MS / 4);
});

test('where no market can be read the keeper does not start, and says why', { timeout: 60_000 }, async () => {
  const file = join(stage.folder, 'only-hostile.json');
  const { deployments } = stage.devnet;
  await writeFile(file, JSON.stringify({ ...deployments, 'aave-v3': [silent] }));
  const keeper = startTestKeeper({ ...stage.environment, DEPLOYMENTS_FILE: file, DATA_DIR: join(stage.folder, 'other') }, stage.folder);
  await expect(keeper.done).rejects.toThrow(/^pool 0x[0-9a-f]{40} does not answer$/);
});

function blocksOf(lines: readonly Line[]): ReadonlySet<unknown> {
  return new Set(lines.map(({ block }) => block));
}
