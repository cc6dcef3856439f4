/** What a block's batch asks for, and how each answer enters the state. */

import type { Address, ViewAnswer } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { Ask } from '../asks.ts';
import type { Slot } from '../types.ts';
import type { Unread } from './fold.ts';
import { accountCalls, calls, fixedDebtCalls, mustUint, readAccount, readFixedDebt, readGrace, readReserve, shareOut } from './reads.ts';
import { type MarketState, noteChange, type Reserve, sourcesOf } from './state.ts';

/**
 * Bounded by what the block's logs touched: the price sources that no feed tells, the reserves whose underlying moved, and for each borrower
 * never seen before its flags and its balances.
 */
export function asksFor(state: MarketState, unread: Unread): Ask[] {
  const { pool, sentinel } = state.addresses;
  const asks: Ask[] = [];
  for (const source of sourcesOf(state)) {
    const own = source.reads();
    if (own.length > 0) asks.push({ calls: own, take: (answers, journal) => source.ingest(answers, journal) });
  }
  if (sentinel !== undefined) {
    const take = ([answer]: readonly ViewAnswer[], journal: Journal) => journal.set(state, 'liquidationAllowed', uintOf(answer) === 1n);
    asks.push({ calls: [calls.liquidationAllowed(sentinel)], take });
  }
  for (const reserve of unread.reserves) asks.push(askReserve(pool, reserve, state));
  for (const reserve of unread.balances) asks.push(askBalance(pool, reserve, state));
  for (const id of unread.categories) asks.push(askMode(pool, id, state));
  for (const slot of unread.accounts) asks.push(askAccount(slot, state));
  for (const [slot, ids] of unread.supplied) {
    for (const id of ids) asks.push(askSupplied(slot, state.reserves.get(id)!, state));
  }
  return asks;
}

function askReserve(pool: Address, reserve: Reserve, { rules }: MarketState): Ask {
  return {
    calls: [calls.reserveData(pool, reserve.asset), ...rules.grace(pool, reserve.asset)],
    take: ([data, ...grace], journal) => {
      const { config, indexes } = readReserve(reserve.asset, data);
      journal.set(reserve, 'config', config);
      journal.set(reserve, 'indexes', indexes);
      journal.set(reserve, 'graceUntil', readGrace(reserve.asset, grace));
    },
  };
}

function askBalance(pool: Address, reserve: Reserve, { rules }: MarketState): Ask {
  return {
    calls: [rules.available(pool, reserve.asset, reserve.aToken)],
    take: ([answer], journal) => journal.set(reserve, 'availableRaw', mustUint(answer, `reserve ${reserve.asset}`)),
  };
}

function askMode(pool: Address, id: number, { rules, categories }: MarketState): Ask {
  return {
    calls: rules.modes.calls(pool, id),
    // What it is priced by is still the same: another source is followed by a new anchor alone.
    take: (answers, journal) => journal.setKey(categories, id, { ...rules.modes.read(id, answers), source: categories.get(id)?.source }),
  };
}

function askSupplied(slot: Slot, reserve: Reserve, state: MarketState): Ask {
  const address = state.accounts.addressOf(slot);
  return {
    calls: [calls.scaledBalance(reserve.aToken, address)],
    take: ([answer], journal) => {
      noteChange(state, slot, journal);
      state.accounts.setSupplied(slot, reserve.id, mustUint(answer, `balance of ${address}`), journal);
    },
  };
}

/** Flags and balances in one go: which balances count is not known before the flags are. */
function askAccount(slot: Slot, state: MarketState): Ask {
  const { accounts } = state;
  const address = accounts.addressOf(slot);
  const { pool } = state.addresses;
  const reserves = [...state.reserves.values()];
  const parts = reserves.map((reserve) => [
    calls.scaledBalance(reserve.aToken, address),
    calls.scaledBalance(reserve.debtToken, address),
    ...fixedDebtCalls(reserve, address),
  ]);
  const flags = accountCalls(pool, address);
  return {
    calls: [...flags, ...parts.flat()],
    take: (answers, journal) => {
      noteChange(state, slot, journal);
      const { collateralIds, eMode } = readAccount(address, answers.slice(0, flags.length));
      accounts.setEMode(slot, eMode, journal);
      for (const id of collateralIds) accounts.setFlag(slot, id, true, journal);
      const shares = shareOut(answers.slice(flags.length), parts);
      for (const [place, { id }] of reserves.entries()) {
        const [supplied, owed, ...fixed] = shares[place]!;
        const balance = mustUint(supplied, `balance of ${address}`);
        // A balance of nothing that is no collateral is read when it becomes some.
        if (balance !== 0n || accounts.isFlagged(slot, id)) accounts.setSupplied(slot, id, balance, journal);
        accounts.setOwed(slot, id, mustUint(owed, `debt of ${address}`), journal);
        const debt = readFixedDebt(address, fixed);
        if (debt !== undefined) accounts.setFixed(slot, id, debt, journal);
      }
      accounts.setKnown(slot, true, journal);
    },
  };
}
