/** Reads a whole market at one block: contracts, reserves, price sources, then every known account. */
import type { Address, Head } from '../../lib/types.ts';
import { textOf, uintOf } from '../../lib/words.ts';
import { Journal } from '../../mirror/journal.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { resolveSource } from '../../oracles/resolve.ts';
import { fixedSource, type LiveSource, opaqueSource } from '../../oracles/sources.ts';
import { together } from '../../oracles/together.ts';
import { RULES, type Rules } from './liquidation.ts';
import { accountCalls, calls, modeCalls, mustAddress, mustUint, readAccount, readMode, readReserve, reserveCalls } from './reads.ts';
import { type Account, type MarketAddresses, type MarketState, newAccount, type Reserve } from './state.ts';

const NO_ADDRESS: Address = `0x${'0'.repeat(40)}`;
/** All v3 markets count in USD with 8 decimals; the rules' dollar thresholds presume it. */
const BASE_UNIT = 10n ** 8n;
const MAX_RESERVES = 256n;
/** Every efficiency mode that a pool could have: accounts may enter any of them later, and which exist cannot be asked. */
const MODE_IDS: readonly number[] = Array.from({ length: 255 }, (_, i) => i + 1);

/** Throws a MirrorError when this is no market of a revision whose rules are known. */
export function* anchorMarket(provider: Address, borrowersOf: (pool: Address) => readonly Address[], block: Head): Reading<MarketState> {
  const named = yield* readAddresses(provider);
  const { pool, oracle } = named;
  const [revision, list, premium, baseCurrency, baseUnit, allowed, ...modes] = yield [
    calls.revision(pool),
    calls.reservesList(pool),
    calls.flashPremium(pool),
    calls.baseCurrency(oracle),
    calls.baseUnit(oracle),
    calls.liquidationAllowed(named.sentinel ?? oracle),
    ...MODE_IDS.flatMap((id) => modeCalls(pool, id)),
  ];
  const rules = rulesOf(pool, mustUint(revision, `pool ${pool}`));
  const addresses = rules.asksSentinel ? named : { ...named, sentinel: undefined };
  if (mustUint(baseUnit, `oracle ${oracle}`) !== BASE_UNIT) throw new MirrorError(`oracle ${oracle} does not count in USD with 8 decimals`);
  const base = mustAddress(baseCurrency, `oracle ${oracle}`);
  const count = mustUint(list, `pool ${pool}`, 1);
  if (count > MAX_RESERVES) throw new MirrorError(`pool ${pool} lists ${count} reserves`);
  const assets = Array.from({ length: Number(count) }, (_, i) => mustAddress(list, `pool ${pool}`, 2 + i));
  const reserves = yield* together(assets.map((asset) => readWholeReserve(asset, addresses, base, block)));

  const borrowers = borrowersOf(pool);
  const state: MarketState = {
    rounding: rules.rounding,
    addresses,
    reserves: new Map(reserves.map((reserve) => [reserve.id, reserve])),
    byAsset: new Map(reserves.map((reserve) => [reserve.asset, reserve])),
    byAToken: new Map(reserves.map((reserve) => [reserve.aToken, reserve])),
    byDebtToken: new Map(reserves.map((reserve) => [reserve.debtToken, reserve])),
    categories: new Map(MODE_IDS.map((id, i) => [id, readMode(id, modes.slice(2 * i, 2 * i + 2))])),
    accounts: borrowers.map(newAccount),
    slots: new Map(borrowers.map((address, slot) => [address, slot])),
    flashPremiumBps: mustUint(premium, `pool ${pool}`),
    liquidationAllowed: addresses.sentinel === undefined || uintOf(allowed) === 1n,
    head: block,
  };
  yield* readAccounts(state);
  return state;
}

function rulesOf(pool: Address, revision: bigint): Rules {
  const rules = RULES[String(revision)];
  if (rules !== undefined) return rules;
  throw new MirrorError(`pool ${pool} has revision ${revision}; the rules of ${Object.keys(RULES).join(' and ')} are known`);
}

function* readAddresses(provider: Address): Reading<MarketAddresses> {
  const [pool, configurator, oracle, sentinel] = yield [
    calls.pool(provider),
    calls.configurator(provider),
    calls.oracle(provider),
    calls.sentinel(provider),
  ];
  const guard = mustAddress(sentinel, `PoolAddressesProvider ${provider}`);
  return {
    provider,
    pool: mustAddress(pool, `PoolAddressesProvider ${provider}`),
    configurator: mustAddress(configurator, `PoolAddressesProvider ${provider}`),
    oracle: mustAddress(oracle, `PoolAddressesProvider ${provider}`),
    sentinel: guard === NO_ADDRESS ? undefined : guard,
  };
}

function* readWholeReserve(asset: Address, { pool, oracle }: MarketAddresses, base: Address, block: Head): Reading<Reserve> {
  const answers = yield [...reserveCalls(pool, asset), calls.symbol(asset), calls.sourceOfAsset(oracle, asset)];
  const read = readReserve(asset, answers.slice(0, 3));
  const listed = mustAddress(answers[4], `oracle ${oracle}`);
  const source = asset === base ? fixedSource(asset, BASE_UNIT) : yield* sourceOf(asset, listed, oracle, block);
  return {
    ...{ id: read.id, asset, symbol: textOf(answers[3]) ?? asset.slice(0, 10), aToken: read.aToken, debtToken: read.debtToken, source },
    ...{ unit: 10n ** BigInt(read.config.decimals), config: read.config, indexes: read.indexes },
    ...{ virtualBalanceRaw: read.virtualBalanceRaw, graceUntil: read.graceUntil },
  };
}

/** AaveOracle.getAssetPrice: an asset without a source of its own is answered by the fallback oracle. */
function* sourceOf(asset: Address, listed: Address, oracle: Address, block: Head): Reading<LiveSource> {
  if (listed !== NO_ADDRESS) return yield* resolveSource(listed, block);
  const call = calls.assetPrice(oracle, asset);
  const source = opaqueSource(oracle, call);
  source.ingest(yield [call], new Journal());
  return source;
}

function* readAccounts(state: MarketState): Reading {
  const { pool } = state.addresses;
  const answers = yield state.accounts.flatMap(({ address }) => accountCalls(pool, address));
  const wanted: { account: Account; id: number; side: 'supplied' | 'owed' }[] = [];
  for (const [slot, account] of state.accounts.entries()) {
    const { collateralIds, debtIds, eMode } = readAccount(account.address, answers.slice(2 * slot, 2 * slot + 2));
    account.known = true;
    account.eMode = eMode;
    for (const id of collateralIds) {
      account.collateral.add(id);
      wanted.push({ account, id, side: 'supplied' });
    }
    for (const id of debtIds) wanted.push({ account, id, side: 'owed' });
  }
  const present = wanted.filter(({ id }) => state.reserves.has(id));
  const read = yield present.map(({ account, id, side }) => {
    const { aToken, debtToken } = state.reserves.get(id)!;
    return calls.scaledBalance(side === 'supplied' ? aToken : debtToken, account.address);
  });
  for (const [place, { account, id, side }] of present.entries()) {
    const scaled = mustUint(read[place], `balance of ${account.address}`);
    // A debt's flag may outlive the debt (before v3.1).
    if (side === 'supplied' || scaled !== 0n) account[side].set(id, scaled);
  }
}
