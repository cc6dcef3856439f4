/** Reads a whole deployment at one block: its markets, the positions that logs revealed, and what is asked for once. */

import type { Address, Head, ViewAnswer } from '../../lib/types.ts';
import { addressOf, uintOf } from '../../lib/words.ts';
import { Journal } from '../../mirror/journal.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { together } from '../../oracles/together.ts';
import { type Ask, takeAnswers } from '../asks.ts';
import { Changes } from '../bounds.ts';
import { adaptiveRate } from './adaptive-curve.ts';
import { newMarket } from './fold.ts';
import type { KeptPositions } from './kept.ts';
import { addContract, contractsInUse } from './pre-state.ts';
import { calls, type RatedMarket, readPosition, readTotals } from './reads.ts';
import type { Contracts } from './revealed.ts';
import { settling, takeSettled } from './settle.ts';
import {
  type BlueMarket,
  type BlueState,
  hasDebt,
  type MarketId,
  type MarketParams,
  NO_ADDRESS,
  type Position,
  type PreLiquidation,
  slotKey,
} from './state.ts';
import { askHeld, askOracle, askRate } from './unread.ts';

/** What logs revealed below the anchor; in the chain's order. */
export type Known = {
  readonly markets: ReadonlyMap<MarketId, MarketParams>;
  readonly accounts: ReadonlyMap<MarketId, ReadonlySet<Address>>;
  readonly irms: ReadonlySet<Address>;
  /** By address. */
  readonly preLiquidations: ReadonlyMap<Address, PreLiquidation>;
  readonly authorised: ReadonlyMap<Address, ReadonlySet<Address>>;
};

export function* anchorDeployment(
  { morpho, factory }: Contracts,
  { revealed: known, kept }: { readonly revealed: Known; readonly kept: KeptPositions | undefined },
  labelOf: (id: MarketId, taken: ReadonlyMap<MarketId, BlueMarket>) => string,
  block: Head,
): Reading<BlueState> {
  const [recipient] = yield [calls.feeRecipient(morpho)];
  if (addressOf(recipient) === undefined) throw new MirrorError(`no Morpho Blue at ${morpho}`);
  const markets = new Map<MarketId, BlueMarket>();
  const totals = yield [...known.markets.keys()].map((id) => calls.market(morpho, id));
  for (const [place, [id, params]] of [...known.markets].entries()) {
    const read = readTotals(totals[place]);
    // One whose creation was taken back by a reorganisation is not there.
    if (read !== undefined) markets.set(id, { ...newMarket(id, labelOf(id, markets), params, read.lastUpdate), ...read });
  }
  const positions = yield* readPositions(morpho, markets, known, kept);
  const oracles = [...new Set([...markets.values()].map(({ params }) => params.oracle))];
  const state: BlueState = {
    ...{ morpho, markets, positions, head: block, changes: new Changes() },
    slots: new Map(positions.map(({ market, account }, slot) => [slotKey(market.id, account), slot])),
    oracles: new Map(oracles.map((address) => [address, { address, answer: undefined, decoded: undefined }])),
    adaptive: new Set(yield* adaptiveOf(morpho, [...known.irms], [...markets.values()], block)),
    tokens: new Map(),
    held: new Map(),
    preLiquidations: new Map(),
    authorised: new Map(),
  };
  if (factory !== undefined) yield* readContracts(factory, known, state);
  const indebted = [...markets.values()].filter(hasDebt);
  const journal = new Journal();
  const subjects = [...indebted, ...contractsInUse(state)];
  const settled = yield* together(subjects.map((subject) => settling(subject, block)));
  for (const [place, subject] of subjects.entries()) takeSettled(subject, settled[place]!, state, journal);
  yield* performAll([
    ...[...new Set(subjects.map(({ params }) => params.oracle))].flatMap((address) => askOracle(state.oracles.get(address)!)),
    ...indebted.filter(({ params: { irm } }) => irm !== NO_ADDRESS && !state.adaptive.has(irm)).map(askRate),
    ...[...state.tokens.keys()].map((token) => askHeld(token, state)),
  ]);
  return state;
}

/** Those that were kept, and have not been named since, are not asked for. */
function* readPositions(
  morpho: Address,
  markets: ReadonlyMap<MarketId, BlueMarket>,
  known: Known,
  kept: KeptPositions | undefined,
): Reading<Position[]> {
  const all = [...known.accounts].flatMap(([id, accounts]) => {
    const market = markets.get(id);
    return market === undefined ? [] : Array.from(accounts, (account) => ({ market, account, told: kept?.of(id, account) }));
  });
  const asked = all.filter(({ told }) => told === undefined);
  const answers = yield asked.map(({ market, account }) => calls.position(morpho, market.id, account));
  let place = 0;
  return all.map(({ market, account, told }) => {
    const read = told ?? readPosition(answers[place++]);
    if (read === undefined) throw new MirrorError(`position of ${account} in ${market.id} does not answer`);
    return { market, account, ...read };
  });
}

/** Those that the factory still knows, and who authorised them; an address without a contract keeps what was last heard of it. */
function* readContracts(factory: Address, known: Known, state: BlueState): Reading {
  const journal = new Journal();
  const told = [...known.preLiquidations.values()];
  const made = yield told.map(({ address }) => calls.isPreLiquidation(factory, address));
  const there = told.filter((_, place) => uintOf(made[place]) === 1n);
  for (const contract of there) addContract({ ...contract, settled: false }, state, journal);
  for (const [authorized, by] of known.authorised) state.authorised.set(authorized, new Set(by));
  const asked = there.flatMap(({ address }) => Array.from(known.authorised.get(address) ?? [], (authorizer) => ({ authorizer, address })));
  const given = yield asked.map(({ authorizer, address }) => calls.isAuthorized(state.morpho, authorizer, address));
  for (const [place, { authorizer, address }] of asked.entries())
    if (uintOf(given[place]) !== 1n) state.authorised.get(address)!.delete(authorizer);
}

/** Half of what is lent, all of it: two places of the curve that a market's own state need not reach. */
const SAMPLES = [50n, 100n];

/** The IRMs that answer for every market of theirs, and for markets that nobody created, what the adaptive curve would; their rates at target enter the markets. */
function* adaptiveOf(morpho: Address, irms: readonly Address[], markets: readonly BlueMarket[], block: Head): Reading<Address[]> {
  const candidates = irms.filter((irm) => irm !== NO_ADDRESS);
  const owners = yield candidates.map((irm) => calls.morphoOf(irm));
  const owned = candidates.filter((_, place) => addressOf(owners[place]) === morpho);
  const theirs = markets.filter(({ params }) => owned.includes(params.irm));
  const rates = yield theirs.map(({ id, params }) => calls.rateAtTarget(params.irm, id));
  for (const [place, market] of theirs.entries()) market.rateAtTarget = uintOf(rates[place]) ?? 0n;
  const samples = owned.flatMap((irm) => SAMPLES.map((percent) => sampleOf(irm, percent, block)));
  const tried: readonly (RatedMarket & { readonly rateAtTarget: bigint })[] = [...samples, ...theirs];
  const answers = yield tried.map((market) => calls.borrowRate(market));
  const differing = new Set(tried.filter((market, place) => !agrees(market, answers[place], block)).map(({ params }) => params.irm));
  return owned.filter((irm) => !differing.has(irm));
}

function agrees(market: RatedMarket & { readonly rateAtTarget: bigint }, answer: ViewAnswer | undefined, { timestamp }: Head): boolean {
  return uintOf(answer) === adaptiveRate(market, market.rateAtTarget, BigInt(timestamp - market.lastUpdate));
}

function sampleOf(irm: Address, borrowedPercent: bigint, block: Head): RatedMarket & { readonly rateAtTarget: bigint } {
  const params = { loanToken: NO_ADDRESS, collateralToken: NO_ADDRESS, oracle: NO_ADDRESS, irm, lltv: 0n };
  const totals = {
    totalSupplyAssets: 100n,
    totalSupplyShares: 100n,
    totalBorrowAssets: borrowedPercent,
    totalBorrowShares: borrowedPercent,
  };
  return { params, ...totals, lastUpdate: block.timestamp, fee: 0n, rateAtTarget: 0n };
}

function* performAll(asks: readonly Ask[]): Reading {
  // Anchoring is never taken back: a journal that records nothing.
  const journal = new Journal();
  const answers = yield asks.flatMap((ask) => ask.calls);
  takeAnswers(asks, answers, journal);
}
