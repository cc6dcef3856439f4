/** What a block's batch asks for, and how each answer enters the state. */

import type { Address, Head, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { addressesOf, uintOf } from '../../lib/words.ts';
import type { Ask } from '../asks.ts';
import type { Unread } from './fold.ts';
import { borrowBalance } from './math.ts';
import { calls, readSnapshot, wordsOf } from './reads.ts';
import { type Governed, ruleCalls, rulesOf } from './rules.ts';
import type { Account, Clock, CompoundState, Holding, Market, VaiDebt, VaiIndex } from './state.ts';

/** Accounts read in one block; the others have their turn in the next. */
const MOST_ACCOUNTS = 24;
export const MOST_MARKETS = 400;

export function asksFor(state: CompoundState, unread: Unread, block: Head): Ask[] {
  const strangers = inTurn(
    state.accounts.filter(({ known }) => !known),
    block.number,
  );
  return [
    ...(unread.rules ? [askRules(state)] : []),
    ...(state.vai === undefined ? [] : [askVai(state.vai, block)]),
    ...Array.from(unread.markets, askWords),
    ...Array.from(state.markets.values(), (market) => askEachBlock(market, state.oracle)),
    ...strangers.map((account) => askAccount(account, state)),
  ];
}

/** NOTE: some may never answer (a market can fail for those who are in it): they must not keep the others from their turn. */
function inTurn(strangers: readonly Account[], block: number): readonly Account[] {
  if (strangers.length <= MOST_ACCOUNTS) return strangers;
  const first = (block * MOST_ACCOUNTS) % strangers.length;
  return [...strangers.slice(first), ...strangers.slice(0, first)].slice(0, MOST_ACCOUNTS);
}

/** The cash, the rate and the price. */
export function askEachBlock(market: Market, oracle: Address): Ask {
  const { address, clock, decoded } = market;
  const rate = clock === 'block' ? calls.ratePerBlock : calls.ratePerTimestamp;
  return {
    calls: [calls.cash(address), rate(address), calls.price(oracle, address), ...(decoded?.source.reads() ?? [])],
    take: ([cash, next, price, ...theirs], journal) => {
      journal.set(market, 'cash', uintOf(cash));
      journal.set(market, 'rateWad', uintOf(next));
      journal.set(market, 'answer', uintOf(price));
      decoded?.source.ingest(theirs, journal);
    },
  };
}

export function wordCalls(market: Address, clock: Clock): ViewCall[] {
  const read = [calls.borrowIndex, calls.totalBorrows, calls.totalReserves, calls.totalSupply, calls.reserveFactor];
  return [...read, clock === 'block' ? calls.accrualBlock : calls.accrualTimestamp].map((call) => call(market));
}

function askWords(market: Market): Ask {
  return {
    calls: wordCalls(market.address, market.clock),
    take: (answers, journal) => {
      const words = wordsOf(answers);
      if (words === undefined) return;
      for (const name of Object.keys(words) as (keyof typeof words)[]) journal.set(market, name, words[name]);
    },
  };
}

export function governedIn(state: CompoundState): Governed {
  const { comptroller, markets, rules, vai } = state;
  return {
    ...{ comptroller, markets: [...markets.values()], gate: rules.gate?.address },
    ...{ pools: rules.pools.length - 1, vaiController: vai?.address },
  };
}

function askRules(state: CompoundState): Ask {
  const governed = governedIn(state);
  return {
    calls: ruleCalls(governed),
    take: (answers, journal) => {
      const rules = rulesOf(governed, answers);
      if (rules !== undefined) journal.set(state, 'rules', rules);
    },
  };
}

/** VAIController.accrueVAIInterest says nothing, and when it was last called is told by nothing but the index that changed. */
export function askVai(vai: VaiIndex, { number }: Head): Ask {
  return {
    calls: [calls.vaiIndex(vai.address), calls.vaiRate(vai.address)],
    take: ([answer, rate], journal) => {
      const index = uintOf(answer);
      if (index !== undefined && index !== vai.index) {
        journal.set(vai, 'index', index);
        journal.set(vai, 'accruedAt', BigInt(number));
      }
      journal.set(vai, 'rateWad', uintOf(rate) ?? vai.rateWad);
    },
  };
}

/** All that is to know of an account, in one step: of every market, because which ones it entered is only being asked. */
export function askAccount(account: Account, { comptroller, markets, vai }: CompoundState): Ask {
  const all = [...markets.values()];
  const { address } = account;
  return {
    calls: [
      ...[calls.assetsIn(comptroller, address), calls.poolOf(comptroller, address)],
      ...(vai === undefined ? [] : vaiCalls(comptroller, vai.address, address)),
      ...all.map((market) => calls.snapshot(market.address, address)),
    ],
    take: ([assets, pool, ...rest], journal) => {
      const entered = addressesOf(assets, MOST_MARKETS);
      const debtInVai = vai === undefined ? undefined : vaiDebtOf(rest.splice(0, VAI_CALLS));
      if (entered === undefined) return;
      const holdings = new Map<Address, Holding>();
      for (const [place, market] of all.entries()) {
        if (!entered.includes(market.address)) continue;
        const snapshot = readSnapshot(rest[place]);
        if (snapshot === undefined) return;
        holdings.set(market.address, { market, tokens: snapshot.tokens, ...debtOf(market, snapshot.owedRaw, account) });
      }
      journal.set(account, 'holdings', holdings);
      journal.set(account, 'pool', Number(uintOf(pool) ?? 0n));
      journal.set(account, 'vai', debtInVai);
      journal.set(account, 'known', true);
    },
  };
}

const VAI_CALLS = 3;

export function vaiCalls(comptroller: Address, vaiController: Address, account: Address): ViewCall[] {
  return [
    calls.mintedVai(comptroller, account),
    calls.pastVaiInterest(vaiController, account),
    calls.vaiMinterIndex(vaiController, account),
  ];
}

export function vaiDebtOf(answers: readonly ViewAnswer[]): VaiDebt | undefined {
  const [minted, pastInterest, index] = answers.map((answer) => uintOf(answer));
  if (minted === undefined || minted === 0n || pastInterest === undefined || index === undefined) return undefined;
  return { minted, pastInterest, index };
}

/** Principal and index as the logs told them, as long as they come to what the market answers; or what it answers, at its index. */
export function debtOf(market: Market, owedRaw: bigint, { holdings }: Pick<Account, 'holdings'>): Pick<Holding, 'principal' | 'index'> {
  const told = holdings.get(market.address);
  if (told !== undefined && borrowBalance(told, market.borrowIndex) === owedRaw) return { principal: told.principal, index: told.index };
  return { principal: owedRaw, index: market.borrowIndex };
}
