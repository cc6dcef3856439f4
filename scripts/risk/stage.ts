/** A devnet with Aave borrowers, the keeper's own mirror of it and a real Executor, block by block. */
import { type Hex, keccak256 } from 'viem';
import { RpcPool } from '../../src/chain/rpc.ts';
import { type AddressBook, resolveAddressBook } from '../../src/config/addressBook.ts';
import { decodeSettlement } from '../../src/execution/decode-executor.ts';
import { sequenceOf } from '../../src/execution/sequence.ts';
import { executorAbi, executorBytecode } from '../../src/generated/executor.ts';
import { encodeExecute } from '../../src/lib/encode-steps.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address, Head } from '../../src/lib/types.ts';
import type { Moment } from '../../src/oracles/types.ts';
import type { Settings } from '../../src/pipeline/settings.ts';
import type { Terms } from '../../src/strategy/terms.ts';
import type { Plan } from '../../src/strategy/types.ts';
import { World } from '../../src/world.ts';
import { CHAIN_ID } from '../devnet/anvil.ts';
import { sendInOrder } from '../devnet/builder/ordered-send.ts';
import { deploymentsOf } from '../devnet/deployments.ts';
import type { Fixture } from '../devnet/fixture.ts';
import { devAccount } from '../devnet/keys.ts';
import { rpc } from '../devnet/rpc.ts';

const USD8 = 10n ** 8n;
/** More than others here pay, and not counted: it stands for a bundle at the top of the block. */
const FIRST_TIP_WEI = 2_000_000_000n;
const GAS_LIMIT = 16_000_000n;
/** What a sync needs below the block that it anchors at. */
const BURIED = 70;
const NO_SURCHARGE = { gasUnits: 0n, feeWei: 0n };

type Receipt = {
  readonly transactionHash: Hex;
  readonly status: Hex;
  readonly gasUsed: Hex;
  readonly logs: Parameters<typeof decodeSettlement>[0];
};

/** What a transaction came to, in wei. `made` is undefined where it reverted. */
export type Realised = { readonly made: { readonly grossWei: bigint; readonly bidWei: bigint } | undefined; readonly gasWei: bigint };

export type StageTerms = { readonly minProfitUsd: number; readonly bidShare: number; readonly baseFeeWei: bigint };

export class Stage {
  readonly fixture: Fixture;
  readonly settings: Settings;
  readonly world: World;
  readonly #pool: RpcPool;
  readonly #executor: Address;
  readonly #baseFeeWei: bigint;
  readonly #keeper = devAccount('keeper');
  #nonce: number;

  private constructor(
    fixture: Fixture,
    pool: RpcPool,
    executor: Address,
    settings: Settings,
    world: World,
    nonce: number,
    baseFeeWei: bigint,
  ) {
    this.fixture = fixture;
    this.settings = settings;
    this.world = world;
    this.#pool = pool;
    this.#executor = executor;
    this.#nonce = nonce;
    this.#baseFeeWei = baseFeeWei;
  }

  /**
   * @param terms.baseFeeWei of every block from then on
   * @param prepared whatever is to be done on the chain before it is mirrored
   */
  static async open(fixture: Fixture, terms: StageTerms, prepared: () => Promise<void>): Promise<Stage> {
    const { chain, market } = fixture;
    await chain.prepare();
    const keeper = devAccount('keeper');
    await chain.fund([keeper.address], 10n ** 24n);
    const artifact = { abi: executorAbi, bytecode: executorBytecode, linkReferences: {} };
    const treasury = devAccount('treasury').address;
    const executor = lower(chain.deploy('executor', artifact, [market.tokens['WETH'], keeper.address, treasury, []]));
    await chain.mine();
    await prepared();
    for (let block = 0; block < BURIED; block++) await rpc(chain.rpcUrl, 'evm_mine');
    const book = bookOf(fixture);
    const pool = await RpcPool.open([new SecretUrl(chain.rpcUrl)]);
    const world = await World.open({ rpc: pool, book, executor }, () => {});
    const nonce = Number(await rpc<Hex>(chain.rpcUrl, 'eth_getTransactionCount', [keeper.address, 'latest']));
    return new Stage(fixture, pool, executor, settingsOf(book, executor, terms), world, nonce, terms.baseFeeWei);
  }

  /** The next block, at the base fee that it will have. */
  next(): Moment {
    return { ...this.world.next(), baseFeeWei: this.#baseFeeWei };
  }

  /** Mines these in this order in one block, and has the keeper's mirror follow. */
  async mine(raws: readonly Hex[]): Promise<void> {
    await this.#seal(raws);
    const { number, hash, parentHash, timestamp, baseFeePerGas, gasLimit, gasUsed } = await rpc<Record<keyof RpcHead, Hex>>(
      this.fixture.chain.rpcUrl,
      'eth_getBlockByNumber',
      ['latest', false],
    );
    const head: Head = {
      ...{ number: Number(number), hash, parentHash, timestamp: Number(timestamp) },
      ...{ baseFeeWei: BigInt(baseFeePerGas), gasLimit: BigInt(gasLimit), gasUsed: BigInt(gasUsed) },
    };
    const { stalled } = await this.world.follow({ kind: 'extended', added: [head], arrivedAtMs: performance.now() });
    if (stalled !== null) throw stalled;
  }

  /** The same chain mirrored anew: after it was set back. */
  async again(): Promise<Stage> {
    const { fixture, settings } = this;
    const world = await World.open({ rpc: this.#pool, book: bookOf(fixture), executor: this.#executor }, () => {});
    return new Stage(fixture, this.#pool, this.#executor, settings, world, this.#nonce, this.#baseFeeWei);
  }

  /** Mines transactions of the plans before whatever is waiting, and has the keeper's mirror follow. */
  async carryOut(transactions: readonly (readonly Plan[])[], terms: Terms): Promise<readonly Realised[]> {
    const own = await Promise.all(transactions.map((plans, index) => this.#signed(plans, this.#nonce + index, terms, FIRST_TIP_WEI)));
    await this.mine(own);
    this.#nonce += own.length;
    const receipts = await rpc<Receipt[]>(this.fixture.chain.rpcUrl, 'eth_getBlockReceipts', ['latest']);
    const hashes = new Set(own.map((raw) => keccak256(raw)));
    const ours = receipts.filter(({ transactionHash }) => hashes.has(transactionHash));
    if (ours.length !== own.length) throw new Error('the block did not take all transactions');
    return ours.map((receipt) => this.#realised(receipt));
  }

  /** What transactions of the plans come to, one after another behind others' of the next block; all of it is taken back. */
  async tried(before: readonly Hex[], transactions: readonly (readonly Plan[])[], terms: Terms): Promise<readonly Realised[]> {
    const { rpcUrl } = this.fixture.chain;
    const snapshot = await rpc<Hex>(rpcUrl, 'evm_snapshot');
    try {
      return await this.#included(before, transactions, terms);
    } finally {
      await rpc(rpcUrl, 'evm_revert', [snapshot]);
    }
  }

  async stop(): Promise<void> {
    this.#pool.close();
    await this.fixture.stop();
  }

  async #included(before: readonly Hex[], transactions: readonly (readonly Plan[])[], terms: Terms): Promise<readonly Realised[]> {
    const own = await Promise.all(transactions.map((plans, index) => this.#signed(plans, this.#nonce + index, terms)));
    await this.#seal([...before, ...own]);
    const receipts = await rpc<Receipt[]>(this.fixture.chain.rpcUrl, 'eth_getBlockReceipts', ['latest']);
    if (receipts.length !== before.length + own.length) throw new Error('the block did not take all transactions');
    return receipts.slice(before.length).map((receipt) => this.#realised(receipt));
  }

  #realised({ status, logs, gasUsed }: Receipt): Realised {
    const settlement = status === '0x1' ? decodeSettlement(logs, this.#executor) : undefined;
    const made = settlement && { grossWei: settlement.grossRaw, bidWei: settlement.bidRaw };
    return { made, gasWei: BigInt(gasUsed) * this.#baseFeeWei };
  }

  #signed(plans: readonly Plan[], nonce: number, terms: Terms, tipWei = 0n): Promise<Hex> {
    // As a rehearsal tells it: what is likely to be used.
    const gasUnits = plans.reduce((sum, plan) => sum + plan.gasWei / terms.gasPriceWei, 0n);
    const data = encodeExecute(sequenceOf(plans, gasUnits, NO_SURCHARGE, terms, this.world.head.number + 1));
    return this.#keeper.signTransaction({
      ...{ type: 'eip1559', chainId: CHAIN_ID, nonce, to: this.#executor, data, gas: GAS_LIMIT },
      ...{ maxFeePerGas: 2n * this.#baseFeeWei + tipWei, maxPriorityFeePerGas: tipWei },
    });
  }

  async #seal(raws: readonly Hex[]): Promise<void> {
    const { rpcUrl } = this.fixture.chain;
    for (const sent of await sendInOrder(new URL(rpcUrl), raws)) if (!sent.ok) throw new Error(`refused: ${sent.message}`);
    await rpc(rpcUrl, 'anvil_setNextBlockBaseFeePerGas', [`0x${this.#baseFeeWei.toString(16)}`]);
    await rpc(rpcUrl, 'evm_mine');
  }
}

type RpcHead = Pick<Head, 'number' | 'hash' | 'parentHash' | 'timestamp' | 'gasLimit' | 'gasUsed'> & { readonly baseFeePerGas: Hex };

function settingsOf(book: AddressBook, executor: Address, { minProfitUsd, bidShare }: StageTerms): Settings {
  return {
    ...{ executor, sender: lower(devAccount('keeper').address), own: new Set<Address>(), wrappedNative: book.wrappedNative },
    ...{ minProfitUsd8: BigInt(Math.round(minProfitUsd * 100)) * (USD8 / 100n), bidShare },
    limits: {
      ...{ maxBaseFeeWei: 10n ** 12n, maxGasUsd8PerDay: 10n ** 15n, maxLossUsd8PerDay: 10n ** 15n, maxPositionUsd8: 10n ** 16n },
      ...{ maxConsecutiveFailures: 10, allowTokens: undefined, denyTokens: new Set<Address>(), denyMarkets: new Set<string>() },
    },
    oracle: {
      ...{ maxFeedAgeSeconds: 604_800, heartbeatSeconds: {}, maxJumpBps: 9_000n },
      ...{ maxPoolDeviationBps: 9_000n, sequencerGraceSeconds: 3_600 },
    },
  };
}

function bookOf({ market }: Fixture): AddressBook {
  const { chainId, wrappedNative, multicall3, bridgeTokens, usdFeeds, ...lists } = deploymentsOf(market);
  return resolveAddressBook(chainId, undefined, {
    ...{ wrappedNative: lower(wrappedNative), multicall3: lower(multicall3), bridgeTokens: bridgeTokens.map(lower) },
    'uniswap-v3': lists['uniswap-v3'].map((one) => ({ ...one, factory: lower(one.factory) })),
    'aave-v3': lists['aave-v3'].map((one) => ({ ...one, poolAddressesProvider: lower(one.poolAddressesProvider) })),
    usdFeeds: Object.fromEntries(Object.entries(usdFeeds).map(([token, feed]) => [lower(token), lower(feed)])),
  });
}

function lower(address: string): Address {
  return address.toLowerCase() as Address;
}
