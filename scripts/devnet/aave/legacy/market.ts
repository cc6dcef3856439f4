/** The second market beside the first one: Aave v3.0 over the same tokens and feeds, with lenders and borrowers of its own. */
import type { Address } from 'viem';
import { type Borrower, openBorrowers } from '../../borrowers/open.ts';
import { type BorrowerPlan, planBorrowers } from '../../borrowers/plan.ts';
import type { SetupChain } from '../../chain.ts';
import { lend } from '../lend.ts';
import { deployLegacyAave, type LegacyAave } from './deploy.ts';
import { FIXED_RATE_ASSETS, listLegacyReserves, settleLegacyListing } from './listing.ts';

export type LegacyMarket = { aave: LegacyAave; borrowers: Borrower[] };

/** Against what lenders supply to the first market. */
const LENT_SHARE = 0.3;
/** Every how many borrowers one owes dollars at a fixed rate, and every how many only half of them. */
const FIXED_EVERY = 3;
const SPLIT_EVERY = 6;

export async function deployLegacyMarket(
  chain: SetupChain,
  tokens: Record<string, Address>,
  sources: Record<string, Address>,
  treasury: Address,
  { positions, seed }: { positions: number; seed: number },
): Promise<LegacyMarket> {
  const aave = await deployLegacyAave(chain, treasury);
  await listLegacyReserves(chain, aave, tokens, sources);
  const plans = planLegacyBorrowers(positions, seed);
  await lend(chain, aave.pool, tokens, plans, LENT_SHARE);
  const borrowers = await openBorrowers(chain, aave.pool, tokens, plans, seed, 'legacy borrower');
  await settleLegacyListing(chain, aave, tokens, sources);
  return { aave, borrowers };
}

/** The same cross-section; some owe at fixed rates. */
function planLegacyBorrowers(count: number, seed: number): BorrowerPlan[] {
  const plans = planBorrowers(2 * count, seed).filter(({ kind }) => kind !== 'emode-eth-usd');
  return plans.slice(0, count).map((plan, place) => (place % FIXED_EVERY === 0 ? fixedRate(plan, place % SPLIT_EVERY === 0) : plan));
}

/** Isolated and dollar collateral stays variable: one cannot owe at a fixed rate what one holds. */
function fixedRate(plan: BorrowerPlan, split: boolean): BorrowerPlan {
  if (plan.eMode !== 0 || plan.kind === 'short') return plan;
  const debt = plan.debt.flatMap((owed) => {
    if (!FIXED_RATE_ASSETS.includes(owed.symbol)) return [owed];
    if (!split) return [{ ...owed, fixedRate: true }];
    return [
      { ...owed, usd: owed.usd / 2 },
      { ...owed, usd: owed.usd / 2, fixedRate: true },
    ];
  });
  return { ...plan, debt };
}
