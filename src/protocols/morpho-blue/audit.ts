/** What of a deployment is held against the contracts' own views, at the mirrored block. */
import type { Address } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import type { ViewCheck } from '../../mirror/types.ts';
import type { Slot } from '../types.ts';
import { adaptiveRate } from './adaptive-curve.ts';
import { calls, readPosition, readTotals } from './reads.ts';
import { type BlueMarket, type BlueState, hasDebt, NO_ADDRESS, type Position } from './state.ts';

/** Every how many checks one goes to a market instead of a position. */
const MARKET_EVERY = 4;
/** Every how many one goes to who may liquidate a position early. */
const AUTHORISATION_EVERY = 8;

/** @param nearest slots to check first, the least healthy first */
export function auditChecks(state: BlueState, nearest: readonly Slot[], limit: number, seed: number): ViewCheck[] {
  const indebted = [...state.markets.values()].filter(hasDebt);
  const forMarkets = Math.min(indebted.length * 2, Math.ceil(limit / MARKET_EVERY));
  const checks: ViewCheck[] = [];
  // Consecutive over blocks, so that every market and rate has its turn.
  for (let i = 0; i < forMarkets; i++) {
    const turn = seed * forMarkets + i;
    const market = indebted[Math.floor(turn / 2) % indebted.length]!;
    checks.push(turn % 2 === 1 && state.adaptive.has(market.params.irm) ? rateCheck(state, market) : marketCheck(state, market));
  }
  const pairs = authorisations(state);
  const forPairs = Math.min(pairs.length, limit - checks.length, Math.ceil(limit / AUTHORISATION_EVERY));
  for (let i = 0; i < forPairs; i++) checks.push(authorisationCheck(state, pairs[(seed * forPairs + i) % pairs.length]!));
  const total = state.positions.length;
  const positions = Math.min(total, limit - checks.length);
  const slots = new Set(nearest.slice(0, Math.ceil(positions / 2)));
  const others = positions - slots.size;
  for (let i = 0; slots.size < positions && i < total; i++) slots.add((seed * others + i) % total);
  for (const slot of slots) checks.push(positionCheck(state, state.positions[slot]!));
  return checks;
}

function marketCheck(state: BlueState, market: BlueMarket): ViewCheck {
  // Without an IRM the time of the last update means nothing, and no log tells it.
  const dated = market.params.irm !== NO_ADDRESS;
  const written = (totals: Omit<BlueMarket, 'params'> | ReturnType<typeof readTotals>) =>
    totals === undefined
      ? 'nothing'
      : [
          `${totals.totalSupplyAssets}/${totals.totalSupplyShares}/${totals.totalBorrowAssets}/${totals.totalBorrowShares}/${totals.fee}`,
          ...(dated ? [`at ${totals.lastUpdate}`] : []),
        ].join(' ');
  return {
    subject: `market ${market.label}`,
    call: calls.market(state.morpho, market.id),
    compare: (answer) => differing(written(market), written(readTotals(answer))),
  };
}

/** The call is made with the totals as they are when it is: after the block's logs. */
function rateCheck(state: BlueState, market: BlueMarket): ViewCheck {
  return {
    subject: `rate of ${market.label}`,
    call: calls.borrowRate(market),
    compare: (answer) => {
      const elapsed = BigInt(state.head.timestamp - market.lastUpdate);
      return differing(String(adaptiveRate(market, market.rateAtTarget, elapsed)), String(uintOf(answer)));
    },
  };
}

function positionCheck(state: BlueState, position: Position): ViewCheck {
  const written = (one: { readonly borrowShares: bigint; readonly collateral: bigint } | undefined) =>
    one === undefined ? 'nothing' : `${one.borrowShares}/${one.collateral}`;
  return {
    subject: `position of ${position.account} in ${position.market.label}`,
    call: calls.position(state.morpho, position.market.id, position.account),
    compare: (answer) => differing(written(position), written(readPosition(answer))),
  };
}

type Pair = { readonly authorizer: Address; readonly contract: Address };

/** Who authorised which of the contracts there are. */
function authorisations({ preLiquidations, authorised }: BlueState): readonly Pair[] {
  return [...preLiquidations.values()].flatMap((contracts) =>
    contracts.flatMap(({ address }) => Array.from(authorised.get(address) ?? [], (authorizer) => ({ authorizer, contract: address }))),
  );
}

function authorisationCheck({ morpho }: BlueState, { authorizer, contract }: Pair): ViewCheck {
  return {
    subject: `authorisation of ${contract} by ${authorizer}`,
    call: calls.isAuthorized(morpho, authorizer, contract),
    compare: (answer) => differing('1', String(uintOf(answer))),
  };
}

function differing(ours: string, theirs: string): { readonly ours: string; readonly theirs: string } | null {
  return ours === theirs ? null : { ours, theirs };
}
