/** Reads a whole deployment at one block: its contracts and rules, its markets, and the accounts that logs revealed. */
import { decodeFunctionResult, numberToHex, parseAbi } from 'viem';
import type { Address, Head, Hex, ViewAnswer } from '../../lib/types.ts';
import { addressOf, intOf, textOf, uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { readAccounts } from './accounts.ts';
import { type PriceNode, readNodes } from './nodes.ts';
import { calls, factoryWords, fundingWords, liquidationCount, liquidationWords } from './reads.ts';
import type { Collateral, Contracts, Funding, Liquidated, MarketRules, PerpMarket, Rules, SynthetixState } from './state.ts';
import { SNX_USD } from './state.ts';

/** More markets, or kinds of collateral, or flagged accounts than this are nobody's. */
const MOST_LISTED = 10_000n;
/** Blocks with liquidations that are read at once, the latest first, until one lies before the window. */
const LIQUIDATIONS_A_ROUND = 64n;

const metadataAbi = parseAbi(['function metadata(uint128 id) view returns (string name, string symbol)']);

export function* anchorDeployment(
  perps: Address,
  known: ReadonlySet<bigint>,
  executor: Address | undefined,
  block: Head,
): Reading<SynthetixState> {
  const [oracle, usd, spot, ids, supported, flagged] = yield [
    ...factoryWords(perps),
    calls.markets(perps),
    calls.supported(perps),
    calls.flagged(perps),
  ];
  const [oracleManager, usdToken, spotMarket] = [addressOf(oracle), addressOf(usd), addressOf(spot)];
  const [marketIds, collateralIds, flaggedIds] = [listOf(ids), listOf(supported), listOf(flagged)];
  if (oracleManager === undefined || usdToken === undefined || spotMarket === undefined || marketIds === undefined)
    throw new MirrorError(`no Synthetix perps market at ${perps}`);
  if (collateralIds === undefined || flaggedIds === undefined) throw new MirrorError(`${perps} does not tell its collateral`);
  const contracts: Contracts = { perpsMarket: perps, oracleManager, spotMarket, usd: usdToken };
  const rules = yield* readRules(perps);
  const held = yield* readHeldCollateral(perps, [...known]);
  const markets = yield* readMarkets(contracts, marketIds, block);
  const collateral = yield* readCollateral(contracts, [...new Set([...collateralIds, ...held])]);
  const state: SynthetixState = {
    ...{ contracts, rules, markets, collateral, accounts: [], slots: new Map(), head: block },
    ...{ interest: { accrued: 0n, rate: 0n, time: 0n }, costs: { liquidate: undefined, flag: new Map() } },
    ...{ desk: { executor, counts: false }, gate: { paused: false } },
  };
  for (const account of yield* readAccounts(state, [...known], new Set(flaggedIds))) {
    state.slots.set(account.id, state.accounts.length);
    state.accounts.push(account);
  }
  return state;
}

/** Of a list of numbers; undefined for anything else. */
export function listOf(answer: ViewAnswer | undefined): readonly bigint[] | undefined {
  const count = uintOf(answer, 1);
  if (uintOf(answer, 0) !== 32n || count === undefined || count > MOST_LISTED) return undefined;
  const numbers = Array.from({ length: Number(count) }, (_, place) => uintOf(answer, 2 + place));
  return numbers.every((number) => number !== undefined) ? numbers : undefined;
}

function* readRules(perps: Address): Reading<Rules> {
  const [guards, costNode, ratio] = yield [calls.rewardGuards(perps), calls.costNode(perps), calls.collateralRewardRatio(perps)];
  const [minRewardUsd, minProfitRatio, maxRewardUsd, maxScalingRatio] = [0, 1, 2, 3].map((place) => uintOf(guards, place));
  const [node, collateralRewardRatio] = [uintOf(costNode), uintOf(ratio)];
  if (minRewardUsd === undefined || minProfitRatio === undefined || maxRewardUsd === undefined || maxScalingRatio === undefined)
    throw new MirrorError(`${perps} does not tell what it pays keepers`);
  if (node === undefined || collateralRewardRatio === undefined) throw new MirrorError(`${perps} does not tell what it takes gas to cost`);
  return { minRewardUsd, minProfitRatio, maxRewardUsd, maxScalingRatio, collateralRewardRatio, costNode: hexOf(node) };
}

/** Accounts may hold what is not supported any more. */
function* readHeldCollateral(perps: Address, accounts: readonly bigint[]): Reading<readonly bigint[]> {
  const answers = yield accounts.map((account) => calls.collateralIds(perps, account));
  return [...new Set(answers.flatMap((answer) => listOf(answer) ?? []))];
}

function* readMarkets(contracts: Contracts, ids: readonly bigint[], block: Head): Reading<Map<bigint, PerpMarket>> {
  const { perpsMarket: perps, oracleManager } = contracts;
  const views = [
    ...[calls.metadata, calls.orderFees, calls.fundingRules, calls.liquidationRules, calls.windowRules],
    ...[calls.lockedOiRatio, calls.priceData, calls.indexPrice, calls.skew, calls.size],
  ];
  const answers = yield ids.flatMap((id) => [...views.map((view) => view(perps, id)), ...fundingWords(perps, id)]);
  const step = views.length + 5;
  const parts = ids.map((id, place) => ({ id, told: answers.slice(place * step, (place + 1) * step) }));
  const nodes = yield* readNodes(
    oracleManager,
    parts.flatMap(({ told }) => feedIdOf(told[6])),
  );
  const markets = new Map<bigint, PerpMarket>();
  for (const { id, told } of parts) {
    const [node] = feedIdOf(told[6]);
    // A market without a price cannot be traded.
    if (node === undefined) continue;
    const market = marketOf(perps, id, told, nodes.get(node));
    markets.set(id, { ...market, liquidated: yield* readLiquidated(perps, market, block) });
  }
  return markets;
}

function marketOf(perps: Address, id: bigint, told: readonly ViewAnswer[], node: PriceNode | undefined): PerpMarket {
  const [metadata, fees, funding, margins, windows, locked, priceData, price, skew, size, ...stored] = told;
  const number = (answer: ViewAnswer | undefined, place = 0): bigint => {
    const read = uintOf(answer, place);
    if (read === undefined) throw new MirrorError(`${perps} does not tell the rules of market ${id}`);
    return read;
  };
  const rules: MarketRules = {
    feesRatio: number(fees) + number(fees, 1),
    ...{ skewScale: number(funding), maxFundingVelocity: number(funding, 1), lockedOiRatio: number(locked) },
    ...{ initialMarginRatio: number(margins), minimumInitialMarginRatio: number(margins, 1), maintenanceMarginScalar: number(margins, 2) },
    ...{ flagRewardRatio: number(margins, 3), minimumPositionMargin: number(margins, 4) },
    ...{ windowMultiplier: number(windows), windowSeconds: number(windows, 1), maxLiquidationPd: number(windows, 2) },
  };
  const now = fundingOf(stored, perps, id);
  // What has no view lies where these two lie that have one.
  if (now.skew !== intOf(skew) || now.size !== uintOf(size)) throw new MirrorError(`${perps} keeps market ${id} otherwise`);
  const read = uintOf(price);
  return {
    id,
    symbol: symbolIn(metadata) ?? String(id),
    rules,
    price: { node, read },
    strictSeconds: number(priceData, 1),
    funding: now,
    liquidated: [],
  };
}

function symbolIn(metadata: ViewAnswer | undefined): string | undefined {
  if (!metadata?.ok) return undefined;
  try {
    const [, symbol] = decodeFunctionResult({ abi: metadataAbi, functionName: 'metadata', data: metadata.data });
    return symbol.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').slice(0, 32) || undefined;
  } catch {
    return undefined;
  }
}

export function fundingOf([skew, size, rate, value, time]: readonly ViewAnswer[], perps: Address, id: bigint): Funding {
  const read = { skew: intOf(skew), size: uintOf(size), rate: intOf(rate), value: intOf(value), time: uintOf(time) };
  if (Object.values(read).includes(undefined)) throw new MirrorError(`${perps} does not tell the funding of market ${id}`);
  return read as Funding;
}

function* readLiquidated(perps: Address, { id, rules }: PerpMarket, block: Head): Reading<readonly Liquidated[]> {
  const [length] = yield [liquidationCount(perps, id)];
  const from = BigInt(block.timestamp) - rules.windowSeconds;
  let found: Liquidated[] = [];
  for (let end = uintOf(length) ?? 0n; end > 0n; ) {
    const begin = end > LIQUIDATIONS_A_ROUND ? end - LIQUIDATIONS_A_ROUND : 0n;
    const places = Array.from({ length: Number(end - begin) }, (_, place) => begin + BigInt(place));
    const answers = yield places.flatMap((place) => liquidationWords(perps, id, place));
    const read = places.map((_, place) => {
      const [amount, timestamp] = [uintOf(answers[2 * place]), uintOf(answers[2 * place + 1])];
      if (amount === undefined || timestamp === undefined)
        throw new MirrorError(`${perps} does not tell what was liquidated of market ${id}`);
      return { amount: BigInt.asUintN(128, amount), timestamp };
    });
    found = [...read, ...found];
    if (read[0]!.timestamp <= from) break;
    end = begin;
  }
  return found;
}

function* readCollateral(contracts: Contracts, ids: readonly bigint[]): Reading<Map<bigint, Collateral>> {
  const { perpsMarket, spotMarket, oracleManager } = contracts;
  const wanted = ids.filter((id) => id !== SNX_USD);
  const answers = yield wanted.flatMap((id) => [
    calls.collateralRules(perpsMarket, id),
    calls.synth(spotMarket, id),
    calls.synthPriceData(spotMarket, id),
    calls.synthSkewScale(spotMarket, id),
  ]);
  const parts = wanted.map((id, place) => ({ id, told: answers.slice(4 * place, 4 * place + 4) }));
  const tokens = parts.map(({ id, told }) => {
    const token = addressOf(told[1]);
    if (token === undefined) throw new MirrorError(`${spotMarket} knows no synth ${id}`);
    return token;
  });
  const symbols = yield tokens.map((token) => calls.symbol(token));
  const nodes = yield* readNodes(
    oracleManager,
    parts.flatMap(({ told }) => feedIdOf(told[2], 1)),
  );
  return new Map(
    parts.map(({ id, told: [rules, , priceData, skew] }, place): [bigint, Collateral] => {
      const [upperDiscount, lowerDiscount, discountScalar] = [1, 2, 3].map((word) => uintOf(rules, word));
      const [strictSeconds, skewScale] = [uintOf(priceData, 2), uintOf(skew)];
      if (upperDiscount === undefined || lowerDiscount === undefined || discountScalar === undefined)
        throw new MirrorError(`${perpsMarket} does not tell the rules of collateral ${id}`);
      if (strictSeconds === undefined || skewScale === undefined) throw new MirrorError(`${spotMarket} does not tell of synth ${id}`);
      const [node] = feedIdOf(priceData, 1);
      const price = { node: node && nodes.get(node), read: undefined };
      const token = tokens[place]!;
      const symbol = textOf(symbols[place]) || token.slice(0, 10);
      return [id, { id, token, symbol, price, strictSeconds, upperDiscount, lowerDiscount, discountScalar, skewScale }];
    }),
  );
}

/** None where it is 0. */
function feedIdOf(answer: ViewAnswer | undefined, place = 0): readonly Hex[] {
  const word = uintOf(answer, place);
  return word === undefined || word === 0n ? [] : [hexOf(word)];
}

function hexOf(word: bigint): Hex {
  return numberToHex(word, { size: 32 });
}
