/** Reads accounts whole: what they hold in the vault, in each market, and their orders. */
import type { Address, ViewAnswer } from '../../lib/types.ts';
import { addressesOf, intOf, uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { calls } from './reads.ts';
import { type Account, accountOf, type Contracts, type Order, type PerpMarket, type Place, placeOf } from './state.ts';

/** Of markets or collateral tokens; the contracts count each of them in one byte. */
const MOST_TOKENS = 255;

/** Those of these accounts that have or owe anything, and the first of all in any case. Throws a MirrorError where one cannot be read. */
export function* readAccounts(
  contracts: Contracts,
  markets: ReadonlyMap<Address, PerpMarket>,
  addresses: readonly Address[],
): Reading<Account[]> {
  const { vault, accountBalance } = contracts;
  const answers = yield addresses.flatMap((address) => [
    calls.balance(vault, address),
    calls.pnl(accountBalance, address),
    calls.baseTokens(accountBalance, address),
    calls.collateralTokens(vault, address),
  ]);
  const accounts: Account[] = [];
  const places: { place: Place; account: Address }[] = [];
  const collateral: { account: Account; token: Address }[] = [];
  for (const [at, address] of addresses.entries()) {
    const [balance, pnl, bases, tokens] = answers.slice(4 * at, 4 * at + 4);
    const account: Account = accountOf(address);
    account.balanceRaw = known(intOf(balance), address);
    account.owedPnlWad = known(intOf(pnl), address);
    for (const base of known(addressesOf(bases, MOST_TOKENS), address)) {
      const market = markets.get(base);
      if (market === undefined) throw new MirrorError(`${address} is in market ${base}, which was never added`);
      const place = placeOf(market);
      account.places.set(base, place);
      places.push({ place, account: address });
    }
    for (const token of known(addressesOf(tokens, MOST_TOKENS), address)) collateral.push({ account, token });
    accounts.push(account);
  }
  const balances = yield collateral.map(({ account, token }) => calls.balanceByToken(vault, account.address, token));
  for (const [at, { account, token }] of collateral.entries()) account.collateral.set(token, known(intOf(balances[at]), account.address));
  yield* readPlaces(contracts, places);
  return accounts;
}

function* readPlaces({ accountBalance, orderBook }: Contracts, places: readonly { place: Place; account: Address }[]): Reading {
  const answers = yield places.flatMap(({ place, account }) => [
    calls.accountInfo(accountBalance, account, place.market.base),
    calls.openOrderIds(orderBook, account, place.market.base),
  ]);
  const orders: { place: Place; id: bigint }[] = [];
  for (const [at, { place, account }] of places.entries()) {
    const [info, ids] = answers.slice(2 * at, 2 * at + 2);
    place.sizeWad = known(intOf(info, 0), account);
    place.openNotionalWad = known(intOf(info, 1), account);
    place.lastGrowthX96 = known(intOf(info, 2), account);
    for (const id of idsOf(ids)) orders.push({ place, id });
  }
  const read = yield orders.map(({ id }) => calls.openOrder(orderBook, id));
  for (const [at, { place, id }] of orders.entries()) {
    const order = orderOf(read[at]);
    if (order === undefined) throw new MirrorError(`order ${id} does not answer`);
    place.orders = new Map([...place.orders, [orderKey(order.lower, order.upper), order]]);
  }
}

function idsOf(answer: ViewAnswer | undefined): readonly bigint[] {
  const count = uintOf(answer, 1);
  if (count === undefined || count > BigInt(MOST_TOKENS)) throw new MirrorError('a list of orders does not answer');
  return Array.from({ length: Number(count) }, (_, place) => uintOf(answer, 2 + place) ?? 0n);
}

/** OpenOrder.Info. */
function orderOf(answer: ViewAnswer | undefined): Order | undefined {
  const [liquidity, lower, upper, baseDebtWad] = [uintOf(answer), intOf(answer, 1), intOf(answer, 2), uintOf(answer, 7)];
  if (liquidity === undefined || lower === undefined || upper === undefined || baseDebtWad === undefined) return undefined;
  return { lower: Number(lower), upper: Number(upper), liquidity, baseDebtWad };
}

export function orderKey(lower: number, upper: number): string {
  return `${lower}:${upper}`;
}

function known<T>(value: T | undefined, account: Address): T {
  if (value === undefined) throw new MirrorError(`account ${account} does not answer`);
  return value;
}
