/** One protocol's side of the evidence: what its contracts say of an update, by a lens, and what was liquidated there. */
import { type Address, getAddress } from 'viem';
import type { Devnet } from '../devnet/devnet.ts';
import { judgeComet } from '../devnet/lens/comet.ts';
import { judge } from '../devnet/lens/judge.ts';
import { judgeMorpho } from '../devnet/lens/morpho.ts';
import { judgePerp } from '../devnet/lens/perp.ts';
import { judgeVenus } from '../devnet/lens/venus.ts';
import {
  absorptionsBetween,
  type Liquidation,
  liquidationsBetween,
  morphoLiquidationsBetween,
  venusLiquidationsBetween,
} from './observe.ts';
import { takeoversBetween } from './perp.ts';
import type { Update } from './summary.ts';

const WAD = 10n ** 18n;
/** By then the market's averages have followed. */
const PERP_BLOCKS = 4;
/** Of a crowd the lens tries so many: each takes it some fifty milliseconds. */
const MOST_TRIED = 250;
/** A takeover bids nothing: the keeper's own minimum, and a little for the tip. */
const PERP_MIN_PROFIT_USD = 5.5;

/** `profitUsd`: null where liquidating would not have paid, or where `untried`. */
export type Judged = {
  readonly account: Address;
  readonly liquidatable: boolean;
  readonly profitUsd: number | null;
  readonly untried?: boolean;
};

export type MarketEvidence = {
  readonly protocol: string;
  readonly liquidations: readonly Liquidation[];
  /** Absent: what pays is to be liquidated in the update's block or the next. Otherwise by so many blocks later, unless the keeper said why it was left. */
  readonly within?: number;
  /** By the state that the update's transactions alone leave in its block. */
  judge(update: Update): Promise<readonly Judged[]>;
};

/** Of every protocol on the devnet, over these blocks. */
export async function evidenceOf({ rpcUrl, market, deployments }: Devnet, from: number, to: number, minProfitUsd: number) {
  const common = ({ block, txHashes }: Update) => ({ rpcUrl, blockNumber: block, onlyAfter: txHashes, minProfitUsd, deployments });
  const accounts = market.borrowers.map(({ address }) => address);
  const markets: MarketEvidence[] = [
    {
      protocol: 'aave-v3',
      liquidations: await liquidationsBetween(rpcUrl, market.aave.pool, from, to),
      judge: async (update) =>
        (await judge({ ...common(update), accounts, mostTried: MOST_TRIED })).map(({ account, healthFactorWad, tried, best }) => {
          const liquidatable = healthFactorWad < WAD;
          return { account: getAddress(account), liquidatable, profitUsd: best?.profitUsd ?? null, untried: liquidatable && !tried };
        }),
    },
  ];
  const etherFeed = market.feeds['ETH / USD']!.proxy;
  if (market.morpho !== undefined) {
    const { morpho, borrowers } = market.morpho;
    markets.push({
      protocol: 'morpho-blue',
      liquidations: await morphoLiquidationsBetween(rpcUrl, morpho.morpho, from, to),
      judge: (update) => judgeMorpho({ ...common(update), borrowers, etherFeed }),
    });
  }
  if (market.comet !== undefined) {
    const { comet, borrowers } = market.comet;
    markets.push({
      protocol: 'compound-v3',
      liquidations: await absorptionsBetween(rpcUrl, comet.comet, from, to),
      judge: (update) => judgeComet({ ...common(update), borrowers, etherFeed, base: comet.base }),
    });
  }
  if (market.venus !== undefined) {
    const { venus, borrowers } = market.venus;
    const [addresses, lender] = [venus.markets.map(({ address }) => address), market.aave.pool];
    markets.push({
      protocol: 'compound-v2',
      liquidations: await venusLiquidationsBetween(rpcUrl, addresses, from, to),
      judge: (update) => judgeVenus({ ...common(update), venus, borrowers, tokens: market.tokens, etherFeed, lender }),
    });
  }
  if (market.perp !== undefined) {
    const { perp } = market;
    markets.push({
      protocol: 'perp-v2',
      liquidations: await takeoversBetween(rpcUrl, perp.perp.clearingHouse, from, to),
      within: PERP_BLOCKS,
      // The market follows its index some blocks later: the first of these in which it pays.
      async judge({ block }) {
        const best = new Map<Address, Judged>();
        for (let after = 0; after < PERP_BLOCKS && block + after <= to; after++) {
          const traders = perp.traders.filter((trader) => (best.get(getAddress(trader))?.profitUsd ?? null) === null);
          const state = { rpcUrl, blockNumber: block + after, etherFeed, minProfitUsd: PERP_MIN_PROFIT_USD };
          for (const verdict of await judgePerp({ ...state, perp: perp.perp, traders }))
            if (verdict.liquidatable) best.set(verdict.account, verdict);
        }
        return [...best.values()];
      },
    });
  }
  return markets;
}
