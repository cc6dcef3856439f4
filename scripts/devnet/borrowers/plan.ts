/** Who borrows on the devnet: a seeded, repeating cross-section of a real market. Pure. */
import { assetOf, EMODES } from '../assets.ts';
import { Prng } from '../prng.ts';

/** Why a borrower is there; what is to be expected of a liquidation follows from it. */
export type Kind =
  | 'near' // one volatile collateral, one dollar debt, close to the threshold
  | 'two-sided' // two collaterals, two debts
  | 'whale' // over a million
  | 'mid' // around the sizes where close factor and dust rules change
  | 'dust' // under $50: no liquidation pays for its gas
  | 'emode-eth'
  | 'emode-usd'
  | 'emode-eth-usd'
  | 'isolated'
  | 'thin' // a frozen collateral that hardly trades: cannot be sold for what it repays
  | 'frozen-debt'
  | 'short' // dollars against ETH or BTC: at risk when prices rise
  | 'safe';

export type BorrowerPlan = {
  kind: Kind;
  /** 0: none. */
  eMode: number;
  collateral: { symbol: string; usd: number }[];
  /** `fixedRate`: only where the market has such debts. */
  debt: { symbol: string; usd: number; fixedRate?: boolean }[];
  /** What `collateral` and `debt` come to at the opening. */
  healthFactor: number;
};

/** Forty borrowers; the next forty are alike. */
const CROSS_SECTION: readonly Kind[] = [
  ...many('near', 12),
  ...many('two-sided', 4),
  ...many('whale', 1),
  ...many('mid', 3),
  ...many('dust', 3),
  ...many('emode-eth', 2),
  ...many('emode-usd', 1),
  ...many('emode-eth-usd', 3),
  ...many('isolated', 2),
  ...many('thin', 1),
  ...many('frozen-debt', 1),
  ...many('short', 2),
  ...many('safe', 5),
];
const VOLATILE = ['WETH', 'WETH', 'WETH', 'WBTC', 'WBTC', 'wstETH', 'LINK'] as const;
const DOLLARS = ['USDC', 'USDC', 'DAI'] as const;
/** Falls of 0.1% to 11% bring them below 1, one after the other. */
const NEAR = [1.001, 1.12] as const;

type Draft = { eMode?: number; collateral: [string, number][]; debt: [string, number][]; healthFactor: number };

/** The same count and seed give the same borrowers; a larger count begins with the smaller one's. */
export function planBorrowers(count: number, seed: number): BorrowerPlan[] {
  const random = new Prng(seed);
  const plans: BorrowerPlan[] = [];
  let upcoming: Kind[] = [];
  while (plans.length < count) {
    if (upcoming.length === 0) upcoming = shuffled(CROSS_SECTION, random);
    const kind = upcoming.pop()!;
    plans.push(sized(kind, DRAFTS[kind](random)));
  }
  return plans;
}

const DRAFTS: Record<Kind, (random: Prng) => Draft> = {
  near: (r) => single(r.pick(VOLATILE), r.logBetween(600, 400_000), r.pick(DOLLARS), r.between(...NEAR)),
  'two-sided': (r) => ({
    collateral: [
      [r.pick(['WETH', 'wstETH']), r.logBetween(3_000, 200_000)],
      [r.pick(['WBTC', 'LINK']), r.logBetween(3_000, 100_000)],
    ],
    debt: [
      ['USDC', r.between(0.3, 0.7)],
      [r.pick(['DAI', 'WETH']), 0.3],
    ],
    healthFactor: r.between(...NEAR),
  }),
  whale: (r) => single(r.pick(['WETH', 'WBTC']), r.between(1e6, 3e6), 'USDC', r.between(1.01, 1.08)),
  mid: (r) => single(r.pick(['WETH', 'WBTC', 'wstETH']), r.between(1_200, 4_500), r.pick(DOLLARS), r.between(...NEAR)),
  dust: (r) => single(r.pick(['WETH', 'WBTC', 'LINK']), r.logBetween(3, 50), r.pick(DOLLARS), r.between(...NEAR)),
  'emode-eth': (r) => ({ ...single('wstETH', r.logBetween(2_000, 500_000), 'WETH', r.between(1.002, 1.03)), eMode: 1 }),
  'emode-usd': (r) => ({ ...single('USDC', r.logBetween(2_000, 200_000), 'DAI', r.between(1.005, 1.05)), eMode: 2 }),
  'emode-eth-usd': (r) => ({ ...single(r.pick(['WETH', 'wstETH']), r.logBetween(2_000, 300_000), 'USDC', r.between(...NEAR)), eMode: 3 }),
  isolated: (r) => single('SNX', r.logBetween(300, 40_000), r.pick(DOLLARS), r.between(...NEAR)),
  thin: (r) => single('BAL', r.logBetween(30_000, 120_000), 'USDC', r.between(...NEAR)),
  'frozen-debt': (r) => single('WETH', r.logBetween(300, 1_500), 'BAL', r.between(1.02, 1.2)),
  short: (r) => single('USDC', r.logBetween(2_000, 200_000), r.pick(['WETH', 'WBTC']), r.between(1.02, 1.2)),
  safe: (r) => single(r.pick(VOLATILE), r.logBetween(100, 300_000), r.pick(DOLLARS), r.between(1.4, 4)),
};

function single(collateral: string, usd: number, debt: string, healthFactor: number): Draft {
  return { collateral: [[collateral, usd]], debt: [[debt, 1]], healthFactor };
}

/** Debt in USD = sum(collateral * threshold) / healthFactor, parted by weight. */
function sized(kind: Kind, { eMode = 0, collateral, debt, healthFactor }: Draft): BorrowerPlan {
  const mode = EMODES.find(({ id }) => id === eMode);
  const threshold = (symbol: string) =>
    (mode?.collateral.includes(symbol) ? mode.liquidationThreshold : assetOf(symbol).collateral.liquidationThreshold) / 1e4;
  const capacityUsd = collateral.reduce((sum, [symbol, usd]) => sum + usd * threshold(symbol), 0);
  const weights = debt.reduce((sum, [, weight]) => sum + weight, 0);
  return {
    kind,
    eMode,
    collateral: collateral.map(([symbol, usd]) => ({ symbol, usd })),
    debt: debt.map(([symbol, weight]) => ({ symbol, usd: (capacityUsd / healthFactor) * (weight / weights) })),
    healthFactor,
  };
}

function many(kind: Kind, times: number): Kind[] {
  return Array.from({ length: times }, () => kind);
}

function shuffled<T>(items: readonly T[], random: Prng): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random.next() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
