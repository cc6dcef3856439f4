/** Reads a whole market at one block: contracts, reserves, price sources, then every known account. */
import type { Address, Head, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { textOf, uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { type AaveOracle, aaveSource, readAaveOracle } from '../../oracles/aave.ts';
import { unpricedSource } from '../../oracles/sources.ts';
import { together } from '../../oracles/together.ts';
import { Changes } from '../bounds.ts';
import type { Slot } from '../types.ts';
import type { Accounts } from './accounts.ts';
import { readCategories } from './categories.ts';
import { NO_ADDRESS } from './modes.ts';
import {
  accountCalls,
  calls,
  fixedDebtCalls,
  mustAddress,
  mustUint,
  readAccount,
  readFixedDebt,
  readGrace,
  readReserve,
  shareOut,
} from './reads.ts';
import { type Rules, rulesOf } from './rules.ts';
import type { MarketAddresses, MarketState, Reserve } from './state.ts';

const MAX_RESERVES = 256n;

/** What of a market emits logs. */
export type Contracts = Pick<MarketState, 'addresses' | 'byAToken' | 'byDebtToken' | 'byFixedDebtToken'>;
export type ToRead = { readonly accounts: Accounts; readonly unread: readonly Slot[] };

/**
 * Throws a MirrorError when this is no market of a revision whose rules are known.
 *
 * @param accountsOf those to be followed, and which of them have to be read
 */
export function* anchorMarket(provider: Address, accountsOf: (contracts: Contracts) => ToRead, block: Head): Reading<MarketState> {
  const named = yield* readAddresses(provider);
  const { pool, oracle } = named;
  const [revision, accounting, list, premium, allowed] = yield [
    calls.revision(pool),
    calls.virtualBalance(pool, pool),
    calls.reservesList(pool),
    calls.flashPremium(pool),
    calls.liquidationAllowed(named.sentinel ?? oracle),
  ];
  const rules = rulesOf(pool, mustUint(revision, `pool ${pool}`), uintOf(accounting) !== undefined);
  const addresses = rules.asksSentinel ? named : { ...named, sentinel: undefined };
  const prices = yield* readAaveOracle(oracle);
  const count = mustUint(list, `pool ${pool}`, 1);
  if (count > MAX_RESERVES) throw new MirrorError(`pool ${pool} lists ${count} reserves`);
  const assets = Array.from({ length: Number(count) }, (_, i) => mustAddress(list, `pool ${pool}`, 2 + i));
  const reserves = yield* together(assets.map((asset) => readWholeReserve(asset, addresses, prices, rules, block)));
  const categories = yield* readCategories(pool, rules.modes, prices, block);

  const contracts: Contracts = {
    addresses,
    byAToken: new Map(reserves.map((reserve) => [reserve.aToken, reserve])),
    byDebtToken: new Map(reserves.map((reserve) => [reserve.debtToken, reserve])),
    byFixedDebtToken: new Map(
      reserves.flatMap((reserve) => (reserve.fixedDebtToken === undefined ? [] : [[reserve.fixedDebtToken, reserve]])),
    ),
  };
  const { accounts, unread } = accountsOf(contracts);
  const state: MarketState = {
    ...contracts,
    rules,
    prices,
    reserves: new Map(reserves.map((reserve) => [reserve.id, reserve])),
    byAsset: new Map(reserves.map((reserve) => [reserve.asset, reserve])),
    categories: new Map(categories.map((category) => [category.id, category])),
    accounts,
    changes: new Changes(),
    flashPremiumBps: mustUint(premium, `pool ${pool}`),
    liquidationAllowed: addresses.sentinel === undefined || uintOf(allowed) === 1n,
    head: block,
  };
  yield* readAccounts(state, unread);
  return state;
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

function* readWholeReserve(asset: Address, { pool }: MarketAddresses, prices: AaveOracle, rules: Rules, block: Head): Reading<Reserve> {
  const [data, symbol] = yield [calls.reserveData(pool, asset), calls.symbol(asset)];
  const { fixedDebtToken, ...read } = readReserve(asset, data);
  const [available, ...grace] = yield [rules.available(pool, asset, read.aToken), ...rules.grace(pool, asset)];
  const source = (yield* aaveSource(asset, prices, block)) ?? unpricedSource(prices.address);
  return {
    ...{ ...read, asset, source, symbol: textOf(symbol) ?? asset.slice(0, 10), unit: 10n ** BigInt(read.config.decimals) },
    ...{ availableRaw: mustUint(available, `reserve ${asset}`), graceUntil: readGrace(asset, grace) },
    fixedDebtToken: rules.fixedDebt ? fixedDebtToken : undefined,
  };
}

type Wanted = { readonly calls: readonly ViewCall[]; take(answers: readonly ViewAnswer[]): void };

function* readAccounts({ accounts, addresses, reserves }: MarketState, slots: readonly Slot[]): Reading {
  for (const slot of slots) accounts.clear(slot);
  const answers = yield slots.flatMap((slot) => accountCalls(addresses.pool, accounts.addressOf(slot)));
  const wanted: Wanted[] = [];
  for (const [place, slot] of slots.entries()) {
    const { collateralIds, debtIds, eMode } = readAccount(accounts.addressOf(slot), answers.slice(2 * place, 2 * place + 2));
    accounts.setKnown(slot, true);
    accounts.setEMode(slot, eMode);
    for (const id of collateralIds) {
      accounts.setFlag(slot, id, true);
      const reserve = reserves.get(id);
      if (reserve !== undefined) wanted.push(wantSupplied(accounts, slot, reserve));
    }
    for (const id of debtIds) {
      const reserve = reserves.get(id);
      if (reserve !== undefined) wanted.push(wantOwed(accounts, slot, reserve));
    }
  }
  const asked = wanted.map((want) => want.calls);
  const shares = shareOut(yield asked.flat(), asked);
  for (const [place, want] of wanted.entries()) want.take(shares[place]!);
}

function wantSupplied(accounts: Accounts, slot: Slot, reserve: Reserve): Wanted {
  const address = accounts.addressOf(slot);
  return {
    calls: [calls.scaledBalance(reserve.aToken, address)],
    take: ([answer]) => accounts.setSupplied(slot, reserve.id, mustUint(answer, `balance of ${address}`)),
  };
}

function wantOwed(accounts: Accounts, slot: Slot, reserve: Reserve): Wanted {
  const address = accounts.addressOf(slot);
  return {
    calls: [calls.scaledBalance(reserve.debtToken, address), ...fixedDebtCalls(reserve, address)],
    take: ([owed, ...fixed]) => {
      // A debt's flag may outlive the debt (before v3.1).
      accounts.setOwed(slot, reserve.id, mustUint(owed, `debt of ${address}`));
      const debt = readFixedDebt(address, fixed);
      if (debt !== undefined) accounts.setFixed(slot, reserve.id, debt);
    },
  };
}
