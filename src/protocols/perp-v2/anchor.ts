/** Reads a whole deployment at one block: its contracts and rules, its markets with their pools, and the accounts that logs revealed. */
import type { Address, Head, ViewAnswer } from '../../lib/types.ts';
import { addressOf, intOf, textOf, uintOf } from '../../lib/words.ts';
import { readPools } from '../../liquidity/uniswap-v3/anchor.ts';
import { readObservations } from '../../liquidity/uniswap-v3/observations.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { readAccounts } from './accounts.ts';
import type { CollateralRules } from './collateral.ts';
import { readIndexFeed } from './index-price.ts';
import { COLLATERAL_TWAP_SECONDS, calls, exchangeWords } from './reads.ts';
import type { Account, Collateral, Contracts, PerpMarket, PerpState, Rules } from './state.ts';

/** What the address book tells. */
export type PerpAddresses = {
  readonly clearingHouse: Address;
  readonly vault: Address;
  readonly accountBalance: Address;
  readonly clearingHouseConfig: Address;
  readonly marketRegistry: Address;
};
/** What logs revealed below the anchor. */
export type Known = {
  readonly bases: ReadonlySet<Address>;
  readonly tokens: ReadonlySet<Address>;
  readonly accounts: ReadonlySet<Address>;
};

const MAX_DECIMALS = 18n;
const NO_ADDRESS: Address = `0x${'0'.repeat(40)}`;

export function* anchorDeployment(told: PerpAddresses, known: Known, executor: Address | undefined, block: Head): Reading<PerpState> {
  const contracts = yield* readContracts(told);
  const rules = yield* readRules(contracts.config);
  const [symbol, decimals, capacity] = yield [
    calls.symbol(contracts.settlement),
    calls.decimals(contracts.settlement),
    calls.capacity(contracts.insuranceFund),
  ];
  const places = uintOf(decimals);
  if (places === undefined || places > MAX_DECIMALS) throw new MirrorError(`${contracts.settlement} does not tell its decimals`);
  const markets = new Map<Address, PerpMarket>();
  for (const base of known.bases) markets.set(base, yield* readMarket(contracts, rules, base, executor ?? NO_ADDRESS, block));
  const collateral = yield* readCollateral(contracts, [...known.tokens]);
  const collateralRules = yield* readCollateralRules(contracts.collateralManager);
  const addresses = new Set([...known.accounts, contracts.insuranceFund]);
  const accounts: Account[] = yield* readAccounts(contracts, markets, [...addresses]);
  return {
    ...{ contracts, rules, markets, collateral, collateralRules, accounts, head: block },
    settlement: { symbol: textOf(symbol) || 'settlement token', decimals: Number(places), unitWad: 10n ** (MAX_DECIMALS - places) },
    slots: new Map(accounts.map(({ address }, slot) => [address, slot])),
    desk: { executor, counts: false, lossRaw: 0n },
    fund: { capacityRaw: intOf(capacity) ?? 0n },
  };
}

function* readContracts(told: PerpAddresses): Reading<Contracts> {
  const { clearingHouse, vault, accountBalance, clearingHouseConfig: config, marketRegistry: registry } = told;
  const [exchange, orderBook, insuranceFund, quote, vaultOf, settlement, collateralManager] = (yield [
    calls.exchange(clearingHouse),
    calls.orderBook(clearingHouse),
    calls.insuranceFund(clearingHouse),
    calls.quote(clearingHouse),
    calls.vaultOf(clearingHouse),
    calls.settlementToken(vault),
    calls.collateralManager(vault),
  ]).map((answer) => addressOf(answer));
  const found = { exchange, orderBook, insuranceFund, quote, settlement, collateralManager };
  if (vaultOf !== vault) throw new MirrorError(`the clearing house at ${clearingHouse} does not name the vault ${vault}`);
  for (const [name, address] of Object.entries(found))
    if (address === undefined) throw new MirrorError(`${clearingHouse} names no ${name}`);
  return { clearingHouse, vault, accountBalance, config, registry, ...(found as Record<keyof typeof found, Address>) };
}

function* readRules(config: Address): Reading<Rules> {
  const read = [calls.imRatio, calls.mmRatio, calls.penaltyRatio, calls.maxFundingRate, calls.twapInterval];
  const answers = yield [...read.map((call) => call(config)), calls.markPriceConfig(config)];
  const [imPips, mmPips, penaltyPips, maxFundingPips, twap] = answers.map((answer) => uintOf(answer));
  const [mark, premium] = [uintOf(answers[5], 0), uintOf(answers[5], 1)];
  if (imPips === undefined || mmPips === undefined || penaltyPips === undefined || maxFundingPips === undefined)
    throw new MirrorError(`${config} does not answer as a ClearingHouseConfig`);
  if (twap === undefined || mark === undefined || premium === undefined) throw new MirrorError(`${config} tells no intervals`);
  const seconds = { twapSeconds: Number(twap), markTwapSeconds: Number(mark), premiumSeconds: Number(premium) };
  return { imPips, mmPips, penaltyPips, maxFundingPips, ...seconds };
}

/** How much of the past is kept: the longest average, and as much again. */
function keptSeconds(rules: Rules): number {
  return 2 * Math.max(rules.twapSeconds, rules.markTwapSeconds, rules.premiumSeconds);
}

function* readMarket(contracts: Contracts, rules: Rules, base: Address, payer: Address, block: Head): Reading<PerpMarket> {
  const [info, maxTick, isOpen, symbol, spot, average] = yield [
    calls.marketInfo(contracts.registry, payer, base),
    calls.maxTickCrossed(contracts.exchange, base),
    calls.isOpen(base),
    calls.symbol(base),
    calls.indexPrice(base, 0),
    calls.indexPrice(base, rules.premiumSeconds),
  ];
  const address = addressOf(info);
  const [exchangeFeePips, feePips, insurancePips, maxSpreadPips] = [1, 2, 3, 4].map((word) => uintOf(info, word));
  const maxTickCrossed = uintOf(maxTick);
  if (address === undefined || exchangeFeePips === undefined || feePips === undefined || insurancePips === undefined)
    throw new MirrorError(`${contracts.registry} does not tell of market ${base}`);
  if (maxSpreadPips === undefined || maxTickCrossed === undefined) throw new MirrorError(`market ${base} tells no limits`);
  const [pool] = yield* readPools([{ address, token0: base, token1: contracts.quote, feePips: Number(feePips) }]);
  if (pool === undefined) throw new MirrorError(`pool ${address} tells no balances`);
  const observations = yield* readObservations(pool, block.timestamp, keptSeconds(rules));
  const index = yield* readIndexFeed(base, block.timestamp, keptSeconds(rules));
  const [lastTick, firstTradedAt, lastSettledAt, growth, lastTickAt] = yield exchangeWords(contracts.exchange, base);
  const seconds = (answer: ViewAnswer | undefined) => {
    const read = uintOf(answer);
    if (read === undefined || read > BigInt(Number.MAX_SAFE_INTEGER))
      throw new MirrorError(`${contracts.exchange} keeps market ${base} otherwise`);
    return Number(read);
  };
  return {
    ...{ base, symbol: textOf(symbol) || base.slice(0, 10), open: uintOf(isOpen) === 1n, index, pool, observations },
    ...{ exchangeFeePips, insurancePips, maxSpreadPips, maxTickCrossed: Number(maxTickCrossed) },
    ...{ firstTradedAt: seconds(firstTradedAt), lastSettledAt: seconds(lastSettledAt), lastTickAt: seconds(lastTickAt) },
    ...{ lastTick: Number(BigInt.asIntN(24, uintOf(lastTick) ?? 0n)), growthX96: intOf(growth) ?? 0n },
    readIndex: { spot: uintOf(spot), average: uintOf(average) },
  };
}

function* readCollateralRules(manager: Address): Reading<CollateralRules> {
  const { mmRatioBuffer, debtRatio, liquidationRatio, fundFeeRatio, debtThreshold, collateralDust } = calls;
  const asked = [mmRatioBuffer, debtRatio, liquidationRatio, fundFeeRatio, debtThreshold, collateralDust];
  const answers = (yield asked.map((call) => call(manager))).map((answer) => uintOf(answer));
  const [bufferPips, debtRatioPips, liquidationPips, fundFeePips, debtThresholdRaw, dustRaw] = answers;
  if (bufferPips === undefined || debtRatioPips === undefined || liquidationPips === undefined || fundFeePips === undefined)
    throw new MirrorError(`${manager} does not answer as a CollateralManager`);
  if (debtThresholdRaw === undefined || dustRaw === undefined) throw new MirrorError(`${manager} tells no thresholds`);
  return { bufferPips, debtRatioPips, liquidationPips, fundFeePips, debtThresholdRaw, dustRaw };
}

function* readCollateral(contracts: Contracts, tokens: readonly Address[]): Reading<Map<Address, Collateral>> {
  const { collateralManager: manager } = contracts;
  const wanted = tokens.filter((token) => token !== contracts.settlement);
  const answers = yield wanted.flatMap((token) => [
    calls.collateralConfig(manager, token),
    calls.collateralPriceDecimals(manager, token),
    calls.collateralPrice(manager, token, COLLATERAL_TWAP_SECONDS),
    calls.symbol(token),
    calls.decimals(token),
  ]);
  const found = new Map<Address, Collateral>();
  for (const [place, token] of wanted.entries()) {
    const [config, priceDecimals, price, symbol, decimals] = answers.slice(5 * place, 5 * place + 5);
    const [ratioPips, discountPips] = [uintOf(config, 1), uintOf(config, 2)];
    const [unit, own] = [uintOf(priceDecimals), uintOf(decimals)];
    if (ratioPips === undefined || discountPips === undefined || unit === undefined || own === undefined || own > 36n || unit > 36n)
      throw new MirrorError(`${manager} does not tell of collateral ${token}`);
    const named = { token, symbol: textOf(symbol) || token.slice(0, 10), decimals: Number(own) };
    found.set(token, { ...named, ratioPips, discountPips, priceUnit: 10n ** unit, price: uintOf(price) });
  }
  return found;
}
