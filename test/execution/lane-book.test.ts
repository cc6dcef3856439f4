import { parseEther } from 'viem';
import { describe, expect, it } from 'vitest';
import { LaneBook, type LaneState, neededAt, restsWith, type TellLane } from '../../src/execution/lane-book.ts';
import { topUpFor } from '../../src/execution/top-ups.ts';
import type { ExecutionChain, Lane } from '../../src/execution/types.ts';
import { Errands } from '../../src/lib/errands.ts';
import type { Address } from '../../src/lib/types.ts';

const address = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`;
const WEI = parseEther('1');
const state = (index: number, balance: string, resting = false): LaneState => ({
  ...{ lane: address(index), balanceWei: parseEther(balance), neededWei: parseEther('0.5'), resting },
});

describe('a lane rests', () => {
  it('below the price of a liquidation at twice the base fee, and comes back with a quarter more', () => {
    const needed = neededAt(10n ** 9n);
    expect(needed).toBe(parseEther('0.004'));
    expect([needed - 1n, needed].map((balance) => restsWith(balance, needed, false))).toEqual([true, false]);
    expect([needed, (needed * 5n) / 4n].map((balance) => restsWith(balance, needed, true))).toEqual([true, false]);
  });
});

describe('looking at the lanes', () => {
  const lanes = [1, 2].map((index): Lane => ({ address: address(index), sign: () => Promise.reject(new Error('not asked for here')) }));
  const bookOf = (balances: bigint[]) => {
    const told: string[] = [];
    let calls = 0;
    const errands = new Errands();
    const mirrored = new Map<Address, bigint>();
    const accounts: ExecutionChain['accounts'] = async (asked) => {
      calls++;
      return asked.map((_, index) => ({ nonce: 3, balanceWei: balances[index]! }));
    };
    const balanceOf: ExecutionChain['balanceOf'] = async (asked) => {
      calls++;
      return balances[asked === address(1) ? 0 : 1]!;
    };
    const tell: TellLane = ({ lane, resting }, changed) => {
      if (changed) told.push(`${lane === address(1) ? 'first' : 'second'} ${resting ? 'rests' : 'is back'}`);
    };
    const chain = { accounts, balanceOf } as ExecutionChain;
    const book = new LaneBook({ lanes, chain, errands, tell, surchargeWei: () => 0n, mirrored: (lane) => mirrored.get(lane) });
    return { book, told, errands, mirrored, calls: () => calls };
  };
  const at = (number: number) => ({ number, baseFeeWei: 10n ** 9n });

  it('costs one call a block at most while nothing happens, each lane’s once in ten blocks', async () => {
    const { book, calls } = bookOf([WEI, WEI]);
    const made: number[] = [];
    for (let number = 1; number <= 25; number++) {
      const before = calls();
      await book.glance(at(number));
      made.push(calls() - before);
    }
    expect(Math.max(...made)).toBe(1);
    expect(made.flatMap((count, index) => (count > 0 ? [index + 1] : []))).toEqual([1, 11, 12, 21, 22]);
  });

  it('leaves a block to another errand, and looks again as soon as anything was mined', async () => {
    const { book, errands } = bookOf([WEI, WEI]);
    await book.glance(at(1));
    expect(await book.glance(at(2))).toBe(false);
    book.touched();
    errands.take(3);
    const looked = [3, 4, 5, 6].map((number) => () => book.glance(at(number)));
    const answers: boolean[] = [];
    for (const look of looked) answers.push(await look());
    expect(answers).toEqual([false, true, true, false]);
  });

  it('costs nothing where balances are mirrored', async () => {
    const { book, told, mirrored, calls } = bookOf([0n, 0n]);
    mirrored.set(address(1), WEI).set(address(2), 1n);
    for (let number = 1; number <= 20; number++) expect(await book.glance(at(number))).toBe(true);
    expect(calls()).toBe(0);
    expect(told).toEqual(['second rests']);
  });

  it('tells once of a lane that comes to rest, and once when it is back', async () => {
    const balances = [WEI, 1n];
    const { book, told } = bookOf(balances);
    await book.look(at(1));
    await book.look(at(2));
    balances[1] = WEI;
    await book.look(at(3));
    expect(told).toEqual(['second rests', 'second is back']);
  });
});

describe('a top-up', () => {
  it('goes to the poorest lane that rests, from the first that keeps twice what it needs', () => {
    const states = [state(1, '1.9'), state(2, '2'), state(3, '0.2', true), state(4, '0.1', true)];
    expect(topUpFor(states, WEI)).toEqual({ kind: 'transfer', from: address(2), to: address(4), wei: WEI });
  });

  it('is unwrapped by the keeper’s account where nobody can give, for itself as well', () => {
    expect(topUpFor([state(1, '1.9'), state(2, '0.1', true)], WEI)).toMatchObject({ kind: 'unwrap', from: address(1), to: address(2) });
    expect(topUpFor([state(1, '0.1', true)], WEI)).toMatchObject({ kind: 'unwrap', from: address(1), to: address(1) });
  });

  it('is nothing where no lane rests', () => {
    expect(topUpFor([state(1, '9'), state(2, '0.5')], WEI)).toBeUndefined();
    expect(topUpFor([], WEI)).toBeUndefined();
  });
});
