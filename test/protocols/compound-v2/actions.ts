/** People who do anything that Venus lets them, at random, and what it does not. */
import type { Address } from 'viem';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { amountIn, type VenusMarket } from '../../../scripts/devnet/venus/deploy.ts';
import { inDebt } from '../../../src/protocols/compound-v2/state.ts';
import type { CompoundWorld } from './world.ts';

const wad = (bps: bigint) => bps * 10n ** 14n;

export class Actions {
  readonly #world: CompoundWorld;
  readonly #people: readonly Address[];
  readonly #random: Prng;

  constructor(world: CompoundWorld, people: readonly Address[], seed: number) {
    this.#world = world;
    this.#people = people;
    this.#random = new Prng(seed);
  }

  /** Queues this many. */
  async some(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#one();
  }

  /** Queues what governance does. */
  async govern(): Promise<void> {
    const market = this.#random.pick(this.#world.venus.markets).address;
    const threshold = wad(BigInt(Math.round(this.#random.between(6_000, 8_500))));
    await this.#world.rule('_setCloseFactor', [wad(BigInt(Math.round(this.#random.between(1_000, 8_000))))]);
    await this.#world.rule('setCollateralFactor', [market, threshold, threshold]);
    await this.#world.rule('_setActionsPaused', [[market], [5], this.#random.next() < 0.3]);
    await this.#world.rule('_setForcedLiquidationForUser', [this.#random.pick(this.#people), market, this.#random.next() < 0.5]);
    await this.#world.act(this.#world.fixture.chain.deployer.address, this.#random.pick(this.#world.venus.markets), '_setReserveFactor', [
      wad(BigInt(Math.round(this.#random.between(500, 4_000)))),
    ]);
  }

  async #one(): Promise<void> {
    const world = this.#world;
    const who = this.#random.pick(this.#people);
    const market = this.#random.pick(world.venus.markets);
    const amount = amountIn(market, this.#random.logBetween(5, 20_000));
    const act = (name: string, args: readonly unknown[], value = 0n) => world.act(who, market, name, args, value);
    const kinds: (() => Promise<void>)[] = [
      () => (market.native ? act('mint', [], amount) : act('mint', [amount])),
      () => world.rule('enterMarkets', [[market.address]], who),
      () => world.rule('exitMarket', [market.address], who),
      () => act('redeemUnderlying', [amount / 4n]),
      () => act('borrow', [amount / 2n]),
      () => act('borrow', [amount / 10n]),
      () => (market.native ? act('repayBorrow', [], amount / 8n) : act('repayBorrow', [amount / 8n])),
      () => act('transfer', [this.#random.pick(this.#people), 10n ** 8n]),
      () => act('accrueInterest', []),
      () => this.#liquidate(who),
    ];
    await this.#random.pick(kinds)();
  }

  /** A part of somebody's debt, where the mirror knows of such. */
  async #liquidate(who: Address): Promise<void> {
    const { state } = this.#world.protocol;
    const indebted = state.accounts.filter(inDebt);
    if (indebted.length === 0) return;
    const { address, holdings } = this.#random.pick(indebted);
    const all = [...holdings.values()];
    const debt = this.#random.pick(all.filter(({ principal }) => principal > 0n));
    const collateral = all.find(({ tokens }) => tokens > 0n)?.market.address ?? debt.market.address;
    const market = this.#marketAt(debt.market.address);
    const repay = debt.principal / 20n + 1n;
    if (market.native) await this.#world.act(who, market, 'liquidateBorrow', [address, collateral], repay);
    else await this.#world.act(who, market, 'liquidateBorrow', [address, repay, collateral]);
  }

  #marketAt(address: Address): VenusMarket {
    return this.#world.venus.markets.find((one) => one.address.toLowerCase() === address)!;
  }
}
