/** A world in which borrowers let others liquidate them early: random contracts of every kind that the factory makes, each authorised by some. */
import { type Address, decodeAbiParameters, encodeFunctionData, type Hex, parseAbi, parseEventLogs } from 'viem';
import type { MorphoMarket } from '../../../scripts/devnet/morpho/deploy.ts';
import { createPreLiquidation, type PreLiquidationParams, transplantFactory } from '../../../scripts/devnet/morpho/pre-liquidation.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { builtIn } from '../../../src/protocols/morpho-blue/deployments.ts';
import { type Receipt, tokenAbi } from '../aave-v3/sender.ts';
import { LIQUIDATOR, lower, type MorphoWorld, type Outcome } from './world.ts';

const WAD = 10n ** 18n;
const MAX_UINT256 = 2n ** 256n - 1n;
const abi = parseAbi([
  'function preLiquidate(address borrower, uint256 seizedAssets, uint256 repaidShares, bytes data) returns (uint256, uint256)',
  'function price() view returns (uint256)',
]);
export const preEvents = parseAbi([
  'event PreLiquidate(bytes32 indexed id, address indexed liquidator, address indexed borrower, uint256 repaidAssets, uint256 repaidShares, uint256 seizedAssets)',
]);

export type PreContract = { readonly address: Address; readonly market: MorphoMarket; readonly params: PreLiquidationParams };
export type PreAttempt = {
  readonly contract: Address;
  readonly borrower: Address;
  readonly seizedAssets: bigint;
  readonly repaidShares: bigint;
};

/** Contracts of the world's markets, this many for each, and the authorisations that borrowers gave them; all mined and followed. */
export async function openContracts(world: MorphoWorld, perMarket: number, seed: number): Promise<readonly PreContract[]> {
  const random = new Prng(seed);
  const contracts: PreContract[] = [];
  await world.fixture.chain.prepare();
  await meetRealFactory(world);
  for (const market of world.morpho.markets) {
    const other = await otherOracle(world, market);
    for (let i = 0; i < perMarket; i++) {
      const params = paramsOf(market, i % 3 === 2 ? other : market.params.oracle, random);
      contracts.push({ address: await createPreLiquidation(world.fixture.chain, world.morpho, market, params), market, params });
    }
  }
  await world.fixture.chain.mine();
  for (const { address, market } of contracts)
    await world.sender.call(LIQUIDATOR, market.params.loanToken, tokenAbi, 'approve', [address, MAX_UINT256]);
  for (const { address, market } of world.borrowers)
    for (const contract of contracts)
      if (contract.market.id === market.id && random.next() < 1.5 / perMarket)
        await world.call(address, 'setAuthorization', [contract.address, true]);
  await world.sender.mine();
  await world.follower.advance();
  return contracts;
}

/** With FORK_RPC_URL: the factory's own code, and so the contracts' own, in the place of the doubles'. */
async function meetRealFactory(world: MorphoWorld): Promise<void> {
  const rpcUrl = process.env['FORK_RPC_URL'] ?? '';
  if (rpcUrl === '') return;
  const [known] = builtIn(Number(await rpc<Hex>(rpcUrl, 'eth_chainId')))['morpho-blue'];
  if (known?.preLiquidationFactory === undefined) throw new Error('no Morpho Blue is known on the chain of FORK_RPC_URL');
  await transplantFactory(world.fixture.chain, world.morpho, { rpcUrl, factory: known.preLiquidationFactory, morpho: known.morpho });
}

/** Any that the factory takes, its corners more often than chance would have it. */
export function paramsOf(market: Pick<MorphoMarket, 'params'>, preLiquidationOracle: Address, random: Prng): PreLiquidationParams {
  const { lltv } = market.params;
  const share = (most: bigint) => (most * BigInt(Math.floor(random.next() * 1e6))) / 1_000_000n;
  const mostIncentive = (WAD * WAD) / lltv;
  const preLIF1 = random.next() < 0.2 ? WAD : WAD + share(mostIncentive - WAD);
  const preLCF1 = random.next() < 0.2 ? WAD : share(WAD);
  return {
    preLltv: lltv - lltv / 50n - share(lltv / 8n),
    ...{ preLCF1, preLCF2: preLCF1 + (random.next() < 0.3 ? 0n : share(WAD)) },
    ...{ preLIF1, preLIF2: random.next() < 0.3 ? mostIncentive : preLIF1 + share(mostIncentive - preLIF1) },
    preLiquidationOracle,
  };
}

/** One that stands still, a little below the market's own as of now: it sees everybody closer to the limit, and further from it after a fall. */
async function otherOracle(world: MorphoWorld, market: MorphoMarket): Promise<Address> {
  const { chain } = world.fixture;
  const { oracleMock } = world.morpho.artifacts;
  const oracle = chain.deploy(`other oracle of ${market.collateral}`, oracleMock);
  const data = encodeFunctionData({ abi, functionName: 'price' });
  const price = BigInt(await rpc<Hex>(world.sender.url, 'eth_call', [{ to: market.params.oracle, data }, 'latest']));
  chain.call(oracle, oracleMock.abi, 'setPrice', [(price * 97n) / 100n]);
  return oracle;
}

/** The contracts that a borrower authorised, as the mirror has it. */
export function authorisedBy(world: MorphoWorld, contracts: readonly PreContract[], borrower: Address): readonly PreContract[] {
  const { state } = world.protocol;
  return contracts.filter(
    ({ address, market }) =>
      state.slots.has(market.id + lower(borrower)) && state.authorised.get(lower(address))?.has(lower(borrower)) === true,
  );
}

/** What the contracts themselves would do at these timestamps, on the latest state: the calls alone, without effect. */
export async function askEarly(world: MorphoWorld, attempts: readonly (PreAttempt & { readonly timestamp: number })[]): Promise<Outcome[]> {
  const answers = await Promise.all(
    attempts.map(({ contract, timestamp, ...attempt }) => {
      const call = { from: LIQUIDATOR, to: contract, data: preLiquidateData(attempt) };
      const time = `0x${timestamp.toString(16)}`;
      return rpc<Hex>(world.sender.url, 'eth_call', [call, 'latest', {}, { time }]).catch(() => undefined);
    }),
  );
  return answers.map((answer) => {
    if (answer === undefined) return 'reverts';
    const [seizedRaw, repaidRaw] = decodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], answer);
    return { seizedRaw, repaidRaw };
  });
}

/** Mines the call; what the contract says that it moved. */
export async function preLiquidate(world: MorphoWorld, { contract, ...attempt }: PreAttempt) {
  await world.sender.send(LIQUIDATOR, contract, preLiquidateData(attempt), 'preLiquidate');
  return preLiquidationsIn((await world.sender.mine()).receipts.at(-1)!)[0];
}

export function preLiquidationsIn(receipt: Receipt) {
  return parseEventLogs({ abi: preEvents, eventName: 'PreLiquidate', logs: receipt.logs as never[] }).map(({ args }) => args);
}

export function preLiquidateData({ borrower, seizedAssets, repaidShares }: Omit<PreAttempt, 'contract'>): Hex {
  return encodeFunctionData({ abi, functionName: 'preLiquidate', args: [borrower, seizedAssets, repaidShares, '0x'] });
}
