/** Deciding and executing on a Morpho world: the mirrored chain, the planner, the real Executor. */
import { type Address, encodeFunctionData, type Hex } from 'viem';
import { deploymentsOf } from '../../../scripts/devnet/deployments.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { erc20Abi } from '../../../scripts/devnet/tokens.ts';
import { NO_SURCHARGE } from '../../../src/chain/rollup.ts';
import { RpcPool } from '../../../src/chain/rpc.ts';
import { type AddressBook, resolveAddressBook } from '../../../src/config/addressBook.ts';
import { sequenceOf } from '../../../src/execution/sequence.ts';
import { executorAbi, executorBytecode } from '../../../src/generated/executor.ts';
import type { OracleBounds } from '../../../src/guard/oracle.ts';
import type { Limits } from '../../../src/guard/types.ts';
import { encodeExecute } from '../../../src/lib/encode-steps.ts';
import { SecretUrl } from '../../../src/lib/secret.ts';
import { decideBlock } from '../../../src/pipeline/decide.ts';
import type { Settings } from '../../../src/pipeline/settings.ts';
import type { ProtocolName } from '../../../src/protocols/types.ts';
import { Watch } from '../../../src/risk/candidates.ts';
import type { Candidate } from '../../../src/risk/types.ts';
import type { Plan } from '../../../src/strategy/types.ts';
import { World } from '../../../src/world.ts';
import type { Receipt } from '../aave-v3/sender.ts';
import { deploymentOf, lower, type MorphoWorld } from './world.ts';

const TREASURY: Address = '0x7ea5000000000000000000000000000000000001';
const USD8 = 10n ** 8n;
export const BOUNDS: OracleBounds = {
  ...{ maxFeedAgeSeconds: 604_800, heartbeatSeconds: {}, maxJumpBps: 9_000n, maxPoolDeviationBps: 9_000n, sequencerGraceSeconds: 3_600 },
};

export class Planner {
  readonly book: AddressBook;
  readonly pool: RpcPool;
  readonly executor: Address;
  readonly settings: Settings;
  readonly #morpho: MorphoWorld;

  readonly #protocols: readonly ProtocolName[];

  private constructor(morpho: MorphoWorld, protocols: readonly ProtocolName[], pool: RpcPool, executor: Address) {
    this.#morpho = morpho;
    this.#protocols = protocols;
    this.pool = pool;
    this.executor = executor;
    this.book = bookOf(morpho);
    this.settings = {
      ...{ executor, own: new Set<Address>(), wrappedNative: this.book.wrappedNative },
      ...{
        sender: lower(morpho.fixture.chain.deployer.address),
        minProfitUsd8: 5n * USD8,
        bidShare: 0,
        limits: limitsOf({}),
        oracle: BOUNDS,
      },
    };
  }

  /** Deploys an Executor, and buries everything below the block that a sync anchors at. */
  static async open(morpho: MorphoWorld, protocols: readonly ProtocolName[] = ['morpho-blue']): Promise<Planner> {
    const { chain, market } = morpho.fixture;
    await chain.prepare();
    const artifact = { abi: executorAbi, bytecode: executorBytecode, linkReferences: {} };
    const executor = lower(chain.deploy('executor', artifact, [market.tokens['WETH'], chain.deployer.address, TREASURY, []]));
    await chain.mine();
    for (let i = 0; i < 70; i++) await rpc(chain.rpcUrl, 'evm_mine');
    return new Planner(morpho, protocols, await RpcPool.open([new SecretUrl(chain.rpcUrl)]), executor);
  }

  async decide(change: Partial<Settings> = {}, only: (candidate: Candidate) => boolean = () => true) {
    const { pool, book, executor, settings } = this;
    const world = await World.open(
      { rpc: pool, book, executor, choices: { protocols: this.#protocols, morphoBadDebt: 'realise' } },
      () => {},
    );
    const at = world.next();
    const { candidates, unknown } = new Watch().judge(world.protocols, at, world.head.number);
    const { decisions, terms } = decideBlock(world, { ...settings, ...change }, candidates.filter(only), world.head, at, 0n);
    const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
    const skips = decisions.flatMap((decision) => (decision.kind === 'skip' ? [decision.skip.reason] : []));
    return { world, candidates, unknown, plans, skips, terms: terms!, at };
  }

  /** Mines them in one transaction in the next block. */
  async execute(plans: readonly Plan[], { terms, world }: Awaited<ReturnType<Planner['decide']>>): Promise<Receipt> {
    const { chain } = this.#morpho.fixture;
    const data = encodeExecute(sequenceOf(plans, 1n, NO_SURCHARGE, terms, world.head.number + 1));
    chain.send(chain.deployer, { to: this.executor, data, gas: 16_000_000n, label: 'execute' });
    await chain.mine();
    return (await rpc<Receipt[]>(chain.rpcUrl, 'eth_getBlockReceipts', ['latest'])).at(-1)!;
  }

  async treasuryHolds(token: Address): Promise<bigint> {
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [TREASURY] });
    return BigInt(await rpc<Hex>(this.#morpho.sender.url, 'eth_call', [{ to: token, data }, 'latest']));
  }

  close(): void {
    this.pool.close();
  }
}

export function limitsOf(some: Partial<Limits>): Limits {
  return {
    ...{ maxBaseFeeWei: 10n ** 12n, maxGasUsd8PerDay: 10n ** 15n, maxLossUsd8PerDay: 10n ** 15n, maxPositionUsd8: 10n ** 15n },
    ...{ maxConsecutiveFailures: 10, allowTokens: undefined, denyTokens: new Set<Address>(), denyMarkets: new Set<string>() },
    ...some,
  };
}

function bookOf(morpho: MorphoWorld): AddressBook {
  const { chainId, wrappedNative, multicall3, bridgeTokens, usdFeeds, ...lists } = deploymentsOf(morpho.fixture.market);
  return resolveAddressBook(chainId, undefined, {
    ...{ wrappedNative: lower(wrappedNative), multicall3: lower(multicall3), bridgeTokens: bridgeTokens.map(lower) },
    'uniswap-v3': lists['uniswap-v3'].map((one) => ({ ...one, factory: lower(one.factory) })),
    'aave-v3': lists['aave-v3'].map((one) => ({ ...one, poolAddressesProvider: lower(one.poolAddressesProvider) })),
    'morpho-blue': [deploymentOf(morpho.morpho)],
    usdFeeds: Object.fromEntries(Object.entries(usdFeeds).map(([token, feed]) => [lower(token), lower(feed)])),
  });
}
