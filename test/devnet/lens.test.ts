import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { poolAbi } from '../../scripts/devnet/aave/positions.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { lensAbi, lensLiquidator } from '../../scripts/devnet/lens/contract.ts';
import { type JudgeInput, judge, type Verdict } from '../../scripts/devnet/lens/judge.ts';
import { Prng } from '../../scripts/devnet/prng.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';

const WAD = 10n ** 18n;
const POSITIONS = 80;
/** About a tenth, in pools that have not moved yet. */
const FALL = [
  ['BAL / USD', 1_90000000n],
  ['LINK / USD', 13_80000000n],
  ['BTC / USD', 86_000_00000000n],
  ['ETH / USD', 2_700_00000000n],
] as const;
const erc20 = parseAbi(['function balanceOf(address) view returns (uint256)']);

let fixture: Fixture;
let input: JudgeInput;
let verdicts: Verdict[];
let liquidator: Address;
let head: Hex;
const rival = devAccount('competitor');

beforeAll(async () => {
  fixture = await createFixture({ positions: POSITIONS, seed: 11 });
  const { chain, market, anvil } = fixture;
  liquidator = chain.deploy('lens liquidator', await lensLiquidator(), [market.aave.pool, market.uniswap.factory, market.tokens['WETH']]);
  await chain.fund([rival.address], 10n * WAD);
  await chain.mine();
  for (const [feed, answer] of FALL) await fixture.setPrice(feed, answer);
  head = await hashOf('latest');
  input = {
    rpcUrl: anvil.rpcUrl,
    blockNumber: Number(await rpc<Hex>(anvil.rpcUrl, 'eth_blockNumber')),
    accounts: market.borrowers.map(({ address }) => address),
    minProfitUsd: 5,
    deployments: {
      wrappedNative: market.tokens['WETH']!,
      'aave-v3': [{ poolAddressesProvider: market.aave.poolAddressesProvider }],
      'uniswap-v3': [{ factory: market.uniswap.factory }],
    },
  };
  verdicts = await judge(input);
}, 120_000);

afterAll(() => fixture?.stop());

const hashOf = async (block: string) => (await rpc<{ hash: Hex }>(fixture.anvil.rpcUrl, 'eth_getBlockByNumber', [block, false])).hash;
const kindOf = (account: Address) => fixture.market.borrowers.find(({ address }) => address === account)!.kind;
const paying = () => verdicts.filter(({ best }) => best !== null);

/** Sends the liquidation for real, on a state that is put back, and returns what the sender gained in WETH and paid in gas. */
async function carriedOut(account: Address, best: NonNullable<Verdict['best']>, amount = best.amount) {
  const { chain, anvil, market } = fixture;
  const snapshot = await rpc<Hex>(anvil.rpcUrl, 'evm_snapshot');
  try {
    const { debt, collateral, route } = best;
    const data = encodeFunctionData({ abi: lensAbi, functionName: 'liquidate', args: [{ account, debt, collateral, amount, route }, 0n] });
    await chain.fund([rival.address], 10n * WAD);
    chain.send(rival, { to: liquidator, data, gas: 3_000_000n, label: 'liquidate' });
    await chain.mine();
    const [receipt] = await rpc<{ gasUsed: Hex }[]>(anvil.rpcUrl, 'eth_getBlockReceipts', ['latest']);
    return { gained: await chain.read<bigint>(market.tokens['WETH']!, erc20, 'balanceOf', [rival.address]), gas: BigInt(receipt!.gasUsed) };
  } finally {
    await rpc(anvil.rpcUrl, 'evm_revert', [snapshot]);
  }
}

describe('the lens', () => {
  it("states each account's health by the pool's own view", async () => {
    for (const { account, healthFactorWad } of verdicts) {
      const data = await fixture.chain.read<readonly bigint[]>(fixture.market.aave.pool, poolAbi, 'getUserAccountData', [account]);
      expect(healthFactorWad).toBe(data[5]);
    }
    expect(verdicts.map(({ account }) => account)).toEqual(input.accounts);
  });

  it('finds both what pays and what does not among the liquidatable, and nothing among the healthy', () => {
    const liquidatable = verdicts.filter(({ healthFactorWad }) => healthFactorWad < WAD);
    expect(paying().length).toBeGreaterThan(10);
    expect(liquidatable.length).toBeGreaterThan(paying().length);
    for (const { best, healthFactorWad } of verdicts) if (healthFactorWad >= WAD) expect(best).toBeNull();
  });

  it('names no liquidation that pays for dust', () => {
    const dust = verdicts.filter(({ account, healthFactorWad }) => kindOf(account) === 'dust' && healthFactorWad < WAD);
    expect(dust.length).toBeGreaterThan(0);
    for (const { best } of dust) expect(best).toBeNull();
  });

  it('promises what a transaction then brings, after gas', async () => {
    for (const { account, best } of paying().slice(0, 12)) {
      const { gained, gas } = await carriedOut(account, best!);
      const baseFeeWei = 1_000_000_000n;
      const net = gained - gas * baseFeeWei;
      // Twelve seconds of interest lie between, and the lens counts no refunds of gas.
      expect(Number(net - best!.profitWei) / Number(gained)).toBeGreaterThan(-0.001);
      expect(Number(net - best!.profitWei)).toBeLessThan(Number(gained) * 0.001 + 300_000e9);
    }
  }, 60_000);

  it('leaves no much better size untried', async () => {
    const random = new Prng(3);
    for (const { account, best } of paying().slice(0, 4)) {
      const { gained } = await carriedOut(account, best!);
      for (let trial = 0; trial < 4; trial++) {
        const amount = (best!.amount * BigInt(Math.floor(random.between(5, 200)))) / 100n;
        const other = await carriedOut(account, best!, amount).catch(() => ({ gained: 0n }));
        expect(Number(other.gained)).toBeLessThanOrEqual(Number(gained) * 1.02);
      }
    }
  }, 60_000);

  it('counts only what reaches the least profit', async () => {
    const least = Math.max(...paying().map(({ best }) => best!.profitUsd));
    const strict = await judge({ ...input, minProfitUsd: least - 0.01 });
    expect(strict.filter(({ best }) => best !== null)).toHaveLength(1);
  }, 60_000);

  it('leaves the chain as it was, and can look back at an earlier block', async () => {
    const before = await judge({ ...input, blockNumber: input.blockNumber - 1 });
    expect(before.filter(({ healthFactorWad }) => healthFactorWad < WAD).length).toBeLessThan(paying().length);
    expect(await hashOf('latest')).toBe(head);
  }, 60_000);
});
