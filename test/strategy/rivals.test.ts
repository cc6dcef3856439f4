import { describe, expect, it } from 'vitest';
import { afterTry, noRivalsSeen, type RivalBook, staysChance, type Try, until } from '../../src/strategy/rivals.ts';

const USD = 500;
const tryAt = (block: number, won = false, name = 'position'): Try => ({ block, name, surplusUsd: USD, won });
const booked = (tries: readonly Try[], book: RivalBook = noRivalsSeen()) => tries.reduce(afterTry, book);
const LATER = 1_000;

describe('whether others come', () => {
  it('is taken for certain without evidence', () => {
    expect(staysChance(noRivalsSeen(), USD)).toBe(0);
  });

  it('is told by positions that are tried again', () => {
    const often = booked(Array.from({ length: 30 }, (_, index) => tryAt(index + 1, index % 2 === 0)));
    expect(staysChance(often, USD)).toBeGreaterThan(0.8);
    expect(staysChance(often, USD * 100)).toBe(0);
  });

  it('is told of smaller ones too by what is left alone, until they tell it themselves', () => {
    const large = booked(Array.from({ length: 30 }, (_, index) => tryAt(index + 1)));
    expect(staysChance(large, USD / 10)).toBeGreaterThan(0.8);
    const small = { ...tryAt(40, false, 'small'), surplusUsd: USD / 10 };
    expect(staysChance(until(afterTry(large, small), LATER), USD / 10)).toBeLessThan(staysChance(until(large, LATER), USD / 10));
  });

  it('is told by positions that are lost and not tried again, and not by those that are won', () => {
    const book = booked([tryAt(1), tryAt(2), tryAt(3)]);
    const before = staysChance(book, USD);
    expect(staysChance(until(book, LATER), USD)).toBeLessThan(before);
    const won = booked([tryAt(1), tryAt(2), tryAt(3, true)]);
    expect(staysChance(until(won, LATER), USD)).toBe(staysChance(won, USD));
  });

  it('is not told by two transactions for one block, of which one was included', () => {
    const book = booked([tryAt(1, true), tryAt(1, false)]);
    expect(staysChance(book, USD)).toBe(0);
    expect(until(book, LATER).sizes.every(({ taken }) => taken === 0)).toBe(true);
  });

  it('follows what has changed', () => {
    let book = booked(Array.from({ length: 400 }, (_, index) => tryAt(index + 1)));
    for (let index = 0; index < 100; index++) book = until(afterTry(book, tryAt(500 + index, false, `other ${index}`)), 500 + index);
    expect(staysChance(until(book, LATER), USD)).toBeLessThan(0.3);
  });
});
