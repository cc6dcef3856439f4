/** Reads a whole deployment at one block: its rules and markets, and of those who owe anything what they hold. */
import type { Address, Head, ViewAnswer } from '../../lib/types.ts';
import { addressesOf, addressOf, textOf, uintOf } from '../../lib/words.ts';
import { Journal } from '../../mirror/journal.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { together } from '../../oracles/together.ts';
import type { History } from './history.ts';
import { decodePrice } from './oracle.ts';
import { calls, readSnapshot, wordsOf } from './reads.ts';
import { type Governed, ruleCalls, rulesOf } from './rules.ts';
import { type Account, type Clock, type CompoundState, type Holding, type Market, NO_ADDRESS, type VaiIndex } from './state.ts';
import { askEachBlock, debtOf, MOST_MARKETS, vaiCalls, vaiDebtOf, wordCalls } from './unread.ts';

/** What logs revealed below the anchor. */
export type Known = Pick<History, 'debts' | 'forcedFor' | 'shielded'>;

export function* anchorDeployment(comptroller: Address, wrappedNative: Address, known: Known, block: Head): Reading<CompoundState> {
  const [oracleAnswer, listAnswer, gateAnswer, poolsAnswer, vaiAnswer] = yield [
    calls.oracle(comptroller),
    calls.allMarkets(comptroller),
    calls.gate(comptroller),
    calls.lastPool(comptroller),
    calls.vaiController(comptroller),
  ];
  const [oracle, listed] = [addressOf(oracleAnswer), addressesOf(listAnswer, MOST_MARKETS)];
  if (oracle === undefined || listed === undefined) throw new MirrorError(`no comptroller of Compound's kind at ${comptroller}`);
  const vaiController = given(addressOf(vaiAnswer));
  const governed: Governed = {
    ...{ comptroller, vaiController, gate: given(addressOf(gateAnswer)), pools: Number(uintOf(poolsAnswer) ?? 0n) },
    markets: listed.map((address) => ({ address })),
  };
  const rules = rulesOf(governed, yield ruleCalls(governed));
  if (rules === undefined) throw new MirrorError(`comptroller ${comptroller} has no close factor`);
  const markets = yield* together(listed.map((address) => readMarket(address, oracle, wrappedNative, block)));
  const vai = vaiController === undefined ? undefined : yield* readVai(vaiController, block);
  const byAddress = new Map(markets.map((market) => [market.address, market]));
  const accounts = yield* readAccounts(comptroller, byAddress, vai?.address, known);
  return {
    ...{ comptroller, oracle, rules, vai, accounts, markets: byAddress, head: block },
    slots: new Map(accounts.map(({ address }, slot) => [address, slot])),
    forcedFor: new Set(known.forcedFor.get(comptroller)),
    shielded: new Set(governed.gate === undefined ? [] : known.shielded.get(governed.gate)),
  };
}

function given(address: Address | undefined): Address | undefined {
  return address === NO_ADDRESS ? undefined : address;
}

function* readMarket(address: Address, oracle: Address, wrappedNative: Address, block: Head): Reading<Market> {
  // NOTE: a batch by itself. Compound's native market takes a call that it does not know for a deposit, which accrues its interest for the rest of the batch.
  const [underlyingAnswer, share, delay, byBlock, bySecond, initial] = yield [
    ...[calls.underlying(address), calls.seizeShare(address), calls.reserveDelay(address)],
    ...[calls.accrualBlock(address), calls.accrualTimestamp(address), calls.initialRate(address)],
  ];
  const clock: Clock = uintOf(byBlock) === undefined && uintOf(bySecond) !== undefined ? 'second' : 'block';
  // Of the native token's market there is none, or it is nobody.
  const own = given(addressOf(underlyingAnswer));
  const underlying = own ?? wrappedNative;
  const answers = yield [calls.symbol(underlying), calls.decimals(underlying), ...wordCalls(address, clock)];
  const words = wordsOf(answers.slice(2));
  if (words === undefined) throw new MirrorError(`market ${address} does not answer`);
  const token = tokenOf(underlying, answers);
  const native = own === undefined;
  const market: Market = {
    ...{ ...words, ...token, address, underlying, native, clock },
    ...{ initialRateWad: uintOf(initial) ?? 0n, seizeShareWad: uintOf(share) ?? 0n, paysReservesOut: uintOf(delay) !== undefined },
    ...{ cash: undefined, rateWad: undefined, answer: undefined },
    decoded: yield* decodePrice(oracle, { ...token, underlying, native }, block),
  };
  const ask = askEachBlock(market, oracle);
  // Anchoring is never taken back: a journal that records nothing.
  ask.take(yield ask.calls, new Journal());
  return market;
}

const MAX_DECIMALS = 36n;

function tokenOf(address: Address, [symbol, decimals]: readonly ViewAnswer[]): Pick<Market, 'symbol' | 'decimals'> {
  const places = uintOf(decimals);
  if (places === undefined || places > MAX_DECIMALS) throw new MirrorError(`token ${address} does not tell its decimals`);
  return { symbol: textOf(symbol) || address.slice(0, 10), decimals: Number(places) };
}

/** NOTE: when interest was last accrued stands in no view; accruing it, in a batch by itself and without effect, tells by how much. */
function* readVai(address: Address, { number }: Head): Reading<VaiIndex | undefined> {
  const answers = yield [calls.vaiIndex(address), calls.vaiRate(address), calls.accrueVai(address), calls.vaiIndex(address)];
  const [index, rateWad, , accrued] = answers.map((answer) => uintOf(answer));
  if (index === undefined || rateWad === undefined || accrued === undefined) return undefined;
  const elapsed = rateWad === 0n ? 0n : (accrued - index) / rateWad;
  return { address, index, rateWad, accruedAt: BigInt(number) - elapsed };
}

/** Those who still owe something by the last word of the logs; what they hold is asked for. */
function* readAccounts(
  comptroller: Address,
  markets: ReadonlyMap<Address, Market>,
  vaiController: Address | undefined,
  { debts }: Known,
): Reading<Account[]> {
  const told = new Map<Address, Map<Address, Holding>>();
  for (const market of markets.values())
    for (const [account, debt] of debts.get(market.address) ?? []) {
      if (debt.principal === 0n) continue;
      const theirs = told.get(account) ?? new Map<Address, Holding>();
      told.set(account, theirs.set(market.address, { market, tokens: 0n, ...debt }));
    }
  const debtors = [...told.keys()];
  const pools = yield debtors.map((account) => calls.poolOf(comptroller, account));
  const entered = (yield debtors.map((account) => calls.assetsIn(comptroller, account))).map((answer) => addressesOf(answer, MOST_MARKETS));
  const vai = vaiController === undefined ? [] : yield debtors.flatMap((account) => vaiCalls(comptroller, vaiController, account));
  const wanted = debtors.flatMap((account, place) =>
    (entered[place] ?? []).flatMap((address) => {
      const market = markets.get(address);
      return market === undefined ? [] : [{ account, market }];
    }),
  );
  const snapshots = yield wanted.map(({ account, market }) => calls.snapshot(market.address, account));
  const holdings = new Map<Address, Map<Address, Holding>>(debtors.map((account) => [account, new Map()]));
  const failed = new Set<Address>();
  for (const [place, { account, market }] of wanted.entries()) {
    const snapshot = readSnapshot(snapshots[place]);
    if (snapshot === undefined) failed.add(account);
    else {
      const debt = debtOf(market, snapshot.owedRaw, { holdings: told.get(account)! });
      holdings.get(account)!.set(market.address, { market, tokens: snapshot.tokens, ...debt });
    }
  }
  return debtors.map((address, place) => ({
    address,
    holdings: holdings.get(address)!,
    pool: Number(uintOf(pools[place]) ?? 0n),
    vai: vaiController === undefined ? undefined : vaiDebtOf(vai.slice(3 * place, 3 * place + 3)),
    known: entered[place] !== undefined && !failed.has(address),
  }));
}
