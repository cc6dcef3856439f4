/** What a block's batch asks for, and how each answer enters the state. */

import { uintOf } from '../../lib/words.ts';
import { MirrorError } from '../../mirror/types.ts';
import type { Ask } from '../asks.ts';
import { calls, heldCalls, readHeld, readTotals, readUser } from './reads.ts';
import { type Account, accountSlot, type CometState, noteChange, storeSlot } from './state.ts';

/** @param accounts whose principal is read; `revealed`: whose collateral too */
export function asksFor(state: CometState, accounts: Iterable<Account>, revealed: Iterable<Account>): Ask[] {
  const { comet, config, feeds } = state;
  const asks: Ask[] = [
    {
      calls: [calls.totalsBasic(comet), calls.balanceOf(config.base.address, comet)],
      take: ([totals, balance], journal) => {
        journal.set(state, 'totals', told(readTotals(totals), 'totals', state));
        journal.set(state, 'baseBalanceRaw', told(uintOf(balance), 'balance', state));
      },
    },
  ];
  for (const [place, { address, symbol }] of config.assets.entries())
    asks.push({
      calls: heldCalls(comet, address),
      take: ([totals, balance], journal) => {
        const read = told(readHeld(totals, balance), symbol, state);
        const before = state.held[place]!;
        if (read.suppliedRaw !== before.suppliedRaw || read.balanceRaw !== before.balanceRaw) {
          journal.set(state.held, place, read);
          noteChange(state, storeSlot(place), journal);
        }
      },
    });
  for (const feed of feeds.values()) {
    const { address, decoded } = feed;
    asks.push({ calls: [calls.price(comet, address)], take: ([price], journal) => journal.set(feed, 'answer', uintOf(price)) });
    if (decoded !== undefined) asks.push({ calls: decoded.reads(), take: (answers, journal) => decoded.ingest(answers, journal) });
  }
  for (const account of accounts)
    asks.push({
      calls: [calls.userBasic(comet, account.address)],
      take: ([user], journal) => {
        const { principal, assetsIn } = told(readUser(user), account.address, state);
        if (principal === account.principal && assetsIn === account.assetsIn) return;
        journal.set(account, 'principal', principal);
        journal.set(account, 'assetsIn', assetsIn);
        noteChange(state, accountSlot(state.places.get(account.address)!), journal);
      },
    });
  for (const { address, collateralRaw } of revealed)
    for (const [place, asset] of config.assets.entries())
      asks.push({
        calls: [calls.userCollateral(comet, address, asset.address)],
        take: ([balance], journal) => journal.set(collateralRaw, place, told(uintOf(balance), `${asset.symbol} of ${address}`, state)),
      });
  return asks;
}

function told<T>(read: T | undefined, what: string, { comet }: CometState): T {
  if (read === undefined) throw new MirrorError(`${comet} does not answer: ${what}`);
  return read;
}
