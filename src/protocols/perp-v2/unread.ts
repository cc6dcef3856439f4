/** What a block's batch asks for: prices that logs do not tell, and what accounts are worth that nothing is worked out for. */

import { intOf, uintOf } from '../../lib/words.ts';
import type { Ask } from '../asks.ts';
import { expectedMeters } from './desk.ts';
import { COLLATERAL_TWAP_SECONDS, calls } from './reads.ts';
import { type Account, isExposed, isWorkedOut, type PerpState } from './state.ts';

/** More makers than this are not judged: each costs two calls a block. */
const MOST_READ = 250;

export function asksFor(state: PerpState): Ask[] {
  const { contracts, rules } = state;
  const asks: Ask[] = [];
  for (const market of state.markets.values()) {
    if (!market.open || market.index === undefined) continue;
    asks.push({
      calls: [calls.indexPrice(market.base, 0), calls.indexPrice(market.base, rules.premiumSeconds)],
      take: ([spot, average], journal) => journal.set(market, 'readIndex', { spot: uintOf(spot), average: uintOf(average) }),
    });
  }
  for (const collateral of state.collateral.values())
    asks.push({
      calls: [calls.collateralPrice(contracts.collateralManager, collateral.token, COLLATERAL_TWAP_SECONDS)],
      take: ([price], journal) => journal.set(collateral, 'price', uintOf(price)),
    });
  asks.push({
    calls: [calls.capacity(contracts.insuranceFund)],
    take: ([capacity], journal) => journal.set(state.fund, 'capacityRaw', intOf(capacity) ?? 0n),
  });
  asks.push(...askDesk(state));
  for (const [place, account] of readAccounts(state).entries()) asks.push(place < MOST_READ ? askAccount(state, account) : forget(account));
  return asks;
}

/** Accounts with orders, or in a market that is not open. */
export function readAccounts({ accounts }: PerpState): Account[] {
  return accounts.filter((account) => isExposed(account) && !isWorkedOut(account));
}

/** Its owner may register something else at any time. */
export function askDesk({ contracts, desk }: PerpState): Ask[] {
  const { executor } = desk;
  if (executor === undefined) return [];
  const expected = expectedMeters(contracts.vault, executor);
  return [
    {
      calls: [calls.meters(executor, contracts.settlement), calls.lossAllowance(executor, contracts.settlement)],
      take: ([meters, allowance], journal) => {
        journal.set(desk, 'counts', meters?.ok === true && meters.data === expected);
        journal.set(desk, 'lossRaw', uintOf(allowance) ?? 0n);
      },
    },
  ];
}

export function askAccount({ contracts }: PerpState, account: Account): Ask {
  return {
    calls: [calls.accountValue(contracts.clearingHouse, account.address), calls.requirement(contracts.accountBalance, account.address)],
    take: ([value, requirement], journal) => journal.set(account, 'read', { valueWad: intOf(value), requirementWad: intOf(requirement) }),
  };
}

function forget(account: Account): Ask {
  return { calls: [], take: (_, journal) => journal.set(account, 'read', undefined) };
}
