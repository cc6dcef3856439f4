import { encodeFunctionData, type Hex, parseAbi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enterEMode, poolAbi } from '../../scripts/devnet/aave/positions.ts';
import { ASSETS, assetOf } from '../../scripts/devnet/assets.ts';
import { deploymentsOf } from '../../scripts/devnet/deployments.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { erc20Abi, provideTokens } from '../../scripts/devnet/tokens.ts';
import { uniswapContracts } from '../../scripts/devnet/uniswap/contracts.ts';

const WAD = 10n ** 18n;
const oracleAbi = parseAbi(['function getAssetPrice(address) view returns (uint256)']);
const viewAbi = parseAbi([
  'function getReserveConfigurationData(address) view returns (uint256 decimals, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus, uint256 reserveFactor, bool usageAsCollateralEnabled, bool borrowingEnabled, bool stableBorrowRateEnabled, bool isActive, bool isFrozen)',
  'function getDebtCeiling(address) view returns (uint256)',
  'function getFlashLoanEnabled(address) view returns (bool)',
  'function getUserReserveData(address asset, address user) view returns (uint256 currentATokenBalance, uint256 currentStableDebt, uint256 currentVariableDebt, uint256 principalStableDebt, uint256 scaledVariableDebt, uint256 stableBorrowRate, uint256 liquidityRate, uint40 stableRateLastUpdated, bool usageAsCollateralEnabled)',
]);
const eModeAbi = parseAbi([
  'function getUserEMode(address) view returns (uint256)',
  'function liquidationCall(address collateralAsset, address debtAsset, address user, uint256 debtToCover, bool receiveAToken)',
]);
type Configuration = readonly [bigint, bigint, bigint, bigint, bigint, boolean, boolean, boolean, boolean, boolean];
type AccountData = readonly [bigint, bigint, bigint, bigint, bigint, bigint];

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture({ positions: 40, seed: 11 });
}, 180_000);
afterAll(() => fixture?.stop());

const token = (symbol: string) => fixture.market.tokens[symbol]!;
const price = (symbol: string) => fixture.chain.read<bigint>(fixture.market.aave.oracle, oracleAbi, 'getAssetPrice', [token(symbol)]);
const account = (address: string) => fixture.chain.read<AccountData>(fixture.market.aave.pool, poolAbi, 'getUserAccountData', [address]);
const provider = <T>(functionName: string, args: readonly unknown[]) =>
  fixture.chain.read<T>(fixture.market.aave.protocolDataProvider, viewAbi, functionName, args);

describe('the devnet’s market', () => {
  it('has every borrower where the plan put it, by the pool’s own view', async () => {
    for (const borrower of fixture.market.borrowers) {
      const [, , , , , healthFactor] = await account(borrower.address);
      expect(Number(healthFactor) / 1e18 / borrower.healthFactor, borrower.kind).toBeCloseTo(1, 3);
      expect(healthFactor >= WAD, borrower.kind).toBe(true);
      expect(await fixture.chain.read(fixture.market.aave.pool, eModeAbi, 'getUserEMode', [borrower.address])).toBe(BigInt(borrower.eMode));
    }
  });

  it('lists the reserves with their settled parameters', async () => {
    for (const { symbol, decimals, collateral, frozen, debtCeilingUsd } of ASSETS) {
      const configuration = await provider<Configuration>('getReserveConfigurationData', [token(symbol)]);
      const ltv = frozen ? 0 : collateral.ltv;
      const { liquidationThreshold, liquidationBonus } = collateral;
      expect(configuration.slice(0, 4), symbol).toEqual([decimals, ltv, liquidationThreshold, liquidationBonus].map(BigInt));
      expect(configuration[9], symbol).toBe(frozen);
      expect(await provider('getDebtCeiling', [token(symbol)]), symbol).toBe(debtCeilingUsd * 100n);
      expect(await provider('getFlashLoanEnabled', [token(symbol)]), symbol).toBe(true);
    }
  });

  it('prices the staked ETH by its ratio, the rest by their feeds', async () => {
    expect(await price('WETH')).toBe(3_000_00000000n);
    expect(await price('WBTC')).toBe(95_000_00000000n);
    expect(await price('wstETH')).toBe(3_645_00000000n);
  });

  it('has pools at the oracle’s price that really trade', async () => {
    const { QuoterV2 } = await uniswapContracts();
    for (const { token0, token1, fee } of fixture.market.uniswap.pools) {
      const amountIn = (10n ** BigInt(assetOf(token0).decimals) * 10n ** 8n) / (await price(token0)); // one dollar
      const params = { tokenIn: token(token0), tokenOut: token(token1), amountIn, fee, sqrtPriceLimitX96: 0n };
      const { quoter } = fixture.market.uniswap;
      const [amountOut] = await fixture.chain.read<readonly [bigint]>(quoter, QuoterV2.abi, 'quoteExactInputSingle', [params]);
      const worth = Number(amountOut * (await price(token1))) / 10 ** (8 + assetOf(token1).decimals);
      expect(worth / (1 - fee / 1e6), `${token0}/${token1} ${fee}`).toBeCloseTo(1, 2);
    }
  });

  it('accrues interest on variable debt', async () => {
    const borrower = fixture.market.borrowers.find(({ kind }) => kind === 'whale')!;
    const debt = async () => (await provider<readonly bigint[]>('getUserReserveData', [token('USDC'), borrower.address]))[2]!;
    const before = await debt();
    await fixture.chain.mine();
    await fixture.chain.mine();
    expect(await debt()).toBeGreaterThan(before);
  });

  it('answers batched calls', async () => {
    const abi = parseAbi([
      'struct Call3 { address target; bool allowFailure; bytes callData; }',
      'struct Result { bool success; bytes returnData; }',
      'function aggregate3(Call3[] calls) payable returns (Result[])',
      'function getBlockNumber() view returns (uint256)',
    ]);
    const target = fixture.market.multicall3;
    const callData = encodeFunctionData({ abi, functionName: 'getBlockNumber' });
    const calls = [
      { target, allowFailure: false, callData },
      { target: token('USDC'), allowFailure: true, callData: '0xdeadbeef' },
    ];
    const results = await fixture.chain.read<{ success: boolean; returnData: Hex }[]>(target, abi, 'aggregate3', [calls]);
    expect(results.map(({ success }) => success)).toEqual([true, false]);
    expect(Number(results[0]!.returnData)).toBe(await fixture.chain.blockNumber());
  });

  it('has its addresses in the shape of a DEPLOYMENTS_FILE', async () => {
    const book = deploymentsOf(fixture.market);
    expect(book).toMatchObject({ chainId: 7777, wrappedNative: token('WETH'), 'aave-v3': [{ name: 'core' }] });
    const [{ poolAddressesProvider, fromBlock } = { poolAddressesProvider: '0x', fromBlock: 0 }] = book['aave-v3'];
    const code = (block: number) => rpc(fixture.anvil.rpcUrl, 'eth_getCode', [poolAddressesProvider, `0x${block.toString(16)}`]);
    expect([await code(fromBlock - 1), (await code(fromBlock)) === '0x']).toEqual(['0x', false]);
    const answerAbi = parseAbi(['function latestRoundData() view returns (uint80, int256, uint256, uint256, uint80)']);
    for (const [address, feed] of Object.entries(book.usdFeeds)) {
      const [, answer] = await fixture.chain.read<readonly bigint[]>(feed, answerAbi, 'latestRoundData');
      expect(answer).toBe(await fixture.chain.read(fixture.market.aave.oracle, oracleAbi, 'getAssetPrice', [address]));
    }
  });

  it('refuses an eMode that does not admit the debt', async () => {
    const borrower = fixture.market.borrowers.find(({ kind, debt }) => kind === 'near' && debt[0]!.symbol === 'USDC')!;
    await fixture.chain.fund([borrower.address], WAD);
    enterEMode(fixture.chain, fixture.market.aave.pool, privateKeyToAccount(borrower.privateKey), 1, 'wrong eMode');
    await expect(fixture.chain.mine()).rejects.toThrow(/wrong eMode.*reverted/);
  });

  it('makes positions liquidatable by a genuine transmission, and lets anybody liquidate them', async () => {
    const near = fixture.market.borrowers.filter(({ kind, collateral }) => kind === 'near' && collateral[0]!.symbol === 'WETH');
    const [target] = near.sort((a, b) => a.healthFactor - b.healthFactor);
    await fixture.setPrice('ETH / USD', 2_850_00000000n);
    expect(await price('WETH')).toBe(2_850_00000000n);
    const { chain, market } = fixture;
    const [, debtBefore, , , , healthFactor] = await account(target!.address);
    expect(healthFactor).toBeLessThan(WAD);

    const liquidator = devAccount('keeper');
    const debtToken = token(target!.debt[0]!.symbol);
    await chain.fund([liquidator.address], WAD);
    provideTokens(chain, market.tokens, liquidator, target!.debt[0]!.symbol, 10n ** 30n);
    await chain.mine();
    const approve = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [market.aave.pool, 10n ** 30n] });
    chain.send(liquidator, { to: debtToken, data: approve, label: 'approve' });
    const args = [token('WETH'), debtToken, target!.address, 2n ** 256n - 1n, false] as const;
    chain.send(liquidator, {
      to: market.aave.pool,
      data: encodeFunctionData({ abi: eModeAbi, functionName: 'liquidationCall', args }),
      label: 'liquidate',
    });
    await chain.mine();
    const [, debtAfter] = await account(target!.address);
    expect(debtAfter).toBeLessThan(debtBefore);
    expect(await chain.read<bigint>(token('WETH'), erc20Abi, 'balanceOf', [liquidator.address])).toBeGreaterThan(0n);
  });
});

describe('createFixture', () => {
  it('gives one chain for one seed, to the hash', async () => {
    const heads = [];
    for (let run = 0; run < 2; run++) {
      const { anvil, stop } = await createFixture({ positions: 10, seed: 4 });
      heads.push((await rpc<{ hash: Hex }>(anvil.rpcUrl, 'eth_getBlockByNumber', ['latest', false])).hash);
      await stop();
    }
    expect(heads[0]).toBe(heads[1]);
  }, 60_000);
});
