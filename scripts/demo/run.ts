import { join } from 'node:path';
import { type Address, getAddress, type Hex } from 'viem';
import { readLedger } from '../../src/ledger/reader.ts';
import { fundArbitrageur, startArbitrageur } from '../devnet/arbitrageur.ts';
import { START_PRICES_USD8 } from '../devnet/assets.ts';
import { SetupChain } from '../devnet/chain.ts';
import { type Devnet, startDevnet } from '../devnet/devnet.ts';
import { devAccount } from '../devnet/keys.ts';
import { transmit } from '../devnet/oracle/transmit.ts';
import { rpc } from '../devnet/rpc.ts';
import { bailiff, type Environment, type Keeper, type LogLine, startKeeper } from './keeper.ts';
import { evidenceOf } from './markets.ts';
import { balancesAt, blockOf, gasShareOf } from './observe.ts';
import { followIndex, marginAt, openDesk, takeoversBetween } from './perp.ts';
import { CRASH, moved } from './scenario.ts';
import { type DemoSummary, summarise, type Update } from './summary.ts';
import { Teller } from './teller.ts';
import type { View } from './view.ts';

export type RunOptions = {
  readonly once: boolean;
  readonly positions: number;
  /** Of Morpho Blue, which is there only when they are given. */
  readonly morphoPositions?: number;
  /** Of Compound III, likewise. */
  readonly cometPositions?: number;
  /** Of Venus, likewise. */
  readonly venusPositions?: number;
  /** Traders of Perp v2, likewise. */
  readonly perpPositions?: number;
  readonly seed: number;
  /** Between blocks; `SLOT_MS`, where there is a crowd `CROWD_SLOT_MS`. */
  readonly slotMs?: number;
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Each line of the keeper's log. */
  readonly onLine?: (line: LogLine) => void;
};

const MIN_PROFIT_USD = 5;
const BID_SHARE = 0.9;
/** The lens knows no bid: what it calls worth it must leave the minimum after the bid, and the few dollars by which two routes' gas may differ. */
const LENS_MIN_PROFIT_USD = (MIN_PROFIT_USD + 0.5) / (1 - BID_SHARE);
export const SLOT_MS = 1_000;
/** The node, the builder and the keeper share one machine: of a crowd's full block each simulates every transaction. */
export const CROWD_SLOT_MS = 2_000;
export const CROWD = 1_000;
const READY_TIMEOUT_MS = 60_000;
const MINED_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

/** Moves prices; answers with the blocks of its updates, or undefined when interrupted. */
export type Play = (devnet: Devnet, view: View, signal: AbortSignal) => Promise<readonly Update[] | undefined>;

/** Starts everything, plays the crash, or what is given instead, and judges. Undefined when interrupted. Leaves nothing running. */
export async function run(options: RunOptions, view: View, play: Play = playCrash): Promise<DemoSummary | undefined> {
  const began = performance.now();
  const progress = (line: string) => view.say('plain', `${((performance.now() - began) / 1_000).toFixed(1).padStart(5)} s  ${line}`);
  progress('starting a chain with real contracts (the first time they are compiled, about a minute)');
  const { positions, morphoPositions, cometPositions, venusPositions, perpPositions, seed } = options;
  const { slotMs = positions > CROWD ? CROWD_SLOT_MS : SLOT_MS } = options;
  const deploymentsFile = join(options.folder, 'deployments.json');
  const devnet = await startDevnet({
    ...{ positions, morphoPositions, cometPositions, venusPositions, perpPositions, seed, slotMs },
    ...{ hold: true, deploymentsFile, progress },
  });
  let arbitrageur: ReturnType<typeof startArbitrageur> | undefined;
  let keeper: Keeper | undefined;
  try {
    await fundArbitrageur(await setupChain(devnet), devnet.market);
    await devnet.builder.resume();
    const environment = environmentOf(devnet, deploymentsFile, options.folder);
    const deployed = (await bailiff(['deploy'], environment, options.folder)) as { executor: Address };
    progress(`Executor deployed at ${deployed.executor}`);
    const perpExecutor = await perpDesk(devnet, environment, options.folder, progress);
    // A trade that fails is the arbitrageur's loss; the next block brings another.
    arbitrageur = startArbitrageur({ rpcUrl: devnet.rpcUrl, market: devnet.market, seed: options.seed, onError: () => {} });

    const teller = new Teller(view);
    const executors = { EXECUTOR_ADDRESS: deployed.executor, ...(perpExecutor && { PERP_EXECUTOR_ADDRESS: perpExecutor }) };
    keeper = startKeeper({ ...environment, ...executors }, options.folder, (line) => {
      teller.hear(line);
      options.onLine?.(line);
    });
    await ready(teller, keeper, options.signal);
    progress(`the keeper is ready; dashboard at ${teller.dashboard}`);
    const from = await height(devnet);
    // The mempool's subscription may be younger than the first block.
    await devnet.builder.waitForBlock(from + 1);
    const updates = await play(devnet, view, options.signal);
    if (!options.once && !options.signal.aborted) {
      view.status({ act: `the crash is over; dashboard at ${teller.dashboard}; Ctrl-C ends` });
      await new Promise((resolve) => options.signal.addEventListener('abort', resolve, { once: true }));
    }
    if (updates === undefined) return undefined;
    view.status({ act: 'judging' });
    await devnet.builder.hold();
    const { code, stderr } = await keeper.stop();
    if (code !== 0) throw new Error(`the keeper exited ${code}: ${stderr}`);
    const ours = [deployed.executor, ...(perpExecutor === undefined ? [] : [perpExecutor])];
    return await judgeRun(devnet, { ...options, slotMs }, ours, from, updates, teller, progress);
  } finally {
    await arbitrageur?.stop();
    await keeper?.stop();
    await devnet.stop();
  }
}

/** A second Executor, with margin at the perp venue; undefined without one. */
async function perpDesk(
  devnet: Devnet,
  environment: Environment,
  folder: string,
  progress: (line: string) => void,
): Promise<Address | undefined> {
  const { perp } = devnet.market;
  if (perp === undefined) return undefined;
  const { executor } = (await bailiff(['deploy'], environment, folder)) as { executor: Address };
  await minedIn(devnet, await openDesk(devnet, perp, executor));
  progress(`a second Executor at ${executor} has margin at Perp v2`);
  return executor;
}

async function setupChain(devnet: Devnet): Promise<SetupChain> {
  const chain = new SetupChain(devnet.rpcUrl, devAccount('deployer'));
  await chain.prepare();
  return chain;
}

function environmentOf(devnet: Devnet, deploymentsFile: string, folder: string): Environment {
  return {
    RPC_URLS: `${devnet.wsUrl},${devnet.rpcUrl}`,
    CHAIN_ID: String(devnet.deployments.chainId),
    MODE: 'live',
    KEEPER_PRIVATE_KEY: devnet.accounts.keeper.privateKey,
    DEPLOYMENTS_FILE: deploymentsFile,
    RELAY_URLS: devnet.builderUrl,
    MEV_SHARE_URL: `${devnet.builderUrl}/hints`,
    MIN_PROFIT_USD: String(MIN_PROFIT_USD),
    BID_SHARE: String(BID_SHARE),
    DATA_DIR: join(folder, 'data'),
    HTTP_PORT: '0',
    LOG_FORMAT: 'json',
  };
}

async function ready(teller: Teller, keeper: Keeper, signal: AbortSignal): Promise<void> {
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`the keeper was not ready within ${READY_TIMEOUT_MS / 1_000} s`)), READY_TIMEOUT_MS).unref(),
  );
  const ended = keeper.ended.then(({ code, stderr }) => Promise.reject(new Error(`the keeper exited ${code}: ${stderr}`)));
  const interrupted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([teller.processedABlock, late, ended, interrupted]);
}

async function playCrash(devnet: Devnet, view: View, signal: AbortSignal): Promise<Update[] | undefined> {
  const prices = new Map(Object.entries(START_PRICES_USD8));
  const updates: Update[] = [];
  let indexUsd = Number(prices.get('ETH / USD')) / 1e8;
  for (const act of CRASH) {
    if (signal.aborted) return undefined;
    view.status({ act: act.title });
    const sent: Hex[] = [];
    for (const { feed, changeBps } of act.reports) {
      const answer = moved(prices.get(feed)!, changeBps);
      prices.set(feed, answer);
      sent.push(await transmit(devnet.rpcUrl, devnet.market.feeds[feed]!, answer));
      view.say(
        'price',
        `${feed} reported at ${(Number(answer) / 1e8).toFixed(2)} (${changeBps > 0 ? '+' : ''}${(changeBps / 100).toFixed(2)}%): ${act.title}`,
      );
    }
    view.status({ ether: (Number(prices.get('ETH / USD')) / 1e8).toFixed(2) });
    const blocks = await Promise.all(sent.map((txHash) => minedIn(devnet, txHash)));
    const { perp } = devnet.market;
    const etherUsd = Number(prices.get('ETH / USD')) / 1e8;
    if (perp !== undefined && etherUsd !== indexUsd) await followIndex(devnet, perp, indexUsd, etherUsd);
    indexUsd = etherUsd;
    for (const block of new Set(blocks))
      updates.push({ title: act.title, block, txHashes: sent.filter((_, index) => blocks[index] === block) });
    await devnet.builder.waitForBlock(Math.max(...blocks) + act.blocksAfter);
  }
  return updates;
}

export async function minedIn(devnet: Devnet, txHash: Hex): Promise<number> {
  for (const deadline = performance.now() + MINED_TIMEOUT_MS; performance.now() < deadline; ) {
    const block = await blockOf(devnet.rpcUrl, txHash);
    if (block !== undefined) return block;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`the oracle's transaction ${txHash} was not mined within ${MINED_TIMEOUT_MS / 1_000} s`);
}

async function judgeRun(
  devnet: Devnet,
  options: RunOptions & { readonly slotMs: number },
  executors: readonly Address[],
  from: number,
  updates: readonly Update[],
  teller: Teller,
  progress: (line: string) => void,
): Promise<DemoSummary> {
  const { rpcUrl, market, accounts } = devnet;
  const to = await height(devnet);
  const holders = [...executors, accounts.keeper.address];
  const tokens = [...Object.values(market.tokens), ...(market.venus?.venus.markets ?? []).map(({ address }) => address)];
  const [before, after] = [await balancesAt(rpcUrl, holders, tokens, from), await balancesAt(rpcUrl, holders, tokens, to)];
  await addMargin(devnet, executors, [before, from], [after, to]);
  const ledger = await readLedger(join(options.folder, 'data'));
  try {
    return await summarise(
      {
        markets: await evidenceOf(devnet, from, to, LENS_MIN_PROFIT_USD),
        executors: executors.map((executor) => getAddress(executor)),
        takeovers: market.perp === undefined ? [] : await takeoversBetween(rpcUrl, market.perp.perp.clearingHouse, from, to),
        updates,
        ledger: await ledger.transactions({}),
        ...{ skips: teller.skips, lagsMs: teller.lagsMs, slotMs: options.slotMs },
        gasShare: (block) => gasShareOf(rpcUrl, block),
        chainChanges: new Map(
          [...after].flatMap(([token, held]) => (held === before.get(token) ? [] : [[token, held - before.get(token)!]])),
        ),
      },
      progress,
    );
  } finally {
    await ledger.close();
  }
}

/** What is in the vault is ours as much as what is in the Executor. */
async function addMargin(
  { rpcUrl, market: { perp } }: Devnet,
  executors: readonly Address[],
  ...at: readonly (readonly [balances: Map<Address, bigint>, block: number])[]
): Promise<void> {
  const executor = executors[1];
  if (perp === undefined || executor === undefined) return;
  for (const [balances, block] of at) {
    const { settlement } = perp.perp;
    balances.set(settlement, (balances.get(settlement) ?? 0n) + (await marginAt(rpcUrl, perp, executor, block)));
  }
}

async function height(devnet: Devnet): Promise<number> {
  return Number(await rpc<Hex>(devnet.rpcUrl, 'eth_blockNumber'));
}
