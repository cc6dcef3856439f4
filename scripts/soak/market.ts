import { START_PRICES_USD8 } from '../devnet/assets.ts';
import type { Devnet } from '../devnet/devnet.ts';
import { transmit } from '../devnet/oracle/transmit.ts';
import type { Prng } from '../devnet/prng.ts';

const MOVING = ['ETH / USD', 'BTC / USD', 'LINK / USD'] as const;
/** Each fall makes a few more positions liquidatable, and now and then many at once. */
const SMALL_FALL = [0.003, 0.012] as const;
const LARGE_FALL = [0.02, 0.04] as const;
const LARGE_SHARE = 0.12;

/** Prices that fall step by step. */
export class Market {
  readonly #devnet: Devnet;
  readonly #random: Prng;
  readonly #prices = new Map(Object.entries(START_PRICES_USD8));

  constructor(devnet: Devnet, random: Prng) {
    this.#devnet = devnet;
    this.#random = random;
  }

  /** Hands the reports to the public mempool: the next block takes them. */
  async fall(by = this.#anyFall()): Promise<void> {
    const share = BigInt(Math.round(by * 1e6));
    for (const feed of MOVING) {
      const price = this.#prices.get(feed)!;
      const lower = price - (price * share) / 1_000_000n;
      this.#prices.set(feed, lower);
      await transmit(this.#devnet.rpcUrl, this.#devnet.market.feeds[feed]!, lower);
    }
  }

  #anyFall(): number {
    const [low, high] = this.#random.next() < LARGE_SHARE ? LARGE_FALL : SMALL_FALL;
    return this.#random.between(low, high);
  }
}
