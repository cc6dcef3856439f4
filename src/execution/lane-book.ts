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
/** Blocks without anything of ours after which balances are looked at again: somebody may have sent gas. */
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
  #states: readonly LaneState[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(lanes: readonly Lane[], chain: ExecutionChain, tell: TellLane) {
    this.lanes = lanes;
    this.#chain = chain;
    this.#tell = tell;
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
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  /** For blocks with nothing to send: looks only now and then, and as soon as anything was mined. Says whether it was looked for this block. */
  async glance({ number, baseFeeWei }: NextBlock): Promise<boolean> {
    if (this.lanes.length > 0 && number - this.#lookedAt >= LOOK_EVERY) await this.look({ number, baseFeeWei });
    return this.#lookedAt === number;
  }

  /** One call for all of them. */
  async look({ number, baseFeeWei }: NextBlock): Promise<readonly (AccountState & LaneState)[]> {
    if (this.lanes.length === 0) return [];
    const accounts = await this.#chain.accounts(this.lanes.map(({ address }) => address));
    const neededWei = neededAt(baseFeeWei);
    const before = this.#states;
    const seen = this.lanes.map(({ address }, index) => {
      const account = accounts[index]!;
      const resting = restsWith(account.balanceWei, neededWei, before[index]?.resting === true);
      return { ...account, lane: address, neededWei, resting };
    });
    this.#states = seen;
    this.#lookedAt = number;
    for (const [index, state] of seen.entries()) this.#tell(state, state.resting !== (before[index]?.resting ?? false));
    return seen;
  }
}
