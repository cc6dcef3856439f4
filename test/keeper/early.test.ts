/** The running keeper and Morpho positions whose owners let them be liquidated before their limit: seen by scan and explain, taken in the block of an update. */
import { type Address, encodeFunctionData, getAddress, type Hex, numberToHex, parseAbi, parseEventLogs } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MorphoBorrower } from '../../scripts/devnet/morpho/borrowers.ts';
import { factoryAbi, preLiquidationAddress } from '../../scripts/devnet/morpho/pre-liquidation.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { scanShape } from '../../src/cli/shapes.ts';
import { bailiff, documentOf } from '../cli/cli.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const WAD = 10n ** 18n;
const FALL = 0.97;
const abi = parseAbi([
  'function setAuthorization(address authorized, bool newIsAuthorized)',
  'event PreLiquidate(bytes32 indexed id, address indexed liquidator, address indexed borrower, uint256 repaidAssets, uint256 repaidShares, uint256 seizedAssets)',
]);

let stage: Stage;
let keeper: TestKeeper;
/** The first may be liquidated early as things stand, the others from the fall on. */
let early: readonly MorphoBorrower[];

beforeAll(async () => {
  stage = await setStage({ positions: 4, morphoPositions: 60, seed: 5, sees: 'mempool' });
  const { borrowers } = stage.devnet.market.morpho!;
  early = borrowers
    .filter(({ market, healthFactor }) => market.collateral === 'WETH' && healthFactor > 1.04 && healthFactor < 1.2)
    .sort((a, b) => b.collateralUsd - a.collateralUsd)
    .slice(0, 4);
  for (const [place, borrower] of early.entries()) await authorise(borrower, borrower.healthFactor + (place === 0 ? 0.01 : -0.015));
}, 120_000);

afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

/** A contract of the borrower's own, which may act below this health. */
async function authorise({ privateKey, market }: MorphoBorrower, health: number): Promise<void> {
  const { morpho } = stage.devnet.market.morpho!;
  const params = {
    preLltv: (market.params.lltv * 1_000_000n) / BigInt(Math.round(health * 1e6)),
    ...{ preLCF1: WAD / 2n, preLCF2: WAD, preLIF1: (105n * WAD) / 100n, preLIF2: (106n * WAD) / 100n },
    preLiquidationOracle: market.params.oracle,
  };
  const contract = await preLiquidationAddress(stage.devnet.rpcUrl, morpho, market, params);
  const create = encodeFunctionData({ abi: factoryAbi, functionName: 'createPreLiquidation', args: [market.id, params] });
  await send(privateKey, morpho.preLiquidationFactory, create);
  await send(privateKey, morpho.morpho, encodeFunctionData({ abi, functionName: 'setAuthorization', args: [contract, true] }));
}

/** Mined alone. */
async function send(privateKey: Hex, to: Address, data: Hex): Promise<void> {
  const { rpcUrl, deployments, builder } = stage.devnet;
  const account = privateKeyToAccount(privateKey);
  const nonce = Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [account.address, 'latest']));
  const fees = { maxFeePerGas: 100n * 10n ** 9n, maxPriorityFeePerGas: 1n };
  const raw = await account.signTransaction({ type: 'eip1559', chainId: deployments.chainId, nonce, gas: 3_000_000n, to, data, ...fees });
  await rpc(rpcUrl, 'eth_sendRawTransaction', [raw]);
  await builder.seal();
}

async function takenIn(block: number): Promise<readonly { readonly borrower: Address; readonly liquidator: Address }[]> {
  const at = numberToHex(block);
  const logs = await rpc<never[]>(stage.devnet.rpcUrl, 'eth_getLogs', [{ fromBlock: at, toBlock: at }]);
  return parseEventLogs({ abi, eventName: 'PreLiquidate', logs }).map(({ args }) => args);
}

it('shows such a position as liquidatable, healthy as it is, and by which way', async () => {
  const [first] = early;
  const environment = { ...stage.environment, RPC_URLS: stage.devnet.rpcUrl };
  const { positions } = scanShape.parse(documentOf(await bailiff(['scan', '--json'], environment)));
  const position = positions.find(({ account, protocol }) => protocol === 'morpho-blue' && account === getAddress(first!.address));
  expect(BigInt(position!.healthFactorWad!)).toBeGreaterThan(WAD);
  expect(position).toMatchObject({ liquidatable: true, plan: { option: 'USDC/WETH pre-liquidation', flash: 'none' } });
  const { stdout } = await bailiff(['explain', first!.address], environment);
  expect(stdout).toMatch(/health +1\.\d{4}, may be liquidated early/);
  expect(stdout).toContain('USDC/WETH pre-liquidation');
}, 60_000);

it('takes them in the block of the update that brings them there', async () => {
  const { rpcUrl, market, builder } = stage.devnet;
  keeper = startTestKeeper(stage.environment, stage.folder);
  await keeper.until((line) => line.event === 'endpoint.changed' && line['kind'] === 'pending-from', 'the mempool');
  await keeper.until((line) => line.event === 'block.processed', 'the first block');
  const update = await transmit(rpcUrl, market.feeds['ETH / USD']!, BigInt(Math.round(3_000 * FALL * 1e8)));
  await keeper.until((line) => line.event === 'bundle.sent' && String(line['updateTxHash']).includes(update), 'a bundle behind the update');
  const block = (await builder.seal()).number;
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === block, `block ${block}`);
  const taken = await takenIn(block);
  expect(new Set(taken.map(({ liquidator }) => liquidator))).toEqual(new Set([getAddress(stage.executor)]));
  const wanted = early.slice(1).map(({ address }) => getAddress(address));
  expect(wanted.filter((account) => !taken.some(({ borrower }) => borrower === account))).toEqual([]);
  expect(keeper.lines.filter(({ event }) => event === 'audit.mismatch' || event === 'market.suspended')).toEqual([]);
}, 60_000);
