/** Who borrows from Morpho Blue on the devnet: seeded, each with a key of its own. */
import type { Address, Hex } from 'viem';
import { amountOf, assetOf } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import { accountOf, devAccount, devKey } from '../keys.ts';
import { Prng } from '../prng.ts';
import { provideTokens } from '../tokens.ts';
import type { Morpho, MorphoMarket } from './deploy.ts';
import { approve, borrow, lend, supplyCollateral } from './positions.ts';

export type MorphoBorrower = { address: Address; privateKey: Hex; market: MorphoMarket; collateralUsd: number; healthFactor: number };

/** Gas, and ETH enough to wrap for the largest position. */
const FUNDS_WEI = 5_000n * 10n ** 18n;
const LENDER_FUNDS_WEI = 10n ** 25n;
const AT_ONCE = 250;
/** Lent for every dollar that is borrowed: the rate is near its target, and some stays to be flash-borrowed. */
const LENT_PER_BORROWED = 1.2;
/** Falls of 0.1% to 11% bring them below 1, one after the other; one in five stays far from it, one in seven is too small to pay for its gas. */
const NEAR = [1.001, 1.12] as const;
const SAFE = [1.4, 4] as const;
const BPS = 10_000;

/** The same count and seed give the same borrowers; markets take turns. NOTE: the health factors hold at the starting prices. */
export async function openMorphoBorrowers(
  chain: SetupChain,
  morpho: Morpho,
  tokens: Record<string, Address>,
  count: number,
  seed: number,
): Promise<MorphoBorrower[]> {
  const random = new Prng(seed ^ 0x6d6f);
  const borrowers = Array.from({ length: count }, (_, index): MorphoBorrower => {
    const privateKey = devKey('borrower', 100_000 + index, seed);
    return {
      ...{ privateKey, address: accountOf(privateKey).address, market: morpho.markets[index % morpho.markets.length]! },
      collateralUsd: index % 7 === 3 ? random.logBetween(3, 50) : random.logBetween(600, 300_000),
      healthFactor: index % 5 === 4 ? random.between(...SAFE) : random.between(...NEAR),
    };
  });
  await lendTo(chain, morpho, tokens, borrowers);
  for (let from = 0; from < count; from += AT_ONCE) {
    const group = borrowers.slice(from, from + AT_ONCE).map((borrower) => ({ borrower, account: accountOf(borrower.privateKey) }));
    await chain.fund(
      group.map(({ account }) => account.address),
      FUNDS_WEI,
    );
    for (const { borrower, account } of group)
      provideTokens(
        chain,
        tokens,
        account,
        borrower.market.collateral,
        amountOf(assetOf(borrower.market.collateral), borrower.collateralUsd),
      );
    await chain.mine();
    for (const { borrower, account } of group) {
      const { market, collateralUsd } = borrower;
      approve(chain, morpho, account, market.params.collateralToken, 'borrower');
      supplyCollateral(chain, morpho, account, market, amountOf(assetOf(market.collateral), collateralUsd));
      borrow(chain, morpho, account, market, amountOf(assetOf(market.loan), debtUsd(borrower)));
    }
    await chain.mine();
  }
  return borrowers;
}

function debtUsd({ market, collateralUsd, healthFactor }: MorphoBorrower): number {
  return (collateralUsd * Number(market.params.lltv / 10n ** 14n)) / BPS / healthFactor;
}

async function lendTo(
  chain: SetupChain,
  morpho: Morpho,
  tokens: Record<string, Address>,
  borrowers: readonly MorphoBorrower[],
): Promise<void> {
  const lender = devAccount('supplier', 1);
  await chain.fund([lender.address], LENDER_FUNDS_WEI);
  const wanted = morpho.markets.map((market) => {
    const usd = borrowers.reduce((sum, borrower) => (borrower.market === market ? sum + debtUsd(borrower) : sum), 1_000);
    return { market, amount: amountOf(assetOf(market.loan), usd * LENT_PER_BORROWED) };
  });
  for (const { market, amount } of wanted) provideTokens(chain, tokens, lender, market.loan, amount);
  await chain.mine();
  for (const { market, amount } of wanted) {
    approve(chain, morpho, lender, market.params.loanToken, 'lender');
    lend(chain, morpho, lender, market, amount);
  }
  await chain.mine();
}
