/** A Perp v2 deployment beside Aave, on the same feeds, with a maker and traders who lean: most of them against a fall. */
import { type Address, encodeFunctionData } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { START_PRICES_USD8 } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import { devAccount } from '../keys.ts';
import type { Feed } from '../oracle/report.ts';
import { Prng } from '../prng.ts';
import { erc20Abi, provideTokens } from '../tokens.ts';
import { deployPerp, type Perp, type PerpMarketAt } from './deploy.ts';

export type PerpMarkets = { perp: Perp; traders: Address[] };

const FEED = 'ETH / USD';
const DEPTH_USD = 8_000_000;
const USDC = 10n ** 6n;
const WAD = 10n ** 18n;
const MAX_UINT256 = 2n ** 256n - 1n;
const NO_CODE = `0x${'0'.repeat(64)}`;
const FUNDS_WEI = 10n ** 20n;
const MAKER_USD = 50_000_000n;
const FUND_USD = 200_000n;
/** Who moves the market to the index, and with what. */
export const PERP_ARBITRAGEUR = 300_000;
const ARBITRAGEUR_USD = 50_000_000n;
const MAKER_RANGE = 0.3;
const SPACING = 200;
const GAS = 4_000_000n;

/** Everything is mined on return. The same positions and seed give the same traders. */
export async function openPerp(
  chain: SetupChain,
  tokens: Record<string, Address>,
  feeds: Record<string, Feed>,
  { positions, seed }: { positions: number; seed: number },
): Promise<PerpMarkets> {
  const usd = Number(START_PRICES_USD8[FEED]!) / 1e8;
  const perp = await deployPerp(chain, {
    ...{ settlement: tokens['USDC']!, feeds, markets: [{ symbol: 'ETH', feed: FEED, usd, depthUsd: DEPTH_USD }] },
  });
  const [market] = perp.markets;
  const maker = devAccount('supplier', PERP_ARBITRAGEUR, seed);
  const arbitrageur = devAccount('arbitrageur', PERP_ARBITRAGEUR);
  const traders = Array.from({ length: positions }, (_, index) => devAccount('borrower', PERP_ARBITRAGEUR + index, seed));
  await chain.fund(
    [maker, arbitrageur, ...traders].map(({ address }) => address),
    FUNDS_WEI,
  );
  await deposit(chain, perp, tokens, maker, MAKER_USD * USDC);
  await deposit(chain, perp, tokens, arbitrageur, ARBITRAGEUR_USD * USDC);
  await deposit(chain, perp, tokens, chain.deployer, FUND_USD * USDC, perp.insuranceFund);
  call(chain, perp, maker, 'addLiquidity', [order(market!)]);
  await chain.mine();
  const random = new Prng(seed ^ 0x7065);
  for (const trader of traders) {
    const marginUsd = random.logBetween(300, 4_000);
    const long = random.next() < 0.85;
    await deposit(chain, perp, tokens, trader, BigInt(Math.floor(marginUsd * 1e6)));
    const amount = (BigInt(Math.floor(marginUsd * random.between(6, 9.3) * 1e6)) * WAD) / USDC;
    call(chain, perp, trader, 'openPosition', [
      {
        ...{ baseToken: market!.base, isBaseToQuote: !long, isExactInput: long, amount, oppositeAmountBound: 0n },
        ...{ deadline: MAX_UINT256, sqrtPriceLimitX96: 0n, referralCode: NO_CODE },
      },
    ]);
    await chain.mine();
  }
  return { perp, traders: traders.map(({ address }) => address) };
}

async function deposit(
  chain: SetupChain,
  { vault, settlement, artifacts }: Perp,
  tokens: Record<string, Address>,
  from: PrivateKeyAccount,
  amount: bigint,
  to: Address = from.address,
): Promise<void> {
  provideTokens(chain, tokens, from, 'USDC', amount);
  // The deployer's and the owner's transactions are in one block, in any order.
  await chain.mine();
  const approve = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [vault, MAX_UINT256] });
  chain.send(from, { to: settlement, data: approve, gas: 60_000n, label: 'approve the vault' });
  const data = encodeFunctionData({ abi: artifacts.Vault.abi, functionName: 'depositFor', args: [to, settlement, amount] });
  chain.send(from, { to: vault, data, gas: 800_000n, label: 'depositFor' });
}

function call(
  chain: SetupChain,
  { clearingHouse, artifacts }: Perp,
  from: PrivateKeyAccount,
  functionName: string,
  args: readonly unknown[],
) {
  const data = encodeFunctionData({ abi: artifacts.ClearingHouse.abi, functionName, args: [...args] });
  chain.send(from, { to: clearingHouse, data, gas: GAS, label: functionName });
}

/** Around the market's first price. */
function order({ base, usd, depthUsd }: PerpMarketAt) {
  const tick = Math.log(usd) / Math.log(1.0001);
  const span = Math.log(1 + MAKER_RANGE) / Math.log(1.0001);
  const wad = (value: number) => (BigInt(Math.round(value * 1e6)) * WAD) / 10n ** 6n;
  return {
    ...{ baseToken: base, base: wad(depthUsd / 2 / usd), quote: wad(depthUsd / 2), minBase: 0n, minQuote: 0n },
    lowerTick: Math.floor((tick - span) / SPACING) * SPACING,
    upperTick: Math.ceil((tick + span) / SPACING) * SPACING,
    ...{ useTakerBalance: false, deadline: MAX_UINT256 },
  };
}
