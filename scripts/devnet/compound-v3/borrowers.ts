/** Who borrows from Compound III on the devnet: seeded, each with a key of its own, and up to three assets as collateral. */
import { type Abi, type Address, encodeFunctionData, type Hex } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { amountOf, assetOf } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import { accountOf, devAccount, devKey } from '../keys.ts';
import { Prng } from '../prng.ts';
import { erc20Abi, provideTokens } from '../tokens.ts';
import type { Comet, CometAsset } from './deploy.ts';

export type CometBorrower = {
  address: Address;
  privateKey: Hex;
  collateral: { asset: CometAsset; usd: number }[];
  /** Of what may be borrowed at most. NOTE: at the starting prices. */
  share: number;
};

const MAX_UINT256 = 2n ** 256n - 1n;
/** Gas, and ETH enough to wrap for the largest position. */
const FUNDS_WEI = 5_000n * 10n ** 18n;
const LENDER_FUNDS_WEI = 10n ** 25n;
const AT_ONCE = 250;
/** Lent for every dollar that is borrowed: use lies above the kink. */
const LENT_PER_BORROWED = 1.2;
/** Measured on the devnet with room to spare. */
const GAS = { approve: 60_000n, supply: 400_000n, withdraw: 700_000n };
const BPS = 10_000;

/** The same count and seed give the same borrowers. One in five stays far from liquidation, one in seven is too small to pay for its gas. */
export async function openCometBorrowers(
  chain: SetupChain,
  comet: Comet,
  tokens: Record<string, Address>,
  count: number,
  seed: number,
): Promise<CometBorrower[]> {
  const random = new Prng(seed ^ 0x636f);
  const borrowers = Array.from({ length: count }, (_, index): CometBorrower => {
    const privateKey = devKey('borrower', 200_000 + index, seed);
    const usd = index % 7 === 3 ? random.logBetween(60, 120) : random.logBetween(600, 200_000);
    const kinds = 1 + (index % 3 === 2 ? 1 : 0) + (index % 9 === 8 ? 1 : 0);
    const first = Math.floor(random.next() * comet.assets.length);
    return {
      ...{ privateKey, address: accountOf(privateKey).address },
      collateral: Array.from({ length: Math.min(kinds, comet.assets.length) }, (__, i) => ({
        asset: comet.assets[(first + i) % comet.assets.length]!,
        usd: usd / kinds,
      })),
      share: index % 5 === 4 ? random.between(0.3, 0.7) : random.between(0.95, 0.999),
    };
  });
  await lendTo(chain, comet, tokens, borrowers);
  for (let from = 0; from < count; from += AT_ONCE) {
    const group = borrowers.slice(from, from + AT_ONCE).map((one) => ({ ...one, account: accountOf(one.privateKey) }));
    await chain.fund(
      group.map(({ account }) => account.address),
      FUNDS_WEI,
    );
    for (const { account, collateral } of group)
      for (const { asset, usd } of collateral) provideTokens(chain, tokens, account, asset.symbol, amountOf(assetOf(asset.symbol), usd));
    await chain.mine();
    for (const borrower of group) {
      for (const { asset, usd } of borrower.collateral) {
        approve(chain, comet, borrower.account, asset.token);
        act(chain, comet, borrower.account, 'supply', [asset.token, amountOf(assetOf(asset.symbol), usd)], GAS.supply);
      }
      const amount = amountOf(assetOf(comet.spec.base), debtUsd(borrower));
      act(chain, comet, borrower.account, 'withdraw', [comet.base, amount], GAS.withdraw);
    }
    await chain.mine();
  }
  return borrowers;
}

function debtUsd({ collateral, share }: Pick<CometBorrower, 'collateral' | 'share'>): number {
  return collateral.reduce((sum, { asset, usd }) => sum + (usd * asset.borrow) / BPS, 0) * share;
}

async function lendTo(
  chain: SetupChain,
  comet: Comet,
  tokens: Record<string, Address>,
  borrowers: readonly CometBorrower[],
): Promise<void> {
  const lender = devAccount('supplier', 2);
  await chain.fund([lender.address], LENDER_FUNDS_WEI);
  const usd = borrowers.reduce((sum, borrower) => sum + debtUsd(borrower), 1_000) * LENT_PER_BORROWED;
  const amount = amountOf(assetOf(comet.spec.base), usd);
  provideTokens(chain, tokens, lender, comet.spec.base, amount);
  await chain.mine();
  approve(chain, comet, lender, comet.base);
  act(chain, comet, lender, 'supply', [comet.base, amount], GAS.supply);
  await chain.mine();
}

function approve(chain: SetupChain, { comet }: Comet, from: PrivateKeyAccount, token: Address): void {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [comet, MAX_UINT256] });
  chain.send(from, { to: token, data, gas: GAS.approve, label: 'approve Comet' });
}

function act(
  chain: SetupChain,
  { comet, artifacts }: Comet,
  from: PrivateKeyAccount,
  functionName: string,
  args: readonly unknown[],
  gas: bigint,
): void {
  const data = encodeFunctionData({ abi: artifacts.comet.abi as Abi, functionName, args: [...args] });
  chain.send(from, { to: comet, data, gas, label: `Comet ${functionName}` });
}
