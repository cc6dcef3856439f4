/** One devnet with its clock held and an Executor on it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from 'viem';
import { bailiff } from '../demo/keeper.ts';
import { type Devnet, startDevnet } from '../devnet/devnet.ts';
import { openingOf, type Scene } from './audit.ts';

const SLOT_MS = 200;
const BID_SHARE = '0.9';
const FURTHER_LANES = 2;

export type Stage = {
  readonly devnet: Devnet;
  readonly folder: string;
  readonly scene: Scene;
  /** For the keeper: live, with the devnet's builder as its relay. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
};

export async function openStage(options: {
  readonly positions: number;
  readonly seed: number;
  readonly publicMempool: 'never' | 'fallback' | 'only';
  /** Of old blocks, as many as the chain keeps. */
  readonly states?: number;
}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-soak-'));
  const deploymentsFile = join(folder, 'deployments.json');
  const dataDir = join(folder, 'data');
  const { publicMempool, ...market } = options;
  const devnet = await startDevnet({ ...market, slotMs: SLOT_MS, deploymentsFile });
  const close = async () => {
    await devnet.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const lanes = devnet.accounts.lanes.slice(0, FURTHER_LANES);
  try {
    const environment = {
      // Fake keys: what the keepers write is searched for them.
      RPC_URLS: `${devnet.wsUrl}/?apikey=fake-key-of-the-socket,${devnet.rpcUrl}/?apikey=fake-key-of-the-endpoint`,
      MODE: 'live',
      KEEPER_PRIVATE_KEY: devnet.accounts.keeper.privateKey,
      LANE_PRIVATE_KEYS: lanes.map(({ privateKey }) => privateKey).join(','),
      DEPLOYMENTS_FILE: deploymentsFile,
      ...(publicMempool === 'only' ? {} : { RELAY_URLS: `${devnet.builderUrl}/?apikey=fake-key-of-the-relay` }),
      PUBLIC_MEMPOOL: publicMempool,
      BID_SHARE,
      DATA_DIR: dataDir,
      HTTP_PORT: '0',
    };
    const { executor } = (await bailiff(['deploy'], environment, folder)) as { executor: Address };
    const { head } = await devnet.builder.hold();
    const { rpcUrl, builder, market, accounts } = devnet;
    const start = {
      rpcUrl,
      builder,
      pool: market.aave.pool,
      tokens: Object.values(market.tokens),
      executor,
      senders: [accounts.keeper, ...lanes].map(({ address }) => address),
      dataDir,
      before: head,
    };
    const scene = { ...start, opening: await openingOf(start) };
    return { devnet, folder, scene, environment: { ...environment, EXECUTOR_ADDRESS: executor }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
