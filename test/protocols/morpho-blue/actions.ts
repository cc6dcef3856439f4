/** People who do anything that Morpho lets them, at random, and what it does not. */
import type { Address } from 'viem';
import { type MorphoMarket, marketLike } from '../../../scripts/devnet/morpho/deploy.ts';
import { factoryAbi, preLiquidationAddress } from '../../../scripts/devnet/morpho/pre-liquidation.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { tokenAbi } from '../aave-v3/sender.ts';
import { paramsOf, preLiquidateData } from './pre-world.ts';
import { lower, type MorphoWorld } from './world.ts';

const WAD = 10n ** 18n;
const UNITS: Readonly<Record<string, bigint>> = { USDC: 10n ** 6n, WBTC: 10n ** 8n };

export class Actions {
  readonly #world: MorphoWorld;
  readonly #people: readonly Address[];
  readonly #random: Prng;
  readonly #markets: MorphoMarket[];
  readonly #contracts: Address[];
  #created = 0;

  constructor(world: MorphoWorld, people: readonly Address[], seed: number) {
    this.#world = world;
    this.#people = people;
    this.#random = new Prng(seed);
    this.#markets = [...world.morpho.markets];
    this.#contracts = [...world.protocol.state.preLiquidations.values()].flat().map(({ address }) => address);
  }

  /** Queues this many. */
  async some(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#one();
  }

  /** Queues what the owner does, a new contract that liquidates early, and a new market with an oracle that is there already. */
  async govern(): Promise<void> {
    const owner = this.#world.fixture.chain.deployer.address;
    const { params } = this.#random.pick(this.#markets);
    await this.#world.call(owner, 'setFee', [params, (BigInt(Math.round(this.#random.next() * 250)) * WAD) / 1_000n]);
    await this.#world.call(owner, 'setFeeRecipient', [this.#random.pick(this.#people)]);
    const lltvs = [8600n, 7700n, 9150n].map((bps) => bps * 10n ** 14n);
    const market = marketLike(this.#random.pick(this.#markets), lltvs[this.#created++ % lltvs.length]!);
    await this.#world.call(this.#random.pick(this.#people), 'createMarket', [market.params]);
    this.#markets.push(market);
    const kept = this.#random.pick(this.#world.morpho.markets);
    const terms = paramsOf(kept, kept.params.oracle, this.#random);
    const { sender, morpho } = this.#world;
    this.#contracts.push(lower(await preLiquidationAddress(sender.url, morpho, kept, terms)));
    await sender.call(owner, morpho.preLiquidationFactory, factoryAbi, 'createPreLiquidation', [kept.id, terms]);
  }

  /** One of the contracts there are, or will be, gets an authorisation, or loses it. */
  async #authorise(who: Address): Promise<void> {
    await this.#world.call(who, 'setAuthorization', [this.#random.pick(this.#contracts), this.#random.next() < 0.7]);
  }

  /** Somebody who authorised a contract when all began. */
  async #liquidateEarly(who: Address): Promise<void> {
    const { state } = this.#world.protocol;
    const contract = this.#random.pick(
      [...state.preLiquidations.values()].flat().filter(({ address }) => state.authorised.get(address)?.size),
    );
    const borrower = this.#random.pick([...state.authorised.get(contract.address)!]);
    const { loanToken } = state.markets.get(contract.id)!.params;
    await this.#world.sender.call(who, loanToken, tokenAbi, 'approve', [contract.address, 2n ** 255n]);
    const call = preLiquidateData({ borrower, seizedAssets: 1_000n, repaidShares: 0n });
    await this.#world.sender.send(who, contract.address, call, 'preLiquidate');
  }

  async #one(): Promise<void> {
    const who = this.#random.pick(this.#people);
    const whom = this.#random.pick(this.#people);
    const { params, loan, collateral } = this.#random.pick(this.#markets);
    const lent = this.#amount(loan);
    const pledged = this.#amount(collateral);
    const call = (functionName: string, ...args: readonly unknown[]) => this.#world.call(who, functionName, args);
    const kinds: (() => Promise<void>)[] = [
      () => call('supply', params, lent * 3n, 0n, whom, '0x'),
      () => call('withdraw', params, lent, 0n, who, whom),
      () => call('supplyCollateral', params, pledged * 2n, whom, '0x'),
      () => call('supplyCollateral', params, pledged * 2n, who, '0x'),
      () => call('withdrawCollateral', params, pledged, who, whom),
      () => call('borrow', params, lent, 0n, who, whom),
      () => call('borrow', params, lent / 4n + 1n, 0n, who, who),
      () => call('repay', params, lent / 8n + 1n, 0n, whom, '0x'),
      () => call('accrueInterest', params),
      () => call('liquidate', params, whom, pledged / 10n + 1n, 0n, '0x'),
      () => this.#liquidateWhole(who),
      () => this.#liquidateWhole(who),
      () => this.#authorise(who),
      () => this.#liquidateEarly(who),
    ];
    await this.#random.pick(kinds)();
  }

  /** Somebody's whole collateral, or whole debt, where the mirror knows of such. */
  async #liquidateWhole(who: Address): Promise<void> {
    const { state } = this.#world.protocol;
    const indebted = state.positions.filter(({ borrowShares }) => borrowShares > 0n);
    if (indebted.length === 0) return;
    const { market, account, borrowShares, collateral } = this.#random.pick(indebted);
    const [seized, repaid] = this.#random.next() < 0.5 ? [collateral, 0n] : [0n, borrowShares];
    await this.#world.call(who, 'liquidate', [market.params, account, seized, repaid, '0x']);
  }

  #amount(symbol: string): bigint {
    const unit = UNITS[symbol] ?? WAD;
    return (unit * BigInt(Math.round(this.#random.logBetween(1, 50_000)))) / 100n + 1n;
  }
}
