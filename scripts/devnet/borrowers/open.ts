/** Opens the planned positions: each borrower with a key of its own, by its own transactions. */
import type { Address, Hex } from 'viem';
import { borrow, enterEMode, supply, useAsCollateral } from '../aave/positions.ts';
import { amountOf, assetOf } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import { accountOf, devKey, type Role } from '../keys.ts';
import { provideTokens } from '../tokens.ts';
import type { BorrowerPlan } from './plan.ts';

export type Borrower = BorrowerPlan & { address: Address; privateKey: Hex };

/** Gas, and ETH enough to wrap for the largest position. */
const FUNDS_WEI = 5_000n * 10n ** 18n;
/** Borrowers whose transactions are queued together; it bounds the node's pool. */
const AT_ONCE = 250;

/** NOTE: the plans' health factors hold at the starting prices, and while one may borrow up to the liquidation threshold. */
export async function openBorrowers(
  chain: SetupChain,
  pool: Address,
  tokens: Record<string, Address>,
  plans: readonly BorrowerPlan[],
  seed: number,
  role: Role = 'borrower',
): Promise<Borrower[]> {
  const borrowers: Borrower[] = [];
  for (let from = 0; from < plans.length; from += AT_ONCE) {
    const group = plans.slice(from, from + AT_ONCE).map((plan, index) => {
      const privateKey = devKey(role, from + index, seed);
      return { plan, privateKey, account: accountOf(privateKey), label: `${role} ${from + index} (${plan.kind})` };
    });
    await chain.fund(
      group.map(({ account }) => account.address),
      FUNDS_WEI,
    );
    for (const { plan, account } of group) {
      for (const { symbol, usd } of plan.collateral) provideTokens(chain, tokens, account, symbol, amountOf(assetOf(symbol), usd));
    }
    await chain.mine();
    for (const { plan, account, label } of group) {
      for (const { symbol, usd } of plan.collateral) {
        supply(chain, pool, account, tokens[symbol]!, amountOf(assetOf(symbol), usd), label);
        if (assetOf(symbol).debtCeilingUsd > 0n) useAsCollateral(chain, pool, account, tokens[symbol]!, label);
      }
      if (plan.eMode > 0) enterEMode(chain, pool, account, plan.eMode, label);
      for (const { symbol, usd, fixedRate } of plan.debt) {
        borrow(chain, pool, account, tokens[symbol]!, amountOf(assetOf(symbol), usd), fixedRate ? 'fixed' : 'variable', label);
      }
    }
    await chain.mine();
    borrowers.push(...group.map(({ plan, privateKey, account }) => ({ ...plan, address: account.address, privateKey })));
  }
  return borrowers;
}
