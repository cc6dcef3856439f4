import type { Errands } from '../lib/errands.ts';
import type { Address } from '../lib/types.ts';
import type { AccountState, ExecutionChain, Lane } from './types.ts';

/** A sender, and what is known of its gas. */
export type LaneState = {
  readonly lane: Address;
  readonly balanceWei: bigint;
  /** What it has to hold to be given anything. */
  readonly neededWei: bigint;
  readonly resting: boolean;
};

/** What a liquidation with its swaps takes, about. */
export const LIQUIDATION_GAS = 2_000_000n;
/** EIP-1559: what a transaction signed now may ask for, at twice the base fee. */
const FEE_ROOM = 2n;
/** A lane that rests comes back with a quarter more than it needs: it should not come and go with the base fee. */
const BACK_NUMERATOR = 5n;
const BACK_DENOMINATOR = 4n;
/** Blocks without anything of ours after which a balance is looked at again: somebody may have sent gas. */
const LOOK_EVERY = 10;

/** What a lane has to hold at this price of gas. */
export function neededAt(gasPriceWei: bigint): bigint {
  return LIQUIDATION_GAS * FEE_ROOM * gasPriceWei;
}

/** Whether a lane rests. Pure. */
export function restsWith(balanceWei: bigint, neededWei: bigint, rested: boolean): boolean {
  return rested ? balanceWei * BACK_DENOMINATOR < neededWei * BACK_NUMERATOR : balanceWei < neededWei;
}

/** The block that would include us: its number and base fee. */
export type NextBlock = { readonly number: number; readonly baseFeeWei: bigint };

/** `changed`: it has come to rest since the last look, or is back. */
export type TellLane = (state: LaneState, changed: boolean) => void;

/** All senders, the keeper's own first. A lane that is short of gas rests, which is told once. */
export class LaneBook {
  readonly lanes: readonly Lane[];
  readonly #chain: ExecutionChain;
  readonly #tell: TellLane;
  readonly #surchargeWei: () => bigint;
  readonly #mirrored: (lane: Address) => bigint | undefined;
  readonly #errands: Errands;
  #states: readonly (LaneState & { readonly lookedAt: number })[] = [];

  /**
   * @param parts.surchargeWei what a rollup charges a liquidation beside its gas
   * @param parts.mirrored what a lane holds at the head, where that is known without asking
   */
  constructor(parts: {
    lanes: readonly Lane[];
    chain: ExecutionChain;
    errands: Errands;
    tell: TellLane;
    surchargeWei: () => bigint;
    mirrored: (lane: Address) => bigint | undefined;
  }) {
    this.lanes = parts.lanes;
    this.#chain = parts.chain;
    this.#errands = parts.errands;
    this.#tell = parts.tell;
    this.#surchargeWei = parts.surchargeWei;
    this.#mirrored = parts.mirrored;
  }

  /** As last seen; empty before the first look. */
  get states(): readonly LaneState[] {
    return this.#states;
  }

  laneOf(address: Address): Lane {
    const lane = this.lanes.find((one) => one.address === address);
    if (lane === undefined) throw new RangeError(`${address} is no lane`);
    return lane;
  }

  /** A transaction of ours was mined: what the lanes hold has changed. */
  touched(): void {
    this.#states = this.#states.map((state) => ({ ...state, lookedAt: Number.NEGATIVE_INFINITY }));
  }

  /**
   * For blocks with nothing to send: what is mirrored, or one call at most, for the lane that was not looked at for longest. Says whether there was anything
   * to see.
   */
  async glance(next: NextBlock): Promise<boolean> {
    const mirrored = this.lanes.map(({ address }) => this.#mirrored(address));
    if (mirrored.every((balanceWei) => balanceWei !== undefined)) {
      this.#see(mirrored, next);
      return true;
    }
    if (this.#states.length < this.lanes.length) return (await this.look(next)).length > 0;
    const oldest = this.#states.toSorted((a, b) => a.lookedAt - b.lookedAt)[0];
    if (oldest === undefined || next.number - oldest.lookedAt < LOOK_EVERY || !this.#errands.take(next.number)) return false;
    const balanceWei = await this.#chain.balanceOf(oldest.lane);
    const balances = this.#states.map((state) => (state === oldest ? balanceWei : undefined));
    this.#see(balances, next);
    return true;
  }

  /** All of them, with their nonces. */
  async look(next: NextBlock): Promise<readonly (AccountState & LaneState)[]> {
    if (this.lanes.length === 0) return [];
    const accounts = await this.#chain.accounts(this.lanes.map(({ address }) => address));
    this.#see(
      accounts.map(({ balanceWei }) => balanceWei),
      next,
    );
    return this.#states.map((state, index) => ({ ...state, nonce: accounts[index]!.nonce }));
  }

  /** @param balances of the lanes in their order; undefined for those that were not looked at */
  #see(balances: readonly (bigint | undefined)[], { number, baseFeeWei }: NextBlock): void {
    const neededWei = neededAt(baseFeeWei) + FEE_ROOM * this.#surchargeWei();
    const before = this.#states;
    this.#states = this.lanes.map(({ address }, index) => {
      const [known, balanceWei] = [before[index], balances[index]];
      if (known !== undefined && balanceWei === undefined) return known;
      const seen = { lane: address, balanceWei: balanceWei ?? 0n, neededWei, lookedAt: number };
      return { ...seen, resting: restsWith(seen.balanceWei, neededWei, known?.resting === true) };
    });
    for (const [index, state] of this.#states.entries())
      if (balances[index] !== undefined) this.#tell(state, state.resting !== (before[index]?.resting ?? false));
  }
}
