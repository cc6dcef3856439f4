/** Reads accounts whole: what they hold and owe, and their positions as they are stored. */
import type { ViewAnswer, ViewCall } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { listOf } from './anchor.ts';
import { calls, positionWords } from './reads.ts';
import { type Account, accountOf, type PerpMarket, type Position, SNX_USD, type SynthetixState } from './state.ts';

/** Those of these accounts that hold or owe anything. Throws a MirrorError where one cannot be read. */
export function* readAccounts(state: SynthetixState, ids: readonly bigint[], flagged: ReadonlySet<bigint>): Reading<Account[]> {
  const { perpsMarket: perps } = state.contracts;
  const kinds = [SNX_USD, ...state.collateral.keys()];
  const answers = yield ids.flatMap((id) => [calls.positionMarkets(perps, id), ...holdingCalls(state, id)]);
  const step = 1 + kinds.length + 1;
  const accounts: Account[] = [];
  const open: { account: Account; market: PerpMarket }[] = [];
  for (const [place, id] of ids.entries()) {
    const [markets, ...holding] = answers.slice(place * step, (place + 1) * step);
    const account = accountOf(id);
    const read = readHolding(state, holding, id);
    for (const [kind, amount] of read.collateral) account.collateral.set(kind, amount);
    account.debt = read.debt;
    account.flagged = flagged.has(id);
    const held = listOf(markets);
    if (held === undefined) throw new MirrorError(`account ${id} does not answer`);
    for (const marketId of held) {
      const market = state.markets.get(marketId);
      if (market === undefined) throw new MirrorError(`account ${id} is in market ${marketId}, which has no price`);
      open.push({ account, market });
    }
    if (held.length > 0 || account.collateral.size > 0 || account.debt > 0n || account.flagged) accounts.push(account);
  }
  const words = yield open.flatMap(({ account, market }) => positionWords(perps, market.id, account.id));
  for (const [place, { account, market }] of open.entries())
    account.positions.set(market.id, positionIn(words.slice(3 * place, 3 * place + 3), market, account.id));
  return accounts;
}

/** Amounts of every kind of collateral, and the debt. */
export function holdingCalls({ contracts, collateral }: SynthetixState, id: bigint): readonly ViewCall[] {
  const { perpsMarket: perps } = contracts;
  return [...[SNX_USD, ...collateral.keys()].map((kind) => calls.collateralAmount(perps, id, kind)), calls.debt(perps, id)];
}

export function readHolding(
  { collateral }: SynthetixState,
  answers: readonly ViewAnswer[],
  id: bigint,
): { readonly collateral: ReadonlyMap<bigint, bigint>; readonly debt: bigint } {
  const kinds = [SNX_USD, ...collateral.keys()];
  const amounts = answers.map((answer) => {
    const amount = uintOf(answer);
    if (amount === undefined) throw new MirrorError(`account ${id} does not answer`);
    return amount;
  });
  const held = kinds.map((kind, place) => [kind, amounts[place]!] as const).filter(([, amount]) => amount > 0n);
  return { collateral: new Map(held), debt: amounts[kinds.length]! };
}

/** Position.Data: market and size share a word, so do price and funding. */
function positionIn(words: readonly ViewAnswer[], market: PerpMarket, id: bigint): Position {
  const [sized, priced, interest] = words.map((word) => uintOf(word));
  if (sized === undefined || priced === undefined || interest === undefined || BigInt.asUintN(128, sized) !== market.id)
    throw new MirrorError(`the position of account ${id} in market ${market.id} is kept otherwise`);
  return {
    ...{ market, size: BigInt.asIntN(128, sized >> 128n), interest },
    ...{ price: BigInt.asUintN(128, priced), funding: BigInt.asIntN(128, priced >> 128n) },
  };
}
