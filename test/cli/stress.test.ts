/** `bailiff stress` is held to what happens when the price does come. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFunctionData, getAddress, type Hex, parseAbi } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { START_PRICES_USD8 } from '../../scripts/devnet/assets.ts';
import { type Devnet, startDevnet } from '../../scripts/devnet/devnet.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { stressShape } from '../../src/cli/shapes.ts';
import { bailiff, documentOf, type Environment } from './cli.ts';

const pool = parseAbi(['function getUserAccountData(address) view returns (uint256,uint256,uint256,uint256,uint256,uint256)']);
const WAD = 10n ** 18n;

let devnet: Devnet;
let folder: string;
let environment: Environment;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-stress-'));
  const deploymentsFile = join(folder, 'deployments.json');
  devnet = await startDevnet({ positions: 60, seed: 5, slotMs: 400, deploymentsFile });
  environment = { RPC_URLS: devnet.rpcUrl, DEPLOYMENTS_FILE: deploymentsFile };
});
afterAll(async () => {
  await devnet?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const stress = async (...args: readonly string[]) =>
  stressShape.parse(documentOf(await bailiff(['stress', '--json', ...args], environment)));

async function belowOne(): Promise<readonly string[]> {
  const accounts = devnet.market.borrowers.map(({ address }) => address);
  const health = await Promise.all(
    accounts.map(async (account) => {
      const data = encodeFunctionData({ abi: pool, functionName: 'getUserAccountData', args: [account] });
      const answer = await rpc<Hex>(devnet.rpcUrl, 'eth_call', [{ to: devnet.market.aave.pool, data }, 'latest']);
      return BigInt(`0x${answer.slice(-64)}`);
    }),
  );
  return accounts
    .filter((_, place) => health[place]! < WAD)
    .map((account) => getAddress(account))
    .toSorted();
}

describe('stress', () => {
  test('names those that the contract calls liquidatable once the price is there, with what pays and what does not', async () => {
    const document = await stress('--shock', 'WETH=-20%', '--points', '4', '--rounds', '3', '--svg', join(folder, 'chart.svg'));
    const [first] = document.rounds;
    expect(first!.planned).toBeGreaterThan(0);
    expect(first!.positions.filter(({ plan }) => plan !== undefined)).toHaveLength(first!.planned);
    expect(first!.impacts.some(({ symbol, movePpm }) => symbol === 'WETH' && movePpm < 0)).toBe(true);
    expect(document.curve.map(({ liquidatable }) => liquidatable)).toEqual(
      document.curve.map(({ liquidatable }) => liquidatable).toSorted((a, b) => a - b),
    );
    expect(document.curve.at(-1)).toMatchObject({
      liquidatable: first!.liquidatable,
      debtUsd: first!.debtUsd,
      profitUsd: first!.profitUsd,
    });
    expect(readFileSync(join(folder, 'chart.svg'), 'utf8')).toMatch(/^<svg .*>\n(<.*>\n)*<polyline .*>\n(<.*>\n)*<\/svg>\n$/);

    const before = START_PRICES_USD8['ETH / USD']!;
    await transmit(devnet.rpcUrl, devnet.market.feeds['ETH / USD']!, (before * 8n) / 10n);
    const { head } = await devnet.builder.status();
    await devnet.builder.waitForBlock(head + 2);
    const said = first!.positions.filter(({ protocol }) => protocol === 'aave-v3').map(({ account }) => account);
    expect(said.toSorted()).toEqual(await belowOne());
  });

  test('in a further round prices have followed the pools, and nobody is counted twice', async () => {
    const { rounds } = await stress('--shock', 'WETH=-15%', '--rounds', '4', '--points', '1');
    const planned = rounds.flatMap(({ positions }) =>
      positions.filter(({ plan }) => plan !== undefined).map(({ protocol, market, account }) => `${protocol}/${market}/${account}`),
    );
    expect(new Set(planned).size).toBe(planned.length);
    expect(rounds.length).toBeGreaterThan(1);
  });

  test.each([
    [['--shock', 'WETH'], 'TOKEN=PERCENT%'],
    [['--shock', 'WETH=-100%'], 'above -100'],
    [['--shock', 'NOSUCH=-5%'], 'no market here has such a token'],
    [['--preset', '1999-01'], '2022-06'],
    [[], 'give --shock'],
  ])('%j ends with one line that says what is wrong', async (args, said) => {
    const { code, stderr } = await bailiff(['stress', ...args], environment);
    expect(code).toBe(2);
    const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect(errors).toEqual([expect.stringContaining(said)]);
  });

  test('a preset moves the tokens that the chain has', async () => {
    const { shocks } = await stress('--preset', '2022-06', '--points', '1', '--rounds', '1');
    expect(shocks.map(({ symbol, movePpm }) => [symbol, movePpm])).toEqual([
      ['WETH', -218_000],
      ['WBTC', -189_000],
    ]);
  });
});
