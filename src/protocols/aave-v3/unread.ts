/** What a block's batch asks for, and how each answer enters the state. */
import type { Address, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { Unread } from './fold.ts';
import { accountCalls, calls, modeCalls, mustUint, readAccount, readMode, readReserve, reserveCalls } from './reads.ts';
import type { Account, MarketState, Reserve } from './state.ts';

/** Some calls, and what to do with their answers. */
export type Ask = { readonly calls: readonly ViewCall[]; take(answers: readonly ViewAnswer[], journal: Journal): void };

/**
 * Bounded by what the block's logs touched: the price sources that no feed tells, the reserves whose underlying moved, and for each borrower
 * never seen before its flags and its balances.
 */
export function asksFor(state: MarketState, unread: Unread): Ask[] {
  const { pool, sentinel } = state.addresses;
  const asks: Ask[] = [];
  for (const { source } of state.reserves.values()) {
    const own = source.reads();
    if (own.length > 0) asks.push({ calls: own, take: (answers, journal) => source.ingest(answers, journal) });
  }
  if (sentinel !== undefined) {
    const take = ([answer]: readonly ViewAnswer[], journal: Journal) => journal.set(state, 'liquidationAllowed', uintOf(answer) === 1n);
    asks.push({ calls: [calls.liquidationAllowed(sentinel)], take });
  }
  for (const reserve of unread.reserves) asks.push(askReserve(pool, reserve));
  for (const reserve of unread.balances) if (!unread.reserves.has(reserve)) asks.push(askBalance(pool, reserve));
  for (const id of unread.categories) asks.push(askMode(pool, id, state));
  for (const account of unread.accounts) asks.push(askAccount(pool, account, [...state.reserves.values()]));
  for (const [account, ids] of unread.supplied) {
    for (const id of ids) asks.push(askSupplied(account, state.reserves.get(id)!));
  }
  return asks;
}

function askReserve(pool: Address, reserve: Reserve): Ask {
  return {
    calls: reserveCalls(pool, reserve.asset),
    take: (answers, journal) => {
      const { config, indexes, virtualBalanceRaw, graceUntil } = readReserve(reserve.asset, answers);
      journal.set(reserve, 'config', config);
      journal.set(reserve, 'indexes', indexes);
      journal.set(reserve, 'virtualBalanceRaw', virtualBalanceRaw);
      journal.set(reserve, 'graceUntil', graceUntil);
    },
  };
}

function askBalance(pool: Address, reserve: Reserve): Ask {
  return {
    calls: [calls.virtualBalance(pool, reserve.asset)],
    take: ([answer], journal) => journal.set(reserve, 'virtualBalanceRaw', mustUint(answer, `reserve ${reserve.asset}`)),
  };
}

function askMode(pool: Address, id: number, state: MarketState): Ask {
  return { calls: modeCalls(pool, id), take: (answers, journal) => journal.setKey(state.categories, id, readMode(id, answers)) };
}

function askSupplied(account: Account, reserve: Reserve): Ask {
  return {
    calls: [calls.scaledBalance(reserve.aToken, account.address)],
    take: ([answer], journal) => journal.setKey(account.supplied, reserve.id, mustUint(answer, `balance of ${account.address}`)),
  };
}

/** Flags and balances in one go: which balances count is not known before the flags are. */
function askAccount(pool: Address, account: Account, reserves: readonly Reserve[]): Ask {
  const flags = accountCalls(pool, account.address);
  const balances = reserves.flatMap(({ aToken, debtToken }) => [
    calls.scaledBalance(aToken, account.address),
    calls.scaledBalance(debtToken, account.address),
  ]);
  return {
    calls: [...flags, ...balances],
    take: (answers, journal) => {
      const { collateralIds, eMode } = readAccount(account.address, answers.slice(0, flags.length));
      journal.set(account, 'eMode', eMode);
      for (const id of collateralIds) journal.addTo(account.collateral, id);
      for (const [place, { id }] of reserves.entries()) {
        const at = flags.length + 2 * place;
        journal.setKey(account.supplied, id, mustUint(answers[at], `balance of ${account.address}`));
        const owed = mustUint(answers[at + 1], `debt of ${account.address}`);
        if (owed !== 0n) journal.setKey(account.owed, id, owed);
      }
      journal.set(account, 'known', true);
    },
  };
}
