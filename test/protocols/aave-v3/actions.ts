/** What borrowers, lenders, liquidators and governance do to a market, at random from a seed. Many of it reverts, as it should. */
import { type Address, zeroAddress } from 'viem';
import { FIXED_RATE_ASSETS } from '../../../scripts/devnet/aave/legacy/listing.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import type { AaveV3Market } from '../../../src/protocols/aave-v3/market.ts';
import type { Scene } from './scene.ts';
import type { Sender } from './sender.ts';
import { tokenAbi } from './sender.ts';

const MAX_UINT256 = 2n ** 256n - 1n;
const MODES = [0, 0, 1, 2, 3];

type Admin = (name: string, args: readonly unknown[]) => Promise<void>;

export class Actions {
  readonly #scene: Scene;
  readonly #sender: Sender;
  readonly #market: AaveV3Market;
  readonly #random: Prng;
  readonly #people: readonly Address[];

  constructor(scene: Scene, sender: Sender, market: AaveV3Market, people: readonly Address[], seed: number) {
    this.#scene = scene;
    this.#sender = sender;
    this.#market = market;
    this.#people = people;
    this.#random = new Prng(seed);
  }

  async some(count: number): Promise<void> {
    const kinds = [
      this.#supply,
      this.#supply,
      this.#withdraw,
      this.#borrow,
      this.#borrow,
      this.#repay,
      this.#repayWithATokens,
      this.#transfer,
      this.#transfer,
      this.#flag,
      this.#mode,
      this.#mintToTreasury,
      ...(this.#market.state.rules.fixedDebt
        ? [this.#borrowFixed, this.#borrowFixed, this.#repayFixed, this.#swapRate, this.#rebalance]
        : []),
    ];
    for (let i = 0; i < count; i++) await this.#random.pick(kinds).call(this);
  }

  /** One change of the market's own parameters; never what only a new anchor can follow. */
  async govern(): Promise<void> {
    const asset = this.#asset();
    const admin = (name: string, args: readonly unknown[]) => this.#sender.admin(name, args);
    const kinds = [
      () => admin('setReserveFactor', [asset, this.#upTo(5_000)]),
      () => admin('setLiquidationProtocolFee', [asset, this.#upTo(3_000)]),
      () => admin('configureReserveAsCollateral', [asset, 5_000n, 6_000n + this.#upTo(2_000), 10_500n + this.#upTo(500)]),
      () => admin('setReserveFlashLoaning', [asset, this.#random.next() < 0.5]),
      ...(this.#market.state.rules.release === '3.0' ? this.#governLegacy(asset, admin) : this.#governPresent(asset, admin)),
    ];
    await this.#random.pick(kinds)();
  }

  #governPresent(asset: Address, admin: Admin) {
    return [
      () => admin('setReservePause', [asset, true, 0]),
      () => admin('setReservePause', [asset, false, 3_600]),
      () => admin('disableLiquidationGracePeriod', [asset]),
      () => admin('updateFlashloanPremium', [this.#upTo(20)]),
      () => admin('setEModeCategory', [3, 8_000n, 8_600n + this.#upTo(200), 10_400n + this.#upTo(100), 'changed']),
      () => admin('setAssetCollateralInEMode', [asset, 3, this.#random.next() < 0.7]),
      () => admin('setEModeCategory', [9, 8_000n, 8_600n, 10_400n, 'new']),
    ];
  }

  /** NOTE: a category's price stays what it is: another one is followed by a new anchor. */
  #governLegacy(asset: Address, admin: Admin) {
    const { priceKey } = this.#market.state.categories.get(2)!;
    return [
      () => admin('setReservePause', [asset, true]),
      () => admin('setReservePause', [asset, false]),
      () => admin('updateFlashloanPremiumTotal', [this.#upTo(20)]),
      () => admin('setEModeCategory', [2, 9_000n, 9_200n + this.#upTo(200), 10_100n + this.#upTo(50), priceKey, 'changed']),
      () => admin('setEModeCategory', [9, 8_500n, 8_800n, 10_400n, zeroAddress, 'new']),
      () => admin('setAssetEModeCategory', [asset, this.#random.pick([0, 1, 2, 9])]),
    ];
  }

  /** Liquidations that the market offers at the mirrored block, by random amounts, half of them for aTokens. */
  async liquidate(count: number, at: Parameters<AaveV3Market['judge']>[1]): Promise<void> {
    const offers = [...this.#market.slots()].flatMap((slot) => this.#market.options(slot, at).map((option) => ({ slot, option })));
    // An option of two calls says nothing of what one would take.
    const single = offers.filter(({ option }) => !option.label.endsWith(' twice'));
    for (let i = 0; i < count && single.length > 0; i++) {
      const { slot, option } = this.#random.pick(single);
      const { minRaw, maxRaw } = this.#random.pick(option.regimes);
      const amount = minRaw + ((maxRaw - minRaw) * this.#upTo(1_000)) / 1_000n;
      const args = [option.collateralAsset, option.debtAsset, this.#market.accountOf(slot), amount, this.#random.next() < 0.5];
      await this.#sender.pool(this.#person(), 'liquidationCall', args);
    }
  }

  #supply = async () => {
    const person = this.#person();
    const onBehalfOf = this.#random.next() < 0.2 ? this.#person() : person;
    const { asset, unit } = this.#amount();
    await this.#sender.pool(person, 'supply', [asset, this.#some(unit), onBehalfOf, 0]);
  };

  #withdraw = async () => {
    const { asset, unit } = this.#amount();
    await this.#sender.pool(this.#person(), 'withdraw', [asset, this.#allOrSome(unit), this.#person()]);
  };

  #borrow = async () => {
    const person = this.#person();
    const { asset, unit } = this.#amount();
    await this.#sender.pool(person, 'borrow', [asset, this.#some(unit), 2n, 0, person]);
  };

  #borrowFixed = async () => {
    const person = this.#person();
    const { asset, unit } = this.#amount(FIXED_RATE_ASSETS);
    await this.#sender.pool(person, 'borrow', [asset, this.#some(unit), 1n, 0, person]);
  };

  #repayFixed = async () => {
    const { asset, unit, id } = this.#amount(FIXED_RATE_ASSETS);
    const debtors = this.#market.state.accounts
      .all()
      .filter(({ fixed }) => fixed.has(id))
      .map(({ address }) => address);
    const person = this.#random.pick([...debtors, this.#person()]);
    await this.#sender.pool(person, 'repay', [asset, this.#allOrSome(unit), 1n, person]);
  };

  #swapRate = async () => {
    const { asset } = this.#amount(FIXED_RATE_ASSETS);
    await this.#sender.pool(this.#person(), 'swapBorrowRateMode', [asset, this.#random.pick([1n, 2n])]);
  };

  #rebalance = async () => {
    const { asset } = this.#amount(FIXED_RATE_ASSETS);
    await this.#sender.pool(this.#person(), 'rebalanceStableBorrowRate', [asset, this.#person()]);
  };

  #repay = async () => {
    const person = this.#person();
    const debtor = this.#random.next() < 0.3 ? this.#person() : person;
    const { asset, unit } = this.#amount();
    // Only one's own debt may be repaid by the largest amount.
    await this.#sender.pool(person, 'repay', [asset, debtor === person ? this.#allOrSome(unit) : this.#some(unit), 2n, debtor]);
  };

  /** By somebody who owes what they hold, or is made to hold it. */
  #repayWithATokens = async () => {
    const { accounts, reserves } = this.#market.state;
    const debtors = accounts
      .all()
      .filter(({ address, owed }) => owed.size > 0 && this.#people.some((person) => person.toLowerCase() === address));
    if (debtors.length === 0) return;
    const debtor = this.#random.pick(debtors);
    const { asset, unit } = reserves.get(this.#random.pick([...debtor.owed.keys()]))!;
    await this.#sender.pool(debtor.address, 'supply', [asset, this.#some(unit), debtor.address, 0]);
    await this.#sender.pool(debtor.address, 'repayWithATokens', [asset, this.#allOrSome(unit), 2n]);
  };

  #transfer = async () => {
    const { aToken, unit } = this.#amount();
    const person = this.#person();
    const to = this.#random.next() < 0.1 ? person : this.#person();
    await this.#sender.call(person, aToken, tokenAbi, 'transfer', [to, this.#some(unit)]);
  };

  #flag = async () => {
    await this.#sender.pool(this.#person(), 'setUserUseReserveAsCollateral', [this.#asset(), this.#random.next() < 0.6]);
  };

  #mode = async () => {
    await this.#sender.pool(this.#person(), 'setUserEMode', [this.#random.pick(MODES)]);
  };

  #mintToTreasury = async () => {
    await this.#sender.pool(this.#person(), 'mintToTreasury', [[this.#asset(), this.#asset()]]);
  };

  #person(): Address {
    return this.#random.pick(this.#people);
  }

  #asset(): Address {
    return this.#random.pick(Object.values(this.#scene.market.tokens));
  }

  #amount(symbols: readonly string[] = []) {
    const { tokens } = this.#scene.market;
    const token = symbols.length === 0 ? this.#asset() : tokens[this.#random.pick(symbols)]!;
    const reserve = this.#market.state.byAsset.get(token.toLowerCase() as Address)!;
    return { asset: reserve.asset, aToken: reserve.aToken, unit: reserve.unit, id: reserve.id };
  }

  /** From a few raw units to a few thousand dollars' worth. */
  #some(unit: bigint): bigint {
    const share = BigInt(Math.floor(this.#random.logBetween(1, 1e9)));
    return (unit * share) / 1_000_000_000n + 1n;
  }

  #allOrSome(unit: bigint): bigint {
    return this.#random.next() < 0.3 ? MAX_UINT256 : this.#some(unit);
  }

  #upTo(limit: number): bigint {
    return BigInt(Math.floor(this.#random.next() * limit));
  }
}
