/**
 * The devnet: anvil with real contracts, feeds and borrowers, and a block builder that seals its slots on the wall clock.
 *
 *   const devnet = await startDevnet({ positions: 200, seed: 1, slotMs: 1000 });
 *   devnet.rpcUrl, devnet.wsUrl, devnet.builderUrl        // for a keeper: RPC_URLS, RELAY_URLS
 *   devnet.deployments                                    // DEPLOYMENTS_FILE's contents; `deploymentsFile` writes it
 *   devnet.accounts.keeper.privateKey                     // funded accounts
 *   devnet.market.borrowers, .feeds, .tokens, .uniswap    // what is there (market.ts)
 *   await transmit(devnet.rpcUrl, devnet.market.feeds['ETH / USD'], 2_850_00000000n);   // oracle/transmit.ts
 *   await devnet.builder.waitForBlock(n)                  // builder/client.ts: seal, hold, faults, reorg …
 *   await devnet.stop();
 *
 * Tests that need no slots use `createFixture` (fixture.ts): the same market, blocks mined on demand.
 * Nothing here shares code with src/.
 */
import { type Address, getAddress, type Hex } from 'viem';
import { type Anvil, startAnvil } from './anvil.ts';
import { type RunningBuilder, startBuilder } from './builder/client.ts';
import { SetupChain } from './chain.ts';
import { type Deployments, deploymentsOf, writeDeployments } from './deployments.ts';
import { devAccount, devKey } from './keys.ts';
import { compileMarket, deployMarket, type Market, type Progress } from './market.ts';

export type DevnetOptions = {
  /** Default 200. */
  positions?: number;
  /** Borrowers of an Aave v3.0 market beside the first one, which is there only when they are given. */
  legacyPositions?: number | undefined;
  /** Borrowers of Morpho Blue, which is there only when they are given. */
  morphoPositions?: number | undefined;
  /** Borrowers of Compound III, likewise. */
  cometPositions?: number | undefined;
  /** Borrowers of Venus, likewise. */
  venusPositions?: number | undefined;
  /** Traders of Perp v2, likewise. */
  perpPositions?: number | undefined;
  /** Default 1. */
  seed?: number;
  /** Wall-clock length of a slot, which is 12 s of the chain's time. Default 1000. */
  slotMs?: number;
  /** The builder starts with its clock stopped; `builder.resume()` or `builder.seal()`. */
  hold?: boolean;
  /** So many states of old blocks are kept, all in memory; without it many more, most of them on the disk. */
  states?: number;
  /** The chain's port and the builder's; 0, the default: any free one. */
  port?: number;
  builderPort?: number;
  /** Where to write the DEPLOYMENTS_FILE. */
  deploymentsFile?: string;
  progress?: Progress;
};

export type DevAccount = { address: Address; privateKey: Hex };

export type Devnet = {
  rpcUrl: string;
  wsUrl: string;
  builderUrl: string;
  deployments: Deployments;
  market: Market;
  builder: RunningBuilder;
  /** The chain's process. */
  chainPid: number;
  /** Each with 100 ETH; `deployer` owns the contracts and mints the tokens. */
  accounts: Record<'deployer' | 'keeper' | 'competitor' | 'arbitrageur', DevAccount> & { lanes: DevAccount[] };
  /** Resolves with why, if the chain or the builder ends by itself. */
  died: Promise<string>;
  stop(): Promise<void>;
};

const FUNDS_WEI = 100n * 10n ** 18n;
const LANES = 3;
/** NOTE: anvil keeps some hundred states in memory, and writes older ones to the disk, tens of megabytes a block. */
const STATES_ON_DISK = 256;

/** Throws when a part of it cannot be started; nothing is left running then. */
export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const { positions = 200, legacyPositions, morphoPositions, cometPositions, venusPositions, perpPositions, seed = 1 } = options;
  const { slotMs = 1_000, hold = false, states } = options;
  const { port = 0, builderPort = 0, progress = () => {} } = options;
  await compileMarket();
  const anvil = await startAnvil({
    port,
    flags: states === undefined ? ['--max-persisted-states', String(STATES_ON_DISK)] : ['--prune-history', String(states)],
  });
  let builder: RunningBuilder | undefined;
  try {
    const chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
    await chain.prepare();
    const accounts = devAccounts();
    const { keeper, competitor, arbitrageur, lanes } = accounts;
    await chain.fund(
      [keeper, competitor, arbitrageur, ...lanes].map(({ address }) => address),
      FUNDS_WEI,
    );
    const market = await deployMarket(
      chain,
      { positions, seed, legacyPositions, morphoPositions, cometPositions, venusPositions, perpPositions },
      progress,
    );
    const deployments = deploymentsOf(market);
    if (options.deploymentsFile) await writeDeployments(options.deploymentsFile, deployments);
    builder = await startBuilder({ rpcUrl: anvil.rpcUrl, slotMs, hold, port: builderPort, coinbase: devAccount('builder').address });
    progress('the builder seals slots');
    return describe(anvil, builder, market, deployments, accounts);
  } catch (error) {
    await builder?.stop();
    await anvil.stop();
    throw error;
  }
}

function describe(anvil: Anvil, builder: RunningBuilder, market: Market, deployments: Deployments, accounts: Devnet['accounts']): Devnet {
  const stop = async () => {
    await builder.stop();
    await anvil.stop();
  };
  const died = Promise.race([anvil.died, builder.died]);
  const { rpcUrl, wsUrl, pid: chainPid } = anvil;
  return { rpcUrl, wsUrl, builderUrl: builder.url, deployments, market, builder, chainPid, accounts, died, stop };
}

function devAccounts(): Devnet['accounts'] {
  const account = (...role: Parameters<typeof devKey>): DevAccount => ({
    address: getAddress(devAccount(...role).address),
    privateKey: devKey(...role),
  });
  return {
    deployer: account('deployer'),
    keeper: account('keeper'),
    competitor: account('competitor'),
    arbitrageur: account('arbitrageur'),
    lanes: Array.from({ length: LANES }, (_, index) => account('lane', index)),
  };
}
