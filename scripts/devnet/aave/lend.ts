import type { Address } from 'viem';
import { ASSETS, type Asset, amountOf } from '../assets.ts';
import type { BorrowerPlan } from '../borrowers/plan.ts';
import type { SetupChain } from '../chain.ts';
import { devAccount } from '../keys.ts';
import { provideTokens } from '../tokens.ts';
import { borrow, supply } from './positions.ts';

/** Lent beyond the ordinary for every dollar that the planned borrowers take: they find it, and some stays to be seized and flash-borrowed. */
const LENT_PER_BORROWED = 1.25;
const LENDER_FUNDS_WEI = 10n ** 25n;
/** An account that holds and owes everything pays more than others: in v3.0, most. */
const BORROW_GAS = 1_200_000n;

/**
 * One large lender, who borrows a part of it back: something to lend, and interest that accrues.
 * @param share of what the assets say is ordinarily lent
 */
export async function lend(
  chain: SetupChain,
  pool: Address,
  tokens: Record<string, Address>,
  plans: readonly BorrowerPlan[],
  share: number,
): Promise<void> {
  const debts = plans.flatMap(({ debt }) => debt);
  const lent = (asset: Asset) => {
    const planned = debts.reduce((sum, { symbol, usd }) => (symbol === asset.symbol ? sum + usd : sum), 0);
    return amountOf(asset, asset.lentUsd * share + planned * LENT_PER_BORROWED);
  };
  const lender = devAccount('supplier');
  await chain.fund([lender.address], LENDER_FUNDS_WEI);
  for (const asset of ASSETS) provideTokens(chain, tokens, lender, asset.symbol, lent(asset));
  await chain.mine();
  for (const asset of ASSETS) supply(chain, pool, lender, tokens[asset.symbol]!, lent(asset), asset.symbol);
  for (const asset of ASSETS) {
    const amount = amountOf(asset, asset.lentUsd * share * asset.usedShare);
    if (amount > 0n) borrow(chain, pool, lender, tokens[asset.symbol]!, amount, 'variable', asset.symbol, BORROW_GAS);
  }
  await chain.mine();
}
