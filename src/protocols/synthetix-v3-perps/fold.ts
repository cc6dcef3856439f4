/**
 * What a block's logs say. Sizes and prices of positions are in them; of accounts and markets they say which ones changed, and what of these no log tells is read
 * in the same block's batch (unread.ts). NOTE: within one block a market's funding and the interest move once at most, since no time passes: what they are at its
 * end is what every position changed in it starts from.
 */
import type { Head, RawLog } from '../../lib/types.ts';
import { dataWord, topicOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import { MirrorError } from '../../mirror/types.ts';
import { type Account, accountOf, type PerpMarket, type Position, type SynthetixState } from './state.ts';

const TOPIC = {
  collateralModified: topicOf('event CollateralModified(uint128,uint128,int256,address)'),
  charged: topicOf('event AccountCharged(uint128,int256,uint256)'),
  debtPaid: topicOf('event DebtPaid(uint128,uint256,address)'),
  flagged: topicOf('event AccountFlaggedForLiquidation(uint128,int256,uint256,uint256,uint256)'),
  attempt: topicOf('event AccountLiquidationAttempt(uint128,uint256,bool)'),
  marginLiquidated: topicOf('event AccountMarginLiquidation(uint128,uint256,uint256)'),
  committed: topicOf('event OrderCommitted(uint128,uint128,uint8,int128,uint256,uint256,uint256,uint256,uint256,bytes32,address)'),
  settled: topicOf(
    'event OrderSettled(uint128,uint128,uint256,int256,int256,int128,int128,uint256,uint256,uint256,uint256,bytes32,address)',
  ),
  liquidated: topicOf('event PositionLiquidated(uint128,uint128,uint256,int128)'),
  marketUpdated: topicOf('event MarketUpdated(uint128,uint256,int256,uint256,int256,int256,int256,uint128)'),
  interestUpdated: topicOf('event InterestRateUpdated(uint128,uint128)'),
};

/** Rules: only a new anchor can follow them. */
const RULES_CHANGED = new Set([
  topicOf('event MarketCreated(uint128,string,string)'),
  topicOf('event MarketPriceDataUpdated(uint128,bytes32,uint256)'),
  topicOf('event OrderFeesSet(uint128,uint256,uint256)'),
  topicOf('event FundingParametersSet(uint128,uint256,uint256)'),
  topicOf('event MaxLiquidationParametersSet(uint128,uint256,uint256,uint256,address)'),
  topicOf('event LiquidationParametersSet(uint128,uint256,uint256,uint256,uint256,uint256)'),
  topicOf('event LockedOiRatioSet(uint128,uint256)'),
  topicOf('event KeeperRewardGuardsSet(uint256,uint256,uint256,uint256)'),
  topicOf('event KeeperCostNodeIdUpdated(bytes32)'),
  topicOf('event CollateralConfigurationSet(uint128,uint256,uint256,uint256,uint256)'),
  topicOf('event CollateralLiquidateRewardRatioSet(uint128)'),
  topicOf('event Upgraded(address,address)'),
]);

export const discoveryTopics = [TOPIC.collateralModified];
export const perpsTopics = [...Object.values(TOPIC), ...RULES_CHANGED];

/** The account whose collateral a log moves. */
export function discoveredIn(log: RawLog): bigint | undefined {
  return log.topics[0] === TOPIC.collateralModified ? topicNumber(log, 1) : undefined;
}

/** What of a block has to be read. */
export type Touched = {
  readonly accounts: Set<Account>;
  readonly markets: Set<PerpMarket>;
  /** Begin with this block's funding and interest. */
  readonly positions: Set<Position>;
  interest: boolean;
};

export function untouched(): Touched {
  return { accounts: new Set(), markets: new Set(), positions: new Set(), interest: false };
}

/** Folds the logs of one block, in order. Throws a MirrorError on what only a new anchor can follow. */
export class Folding {
  readonly #state: SynthetixState;
  readonly #journal: Journal;
  readonly touched = untouched();
  /** As the last MarketUpdated of each said: a liquidated position starts from it. */
  readonly #prices = new Map<PerpMarket, bigint>();

  constructor(state: SynthetixState, journal: Journal) {
    this.#state = state;
    this.#journal = journal;
  }

  fold(log: RawLog, block: Head): void {
    const [topic] = log.topics;
    if (log.address !== this.#state.contracts.perpsMarket || topic === undefined) return;
    if (RULES_CHANGED.has(topic)) throw new MirrorError(`the rules of ${log.address} changed in block ${block.number}`);
    switch (topic) {
      case TOPIC.collateralModified:
        if (topicNumber(log, 2) !== 0n && !this.#state.collateral.has(topicNumber(log, 2)))
          throw new MirrorError(`collateral ${topicNumber(log, 2)} of ${log.address} is new`);
        this.#touch(topicNumber(log, 1));
        break;
      case TOPIC.charged:
        this.#touch(dataWord(log, 0));
        break;
      case TOPIC.debtPaid:
      case TOPIC.marginLiquidated:
        this.#touch(topicNumber(log, 1));
        break;
      case TOPIC.flagged:
        this.#journal.set(this.#touch(topicNumber(log, 1)), 'flagged', true);
        break;
      case TOPIC.attempt:
        this.#attempted(log);
        break;
      case TOPIC.committed:
        this.touched.markets.add(this.#market(topicNumber(log, 1)));
        break;
      case TOPIC.settled:
        this.#place(topicNumber(log, 2), topicNumber(log, 1), dataInt128(log, 4), dataWord(log, 0));
        break;
      case TOPIC.liquidated:
        this.#liquidated(log, block);
        break;
      case TOPIC.marketUpdated: {
        const market = this.#market(dataWord(log, 0));
        this.touched.markets.add(market);
        this.touched.interest = true;
        this.#prices.set(market, dataWord(log, 1));
        break;
      }
      case TOPIC.interestUpdated:
        this.touched.interest = true;
    }
  }

  /** Every market that the account is in has moved its funding, whatever of it was liquidated. */
  #attempted(log: RawLog): void {
    const account = this.#touch(topicNumber(log, 1));
    for (const { market } of account.positions.values()) this.touched.markets.add(market);
    if (dataWord(log, 1) !== 0n && account.flagged) this.#journal.set(account, 'flagged', false);
  }

  #liquidated(log: RawLog, block: Head): void {
    const market = this.#market(topicNumber(log, 2));
    const price = this.#prices.get(market);
    if (price === undefined) throw new MirrorError(`a liquidation in market ${market.id} tells no price`);
    this.#place(topicNumber(log, 1), market.id, dataInt128(log, 1), price);
    const timestamp = BigInt(block.timestamp);
    const last = market.liquidated.at(-1);
    const since = market.liquidated.filter((one) => one.timestamp > timestamp - market.rules.windowSeconds);
    const amount = dataWord(log, 0) + (last?.timestamp === timestamp ? last.amount : 0n);
    const before = last?.timestamp === timestamp ? since.filter((one) => one !== last) : since;
    this.#journal.set(market, 'liquidated', [...before, { amount, timestamp }]);
  }

  #place(accountId: bigint, marketId: bigint, size: bigint, price: bigint): void {
    const account = this.#touch(accountId);
    const market = this.#market(marketId);
    if (size === 0n) {
      this.#journal.deleteKey(account.positions, marketId);
      return;
    }
    const position: Position = { market, size, price, funding: 0n, interest: 0n };
    this.#journal.setKey(account.positions, marketId, position);
    this.touched.positions.add(position);
  }

  #touch(id: bigint): Account {
    const slot = this.#state.slots.get(id);
    const account = slot === undefined ? this.#add(id) : this.#state.accounts[slot]!;
    this.touched.accounts.add(account);
    return account;
  }

  #add(id: bigint): Account {
    const account = accountOf(id);
    this.#journal.setKey(this.#state.slots, id, this.#journal.push(this.#state.accounts, account));
    return account;
  }

  #market(id: bigint): PerpMarket {
    const market = this.#state.markets.get(id);
    if (market === undefined) throw new MirrorError(`market ${id} of ${this.#state.contracts.perpsMarket} is new`);
    return market;
  }
}

function topicNumber(log: RawLog, index: number): bigint {
  const topic = log.topics[index];
  if (topic === undefined) throw new RangeError(`log ${log.logIndex} of ${log.address} in block ${log.blockNumber} lacks topic ${index}`);
  return BigInt(topic);
}

function dataInt128(log: RawLog, index: number): bigint {
  return BigInt.asIntN(256, dataWord(log, index));
}
