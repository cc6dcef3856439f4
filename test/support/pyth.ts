/** Pyth's own mock chain contract and its feed adapter, as the price of ether in the devnet's Aave market; and a double of its price service. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeFunctionData, type Hex, parseAbi } from 'viem';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Address } from '../../src/lib/types.ts';
import type { PythFeed } from '../../src/oracles/pull/pyth.ts';
import type { Stage } from './keeper.ts';

export const PRICE_ID: Hex = `0x${'e7'.repeat(32)}`;
export const FEE_WEI = 7_000_000_000n;
export const EXPONENT = -8;
const ETHER = 10n ** 18n;

const wethAbi = parseAbi(['function deposit() payable', 'function transfer(address to, uint256 amount) returns (bool)']);
const balanceAbi = parseAbi(['function balanceOf(address) view returns (uint256)']);
const feedAbi = parseAbi(['function latestRoundData() view returns (uint80, int256, uint256, uint256, uint80)']);

export const lower = (address: string) => address.toLowerCase() as Address;

export type Said = { readonly price: bigint; readonly publishTime: number; readonly confidence?: bigint; readonly exponent?: number };

export class PythOn {
  readonly feed: PythFeed;
  readonly weth: Address;
  /** What the feed was given at first: the price that the devnet's own had. */
  readonly first: { readonly priceRaw: bigint; readonly publishTime: number };
  readonly #chain: SetupChain;
  readonly #mock: Artifact;
  readonly #executor: Address;

  private constructor(parts: {
    chain: SetupChain;
    mock: Artifact;
    feed: PythFeed;
    weth: Address;
    executor: Address;
    first: PythOn['first'];
  }) {
    this.#chain = parts.chain;
    this.#mock = parts.mock;
    this.#executor = parts.executor;
    this.feed = parts.feed;
    this.weth = parts.weth;
    this.first = parts.first;
  }

  /** From here on the market asks Pyth's feed; the Executor holds that much wrapped native for fees, an ether unless said otherwise. */
  static async on({ devnet, executor }: Stage, floatWei = ETHER): Promise<PythOn> {
    const { rpcUrl, market, deployments } = devnet;
    const contracts = await compileUnit({
      name: 'pyth',
      solc: 'solc-0.8.27',
      entries: ['@pythnetwork/pyth-sdk-solidity/MockPyth.sol', '@pythnetwork/pyth-sdk-solidity/PythAggregatorV3.sol'],
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    });
    const mock = contracts['MockPyth']!;
    const chain = new SetupChain(rpcUrl, devAccount('deployer'));
    await chain.prepare();
    const weth = lower(deployments.wrappedNative);
    const [, price] = await chain.read<readonly bigint[]>(market.feeds['ETH / USD']!.proxy, feedAbi, 'latestRoundData');
    const pyth = lower(chain.deploy('MockPyth', mock, [60n, FEE_WEI]));
    const feed = lower(chain.deploy('PythAggregatorV3', contracts['PythAggregatorV3']!, [pyth, PRICE_ID]));
    await chain.mine();
    const first = { priceRaw: price!, publishTime: await timeOf(rpcUrl) };
    const on = new PythOn({ chain, mock, feed: { feed, pyth, priceId: PRICE_ID }, weth, executor, first });
    await on.write({ price: first.priceRaw, publishTime: first.publishTime });
    chain.call(market.aave.oracle, market.aave.artifacts['AaveOracle']!.abi, 'setAssetSources', [[weth], [feed]]);
    await on.fund(floatWei);
    return on;
  }

  /** Puts so much wrapped native into the Executor. */
  async fund(wei: bigint): Promise<void> {
    const deposit = encodeFunctionData({ abi: wethAbi, functionName: 'deposit' });
    this.#chain.send(this.#chain.deployer, { to: this.weth, value: wei, data: deposit, label: 'deposit' });
    this.#chain.call(this.weth, wethAbi, 'transfer', [this.#executor, wei]);
    await this.#chain.mine();
  }

  /** As the mock takes them. */
  blobOf({ price, publishTime, confidence = 1n, exponent = EXPONENT }: Said): Promise<Hex> {
    const [now, before] = [BigInt(publishTime), BigInt(publishTime - 1)];
    const args = [PRICE_ID, price, confidence, exponent, price, confidence, now, before];
    return this.#chain.read<Hex>(this.feed.pyth, this.#mock.abi, 'createPriceFeedUpdateData', args);
  }

  /** Somebody else pays for an update. */
  async write(said: Said): Promise<void> {
    const data = encodeFunctionData({ abi: this.#mock.abi, functionName: 'updatePriceFeeds', args: [[await this.blobOf(said)]] });
    this.#chain.send(this.#chain.deployer, { to: this.feed.pyth, value: FEE_WEI, data, gas: 500_000n, label: 'update' });
    await this.#chain.mine();
  }

  async answered(): Promise<{ readonly roundId: bigint; readonly answer: bigint; readonly updatedAt: number }> {
    const [roundId, answer, , updatedAt] = await this.#chain.read<readonly [bigint, bigint, bigint, bigint]>(
      this.feed.feed,
      feedAbi,
      'latestRoundData',
    );
    return { roundId, answer, updatedAt: Number(updatedAt) };
  }

  /** All fees that were ever paid. */
  async collected(): Promise<bigint> {
    return BigInt(await rpc<Hex>(this.#chain.rpcUrl, 'eth_getBalance', [this.feed.pyth, 'latest']));
  }

  /** What the Executor has left for fees. */
  float(): Promise<bigint> {
    return this.#chain.read<bigint>(this.weth, balanceAbi, 'balanceOf', [this.#executor]);
  }

  now(): Promise<number> {
    return timeOf(this.#chain.rpcUrl);
  }
}

async function timeOf(rpcUrl: string): Promise<number> {
  return Number((await rpc<{ timestamp: Hex }>(rpcUrl, 'eth_getBlockByNumber', ['latest', false])).timestamp);
}

/** Answers as Hermes does, with whatever it was told last. */
export class HermesDouble {
  readonly #server: Server;
  readonly #answered: (() => void)[] = [];
  #said: { readonly said: Said; readonly blob: Hex } | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://hermes');
      const said = pathname === '/v2/updates/price/latest' && searchParams.getAll('ids[]').includes(PRICE_ID) ? this.#said : undefined;
      if (said === undefined) return void response.writeHead(404).end();
      response.setHeader('content-type', 'application/json').end(JSON.stringify(documentOf(said)));
      response.once('close', () => {
        for (const tell of this.#answered.splice(0)) tell();
      });
    });
  }

  static async start(): Promise<HermesDouble> {
    const hermes = new HermesDouble();
    await once(hermes.#server.listen(0, '127.0.0.1'), 'listening');
    return hermes;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @param pyth makes the update that the contract takes */
  async say(pyth: { blobOf(said: Said): Promise<Hex> }, said: Said): Promise<void> {
    this.#said = { said, blob: await pyth.blobOf(said) };
  }

  /** From here on its update is not one. */
  spoil(): void {
    if (this.#said !== undefined) this.#said = { ...this.#said, blob: '0x1234' };
  }

  /** Resolves once it has answered again. */
  answered(): Promise<void> {
    return new Promise((resolve) => this.#answered.push(resolve));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function documentOf({ said: { price, publishTime, confidence = 1n, exponent = EXPONENT }, blob }: { said: Said; blob: Hex }) {
  const one = { price: String(price), conf: String(confidence), expo: exponent, publish_time: publishTime };
  return {
    binary: { encoding: 'hex', data: [blob.slice(2)] },
    parsed: [
      {
        id: PRICE_ID.slice(2),
        price: one,
        ema_price: one,
        metadata: { slot: 1, proof_available_time: publishTime, prev_publish_time: publishTime - 1 },
      },
    ],
  };
}
