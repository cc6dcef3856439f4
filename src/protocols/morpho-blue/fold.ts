/** Folds one block's logs of a deployment into its state, through the journal. The events tell all that changes, exactly. */
import type { Address, Head, RawLog } from '../../lib/types.ts';
import { dataWord, toAddress, topicAddress, topicOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import { MirrorError } from '../../mirror/types.ts';
import { zeroFloorSub } from './math.ts';
import { type BlueMarket, type BlueState, type MarketId, type MarketParams, noteChange, type Position, slotKey } from './state.ts';

const topics = {
  createMarket: topicOf('event CreateMarket(bytes32 indexed id, (address,address,address,address,uint256) marketParams)'),
  setFee: topicOf('event SetFee(bytes32 indexed id, uint256 newFee)'),
  supply: topicOf('event Supply(bytes32 indexed id, address indexed caller, address indexed onBehalf, uint256 assets, uint256 shares)'),
  withdraw: topicOf(
    'event Withdraw(bytes32 indexed id, address caller, address indexed onBehalf, address indexed receiver, uint256 assets, uint256 shares)',
  ),
  borrow: topicOf(
    'event Borrow(bytes32 indexed id, address caller, address indexed onBehalf, address indexed receiver, uint256 assets, uint256 shares)',
  ),
  repay: topicOf('event Repay(bytes32 indexed id, address indexed caller, address indexed onBehalf, uint256 assets, uint256 shares)'),
  supplyCollateral: topicOf('event SupplyCollateral(bytes32 indexed id, address indexed caller, address indexed onBehalf, uint256 assets)'),
  withdrawCollateral: topicOf(
    'event WithdrawCollateral(bytes32 indexed id, address caller, address indexed onBehalf, address indexed receiver, uint256 assets)',
  ),
  liquidate: topicOf(
    'event Liquidate(bytes32 indexed id, address indexed caller, address indexed borrower, uint256 repaidAssets, uint256 repaidShares, uint256 seizedAssets, uint256 badDebtAssets, uint256 badDebtShares)',
  ),
  accrueInterest: topicOf('event AccrueInterest(bytes32 indexed id, uint256 prevBorrowRate, uint256 interest, uint256 feeShares)'),
  enableIrm: topicOf('event EnableIrm(address indexed irm)'),
};

/** Of the adaptive-curve IRM. */
const RATE_UPDATE = topicOf('event BorrowRateUpdate(bytes32 indexed id, uint256 avgBorrowRate, uint256 rateAtTarget)');

export const morphoTopics = Object.values(topics);
export const irmTopics = [RATE_UPDATE];
/** Nobody has a position without one of these. */
export const discoveryTopics = [topics.createMarket, topics.enableIrm, topics.borrow, topics.supplyCollateral];

export type Discovered =
  | { readonly kind: 'market'; readonly id: MarketId; readonly params: MarketParams }
  | { readonly kind: 'irm'; readonly irm: Address }
  | { readonly kind: 'position'; readonly id: MarketId; readonly account: Address };

/** What a discovery log reveals. */
export function discoveredIn(log: RawLog): Discovered | undefined {
  switch (log.topics[0]) {
    case topics.createMarket:
      return { kind: 'market', id: idOf(log), params: paramsIn(log) };
    case topics.enableIrm:
      return { kind: 'irm', irm: topicAddress(log, 1) };
    case topics.borrow:
      return { kind: 'position', id: idOf(log), account: topicAddress(log, 2) };
    case topics.supplyCollateral:
      return { kind: 'position', id: idOf(log), account: topicAddress(log, 3) };
    default:
      return undefined;
  }
}

/** Throws a MirrorError on what only a new anchor can follow. `labelOf` names a new market. */
export function foldLog(log: RawLog, block: Head, state: BlueState, journal: Journal, labelOf: (id: MarketId) => string): void {
  if (log.address !== state.morpho) {
    if (log.topics[0] === RATE_UPDATE && state.adaptive.has(log.address)) foldRate(log, state, journal);
    return;
  }
  if (log.topics[0] === topics.enableIrm) throw new MirrorError(`an IRM was enabled: ${topicAddress(log, 1)}`);
  if (log.topics[0] === topics.createMarket) {
    const id = idOf(log);
    const params = paramsIn(log);
    journal.setKey(state.markets, id, newMarket(id, labelOf(id), params, block.timestamp));
    if (!state.oracles.has(params.oracle))
      journal.setKey(state.oracles, params.oracle, { address: params.oracle, answer: undefined, decoded: undefined });
    return;
  }
  if (log.topics[0] === undefined || !HANDLED.has(log.topics[0])) return;
  const market = state.markets.get(idOf(log));
  if (market === undefined) throw new MirrorError(`market ${idOf(log)} was never created`);
  foldMarketLog(log, market, state, journal);
  // NOTE: every one of Morpho's functions accrues first, but for the supply of collateral; without an IRM it says nothing about it.
  if (log.topics[0] !== topics.supplyCollateral && market.lastUpdate !== block.timestamp)
    journal.set(market, 'lastUpdate', block.timestamp);
}

const HANDLED = new Set(morphoTopics);

function foldMarketLog(log: RawLog, market: BlueMarket, state: BlueState, journal: Journal): void {
  const add = (key: 'totalSupplyAssets' | 'totalSupplyShares' | 'totalBorrowAssets' | 'totalBorrowShares', delta: bigint) =>
    journal.set(market, key, market[key] + delta);
  const word = (index: number) => dataWord(log, index);
  switch (log.topics[0]) {
    case topics.setFee:
      journal.set(market, 'fee', word(0));
      return;
    case topics.accrueInterest:
      add('totalBorrowAssets', word(1));
      add('totalSupplyAssets', word(1));
      add('totalSupplyShares', word(2));
      return;
    case topics.supply:
      add('totalSupplyAssets', word(0));
      add('totalSupplyShares', word(1));
      return;
    case topics.withdraw:
      add('totalSupplyAssets', -word(1));
      add('totalSupplyShares', -word(2));
      return;
    case topics.borrow:
      add('totalBorrowAssets', word(1));
      add('totalBorrowShares', word(2));
      change(positionToChange(state, market, topicAddress(log, 2), journal), word(2), 0n, journal);
      return;
    case topics.repay:
      journal.set(market, 'totalBorrowAssets', zeroFloorSub(market.totalBorrowAssets, word(0)));
      add('totalBorrowShares', -word(1));
      change(positionToChange(state, market, topicAddress(log, 3), journal), -word(1), 0n, journal);
      return;
    case topics.supplyCollateral:
      change(positionToChange(state, market, topicAddress(log, 3), journal), 0n, word(0), journal);
      return;
    case topics.withdrawCollateral:
      change(positionToChange(state, market, topicAddress(log, 2), journal), 0n, -word(1), journal);
      return;
    case topics.liquidate: {
      const shares = word(1) + word(4);
      journal.set(market, 'totalBorrowAssets', zeroFloorSub(market.totalBorrowAssets, word(0)) - word(3));
      add('totalBorrowShares', -shares);
      add('totalSupplyAssets', -word(3));
      change(positionToChange(state, market, topicAddress(log, 3), journal), -shares, -word(2), journal);
    }
  }
}

function foldRate(log: RawLog, state: BlueState, journal: Journal): void {
  const market = state.markets.get(idOf(log));
  // Anybody may ask for the rate of a market that does not exist.
  if (market !== undefined && market.params.irm === log.address) journal.set(market, 'rateAtTarget', dataWord(log, 1));
}

function change(position: Position, shares: bigint, collateral: bigint, journal: Journal): void {
  if (shares !== 0n) journal.set(position, 'borrowShares', position.borrowShares + shares);
  if (collateral !== 0n) journal.set(position, 'collateral', position.collateral + collateral);
}

/** NOTE: who supplies for nobody's position may still be the first to name it, by a repayment of nothing. */
function positionToChange(state: BlueState, market: BlueMarket, account: Address, journal: Journal): Position {
  const key = slotKey(market.id, account);
  let slot = state.slots.get(key);
  if (slot === undefined) {
    slot = journal.push(state.positions, { market, account, borrowShares: 0n, collateral: 0n });
    journal.setKey(state.slots, key, slot);
  }
  noteChange(state, slot, journal);
  return state.positions[slot]!;
}

export function newMarket(id: MarketId, label: string, params: MarketParams, lastUpdate: number): BlueMarket {
  return {
    ...{ id, label, params, lastUpdate, fee: 0n },
    ...{ totalSupplyAssets: 0n, totalSupplyShares: 0n, totalBorrowAssets: 0n, totalBorrowShares: 0n },
    ...{ rateAtTarget: 0n, readRate: undefined, settled: false },
  };
}

function idOf(log: RawLog): MarketId {
  const id = log.topics[1];
  if (id === undefined) throw new RangeError(`log ${log.logIndex} of ${log.address} in block ${log.blockNumber} names no market`);
  return id;
}

function paramsIn(log: RawLog): MarketParams {
  const address = (index: number) => toAddress(dataWord(log, index));
  return { loanToken: address(0), collateralToken: address(1), oracle: address(2), irm: address(3), lltv: dataWord(log, 4) };
}
