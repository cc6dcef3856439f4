/** Folds one block's logs of a deployment into its state, through the journal. Together the events tell all that changes, exactly. */
import type { Address, Head, Hex, RawLog } from '../../lib/types.ts';
import { dataWord, toAddress, topicAddress, topicOf } from '../../lib/words.ts';
import { TOPIC } from '../../liquidity/uniswap-v3/abi.ts';
import { fold as foldPool, POOL_TOPICS } from '../../liquidity/uniswap-v3/fold.ts';
import { OBSERVATION_TOPICS } from '../../liquidity/uniswap-v3/observations.ts';
import type { Journal } from '../../mirror/journal.ts';
import { MirrorError } from '../../mirror/types.ts';
import { orderKey } from './accounts.ts';
import { premiumGrowthX96, settledTwapX96 } from './funding.ts';
import { foldIndexLog, INDEX_TOPICS, type IndexFeed } from './index-price.ts';
import { settlementDown, wadOfX96 } from './math.ts';
import { type Account, accountOf, isDust, type PerpMarket, type PerpState, type Place, placeOf } from './state.ts';

const HOUSE = {
  positionChanged: topicOf('event PositionChanged(address,address,int256,int256,uint256,int256,int256,uint256)'),
  positionClosed: topicOf('event PositionClosed(address,address,int256,int256,int256,int256,uint256)'),
  liquidityChanged: topicOf('event LiquidityChanged(address,address,address,int24,int24,int256,int256,int128,uint256)'),
  fundingSettled: topicOf('event FundingPaymentSettled(address,address,int256)'),
};
const PNL_REALIZED = topicOf('event PnlRealized(address,int256)');
const VAULT = {
  deposited: topicOf('event Deposited(address,address,uint256)'),
  withdrawn: topicOf('event Withdrawn(address,address,uint256)'),
  collateralLiquidated: topicOf('event CollateralLiquidated(address,address,address,uint256,uint256,uint256,uint24)'),
  badDebtSettled: topicOf('event BadDebtSettled(address,uint256)'),
};
const EXCHANGE = {
  fundingUpdated: topicOf('event FundingUpdated(address,uint256,uint256)'),
  maxTick: topicOf('event MaxTickCrossedWithinBlockChanged(address,uint24)'),
};
const REGISTRY = {
  poolAdded: topicOf('event PoolAdded(address,uint24,address)'),
  fee: topicOf('event FeeRatioChanged(address,uint24)'),
  insurance: topicOf('event InsuranceFundFeeRatioChanged(address,uint24)'),
  spread: topicOf('event MarketMaxPriceSpreadRatioChanged(address,uint24)'),
  discount: topicOf('event FeeDiscountRatioChanged(address,uint24)'),
};
/** What changes so rarely, and so much, that everything is read anew. */
const RULES = [
  'event LiquidationPenaltyRatioChanged(uint24)',
  'event TwapIntervalChanged(uint256)',
  'event MaxFundingRateChanged(uint24)',
  'event MarkPriceMarketTwapIntervalChanged(uint32)',
  'event MarkPricePremiumIntervalChanged(uint32)',
  // CollateralManager
  'event PriceFeedChanged(address,address)',
  'event CollateralRatioChanged(address,uint24)',
  'event DiscountRatioChanged(address,uint24)',
  'event MmRatioBufferChanged(uint24)',
  'event DebtNonSettlementTokenValueRatioChanged(uint24)',
  'event LiquidationRatioChanged(uint24)',
  'event CLInsuranceFundFeeRatioChanged(uint24)',
  'event DebtThresholdChanged(uint256)',
  'event WhitelistedDebtThresholdChanged(address,uint256)',
  'event CollateralValueDustChanged(uint256)',
  // BaseToken
  'event PriceFeedChanged(address)',
  'event StatusUpdated(uint8)',
].map(topicOf);

const OWN_TOPICS = [HOUSE, VAULT, EXCHANGE, REGISTRY].flatMap((topics) => Object.values(topics));

/** Markets, and everybody who may ever have anything in the vault. */
export const discoveryTopics = { registry: [REGISTRY.poolAdded], vault: [VAULT.deposited] };

export function discoveredIn(log: RawLog): { readonly base: Address } | { readonly token: Address; readonly account: Address } | undefined {
  if (log.topics[0] === REGISTRY.poolAdded) return { base: topicAddress(log, 1) };
  if (log.topics[0] === VAULT.deposited) return { token: topicAddress(log, 1), account: topicAddress(log, 2) };
  return undefined;
}

export function filtersOf({ contracts, markets }: PerpState) {
  const { clearingHouse, vault, accountBalance, exchange, registry, config, collateralManager } = contracts;
  const each = [...markets.values()];
  return [
    { addresses: [clearingHouse, vault, accountBalance, exchange, registry], topics0: [...OWN_TOPICS, PNL_REALIZED] },
    { addresses: [config, collateralManager, ...each.map(({ base }) => base)], topics0: RULES },
    { addresses: each.map(({ pool }) => pool.identity.address), topics0: [...POOL_TOPICS, ...OBSERVATION_TOPICS] },
    { addresses: each.flatMap(({ index }) => (index === undefined ? [] : [index.cache, index.dispatcher])), topics0: INDEX_TOPICS },
  ].filter(({ addresses }) => addresses.length > 0);
}

/** Logs of a deployment, told apart by who emitted them. */
export class Folding {
  readonly #state: PerpState;
  readonly #journal: Journal;
  readonly #pools: ReadonlyMap<Address, PerpMarket>;
  readonly #indexes: ReadonlyMap<Address, IndexFeed>;

  constructor(state: PerpState, journal: Journal) {
    this.#state = state;
    this.#journal = journal;
    const markets = [...state.markets.values()];
    this.#pools = new Map(markets.map((market) => [market.pool.identity.address, market]));
    const indexes = markets.flatMap(({ index }) => index ?? []);
    this.#indexes = new Map(indexes.flatMap((index) => [[index.cache, index] as const, [index.dispatcher, index] as const]));
  }

  /** Throws a MirrorError on what only a new anchor can follow. */
  fold(log: RawLog, block: Head): void {
    const { contracts, markets } = this.#state;
    const { address } = log;
    const pool = this.#pools.get(address);
    const index = this.#indexes.get(address);
    if (pool !== undefined) this.#poolLog(log, pool, block);
    else if (index !== undefined) foldIndexLog(log, index, this.#journal);
    else if (address === contracts.clearingHouse) this.#houseLog(log);
    else if (address === contracts.accountBalance) this.#balanceLog(log);
    else if (address === contracts.vault) this.#vaultLog(log);
    else if (address === contracts.exchange) this.#exchangeLog(log, block);
    else if (address === contracts.registry) this.#registryLog(log);
    else if (address === contracts.config || address === contracts.collateralManager || markets.has(address))
      throw new MirrorError(`what ${address} rules has changed`);
  }

  #poolLog(log: RawLog, market: PerpMarket, block: Head): void {
    const before = market.pool;
    const after = foldPool(before, log);
    this.#journal.set(market, 'observations', market.observations.fold(log, before, after, block.timestamp));
    this.#journal.set(market, 'pool', after);
    if (log.topics[0] === TOPIC.swap && market.firstTradedAt === 0) this.#journal.set(market, 'firstTradedAt', block.timestamp);
  }

  #houseLog(log: RawLog): void {
    if (!Object.values<Hex | undefined>(HOUSE).includes(log.topics[0])) return;
    const account = this.#account(topicAddress(log, 1));
    const market = this.#market(topicAddress(log, 2));
    if (log.topics[0] === HOUSE.positionClosed) {
      this.#journal.deleteKey(account.places, market.base);
      return;
    }
    const place = this.#place(account, market);
    // Whatever these functions do, they settle funding first.
    this.#journal.set(place, 'lastGrowthX96', market.growthX96);
    if (log.topics[0] === HOUSE.positionChanged) {
      this.#journal.set(place, 'sizeWad', place.sizeWad + signed(log, 0));
      this.#journal.set(place, 'openNotionalWad', signed(log, 3));
    }
    if (log.topics[0] === HOUSE.liquidityChanged) this.#order(log, place);
    // AccountBalance._deregisterBaseToken; the event tells what is left of the notional, which is nothing then.
    if (place.orders.size === 0 && isDust(place.sizeWad) && place.openNotionalWad === 0n)
      this.#journal.deleteKey(account.places, market.base);
  }

  /** OrderBook._addLiquidityToOrder, _removeLiquidityFromOrder. */
  #order(log: RawLog, place: Place): void {
    const [lower, upper, base, liquidity] = [0, 1, 2, 4].map((word) => signed(log, word)) as [bigint, bigint, bigint, bigint];
    const key = orderKey(Number(lower), Number(upper));
    const before = place.orders.get(key) ?? { lower: Number(lower), upper: Number(upper), liquidity: 0n, baseDebtWad: 0n };
    const after = new Map(place.orders);
    const left = before.liquidity + liquidity;
    const repaid = liquidity < 0n && before.liquidity > 0n ? (before.baseDebtWad * -liquidity) / before.liquidity : 0n;
    const baseDebtWad = liquidity < 0n ? before.baseDebtWad - repaid : before.baseDebtWad + base;
    if (left === 0n) after.delete(key);
    else after.set(key, { ...before, liquidity: left, baseDebtWad });
    this.#journal.set(place, 'orders', after);
  }

  #balanceLog(log: RawLog): void {
    if (log.topics[0] !== PNL_REALIZED) return;
    const account = this.#account(topicAddress(log, 1));
    this.#journal.set(account, 'owedPnlWad', account.owedPnlWad + signed(log, 0));
  }

  #vaultLog(log: RawLog): void {
    const { settlement, insuranceFund } = this.#state.contracts;
    switch (log.topics[0]) {
      case VAULT.deposited:
        this.#hold(this.#account(topicAddress(log, 2)), topicAddress(log, 1), dataWord(log, 0));
        break;
      case VAULT.withdrawn:
        this.#withdrawn(this.#account(topicAddress(log, 2)), topicAddress(log, 1), dataWord(log, 0));
        break;
      case VAULT.collateralLiquidated: {
        const account = this.#account(topicAddress(log, 1));
        this.#hold(account, topicAddress(log, 2), -dataWord(log, 0));
        this.#hold(account, settlement, dataWord(log, 1));
        this.#hold(this.#account(insuranceFund), settlement, dataWord(log, 2));
        break;
      }
      case VAULT.badDebtSettled:
        this.#hold(this.#account(topicAddress(log, 1)), settlement, dataWord(log, 0));
        this.#hold(this.#account(insuranceFund), settlement, -dataWord(log, 0));
        break;
    }
  }

  /** Vault._settleAndDecreaseBalance: funding is settled in every market; what is owed is settled with settlement tokens alone. */
  #withdrawn(account: Account, token: Address, amountRaw: bigint): void {
    for (const place of account.places.values()) this.#journal.set(place, 'lastGrowthX96', place.market.growthX96);
    if (token === this.#state.contracts.settlement) {
      this.#hold(account, token, settlementDown(account.owedPnlWad, this.#state.settlement.unitWad));
      this.#journal.set(account, 'owedPnlWad', 0n);
    }
    this.#hold(account, token, -amountRaw);
  }

  #exchangeLog(log: RawLog, block: Head): void {
    const market = this.#market(topicAddress(log, 1));
    if (log.topics[0] === EXCHANGE.maxTick) this.#journal.set(market, 'maxTickCrossed', Number(dataWord(log, 0)));
    if (log.topics[0] === EXCHANGE.fundingUpdated) this.#fundingLog(log, market, block);
  }

  /** Exchange.settleFunding, once a block and market. */
  #fundingLog(log: RawLog, market: PerpMarket, { timestamp }: Head): void {
    const { rules } = this.#state;
    const [marketTwapWad, indexTwapWad] = [dataWord(log, 0), dataWord(log, 1)];
    const twapX96 = settledTwapX96(market, rules, timestamp);
    if (twapX96 === undefined || wadOfX96(twapX96) !== marketTwapWad)
      throw new MirrorError(`${market.symbol} was settled at an average price of ${marketTwapWad}, which its pool's logs do not tell`);
    this.#journal.set(market, 'growthX96', premiumGrowthX96(market, rules, { twapX96, indexTwapWad, timestamp }));
    this.#journal.set(market, 'lastSettledAt', timestamp);
    if (timestamp >= market.lastTickAt + PRICE_LIMIT_SECONDS) {
      this.#journal.set(market, 'lastTickAt', timestamp);
      this.#journal.set(market, 'lastTick', market.pool.tick);
    }
  }

  #registryLog(log: RawLog): void {
    switch (log.topics[0]) {
      case REGISTRY.poolAdded:
        throw new MirrorError(`market ${topicAddress(log, 1)} was added`);
      case REGISTRY.fee:
        throw new MirrorError('a market has another fee');
      case REGISTRY.discount:
        if (topicAddress(log, 1) === this.#state.desk.executor) throw new MirrorError('our own fees changed');
        break;
      case REGISTRY.insurance:
        this.#journal.set(this.#market(toAddress(dataWord(log, 0))), 'insurancePips', dataWord(log, 1));
        break;
      case REGISTRY.spread:
        this.#journal.set(this.#market(topicAddress(log, 1)), 'maxSpreadPips', dataWord(log, 0));
        break;
    }
  }

  #hold(account: Account, token: Address, deltaRaw: bigint): void {
    if (token === this.#state.contracts.settlement) {
      this.#journal.set(account, 'balanceRaw', account.balanceRaw + deltaRaw);
      return;
    }
    if (!this.#state.collateral.has(token)) throw new MirrorError(`${token} became collateral`);
    const held = (account.collateral.get(token) ?? 0n) + deltaRaw;
    if (held === 0n) this.#journal.deleteKey(account.collateral, token);
    else this.#journal.setKey(account.collateral, token, held);
  }

  #market(base: Address): PerpMarket {
    const market = this.#state.markets.get(base);
    if (market === undefined) throw new MirrorError(`market ${base} was never added`);
    return market;
  }

  /** NOTE: one that no log told of before has nothing: whoever has anything has deposited, or somebody did for them. */
  #account(address: Address): Account {
    const { slots, accounts } = this.#state;
    const slot = slots.get(address);
    if (slot !== undefined) return accounts[slot]!;
    const account = accountOf(address);
    this.#journal.setKey(slots, address, this.#journal.push(accounts, account));
    return account;
  }

  #place(account: Account, market: PerpMarket): Place {
    const known = account.places.get(market.base);
    if (known !== undefined) return known;
    const place = placeOf(market);
    this.#journal.setKey(account.places, market.base, place);
    return place;
  }
}

/** Exchange._PRICE_LIMIT_INTERVAL. */
export const PRICE_LIMIT_SECONDS = 15;

function signed(log: RawLog, index: number): bigint {
  return BigInt.asIntN(256, dataWord(log, index));
}
