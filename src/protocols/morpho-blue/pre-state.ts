/** Which pre-liquidation contracts there are, and for whom each may act: folded from the factory's logs and Morpho's authorisations. */
import type { Address, RawLog } from '../../lib/types.ts';
import { dataWord, toAddress, topicAddress, topicOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import { type BlueState, hasDebt, type MarketId, noteChange, type PreLiquidation, slotKey } from './state.ts';

const SET_AUTHORIZATION = topicOf(
  'event SetAuthorization(address indexed caller, address indexed authorizer, address indexed authorized, bool newIsAuthorized)',
);
const CREATE = topicOf(
  'event CreatePreLiquidation(address indexed preLiquidation, bytes32 id, (uint256,uint256,uint256,uint256,uint256,address) preLiquidationParams)',
);

/** Of Morpho, wanted where there is a factory. */
export const authorisationTopics = [SET_AUTHORIZATION];
/** Of the factory. */
export const factoryTopics = [CREATE];

const MARKET_ID_DIGITS = 64;
/** The parameters follow the market's id. */
const PARAMS_WORD = 1;

export type PreLog =
  | { readonly kind: 'contract'; readonly contract: PreLiquidation }
  | { readonly kind: 'authorisation'; readonly authorizer: Address; readonly authorized: Address; readonly given: boolean };

/** What a log of the factory, or of Morpho, says about pre-liquidations. */
export function preLogIn(log: RawLog, morpho: Address, factory: Address | undefined): PreLog | undefined {
  if (log.address === factory && log.topics[0] === CREATE) return { kind: 'contract', contract: contractIn(log) };
  if (log.address !== morpho || factory === undefined || log.topics[0] !== SET_AUTHORIZATION) return undefined;
  return {
    kind: 'authorisation',
    ...{ authorizer: topicAddress(log, 2), authorized: topicAddress(log, 3), given: dataWord(log, 0) !== 0n },
  };
}

/** NOTE: an address may be authorised before there is a contract at it, so no authorisation is left out. */
export function foldPreLog(log: RawLog, factory: Address | undefined, state: BlueState, journal: Journal): void {
  const told = preLogIn(log, state.morpho, factory);
  if (told?.kind === 'contract') addContract(told.contract, state, journal);
  if (told?.kind === 'authorisation') {
    const { authorizer, authorized, given } = told;
    let by = state.authorised.get(authorized);
    if (by === undefined) {
      by = new Set();
      journal.setKey(state.authorised, authorized, by);
    }
    if (given) journal.addTo(by, authorizer);
    else journal.removeFrom(by, authorizer);
    for (const contracts of state.preLiquidations.values())
      for (const { address, id } of contracts) if (address === authorized) noteChangeOf(state, id, authorizer, journal);
  }
}

/** A market of another Morpho is none of ours. */
export function addContract(contract: PreLiquidation, state: BlueState, journal: Journal): void {
  if (!state.markets.has(contract.id)) return;
  const { oracle } = contract.params;
  if (!state.oracles.has(oracle)) journal.setKey(state.oracles, oracle, { address: oracle, answer: undefined, decoded: undefined });
  let there = state.preLiquidations.get(contract.id);
  if (there === undefined) {
    there = [];
    journal.setKey(state.preLiquidations, contract.id, there);
  }
  journal.push(there, contract);
  for (const authorizer of state.authorised.get(contract.address) ?? []) noteChangeOf(state, contract.id, authorizer, journal);
}

function noteChangeOf(state: BlueState, id: MarketId, account: Address, journal: Journal): void {
  const slot = state.slots.get(slotKey(id, account));
  if (slot !== undefined) noteChange(state, slot, journal);
}

/** Those that may act for this account in this market. */
export function contractsFor(state: BlueState, id: MarketId, account: Address): readonly PreLiquidation[] {
  return state.preLiquidations.get(id)?.filter(({ address }) => state.authorised.get(address)?.has(account)) ?? [];
}

/** Those that somebody uses. NOTE: anybody may create one, with any oracle: nothing of the others is asked for. */
export function contractsInUse(state: BlueState): readonly PreLiquidation[] {
  return [...state.preLiquidations].flatMap(([id, contracts]) =>
    hasDebt(state.markets.get(id)!) ? contracts.filter(({ address }) => (state.authorised.get(address)?.size ?? 0) > 0) : [],
  );
}

function contractIn(log: RawLog): PreLiquidation {
  const param = (index: number) => dataWord(log, PARAMS_WORD + index);
  return {
    address: topicAddress(log, 1),
    id: `0x${dataWord(log, 0).toString(16).padStart(MARKET_ID_DIGITS, '0')}`,
    params: {
      ...{ preLltv: param(0), preLcf1: param(1), preLcf2: param(2), preLif1: param(3), preLif2: param(4) },
      oracle: toAddress(param(5)),
    },
    settled: false,
  };
}
