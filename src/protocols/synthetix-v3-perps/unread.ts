/** What a block's batch asks for, and how each answer enters the state. */

import { uintOf } from '../../lib/words.ts';
import { MirrorError } from '../../mirror/types.ts';
import type { Ask } from '../asks.ts';
import { holdingCalls, readHolding } from './accounts.ts';
import { fundingOf, listOf } from './anchor.ts';
import type { Touched } from './fold.ts';
import { calls, DEFAULT_TOLERANCE, fundingWords, interestWords, managerCalls, PERPS_SYSTEM, SELL } from './reads.ts';
import { type Account, pricesBehind, type SynthetixState } from './state.ts';

/** In the order in which they have to be taken: positions start from what was read before them. */
export function asksFor(state: SynthetixState, touched: Touched): Ask[] {
  const { perpsMarket: perps } = state.contracts;
  const asks = standingAsks(state);
  for (const market of touched.markets)
    asks.push({
      calls: fundingWords(perps, market.id),
      take: (answers, journal) => journal.set(market, 'funding', fundingOf(answers, perps, market.id)),
    });
  if (touched.interest) asks.push(askInterest(state));
  for (const account of touched.accounts) asks.push(askHolding(state, account));
  asks.push({
    calls: [],
    take: (_, journal) => {
      for (const position of touched.positions) {
        journal.set(position, 'funding', position.market.funding.value);
        journal.set(position, 'interest', state.interest.accrued);
      }
    },
  });
  return asks;
}

/** Asked in every block: prices, what a keeper's gas counts for, and whether anything may be done. */
function standingAsks(state: SynthetixState): Ask[] {
  const { contracts, rules, costs, gate, desk } = state;
  const { perpsMarket: perps, spotMarket, oracleManager, usd } = contracts;
  const asks: Ask[] = [];
  for (const { id, price } of state.markets.values())
    asks.push({ calls: [calls.indexPrice(perps, id)], take: ([answer], journal) => journal.set(price, 'read', uintOf(answer)) });
  for (const collateral of state.collateral.values()) {
    const { id, price } = collateral;
    asks.push({
      calls: [calls.synthPrice(spotMarket, id, SELL, DEFAULT_TOLERANCE), calls.synthSkewScale(spotMarket, id)],
      take: ([answer, scale], journal) => {
        journal.set(price, 'read', uintOf(answer));
        journal.set(collateral, 'skewScale', told(uintOf(scale), `synth ${id}`, state));
      },
    });
  }
  const counts = [...new Set(state.accounts.map(pricesBehind))];
  asks.push({
    calls: [
      managerCalls.cost(oracleManager, rules.costNode, 'liquidate', 0),
      ...counts.map((count) => managerCalls.cost(oracleManager, rules.costNode, 'flag', count)),
    ],
    take: ([liquidate, ...flags], journal) => {
      journal.set(costs, 'liquidate', uintOf(liquidate));
      const read = flags.map((flag, place) => [counts[place]!, uintOf(flag)] as const);
      journal.set(costs, 'flag', new Map(read.filter((one): one is readonly [number, bigint] => one[1] !== undefined)));
    },
  });
  asks.push({
    calls: [calls.denied(perps, PERPS_SYSTEM)],
    take: ([denied], journal) => journal.set(gate, 'paused', uintOf(denied) === 1n),
  });
  if (desk.executor !== undefined)
    asks.push({
      calls: [calls.assets(desk.executor)],
      take: ([assets], journal) => journal.set(desk, 'counts', listOf(assets)?.includes(BigInt(usd)) ?? false),
    });
  return asks;
}

export function askInterest({ contracts, interest }: SynthetixState): Ask {
  return {
    calls: interestWords(contracts.perpsMarket),
    take: ([accrued, rate, time], journal) => {
      const read = { accrued: uintOf(accrued), rate: uintOf(rate), time: uintOf(time) };
      if (read.accrued === undefined || read.rate === undefined || read.time === undefined)
        throw new MirrorError(`${contracts.perpsMarket} does not tell its interest`);
      journal.set(interest, 'accrued', read.accrued);
      journal.set(interest, 'rate', BigInt.asUintN(128, read.rate));
      journal.set(interest, 'time', read.time);
    },
  };
}

function askHolding(state: SynthetixState, account: Account): Ask {
  return {
    calls: holdingCalls(state, account.id),
    take: (answers, journal) => {
      const { collateral, debt } = readHolding(state, answers, account.id);
      for (const kind of [...account.collateral.keys()]) if (!collateral.has(kind)) journal.deleteKey(account.collateral, kind);
      for (const [kind, amount] of collateral) journal.setKey(account.collateral, kind, amount);
      journal.set(account, 'debt', debt);
    },
  };
}

function told<T>(read: T | undefined, what: string, { contracts }: SynthetixState): T {
  if (read === undefined) throw new MirrorError(`${contracts.perpsMarket} does not answer: ${what}`);
  return read;
}
