/** Who borrows from Venus on the devnet: seeded, each with a key of its own, with one to three collaterals and one or two debts. */
import type { Address, Hex } from 'viem';
import type { SetupChain } from '../chain.ts';
import { accountOf, devAccount, devKey } from '../keys.ts';
import { Prng } from '../prng.ts';
import { provideTokens } from '../tokens.ts';
import { amountIn, type Venus, type VenusMarket } from './deploy.ts';
import { borrow, enter, supply } from './positions.ts';

type Amount = { readonly market: VenusMarket; readonly usd: number };
export type VenusBorrower = {
  readonly address: Address;
  readonly privateKey: Hex;
  readonly collateral: readonly Amount[];
  readonly debt: readonly Amount[];
};

const LENDER_FUNDS_WEI = 10n ** 25n;
const AT_ONCE = 100;
const LENT_PER_BORROWED = 1.4;
/** Falls of 0.1% to 11% bring them below 1, one after the other; one in five stays far from it, one in seven is too small to pay for its gas. */
const NEAR = [1.002, 1.12] as const;
const SAFE = [1.4, 4] as const;
const BPS = 10_000;
const DOLLARS = new Set(['USDC', 'DAI']);
/** Gas, beside the largest deposit of native tokens. */
const FUNDS_WEI = 5_000n * 10n ** 18n;

/** The same count and seed give the same borrowers. NOTE: their health holds at the starting prices. */
export async function openVenusBorrowers(
  chain: SetupChain,
  venus: Venus,
  tokens: Record<string, Address>,
  count: number,
  seed: number,
): Promise<VenusBorrower[]> {
  const random = new Prng(seed ^ 0x7665);
  const borrowers = Array.from({ length: count }, (_, index) => plan(venus, random, index, seed));
  await lendTo(chain, venus, tokens, borrowers);
  for (let from = 0; from < count; from += AT_ONCE) {
    const group = borrowers.slice(from, from + AT_ONCE).map((borrower) => ({ borrower, account: accountOf(borrower.privateKey) }));
    await chain.fund(
      group.map(({ account }) => account.address),
      FUNDS_WEI,
    );
    for (const { borrower, account } of group)
      for (const { market, usd } of borrower.collateral)
        if (!market.native) provideTokens(chain, tokens, account, market.symbol, amountIn(market, usd));
    await chain.mine();
    for (const { borrower, account } of group) {
      for (const { market, usd } of borrower.collateral)
        supply(chain, venus, account, market, tokens[market.symbol]!, amountIn(market, usd));
      enter(
        chain,
        venus,
        account,
        borrower.collateral.map(({ market }) => market),
      );
      for (const { market, usd } of borrower.debt) borrow(chain, venus, account, market, amountIn(market, usd));
    }
    await chain.mine();
  }
  return borrowers;
}

/** Dollars are owed for what falls; every third owes something else besides. */
function plan(venus: Venus, random: Prng, index: number, seed: number): VenusBorrower {
  const privateKey = devKey('borrower', 200_000 + index, seed);
  const volatile = venus.markets.filter(({ symbol }) => !DOLLARS.has(symbol));
  const stable = venus.markets.filter(({ symbol }) => DOLLARS.has(symbol));
  const totalUsd = index % 7 === 3 ? random.logBetween(20, 90) : random.logBetween(600, 200_000);
  const chosen = [volatile[Math.floor(index / 3) % volatile.length]!, random.pick(volatile), random.pick(stable)].slice(0, 1 + (index % 3));
  const collateral = [...new Set(chosen)].map((market, place) => ({ market, usd: totalUsd / (place + 1) ** 2 }));
  const health = index % 5 === 4 ? random.between(...SAFE) : random.between(...NEAR);
  const owed = collateral.reduce((sum, { market, usd }) => sum + (usd * Number(market.thresholdBps)) / BPS, 0) / health;
  const debts = [...new Set([stable[index % stable.length]!, ...(index % 3 === 1 ? [random.pick(volatile)] : [])])];
  const parts = debts.length === 1 ? [1] : [0.8, 0.2];
  return {
    ...{ privateKey, address: accountOf(privateKey).address, collateral },
    debt: debts.map((market, place) => ({ market, usd: owed * parts[place]! })),
  };
}

async function lendTo(
  chain: SetupChain,
  venus: Venus,
  tokens: Record<string, Address>,
  borrowers: readonly VenusBorrower[],
): Promise<void> {
  const lender = devAccount('supplier', 2);
  await chain.fund([lender.address], LENDER_FUNDS_WEI);
  const debts = borrowers.flatMap(({ debt }) => debt);
  const wanted = venus.markets.map((market) => {
    const usd = debts.reduce((sum, debt) => (debt.market === market ? sum + debt.usd : sum), 1_000_000);
    return { market, amount: amountIn(market, usd * LENT_PER_BORROWED) };
  });
  for (const { market, amount } of wanted) if (!market.native) provideTokens(chain, tokens, lender, market.symbol, amount);
  await chain.mine();
  for (const { market, amount } of wanted) supply(chain, venus, lender, market, tokens[market.symbol]!, amount);
  await chain.mine();
}
