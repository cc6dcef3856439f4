/** What of a deployment is held against the contracts' own views, at the mirrored block. */
import type { ViewAnswer } from '../../lib/types.ts';
import { intOf, uintOf } from '../../lib/words.ts';
import type { ViewCheck } from '../../mirror/types.ts';
import type { Slot } from '../types.ts';
import type { Lens } from './lens.ts';
import { calls } from './reads.ts';
import { type Account, isWorkedOut, type PerpMarket, type PerpState, type Place } from './state.ts';

/** Every how many checks one goes to a market instead of an account. */
const MARKET_EVERY = 4;

/**
 * @param nearest slots to check first, the least healthy first
 * @param now the mirrored block, asked for when the answers are there
 */
export function auditChecks(state: PerpState, now: () => Lens, nearest: readonly Slot[], limit: number, seed: number): ViewCheck[] {
  const markets = [...state.markets.values()].filter(({ open, index }) => open && index !== undefined);
  const forMarkets = Math.min(markets.length, Math.ceil(limit / MARKET_EVERY));
  const checks = Array.from({ length: forMarkets }, (_, i) => markCheck(state, markets[(seed * forMarkets + i) % markets.length]!, now));
  const total = state.accounts.length;
  // Each account by its value, its requirement, and one of its places.
  const accounts = Math.min(total, Math.floor((limit - checks.length) / 2));
  const slots = new Set(nearest.slice(0, Math.ceil(accounts / 2)));
  const others = accounts - slots.size;
  for (let i = 0; slots.size < accounts && i < total; i++) slots.add((seed * others + i) % total);
  for (const slot of slots) {
    const account = state.accounts[slot]!;
    const places = [...account.places.values()];
    const place = places[seed % Math.max(1, places.length)];
    if (isWorkedOut(account)) checks.push(valueCheck(state, account, now));
    if (place !== undefined)
      checks.push(seed % 2 === 0 || !isWorkedOut(account) ? placeCheck(state, account, place) : requirementCheck(state, account, now));
  }
  return checks;
}

function markCheck({ contracts }: PerpState, market: PerpMarket, now: () => Lens): ViewCheck {
  return {
    subject: `mark price of ${market.symbol}`,
    call: calls.markPrice(contracts.accountBalance, market.base),
    compare: (answer) => {
      const found = now().market(market);
      return differing(typeof found === 'string' ? undefined : found.markWad, uintOf(answer));
    },
  };
}

function valueCheck({ contracts }: PerpState, account: Account, now: () => Lens): ViewCheck {
  return {
    subject: `value of ${account.address}`,
    call: calls.accountValue(contracts.clearingHouse, account.address),
    compare: (answer) => {
      const standing = now().standing(account);
      return differing(standing.ok ? standing.valueWad : undefined, intOf(answer));
    },
  };
}

function requirementCheck({ contracts }: PerpState, account: Account, now: () => Lens): ViewCheck {
  return {
    subject: `margin requirement of ${account.address}`,
    call: calls.requirement(contracts.accountBalance, account.address),
    compare: (answer) => {
      const standing = now().standing(account);
      return differing(standing.ok ? standing.requirementWad : undefined, intOf(answer));
    },
  };
}

/** NOTE: who settles funding that comes to nothing is in no log; it is less than a wei, so the growth itself is not compared. */
function placeCheck({ contracts }: PerpState, account: Account, place: Place): ViewCheck {
  const written = (size: bigint | undefined, notional: bigint | undefined) => `${size} for ${notional}`;
  return {
    subject: `position of ${account.address} in ${place.market.symbol}`,
    call: calls.accountInfo(contracts.accountBalance, account.address, place.market.base),
    compare: (answer: ViewAnswer) => {
      const [ours, theirs] = [written(place.sizeWad, place.openNotionalWad), written(intOf(answer, 0), intOf(answer, 1))];
      return ours === theirs ? null : { ours, theirs };
    },
  };
}

/** A view that reverts, where nothing can be worked out either, is no difference. */
function differing(ours: bigint | undefined, theirs: bigint | undefined): { readonly ours: string; readonly theirs: string } | null {
  return ours === theirs ? null : { ours: String(ours), theirs: String(theirs) };
}
