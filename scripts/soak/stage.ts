/** One devnet with its clock held, an Executor on it, and what the market does there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from 'viem';
import { bailiff } from '../demo/keeper.ts';
import { START_PRICES_USD8 } from '../devnet/assets.ts';
import { type Devnet, startDevnet } from '../devnet/devnet.ts';
import { transmit } from '../devnet/oracle/transmit.ts';
import type { Prng } from '../devnet/prng.ts';
import type { Scene } from './audit.ts';

const SLOT_MS = 200;
const BID_SHARE = '0.9';

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
}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-soak-'));
  const deploymentsFile = join(folder, 'deployments.json');
  const dataDir = join(folder, 'data');
  const { positions, seed, publicMempool } = options;
  const devnet = await startDevnet({ positions, seed, slotMs: SLOT_MS, deploymentsFile });
  const close = async () => {
    await devnet.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const environment = {
      RPC_URLS: `${devnet.wsUrl},${devnet.rpcUrl}`,
      MODE: 'live',
      KEEPER_PRIVATE_KEY: devnet.accounts.keeper.privateKey,
      DEPLOYMENTS_FILE: deploymentsFile,
      ...(publicMempool === 'only' ? {} : { RELAY_URLS: devnet.builderUrl }),
      PUBLIC_MEMPOOL: publicMempool,
      BID_SHARE,
      DATA_DIR: dataDir,
      HTTP_PORT: '0',
    };
    const { executor } = (await bailiff(['deploy'], environment, folder)) as { executor: Address };
    const { head } = await devnet.builder.hold();
    const { rpcUrl, builder, market, accounts } = devnet;
    const scene = {
      rpcUrl,
      builder,
      pool: market.aave.pool,
      tokens: Object.values(market.tokens),
      executor,
      sender: accounts.keeper.address,
      dataDir,
      before: head,
    };
    return { devnet, folder, scene, environment: { ...environment, EXECUTOR_ADDRESS: executor }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const MOVING = ['ETH / USD', 'BTC / USD', 'LINK / USD'] as const;
/** Each fall makes a few more positions liquidatable, and now and then many at once. */
const SMALL_FALL = [0.003, 0.012] as const;
const LARGE_FALL = [0.02, 0.04] as const;
const LARGE_SHARE = 0.12;

/** Prices that fall step by step. */
export class Market {
  readonly #devnet: Devnet;
  readonly #random: Prng;
  readonly #prices = new Map(Object.entries(START_PRICES_USD8));

  constructor(devnet: Devnet, random: Prng) {
    this.#devnet = devnet;
    this.#random = random;
  }

  /** Hands the reports to the public mempool: the next block takes them. */
  async fall(): Promise<void> {
    const [low, high] = this.#random.next() < LARGE_SHARE ? LARGE_FALL : SMALL_FALL;
    const share = BigInt(Math.round(this.#random.between(low, high) * 1e6));
    for (const feed of MOVING) {
      const price = this.#prices.get(feed)!;
      const lower = price - (price * share) / 1_000_000n;
      this.#prices.set(feed, lower);
      await transmit(this.#devnet.rpcUrl, this.#devnet.market.feeds[feed]!, lower);
    }
  }
}
