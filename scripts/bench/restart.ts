/** A keeper that comes back: what its last run kept is found, checked and read, and what happened since is made up for. */
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFunctionData, parseAbi } from 'viem';
import { RpcPool } from '../../src/chain/rpc.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address, Hex } from '../../src/lib/types.ts';
import { restoringFrom, type SnapshotEvent, SnapshotService } from '../../src/mirror/snapshots/service.ts';
import { SnapshotStore } from '../../src/mirror/snapshots/store.ts';
import type { AaveV3Market } from '../../src/protocols/aave-v3/market.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { World } from '../../src/world.ts';
import { rpc } from '../devnet/rpc.ts';
import { grow } from './grow.ts';
import type { Bench, Choice, Result } from './result.ts';
import { mirrored, openScene, type Scene } from './scene.ts';

const ACCOUNTS = 1_000_000;
const BLOCKS_BEHIND = 1_000;
/** What is not final is read block by block. */
const UNFINAL = 64;
const PER_BLOCK = 50;
const poolAbi = parseAbi(['function borrow(address asset, uint256 amount, uint256 mode, uint16 referral, address onBehalfOf)']);

async function run({ accounts = ACCOUNTS }: Choice): Promise<Result[]> {
  const scene = await openScene();
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-bench-'));
  try {
    const { world, market } = await mirrored(scene);
    grow(market, accounts, 60n);
    const told: SnapshotEvent[] = [];
    const store = new SnapshotStore(folder);
    await new SnapshotService(store, scene.rpc.chainId, (event) => told.push(event)).take(world.keeper);
    const [taken] = told;
    if (taken?.kind !== 'taken') throw new Error('no snapshot could be taken');
    const events = await happen(scene, market);
    const node = await rememberNode(scene.fixture.anvil.rpcUrl);
    const fromNode = await restart(node.rpc, scene.book, store).catch(closing(node));
    const { ms, ownMs, judgedMs, known } = await restart(node.rpc, scene.book, store).finally(() => node.stop());
    if (known < accounts) throw new Error(`${known} of ${accounts} accounts came back`);
    const happened = `${BLOCKS_BEHIND} blocks with ${events} position events behind`;
    return [
      {
        name: 'restart, ready',
        ours: ms,
        unit: 'ms',
        notes: `${accounts} accounts kept, ${happened}; everybody judged once: ${Math.round(judgedMs)} ms of it; ${Math.round(ownMs)} ms of our own processor time; the node's answers from memory`,
        figures: { accounts, events, ownMs: Math.round(ownMs), judgedMs: Math.round(judgedMs) },
      },
      {
        name: 'restart, ready, from anvil',
        ours: fromNode.ms,
        unit: 'ms',
        notes: `the same, and the first in its process; ${Math.round(fromNode.ownMs)} ms of our own processor time, the rest is anvil's, which copies all state for every call at a block that is not its newest`,
        figures: { ownMs: Math.round(fromNode.ownMs), judgedMs: Math.round(fromNode.judgedMs) },
      },
      {
        name: 'snapshot, longest pause',
        ours: taken.longestPauseMs,
        unit: 'ms',
        notes: `${taken.longestWorkMs.toFixed(2)} ms of processor time at the most, the rest is what else the machine did; ${(taken.bytes / 1e6).toFixed(0)} MB in ${Math.round(taken.ms)} ms, beside the stream`,
        figures: { bytes: taken.bytes, ms: Math.round(taken.ms), workMs: taken.longestWorkMs },
      },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function restart(pool: RpcPool, book: Scene['book'], store: SnapshotStore) {
  const began = performance.now();
  const spent = process.cpuUsage();
  const restoring = await restoringFrom(store, pool, pool.chainId, () => {});
  const world = await World.open({ rpc: pool, book, executor: undefined, restoring }, () => {});
  const mirrored = performance.now();
  new Watch().judge(world.protocols, world.next(), world.head.number);
  const { user, system } = process.cpuUsage(spent);
  return {
    ms: performance.now() - began,
    ownMs: (user + system) / 1_000,
    judgedMs: performance.now() - mirrored,
    known: (world.protocols[0] as AaveV3Market).state.accounts.length,
  };
}

type Node = { readonly rpc: RpcPool; stop(): Promise<void> };

/** A node in front of which somebody remembers what it answered. */
async function rememberNode(url: string): Promise<Node> {
  const server = fork(new URL('./memory-node.ts', import.meta.url), [url]);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  server.once('exit', () => end());
  const early = ended.then(() => Promise.reject(new Error('the server before the node did not start')));
  const ready = new Promise<string>((resolve) => server.once('message', (said) => resolve(String(said))));
  const rpc = await RpcPool.open([new SecretUrl(await Promise.race([ready, early]))]);
  const stop = async () => {
    rpc.close();
    server.kill();
    await ended;
  };
  return { rpc, stop };
}

function closing(node: Node): (error: unknown) => Promise<never> {
  return async (error) => {
    await node.stop();
    throw error;
  };
}

/** Every borrower who can borrows a little more; the rest of the blocks are empty. */
async function happen({ fixture: { anvil } }: Scene, { state }: AaveV3Market): Promise<number> {
  await rpc(anvil.rpcUrl, 'anvil_autoImpersonateAccount', [true]);
  const before = Number(await rpc(anvil.rpcUrl, 'eth_blockNumber', []));
  const borrow = async (from: Address, to: Address, data: Hex) => {
    await rpc(anvil.rpcUrl, 'anvil_setBalance', [from, '0xde0b6b3a7640000']);
    await rpc(anvil.rpcUrl, 'eth_sendTransaction', [{ from, to, data, gas: '0x7a120' }]);
  };
  const waiting: Promise<void>[] = [];
  let sent = 0;
  for (const slot of state.accounts.slots()) {
    const { address, owed } = state.accounts.read(slot);
    const [id] = owed.keys();
    if (id === undefined || BigInt(address) < 2n ** 64n) continue;
    const asset: Address = state.reserves.get(id)!.asset;
    const data = encodeFunctionData({ abi: poolAbi, functionName: 'borrow', args: [asset, 3n, 2n, 0, address] });
    waiting.push(borrow(address, state.addresses.pool, data));
    if (++sent % PER_BLOCK !== 0) continue;
    await Promise.all(waiting.splice(0));
    await rpc(anvil.rpcUrl, 'evm_mine', []);
  }
  await Promise.all(waiting);
  const mined = Number(await rpc(anvil.rpcUrl, 'eth_blockNumber', [])) - before;
  for (let left = BLOCKS_BEHIND + UNFINAL - mined; left > 0; left -= PER_BLOCK)
    await rpc(anvil.rpcUrl, 'anvil_mine', [`0x${Math.min(left, PER_BLOCK).toString(16)}`]);
  return sent;
}

export const restarting: Bench = { name: 'restart', about: 'a start from a snapshot', run };
