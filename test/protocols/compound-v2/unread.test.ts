import { expect, test } from 'vitest';
import type { Address, Head } from '../../../src/lib/types.ts';
import { Unread } from '../../../src/protocols/compound-v2/fold.ts';
import type { Account, CompoundState } from '../../../src/protocols/compound-v2/state.ts';
import { asksFor } from '../../../src/protocols/compound-v2/unread.ts';

const STRANGERS = 60;
const BLOCKS = 10;
const SOMEBODY: Address = `0x${'ab'.repeat(20)}`;

test('accounts that never answer keep nobody else from being read', () => {
  const addresses = Array.from({ length: STRANGERS }, (_, i): Address => `0x${(0xacc0_0000 + i).toString(16).padStart(40, '0')}`);
  const accounts = addresses.map((address): Account => ({ address, holdings: new Map(), pool: 0, vai: undefined, known: false }));
  const state = { comptroller: SOMEBODY, oracle: SOMEBODY, markets: new Map(), vai: undefined, accounts } as unknown as CompoundState;
  const asked = Array.from({ length: BLOCKS }, (_, i) =>
    asksFor(state, new Unread(), { number: 1_000 + i } as Head).flatMap(({ calls }) => calls.map(({ data }) => data)),
  ).flat();
  const isAsked = (address: Address) => asked.some((data) => data.includes(address.slice(2)));
  expect(addresses.filter(isAsked)).toEqual(addresses);
});
