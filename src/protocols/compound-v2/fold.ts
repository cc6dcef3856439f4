/**
 * Folds one block's logs into the state, through the journal: debts, market tokens, indexes. What else a log tells of is read in the same block's batch:
 * the words of a market that did anything, an account that entered or left a market, the rules.
 *
 * Forks index different arguments of the same events: those that come first, everywhere, so topics and data are one row of words.
 */
import type { Address, Hex, RawLog } from '../../lib/types.ts';
import { dataWord, toAddress, topicOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import { MirrorError } from '../../mirror/types.ts';
import { type Account, type CompoundState, forcedKey, type Holding, type Market } from './state.ts';

const topics = {
  // markets
  accrue: topicOf('event AccrueInterest(uint256 cashPrior, uint256 interestAccumulated, uint256 borrowIndex, uint256 totalBorrows)'),
  accrueOld: topicOf('event AccrueInterest(uint256 interestAccumulated, uint256 borrowIndex, uint256 totalBorrows)'),
  borrow: topicOf('event Borrow(address borrower, uint256 borrowAmount, uint256 accountBorrows, uint256 totalBorrows)'),
  repay: topicOf('event RepayBorrow(address payer, address borrower, uint256 repayAmount, uint256 accountBorrows, uint256 totalBorrows)'),
  transfer: topicOf('event Transfer(address from, address to, uint256 amount)'),
  // comptroller
  entered: topicOf('event MarketEntered(address cToken, address account)'),
  exited: topicOf('event MarketExited(address cToken, address account)'),
  poolSelected: topicOf('event PoolSelected(address account, uint96 previousPoolId, uint96 newPoolId)'),
  forcedFor: topicOf('event IsForcedLiquidationEnabledForUserUpdated(address borrower, address vToken, bool enable)'),
  // Venus' liquidator contract
  shielded: topicOf('event LiquidationRestricted(address borrower)'),
  unshielded: topicOf('event LiquidationRestrictionsDisabled(address borrower)'),
  // VAIController
  mintVai: topicOf('event MintVAI(address minter, uint256 mintVAIAmount)'),
  repayVai: topicOf('event RepayVAI(address payer, address borrower, uint256 repayVAIAmount)'),
  liquidateVai: topicOf(
    'event LiquidateVAI(address liquidator, address borrower, uint256 repayAmount, address vTokenCollateral, uint256 seizeTokens)',
  ),
};

/** After these the market's words are read again, beside those above. */
const marketTopics = [
  'event NewReserveFactor(uint256 oldReserveFactorMantissa, uint256 newReserveFactorMantissa)',
  'event ReservesAdded(address benefactor, uint256 addAmount, uint256 newTotalReserves)',
  'event ReservesReduced(address admin, uint256 reduceAmount, uint256 newTotalReserves)',
].map(topicOf);

/** After these the rules are read again. */
const ruleTopics = [
  // comptroller
  'event NewCollateralFactor(address cToken, uint256 oldCollateralFactorMantissa, uint256 newCollateralFactorMantissa)',
  'event NewCloseFactor(uint256 oldCloseFactorMantissa, uint256 newCloseFactorMantissa)',
  'event NewLiquidationIncentive(uint256 oldLiquidationIncentiveMantissa, uint256 newLiquidationIncentiveMantissa)',
  'event ActionPaused(string action, bool pauseState)',
  'event ActionPaused(address cToken, string action, bool pauseState)',
  // comptroller: Venus
  'event NewCollateralFactor(uint96 poolId, address vToken, uint256 oldCollateralFactorMantissa, uint256 newCollateralFactorMantissa)',
  'event NewLiquidationThreshold(uint96 poolId, address vToken, uint256 oldLiquidationThresholdMantissa, uint256 newLiquidationThresholdMantissa)',
  'event NewLiquidationThreshold(address vToken, uint256 oldLiquidationThresholdMantissa, uint256 newLiquidationThresholdMantissa)',
  'event NewLiquidationIncentive(uint96 poolId, address vToken, uint256 oldLiquidationIncentiveMantissa, uint256 newLiquidationIncentiveMantissa)',
  'event ActionPausedMarket(address vToken, uint8 action, bool pauseState)',
  'event ActionProtocolPaused(bool state)',
  'event IsForcedLiquidationEnabledUpdated(address vToken, bool enable)',
  'event NewTreasuryPercent(uint256 oldTreasuryPercent, uint256 newTreasuryPercent)',
  'event PoolMarketInitialized(uint96 poolId, address market)',
  'event PoolMarketRemoved(uint96 poolId, address vToken)',
  'event PoolActiveStatusUpdated(uint96 poolId, bool oldStatus, bool newStatus)',
  'event PoolFallbackStatusUpdated(uint96 poolId, bool oldStatus, bool newStatus)',
  // Venus' liquidator contract
  'event NewLiquidationTreasuryPercent(uint256 oldPercent, uint256 newPercent)',
  'event NewMinLiquidatableVAI(uint256 oldMinLiquidatableVAI, uint256 newMinLiquidatableVAI)',
  'event ForceVAILiquidationPaused(address sender)',
  'event ForceVAILiquidationResumed(address sender)',
].map(topicOf);

/** These change what there is to be mirrored: only a new anchor can follow. */
const upheavals = new Map(
  [
    'event MarketListed(address cToken)',
    'event MarketUnlisted(address cToken)',
    'event NewPriceOracle(address oldPriceOracle, address newPriceOracle)',
    'event NewImplementation(address oldImplementation, address newImplementation)',
    'event DiamondCut((address,uint8,bytes4[])[] diamondCut)',
    'event NewLiquidatorContract(address oldLiquidatorContract, address newLiquidatorContract)',
    'event NewVAIController(address oldVAIController, address newVAIController)',
    'event PoolCreated(uint96 poolId, string label)',
  ].map((event) => [topicOf(event), /^event (\w+)/.exec(event)![1]!]),
);

const rereading = { market: new Set(marketTopics), rules: new Set(ruleTopics) };

export const comptrollerTopics = [topics.entered, topics.exited, topics.poolSelected, topics.forcedFor, ...ruleTopics, ...upheavals.keys()];
export const tokenTopics = [
  ...[topics.accrue, topics.accrueOld, topics.borrow, topics.repay, topics.transfer],
  ...[...marketTopics, topicOf('event NewImplementation(address oldImplementation, address newImplementation)')],
];
export const gateTopics = [topics.shielded, topics.unshielded, ...ruleTopics];
export const vaiTopics = [topics.mintVai, topics.repayVai, topics.liquidateVai];
/** Whoever owes anything said so by these, and at which index. */
export const discoveryTopics = [topics.accrue, topics.accrueOld, topics.borrow, topics.repay];
export const grantTopics = [topics.forcedFor, topics.shielded, topics.unshielded];

/** What a block's logs call for reading. */
export class Unread {
  readonly markets = new Set<Market>();
  rules = false;
}

export type Discovered =
  | { readonly kind: 'index'; readonly index: bigint }
  | { readonly kind: 'debt'; readonly account: Address; readonly principal: bigint }
  | { readonly kind: 'forced'; readonly account: Address; readonly market: Address; readonly is: boolean }
  | { readonly kind: 'shielded'; readonly account: Address; readonly is: boolean };

/** What a log of the history reveals. */
export function discoveredIn(log: RawLog): Discovered | undefined {
  switch (log.topics[0]) {
    case topics.accrue:
      return { kind: 'index', index: dataWord(log, 2) };
    case topics.accrueOld:
      return { kind: 'index', index: dataWord(log, 1) };
    case topics.borrow:
      return { kind: 'debt', account: accountIn(log, 0), principal: wordIn(log, 2) };
    case topics.repay:
      return { kind: 'debt', account: accountIn(log, 1), principal: wordIn(log, 3) };
    case topics.forcedFor:
      return { kind: 'forced', account: accountIn(log, 0), market: accountIn(log, 1), is: wordIn(log, 2) !== 0n };
    case topics.shielded:
    case topics.unshielded:
      return { kind: 'shielded', account: accountIn(log, 0), is: log.topics[0] === topics.shielded };
    default:
      return undefined;
  }
}

/** Throws a MirrorError on what only a new anchor can follow. */
export function foldLog(log: RawLog, state: CompoundState, journal: Journal, unread: Unread): void {
  const topic = log.topics[0];
  if (topic === undefined) return;
  const upheaval = upheavals.get(topic);
  const market = state.markets.get(log.address);
  if (upheaval !== undefined && (market !== undefined || log.address === state.comptroller))
    throw new MirrorError(`${upheaval} of ${log.address}`);
  if (market !== undefined) foldMarketLog(log, topic, market, state, journal, unread);
  else if (log.address === state.comptroller || log.address === state.rules.gate?.address || log.address === state.vai?.address)
    foldRuleLog(log, topic, state, journal, unread);
}

function foldMarketLog(log: RawLog, topic: Hex, market: Market, state: CompoundState, journal: Journal, unread: Unread): void {
  if (rereading.market.has(topic) || discoveryTopics.includes(topic) || topic === topics.transfer) unread.markets.add(market);
  if (topic === topics.transfer) {
    const amount = wordIn(log, 2);
    move(state.slots.get(accountIn(log, 0)), market, -amount, state, journal);
    move(state.slots.get(accountIn(log, 1)), market, amount, state, journal);
    return;
  }
  const found = discoveredIn(log);
  if (found?.kind === 'index') journal.set(market, 'borrowIndex', found.index);
  if (found?.kind === 'debt') owe(found.account, market, found.principal, state, journal);
}

function foldRuleLog(log: RawLog, topic: Hex, state: CompoundState, journal: Journal, unread: Unread): void {
  if (rereading.rules.has(topic)) unread.rules = true;
  const found = discoveredIn(log);
  if (found?.kind === 'forced') mark(state.forcedFor, forcedKey(found.account, found.market), found.is, journal);
  if (found?.kind === 'shielded') mark(state.shielded, found.account, found.is, journal);
  const changed = {
    [topics.entered]: 1,
    [topics.exited]: 1,
    [topics.poolSelected]: 0,
    [topics.mintVai]: 0,
    [topics.repayVai]: 1,
    [topics.liquidateVai]: 1,
  }[topic];
  if (changed !== undefined) forget(state.slots.get(accountIn(log, changed)), state, journal);
}

function mark<T>(set: Set<T>, value: T, is: boolean, journal: Journal): void {
  if (is) journal.addTo(set, value);
  else journal.removeFrom(set, value);
}

/** What the account holds is read again. */
function forget(slot: number | undefined, state: CompoundState, journal: Journal): void {
  if (slot !== undefined) journal.set(state.accounts[slot]!, 'known', false);
}

function move(slot: number | undefined, market: Market, amount: bigint, state: CompoundState, journal: Journal): void {
  const holding = slot === undefined ? undefined : state.accounts[slot]!.holdings.get(market.address);
  if (holding !== undefined) journal.set(holding, 'tokens', holding.tokens + amount);
}

function owe(address: Address, market: Market, principal: bigint, state: CompoundState, journal: Journal): void {
  const account = accountAt(address, state, journal);
  const holding = account.holdings.get(market.address);
  if (holding === undefined) {
    // Its market tokens are read in this block's batch.
    const first: Holding = { market, tokens: 0n, principal, index: market.borrowIndex };
    journal.set(account, 'holdings', new Map([...account.holdings, [market.address, first]]));
    journal.set(account, 'known', false);
    return;
  }
  journal.set(holding, 'principal', principal);
  journal.set(holding, 'index', market.borrowIndex);
}

function accountAt(address: Address, state: CompoundState, journal: Journal): Account {
  const slot = state.slots.get(address);
  if (slot !== undefined) return state.accounts[slot]!;
  const account: Account = { address, holdings: new Map(), pool: 0, vai: undefined, known: false };
  journal.setKey(state.slots, address, journal.push(state.accounts, account));
  return account;
}

/** Argument number `index`: forks index the first ones, or none. */
function wordIn(log: RawLog, index: number): bigint {
  const indexed = log.topics.length - 1;
  return index < indexed ? BigInt(log.topics[index + 1]!) : dataWord(log, index - indexed);
}

function accountIn(log: RawLog, index: number): Address {
  return toAddress(wordIn(log, index) & ADDRESS_MASK);
}

const ADDRESS_MASK = (1n << 160n) - 1n;
