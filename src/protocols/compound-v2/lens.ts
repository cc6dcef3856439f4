/** A deployment as of one moment: what each market stores, and what it would once it accrued its interest; each worked out once. */
import type { Moment, Price } from '../../oracles/types.ts';
import { accrued, exchangeRateWad } from './math.ts';
import { priceAt } from './oracle.ts';
import type { CompoundState, Market, Words } from './state.ts';

/** A market's words, and its exchange rate by them. */
export type Figures = Words & { readonly rateWad: bigint };

export type MarketNow = {
  readonly market: Market;
  readonly cash: bigint;
  readonly stored: Figures;
  /** As of the moment: any transaction may bring it about. */
  readonly accrued: Figures;
  /** As of the mirrored block: the earliest at which a plan is tried, when it is simulated. */
  readonly early: Figures;
  /** Of 1e36 units, in wad: what `getUnderlyingPrice` answers. */
  readonly price: Price;
};

export type NoMarket = { readonly market: Market; readonly missing: string };

export class Lens {
  readonly at: Moment;
  readonly state: CompoundState;
  readonly #now: Moment;
  readonly #markets = new Map<Market, MarketNow | NoMarket>();

  /** @param now the mirrored block itself */
  constructor(state: CompoundState, at: Moment, now: Moment) {
    this.state = state;
    this.at = at;
    this.#now = now;
  }

  market(market: Market): MarketNow | NoMarket {
    let known = this.#markets.get(market);
    if (known === undefined) {
      known = this.#work(market);
      this.#markets.set(market, known);
    }
    return known;
  }

  /** VAIController.vaiMintIndex, accrued to the moment where a liquidation does that first: through the gate. */
  vaiIndex(): bigint {
    const { vai, rules } = this.state;
    if (vai === undefined) return 0n;
    const elapsed = rules.gate === undefined ? 0n : BigInt(this.at.number) - vai.accruedAt;
    return elapsed <= 0n ? vai.index : vai.index + vai.rateWad * elapsed;
  }

  #work(market: Market): MarketNow | NoMarket {
    const { cash, rateWad, clock, initialRateWad } = market;
    if (cash === undefined || rateWad === undefined) return { market, missing: `market ${market.address} does not answer` };
    const figures = (words: Words): Figures => ({ ...wordsIn(words), rateWad: exchangeRateWad(words, cash, initialRateWad) });
    const accruedAt = (moment: Moment) => {
      const elapsed = BigInt(clock === 'block' ? moment.number : moment.timestamp) - market.accruedAt;
      return figures(accrued(wordsIn(market), rateWad, elapsed));
    };
    return {
      ...{ market, cash, stored: figures(market), accrued: accruedAt(this.at), early: accruedAt(this.#now) },
      price: priceAt(market, this.at, this.#now),
    };
  }
}

function wordsIn({ borrowIndex, totalBorrows, totalReserves, totalSupply, reserveFactorWad, accruedAt }: Words): Words {
  return { borrowIndex, totalBorrows, totalReserves, totalSupply, reserveFactorWad, accruedAt };
}
