/** Folds one block's logs of a market into its state, through the journal, and notes what has to be read at the block's end. */
import type { Address, Head, Hex, RawLog } from '../../lib/types.ts';
import { addressTopic, dataWord, toAddress, topicAddress, topicOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import { MirrorError } from '../../mirror/types.ts';
import type { Slot } from '../types.ts';
import { type MarketState, noteChange, type Reserve } from './state.ts';

const pool = {
  borrow: topicOf(
    'event Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint8 interestRateMode, uint256 borrowRate, uint16 indexed referralCode)',
  ),
  reserveData: topicOf(
    'event ReserveDataUpdated(address indexed reserve, uint256 liquidityRate, uint256 stableBorrowRate, uint256 variableBorrowRate, uint256 liquidityIndex, uint256 variableBorrowIndex)',
  ),
  collateralEnabled: topicOf('event ReserveUsedAsCollateralEnabled(address indexed reserve, address indexed user)'),
  collateralDisabled: topicOf('event ReserveUsedAsCollateralDisabled(address indexed reserve, address indexed user)'),
  eModeSet: topicOf('event UserEModeSet(address indexed user, uint8 categoryId)'),
  /** Of the proxy itself. */
  upgraded: topicOf('event Upgraded(address indexed implementation)'),
};

const token = {
  mint: topicOf('event Mint(address indexed caller, address indexed onBehalfOf, uint256 value, uint256 balanceIncrease, uint256 index)'),
  burn: topicOf('event Burn(address indexed from, address indexed target, uint256 value, uint256 balanceIncrease, uint256 index)'),
  transfer: topicOf('event BalanceTransfer(address indexed from, address indexed to, uint256 value, uint256 index)'),
  upgraded: pool.upgraded,
};

/** Of the tokens of debts at a fixed rate. */
const fixed = {
  mint: topicOf(
    'event Mint(address indexed user, address indexed onBehalfOf, uint256 amount, uint256 currentBalance, uint256 balanceIncrease, uint256 newRate, uint256 avgStableRate, uint256 newTotalSupply)',
  ),
  burn: topicOf(
    'event Burn(address indexed from, uint256 amount, uint256 currentBalance, uint256 balanceIncrease, uint256 avgStableRate, uint256 newTotalSupply)',
  ),
  upgraded: pool.upgraded,
};

/** Changes of a reserve's own parameters, the asset being the first topic: the reserve is read anew in the same block. */
const reserveChanges = [
  'event CollateralConfigurationChanged(address indexed asset, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus)',
  'event ReserveActive(address indexed asset, bool active)',
  'event ReservePaused(address indexed asset, bool paused)',
  'event ReserveFlashLoaning(address indexed asset, bool enabled)',
  'event ReserveFactorChanged(address indexed asset, uint256 oldReserveFactor, uint256 newReserveFactor)',
  'event ReserveInterestRateDataChanged(address indexed asset, address indexed strategy, bytes data)',
  'event LiquidationProtocolFeeChanged(address indexed asset, uint256 oldFee, uint256 newFee)',
  'event LiquidationGracePeriodChanged(address indexed asset, uint40 gracePeriodUntil)',
  'event LiquidationGracePeriodDisabled(address indexed asset)',
  'event EModeAssetCategoryChanged(address indexed asset, uint8 oldCategoryId, uint8 newCategoryId)',
].map(topicOf);

const configurator = {
  modeAdded: topicOf(
    'event EModeCategoryAdded(uint8 indexed categoryId, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus, address oracle, string label)',
  ),
  modeCollateral: topicOf('event AssetCollateralInEModeChanged(address indexed asset, uint8 categoryId, bool collateral)'),
  flashPremium: topicOf('event FlashloanPremiumTotalUpdated(uint128 oldFlashloanPremiumTotal, uint128 newFlashloanPremiumTotal)'),
};

/** What only a new anchor can follow, by the contract that says it. */
const outdating = {
  configurator: [
    'event ReserveInitialized(address indexed asset, address indexed aToken, address stableDebtToken, address variableDebtToken, address interestRateStrategyAddress)',
    'event ReserveDropped(address indexed asset)',
  ].map(topicOf),
  oracle: [
    'event AssetSourceUpdated(address indexed asset, address indexed source)',
    'event FallbackOracleUpdated(address indexed fallbackOracle)',
  ].map(topicOf),
  provider: [
    'event PoolUpdated(address indexed oldAddress, address indexed newAddress)',
    'event PoolConfiguratorUpdated(address indexed oldAddress, address indexed newAddress)',
    'event PriceOracleUpdated(address indexed oldAddress, address indexed newAddress)',
    'event PriceOracleSentinelUpdated(address indexed oldAddress, address indexed newAddress)',
  ].map(topicOf),
};

export const discoveryTopics: readonly Hex[] = [pool.borrow];
export const poolTopics: readonly Hex[] = Object.values(pool);
export const tokenTopics: readonly Hex[] = Object.values(token);
export const fixedDebtTopics: readonly Hex[] = Object.values(fixed);
export const configuratorTopics: readonly Hex[] = [...reserveChanges, ...Object.values(configurator), ...outdating.configurator];
export const oracleTopics: readonly Hex[] = outdating.oracle;
export const providerTopics: readonly Hex[] = outdating.provider;

/** What the block's logs leave to be read at its end. Made anew for every block. */
export class Unread {
  readonly reserves = new Set<Reserve>();
  /** Their underlying moved. */
  readonly balances = new Set<Reserve>();
  readonly categories = new Set<number>();
  readonly accounts = new Set<Slot>();
  readonly supplied = new Map<Slot, Set<number>>();
}

/** The borrower that a discovery log names. */
export function borrowerIn(log: RawLog): Address | undefined {
  return log.topics[0] === pool.borrow ? topicAddress(log, 2) : undefined;
}

/** Throws a MirrorError on what only a new anchor can follow: an upgrade, a new reserve, a new price source. */
export function foldLog(log: RawLog, block: Head, state: MarketState, journal: Journal, unread: Unread): void {
  const { addresses } = state;
  // Most logs are of these two, and looking an address up takes as long as much of what follows.
  const supplied = state.byAToken.get(log.address);
  if (supplied !== undefined) {
    foldAToken(log, supplied, state, journal, unread);
    return;
  }
  const owed = state.byDebtToken.get(log.address);
  if (owed !== undefined) {
    foldDebtToken(log, owed, state, journal);
    return;
  }
  const fixedDebt = state.byFixedDebtToken.get(log.address);
  if (fixedDebt !== undefined) foldFixedDebt(log, fixedDebt, block, state, journal);
  if (log.address === addresses.pool) foldPool(log, block, state, journal, unread);
  if (log.address === addresses.configurator) foldConfigurator(log, state, journal, unread);
  if (log.address === addresses.oracle && oracleTopics.includes(log.topics[0]!)) throw outdated('the price oracle has a new source', log);
  if (log.address === addresses.provider && providerTopics.includes(log.topics[0]!)) throw outdated('the market has a new contract', log);
}

/** Only a new anchor can follow this; whatever throws while it folds gets one. */
function outdated(what: string, log: RawLog): MirrorError {
  return new MirrorError(`${what} (${log.address}, block ${log.blockNumber})`);
}

function foldPool(log: RawLog, block: Head, state: MarketState, journal: Journal, unread: Unread): void {
  switch (log.topics[0]) {
    case pool.borrow:
      reveal(topicAddress(log, 2), state, journal, unread);
      break;
    case pool.reserveData: {
      const reserve = state.byAsset.get(topicAddress(log, 1));
      if (reserve === undefined) return;
      journal.set(reserve, 'indexes', {
        liquidityRateRay: dataWord(log, 0),
        borrowRateRay: dataWord(log, 2),
        liquidityIndexRay: dataWord(log, 3),
        borrowIndexRay: dataWord(log, 4),
        updatedAt: block.timestamp,
      });
      // Whatever moves the underlying ends in this event, flash loans included.
      unread.balances.add(reserve);
      break;
    }
    case pool.collateralEnabled:
      foldFlag(log, true, state, journal, unread);
      break;
    case pool.collateralDisabled:
      foldFlag(log, false, state, journal, unread);
      break;
    case pool.eModeSet: {
      const slot = slotToChange(log, 1, state, journal);
      if (slot !== undefined) state.accounts.setEMode(slot, Number(dataWord(log, 0)), journal);
      break;
    }
    case pool.upgraded:
      throw outdated('the pool was upgraded', log);
  }
}

/** Adds an account that was never seen to borrow before; its state is read at the block's end. */
function reveal(address: Address, state: MarketState, journal: Journal, unread: Unread): void {
  if (state.accounts.slotOf(address) !== undefined) return;
  const slot = state.accounts.add(address, journal);
  noteChange(state, slot, journal);
  unread.accounts.add(slot);
}

function foldFlag(log: RawLog, flagged: boolean, state: MarketState, journal: Journal, unread: Unread): void {
  const reserve = state.byAsset.get(topicAddress(log, 1));
  const slot = slotToChange(log, 2, state, journal);
  if (reserve === undefined || slot === undefined) return;
  state.accounts.setFlag(slot, reserve.id, flagged, journal);
  if (flagged && state.accounts.suppliedOf(slot, reserve.id) === undefined) readSupplied(slot, reserve, unread);
}

/** A balance that logs do not tell, from the block's end. */
function readSupplied(slot: Slot, reserve: Reserve, unread: Unread): void {
  const ids = unread.supplied.get(slot) ?? new Set();
  unread.supplied.set(slot, ids.add(reserve.id));
}

function foldAToken(log: RawLog, reserve: Reserve, state: MarketState, journal: Journal, unread: Unread): void {
  switch (log.topics[0]) {
    case token.mint:
      foldSupplied(log, 2, dataWord(log, 0), reserve, state, journal);
      break;
    case token.burn:
      foldSupplied(log, 1, -dataWord(log, 0), reserve, state, journal);
      break;
    case token.transfer:
      for (const [place, sign] of [
        [1, -1n],
        [2, 1n],
      ] as const) {
        const slot = slotToChange(log, place, state, journal);
        const before = slot === undefined ? undefined : state.accounts.suppliedOf(slot, reserve.id);
        if (slot === undefined || before === undefined) continue;
        if (state.rules.tellsTransfers) state.accounts.setSupplied(slot, reserve.id, before + sign * dataWord(log, 0), journal);
        else readSupplied(slot, reserve, unread);
      }
      break;
    case token.upgraded:
      throw outdated(`the aToken of ${reserve.symbol} was upgraded`, log);
  }
}

function foldSupplied(log: RawLog, holder: number, valueRaw: bigint, reserve: Reserve, state: MarketState, journal: Journal): void {
  const slot = slotToChange(log, holder, state, journal);
  const entry = slot === undefined ? undefined : state.accounts.entryOf(slot, reserve.id, false);
  const before = entry === undefined ? undefined : state.accounts.amountOf(entry);
  if (slot === undefined || entry === undefined || before === undefined) return;
  const change = { valueRaw, interestRaw: dataWord(log, 1), indexRay: dataWord(log, 2) };
  state.accounts.replace(slot, entry, before, state.rules.scaling.suppliedAfter(before, change), journal);
}

function foldDebtToken(log: RawLog, reserve: Reserve, state: MarketState, journal: Journal): void {
  if (log.topics[0] === token.upgraded) throw outdated(`the debt token of ${reserve.symbol} was upgraded`, log);
  const minted = log.topics[0] === token.mint;
  if (!minted && log.topics[0] !== token.burn) return;
  const slot = slotToChange(log, minted ? 2 : 1, state, journal);
  if (slot === undefined) return;
  const valueRaw = minted ? dataWord(log, 0) : -dataWord(log, 0);
  const change = { valueRaw, interestRaw: dataWord(log, 1), indexRay: dataWord(log, 2) };
  const entry = state.accounts.entryOf(slot, reserve.id, true);
  const before = entry === undefined ? 0n : state.accounts.amountOf(entry)!;
  const scaled = state.rules.scaling.owedAfter(before, change);
  if (entry === undefined || scaled === 0n) state.accounts.setOwed(slot, reserve.id, scaled, journal);
  else state.accounts.replace(slot, entry, before, scaled, journal);
}

/** StableDebtToken: what is minted or burned is the principal's change, the interest until then included; every change begins the interest anew. */
function foldFixedDebt(log: RawLog, reserve: Reserve, block: Head, state: MarketState, journal: Journal): void {
  if (log.topics[0] === fixed.upgraded) throw outdated(`the fixed-rate debt token of ${reserve.symbol} was upgraded`, log);
  const minted = log.topics[0] === fixed.mint;
  if (!minted && log.topics[0] !== fixed.burn) return;
  const slot = slotToChange(log, minted ? 2 : 1, state, journal);
  if (slot === undefined) return;
  const before = state.accounts.fixedOf(slot).get(reserve.id);
  const principalRaw = (before?.principalRaw ?? 0n) + (minted ? dataWord(log, 0) : -dataWord(log, 0));
  const rateRay = minted ? dataWord(log, 3) : (before?.rateRay ?? 0n);
  const debt = principalRaw === 0n ? undefined : { principalRaw, rateRay, updatedAt: block.timestamp };
  state.accounts.setFixed(slot, reserve.id, debt, journal);
}

function foldConfigurator(log: RawLog, state: MarketState, journal: Journal, unread: Unread): void {
  const topic = log.topics[0]!;
  if (reserveChanges.includes(topic)) {
    const reserve = state.byAsset.get(topicAddress(log, 1));
    if (reserve !== undefined) unread.reserves.add(reserve);
  } else if (topic === configurator.modeAdded) {
    const id = Number(BigInt(log.topics[1] ?? '0x0'));
    if (toAddress(dataWord(log, 3)) !== state.categories.get(id)?.priceKey) throw outdated('an efficiency mode has a new price', log);
    unread.categories.add(id);
  } else if (topic === configurator.modeCollateral) {
    unread.categories.add(Number(dataWord(log, 0)));
  } else if (topic === configurator.flashPremium) {
    journal.set(state, 'flashPremiumBps', dataWord(log, 1));
  } else if (outdating.configurator.includes(topic)) {
    throw outdated('the list of reserves changed', log);
  }
}

/** A tracked account whose state is known; one revealed in this block is read as a whole later. */
function slotToChange(log: RawLog, topic: number, state: MarketState, journal: Journal): Slot | undefined {
  const slot = state.accounts.slotOfTopic(addressTopic(log, topic));
  if (slot === undefined || !state.accounts.isKnown(slot)) return undefined;
  noteChange(state, slot, journal);
  return slot;
}
