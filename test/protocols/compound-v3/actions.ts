/** People who do anything that Comet lets them, at random, and what it does not. */
import type { Address } from 'viem';
import { assetOf } from '../../../scripts/devnet/assets.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { erc20Abi } from '../../../scripts/devnet/tokens.ts';
import type { CometWorld } from './world.ts';

export class Actions {
  readonly #world: CometWorld;
  readonly #people: readonly Address[];
  readonly #random: Prng;

  constructor(world: CometWorld, people: readonly Address[], seed: number) {
    this.#world = world;
    this.#people = people;
    this.#random = new Prng(seed);
  }

  /** Queues this many. */
  async some(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#one();
  }

  /** Queues what the governor does: pauses, or takes reserves out. */
  async govern(): Promise<void> {
    const governor = this.#world.fixture.chain.deployer.address;
    const [buying, absorbing] = [this.#random.next() < 0.3, this.#random.next() < 0.3];
    await this.#world.call(governor, 'pause', [false, false, false, absorbing, buying]);
    await this.#world.call(governor, 'withdrawReserves', [governor, this.#amount(this.#world.market.spec.base)]);
  }

  async #one(): Promise<void> {
    const { market, comet, sender, protocol } = this.#world;
    const [who, whom] = [this.#random.pick(this.#people), this.#random.pick(this.#people)];
    const { symbol, token } = this.#random.pick(market.assets);
    const [pledged, lent] = [this.#amount(symbol), this.#amount(market.spec.base)];
    const call = (functionName: string, ...args: readonly unknown[]) => this.#world.call(who, functionName, args);
    const kinds: (() => Promise<void>)[] = [
      () => call('supplyTo', whom, token, pledged * 3n),
      () => call('supply', token, pledged * 3n),
      () => call('withdrawTo', whom, token, pledged),
      () => call('transferAsset', whom, token, pledged),
      () => call('supplyTo', whom, market.base, lent / 2n),
      () => call('supply', market.base, lent / 2n),
      () => call('withdrawTo', whom, market.base, lent),
      () => call('withdraw', market.base, lent / 2n),
      // Between two debtors it shows in no event.
      () => call('transferAsset', whom, market.base, lent / 3n),
      () => call('transferAsset', whom, market.base, lent / 3n),
      () => call('accrueAccount', whom),
      () => call('absorb', who, [whom]),
      () => call('absorb', who, [this.#random.pick(protocol.state.accounts).address]),
      () => call('buyCollateral', token, 0n, lent / 20n, whom),
      () => sender.call(who, token, erc20Abi, 'transfer', [comet, pledged / 100n]),
    ];
    await this.#random.pick(kinds)();
  }

  #amount(symbol: string): bigint {
    const unit = 10n ** BigInt(assetOf(symbol).decimals);
    return (unit * BigInt(Math.round(this.#random.logBetween(1, 50_000)))) / (symbol === 'USDC' || symbol === 'LINK' ? 1n : 1_000n) + 1n;
  }
}
