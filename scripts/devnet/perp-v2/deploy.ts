/** Deploys Perp v2 with its own Uniswap v3 factory, one market a spec, and a WETH collateral beside the settlement token. */
import { type Abi, type Address, encodeFunctionData, parseAbi } from 'viem';
import { SLOT_SECONDS } from '../anvil.ts';
import type { SetupChain } from '../chain.ts';
import type { Feed } from '../oracle/report.ts';
import { rpc } from '../rpc.ts';
import { uniswapContracts } from '../uniswap/contracts.ts';
import { type PerpArtifacts, perpContracts } from './contracts.ts';

export type PerpMarketSpec = { readonly symbol: string; readonly feed: string; readonly usd: number; readonly depthUsd: number };
export type PerpMarketAt = PerpMarketSpec & { readonly base: Address; readonly pool: Address; readonly feedAddress: Address };

export type Perp = {
  readonly artifacts: PerpArtifacts;
  readonly clearingHouse: Address;
  readonly clearingHouseConfig: Address;
  readonly marketRegistry: Address;
  readonly orderBook: Address;
  readonly exchange: Address;
  readonly accountBalance: Address;
  readonly insuranceFund: Address;
  readonly vault: Address;
  readonly collateralManager: Address;
  readonly quote: Address;
  readonly settlement: Address;
  readonly collateral: Address | undefined;
  readonly markets: readonly PerpMarketAt[];
  readonly fromBlock: number;
};

export type PerpParts = {
  /** 6 decimals. */
  readonly settlement: Address;
  /** A token that counts as collateral beside it, and its price's feed. */
  readonly collateral?: { readonly token: Address; readonly feed: Feed };
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly markets: readonly PerpMarketSpec[];
};

const MAX_UINT256 = 2n ** 256n - 1n;
/** The pool's fee is replaced by the exchange's own. */
const POOL_FEE_PIPS = 10_000;
const EXCHANGE_FEE_PIPS = 1_000;
const INSURANCE_SHARE_PIPS = 200_000;
const CARDINALITY = 400;
/** The longest that an index may go without an answer. */
const FEED_TIMEOUT_SECONDS = 30 * 86_400;
const TWAP_SECONDS = 900;
/** Older than the longest average that the mark price needs. */
const AGE_SECONDS = 2_400;
const MAX_TICK_CROSSED = 1_000;

const poolAbi = parseAbi([
  'function initialize(uint160 sqrtPriceX96)',
  'function increaseObservationCardinalityNext(uint16 observationCardinalityNext)',
]);

export async function deployPerp(chain: SetupChain, parts: PerpParts): Promise<Perp> {
  const artifacts = await perpContracts();
  const uniswap = await uniswapContracts();
  const fromBlock = (await chain.blockNumber()) + 1;
  const call = (to: Address, name: keyof PerpArtifacts, functionName: string, args: readonly unknown[]) =>
    chain.call(to, artifacts[name].abi as Abi, functionName, args);
  const deploy = (name: keyof PerpArtifacts, args: readonly unknown[] = []) => lower(chain.deploy(name, artifacts[name], args));

  const factory = lower(chain.deploy('perp uniswap factory', uniswap.UniswapV3Factory));
  const { quote, bases } = deployVirtual(chain, artifacts, parts.markets.length);
  const clearingHouseConfig = deploy('ClearingHouseConfig');
  const marketRegistry = deploy('MarketRegistry');
  const orderBook = deploy('OrderBook');
  const accountBalance = deploy('AccountBalance');
  const exchange = deploy('Exchange');
  const insuranceFund = deploy('InsuranceFund');
  const vault = deploy('Vault');
  const collateralManager = deploy('CollateralManager');
  const clearingHouse = deploy('ClearingHouse');
  await chain.mine();

  call(quote, 'QuoteToken', 'initialize', ['vUSD', 'vUSD']);
  call(clearingHouseConfig, 'ClearingHouseConfig', 'initialize', []);
  call(clearingHouseConfig, 'ClearingHouseConfig', 'setSettlementTokenBalanceCap', [MAX_UINT256]);
  call(marketRegistry, 'MarketRegistry', 'initialize', [factory, quote]);
  call(orderBook, 'OrderBook', 'initialize', [marketRegistry]);
  call(exchange, 'Exchange', 'initialize', [marketRegistry, orderBook, clearingHouseConfig]);
  call(exchange, 'Exchange', 'setAccountBalance', [accountBalance]);
  call(orderBook, 'OrderBook', 'setExchange', [exchange]);
  call(accountBalance, 'AccountBalance', 'initialize', [clearingHouseConfig, orderBook]);
  call(insuranceFund, 'InsuranceFund', 'initialize', [parts.settlement]);
  call(vault, 'Vault', 'initialize', [insuranceFund, clearingHouseConfig, accountBalance, exchange]);
  // What the protocol's own tests use: 75% debt ratio, 50% a liquidation, 0.2% buffer, 3% to the fund, thresholds of $10,000 and $500.
  const manager = [5, 750_000, 500_000, 2_000, 30_000, 10_000_000_000n, 500_000_000n];
  call(collateralManager, 'CollateralManager', 'initialize', [clearingHouseConfig, vault, ...manager]);
  call(vault, 'Vault', 'setCollateralManager', [collateralManager]);
  call(insuranceFund, 'InsuranceFund', 'setVault', [vault]);
  call(accountBalance, 'AccountBalance', 'setVault', [vault]);
  const house = [clearingHouseConfig, vault, quote, factory, exchange, accountBalance, insuranceFund];
  call(clearingHouse, 'ClearingHouse', 'initialize', house);
  for (const [name, at] of [
    ['MarketRegistry', marketRegistry],
    ['OrderBook', orderBook],
    ['Exchange', exchange],
    ['AccountBalance', accountBalance],
    ['Vault', vault],
  ] as const)
    call(at, name, 'setClearingHouse', [clearingHouse]);
  call(marketRegistry, 'MarketRegistry', 'setFeeManager', [chain.deployer.address, true]);
  call(quote, 'QuoteToken', 'mintMaximumTo', [clearingHouse]);
  call(quote, 'QuoteToken', 'addWhitelist', [clearingHouse]);
  if (parts.collateral !== undefined) {
    const feed = deploy('ChainlinkPriceFeedV2', [parts.collateral.feed.proxy, 0]);
    const config = { priceFeed: feed, collateralRatio: 700_000, discountRatio: 100_000, depositCap: MAX_UINT256 };
    call(collateralManager, 'CollateralManager', 'addCollateral', [parts.collateral.token, config]);
  }
  await chain.mine();

  const markets: PerpMarketAt[] = [];
  for (const [place, spec] of parts.markets.entries()) {
    const base = bases[place]!;
    const feedAddress = deploy('ChainlinkPriceFeedV3', [parts.feeds[spec.feed]!.proxy, FEED_TIMEOUT_SECONDS, TWAP_SECONDS]);
    const dispatcher = deploy('PriceFeedDispatcher', [feedAddress]);
    call(base, 'BaseToken', 'initialize', [`v${spec.symbol}`, `v${spec.symbol}`, dispatcher]);
    call(feedAddress, 'ChainlinkPriceFeedV3', 'update', []);
    chain.call(factory, uniswap.UniswapV3Factory.abi, 'createPool', [base, quote, POOL_FEE_PIPS]);
    await chain.mine();
    const poolOf = [base, quote, POOL_FEE_PIPS];
    const pool = lower(await chain.read<Address>(factory, uniswap.UniswapV3Factory.abi, 'getPool', poolOf));
    chain.call(pool, poolAbi, 'initialize', [sqrtPriceX96Of(spec.usd)]);
    const grow = { abi: poolAbi, functionName: 'increaseObservationCardinalityNext', args: [CARDINALITY] } as const;
    chain.send(chain.deployer, { to: pool, data: encodeFunctionData(grow), gas: 16_000_000n, label: grow.functionName });
    call(base, 'BaseToken', 'mintMaximumTo', [clearingHouse]);
    call(base, 'BaseToken', 'addWhitelist', [clearingHouse]);
    call(base, 'BaseToken', 'addWhitelist', [pool]);
    call(quote, 'QuoteToken', 'addWhitelist', [pool]);
    await chain.mine();
    call(marketRegistry, 'MarketRegistry', 'addPool', [base, POOL_FEE_PIPS]);
    call(marketRegistry, 'MarketRegistry', 'setFeeRatio', [base, EXCHANGE_FEE_PIPS]);
    call(marketRegistry, 'MarketRegistry', 'setInsuranceFundFeeRatio', [base, INSURANCE_SHARE_PIPS]);
    call(exchange, 'Exchange', 'setMaxTickCrossedWithinBlock', [base, MAX_TICK_CROSSED]);
    markets.push({ ...spec, base, pool, feedAddress });
  }
  await chain.mine();
  await pass(chain, AGE_SECONDS);
  return {
    ...{ artifacts, clearingHouse, clearingHouseConfig, marketRegistry, orderBook, exchange, accountBalance, insuranceFund, vault },
    ...{ collateralManager, quote, settlement: lower(parts.settlement), markets, fromBlock },
    collateral: parts.collateral === undefined ? undefined : lower(parts.collateral.token),
  };
}

/** Lets the chain's clock run on by so much, in one block. */
export async function pass(chain: SetupChain, seconds: number): Promise<void> {
  await rpc(chain.rpcUrl, 'anvil_setBlockTimestampInterval', [seconds]);
  await chain.mine();
  await rpc(chain.rpcUrl, 'anvil_setBlockTimestampInterval', [SLOT_SECONDS]);
}

/** NOTE: a base token has to lie below the quote token; addresses follow from nonces, so the highest of some becomes the quote token. */
function deployVirtual(chain: SetupChain, artifacts: PerpArtifacts, count: number): { quote: Address; bases: Address[] } {
  const quotes = Array.from({ length: 6 }, () => lower(chain.deploy('QuoteToken', artifacts.QuoteToken)));
  const quote = quotes.sort().at(-1)!;
  const bases: Address[] = [];
  while (bases.length < count) {
    const base = lower(chain.deploy('BaseToken', artifacts.BaseToken));
    if (base < quote) bases.push(base);
  }
  return { quote, bases };
}

/** Base and quote have 18 decimals each: the price is that of one in the other. */
export function sqrtPriceX96Of(usd: number): bigint {
  return BigInt(Math.round(Math.sqrt(usd) * 2 ** 48)) << 48n;
}

export function lower(address: Address): Address {
  return address.toLowerCase() as Address;
}
