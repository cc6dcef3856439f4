/** Reads a whole market at one block: contracts, reserves, price sources, then every known account. */
import type { Address, Head } from '../../lib/types.ts';
import { textOf, uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { type AaveOracle, aaveSource, readAaveOracle } from '../../oracles/aave.ts';
import { unpricedSource } from '../../oracles/sources.ts';
import { together } from '../../oracles/together.ts';
import { RULES, type Rules } from './liquidation.ts';
import { accountCalls, calls, modeCalls, mustAddress, mustUint, readAccount, readMode, readReserve, reserveCalls } from './reads.ts';
import { type Account, type MarketAddresses, type MarketState, newAccount, type Reserve } from './state.ts';

const NO_ADDRESS: Address = `0x${'0'.repeat(40)}`;
const MAX_RESERVES = 256n;
/** Every efficiency mode that a pool could have: accounts may enter any of them later, and which exist cannot be asked. */
const MODE_IDS: readonly number[] = Array.from({ length: 255 }, (_, i) => i + 1);

/** Throws a MirrorError when this is no market of a revision whose rules are known. */
export function* anchorMarket(provider: Address, borrowersOf: (pool: Address) => readonly Address[], block: Head): Reading<MarketState> {
  const named = yield* readAddresses(provider);
  const { pool, oracle } = named;
  const [revision, list, premium, allowed, ...modes] = yield [
    calls.revision(pool),
    calls.reservesList(pool),
    calls.flashPremium(pool),
    calls.liquidationAllowed(named.sentinel ?? oracle),
    ...MODE_IDS.flatMap((id) => modeCalls(pool, id)),
  ];
  const rules = rulesOf(pool, mustUint(revision, `pool ${pool}`));
  const addresses = rules.asksSentinel ? named : { ...named, sentinel: undefined };
  const prices = yield* readAaveOracle(oracle);
  const count = mustUint(list, `pool ${pool}`, 1);
  if (count > MAX_RESERVES) throw new MirrorError(`pool ${pool} lists ${count} reserves`);
  const assets = Array.from({ length: Number(count) }, (_, i) => mustAddress(list, `pool ${pool}`, 2 + i));
  const reserves = yield* together(assets.map((asset) => readWholeReserve(asset, addresses, prices, block)));

  const borrowers = borrowersOf(pool);
  const state: MarketState = {
    rounding: rules.rounding,
    addresses,
    prices,
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

function* readWholeReserve(asset: Address, { pool }: MarketAddresses, prices: AaveOracle, block: Head): Reading<Reserve> {
  const answers = yield [...reserveCalls(pool, asset), calls.symbol(asset)];
  const read = readReserve(asset, answers.slice(0, 3));
  const source = (yield* aaveSource(asset, prices, block)) ?? unpricedSource(prices.address);
  return {
    ...{ id: read.id, asset, symbol: textOf(answers[3]) ?? asset.slice(0, 10), aToken: read.aToken, debtToken: read.debtToken, source },
    ...{ unit: 10n ** BigInt(read.config.decimals), config: read.config, indexes: read.indexes },
    ...{ virtualBalanceRaw: read.virtualBalanceRaw, graceUntil: read.graceUntil },
  };
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
