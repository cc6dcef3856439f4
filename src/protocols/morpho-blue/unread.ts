/** What a block's batch asks for, and how each answer enters the state: of markets with debt alone, however many others there are. */

import type { Address, Head } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import type { Ask } from '../asks.ts';
import { contractsInUse } from './pre-state.ts';
import { calls } from './reads.ts';
import { type Settling, type Subject, takeSettled } from './settle.ts';
import { type BlueMarket, type BlueState, hasDebt, NO_ADDRESS, type Oracle } from './state.ts';

/** @param lent tokens whose balance is worth knowing */
export function asksFor(state: BlueState, settling: Settling, lent: readonly Address[], block: Head): Ask[] {
  const asks: Ask[] = [];
  const asked = new Set<Address>();
  for (const market of state.markets.values()) {
    if (!hasDebt(market)) continue;
    const { oracle, irm } = market.params;
    const priced = state.oracles.get(oracle);
    if (priced !== undefined && !asked.has(oracle)) asks.push(...askOracle(priced));
    asked.add(oracle);
    if (irm !== NO_ADDRESS && !state.adaptive.has(irm)) asks.push(askRate(market));
    if (!market.settled) asks.push(askSettling(market, state, settling, block));
  }
  for (const contract of contractsInUse(state)) {
    const { oracle } = contract.params;
    if (!asked.has(oracle)) asks.push(...askOracle(state.oracles.get(oracle)!));
    asked.add(oracle);
    if (!contract.settled) asks.push(askSettling(contract, state, settling, block));
  }
  for (const token of lent) asks.push(askHeld(token, state));
  return asks;
}

export function askOracle(oracle: Oracle): Ask[] {
  const { decoded } = oracle;
  const answer: Ask = {
    calls: [calls.price(oracle.address)],
    take: ([price], journal) => journal.set(oracle, 'answer', uintOf(price)),
  };
  return decoded === undefined
    ? [answer]
    : [answer, { calls: decoded.reads(), take: (answers, journal) => decoded.ingest(answers, journal) }];
}

export function askRate(market: BlueMarket): Ask {
  return { calls: [calls.borrowRate(market)], take: ([rate], journal) => journal.set(market, 'readRate', uintOf(rate)) };
}

export function askHeld(token: Address, state: BlueState): Ask {
  const call = calls.balanceOf(token, state.morpho);
  return { calls: [call], take: ([balance], journal) => journal.setKey(state.held, token, uintOf(balance) ?? 0n) };
}

function askSettling(subject: Subject, state: BlueState, settling: Settling, block: Head): Ask {
  return {
    calls: settling.callsFor(subject, block),
    take: (answers, journal) => {
      const settled = settling.take(subject, answers);
      if (settled !== undefined) takeSettled(subject, settled, state, journal);
    },
  };
}
