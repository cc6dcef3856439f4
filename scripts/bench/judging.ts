/** Every position judged at the next block: all of them, exactly, as the first head asks for. */
import { parseAbi } from 'viem';
import type { Account } from '../../src/protocols/aave-v3/account.ts';
import type { AaveV3Market } from '../../src/protocols/aave-v3/market.ts';
import type { Slot } from '../../src/protocols/types.ts';
import type { World } from '../../src/world.ts';
import { grow } from './grow.ts';
import { type Bench, medianMs, type Result } from './result.ts';
import { mirrored, openScene, type Scene } from './scene.ts';

const SIZES = [10_000, 100_000] as const;
const POLLED = 1_000;
const RUNS = 9;

const poolAbi = parseAbi([
  'function getUserAccountData(address user) view returns (uint256 collateral, uint256 debt, uint256 available, uint256 threshold, uint256 ltv, uint256 healthFactor)',
]);

/** Judging at a moment of its own each time: indexes and prices are worked out anew, as for a new block. */
function judge(world: World, market: AaveV3Market, slots: () => Iterable<Slot>): Promise<number> {
  return medianMs(RUNS, () => {
    const at = world.next();
    for (const slot of slots()) market.judge(slot, at);
  });
}

/** What a script at home does each block: it asks the pool about every account it knows. */
async function poll({ fixture, viem, book }: Scene, accounts: readonly Account[], batchSize: number): Promise<number> {
  const contracts = accounts.map(({ address }) => ({
    ...{ address: fixture.market.aave.pool, abi: poolAbi, functionName: 'getUserAccountData' as const, args: [address] as const },
  }));
  const multicallAddress = book.multicall3!;
  return medianMs(RUNS, () => viem.multicall({ contracts, multicallAddress, batchSize, allowFailure: false }), 1);
}

async function run(): Promise<Result[]> {
  const scene = await openScene();
  const { world, market } = await mirrored(scene);
  const { accounts } = market.state;
  const slots = [...market.slots()].slice(0, POLLED);
  const polled = slots.map((slot) => accounts.read(slot));
  const home: Result = {
    name: `health of ${POLLED} accounts a block`,
    ours: await judge(world, market, () => slots),
    unit: 'ms',
    peers: [
      { name: 'viem multicall, its batches', value: await poll(scene, polled, 1_024) },
      { name: 'viem multicall, one call', value: await poll(scene, polled, 0) },
    ],
    notes: 'mirrored: no call at all; the peers ask a chain on this machine',
  };
  const results: Result[] = [home];
  for (const size of SIZES) {
    grow(market, size);
    const positions = Array.from(market.slots()).length;
    const ms = await judge(world, market, () => market.slots());
    const notes = `${ms.toFixed(1)} ms a block; exact, in bigint; ${market.state.reserves.size} reserves`;
    results.push({
      name: `judging ${positions.toLocaleString('en-US')} positions`,
      ours: (positions / ms) * 1_000,
      unit: 'positions/s',
      notes,
    });
  }
  return results;
}

export const judging: Bench = { name: 'judging', about: 'health factors of all positions, against polling them', run };
