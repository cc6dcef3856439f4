/** What of a deployment is held against the contracts' own views, at the mirrored block. */
import { uintOf } from '../../lib/words.ts';
import type { ViewCheck } from '../../mirror/types.ts';
import type { Slot } from '../types.ts';
import { standingOf, storedWorth, vaiOwed } from './health.ts';
import type { Lens } from './lens.ts';
import { calls } from './reads.ts';
import type { Account, CompoundState, Market } from './state.ts';

/** Every how many checks one goes to a market instead of an account. */
const MARKET_EVERY = 4;

/**
 * @param lens of the mirrored block, once it is ingested
 * @param nearest slots to check first, the least healthy first
 */
export function auditChecks(state: CompoundState, lens: () => Lens, nearest: readonly Slot[], limit: number, seed: number): ViewCheck[] {
  const markets = [...state.markets.values()];
  const forMarkets = Math.min(markets.length * 2, Math.ceil(limit / MARKET_EVERY));
  const checks: ViewCheck[] = [];
  // Consecutive over blocks, so that every market has its turn.
  for (let i = 0; i < forMarkets; i++) {
    const turn = seed * forMarkets + i;
    const market = markets[Math.floor(turn / 2) % markets.length]!;
    checks.push(turn % 2 === 1 ? indexCheck(market) : rateCheck(market, lens));
  }
  const total = state.accounts.length;
  const accounts = Math.min(total, limit - checks.length);
  const slots = new Set(nearest.slice(0, Math.ceil(accounts / 2)));
  const others = accounts - slots.size;
  for (let i = 0; slots.size < accounts && i < total; i++) slots.add((seed * others + i) % total);
  for (const slot of slots) checks.push(accountCheck(state, state.accounts[slot]!, lens));
  return checks;
}

function indexCheck(market: Market): ViewCheck {
  return {
    subject: `borrow index of ${market.symbol}`,
    call: calls.borrowIndex(market.address),
    compare: (answer) => differing(String(market.borrowIndex), String(uintOf(answer))),
  };
}

/** The exchange rate holds the cash, the borrows, the reserves and the supply. */
function rateCheck(market: Market, lens: () => Lens): ViewCheck {
  return {
    subject: `exchange rate of ${market.symbol}`,
    call: calls.exchangeRate(market.address),
    compare: (answer) => {
      const now = lens().market(market);
      return 'missing' in now ? null : differing(String(now.stored.rateWad), String(uintOf(answer)));
    },
  };
}

/** Comptroller.getAccountLiquidity: error, what is left, what is short. All markets as they are stored. */
function accountCheck({ comptroller, vai }: CompoundState, account: Account, lens: () => Lens): ViewCheck {
  return {
    subject: `account ${account.address} liquidity`,
    call: calls.liquidity(comptroller, account.address),
    compare: (answer) => {
      const standing = standingOf(account, lens());
      // Without a price neither has an answer.
      if (!standing.ok || uintOf(answer) !== 0n) return null;
      const { heldUsd, owedUsd } = storedWorth(standing.sides, vaiOwed(account, vai?.index ?? 0n));
      return differing(String(heldUsd - owedUsd), String((uintOf(answer, 1) ?? 0n) - (uintOf(answer, 2) ?? 0n)));
    },
  };
}

function differing(ours: string, theirs: string): { readonly ours: string; readonly theirs: string } | null {
  return ours === theirs ? null : { ours, theirs };
}
