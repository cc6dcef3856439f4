/** Our own account at the venue: the margin that positions are taken over against. */
import { encodeFunctionData, parseAbi } from 'viem';
import type { Address } from '../../lib/types.ts';
import type { Moment, UsdPrices } from '../../oracles/types.ts';
import type { Margin } from '../types.ts';
import type { Lens } from './lens.ts';
import type { PerpState } from './state.ts';

const vaultAbi = parseAbi(['function withdraw(address token, uint256 amount)']);

export type Desk = {
  readonly ok: true;
  readonly margin: Margin;
  /** What it has in the vault; all of it is free while the account is idle. */
  readonly freeWad: bigint;
  /** No position, no order. A takeover is closed in its own transaction, so only what went wrong, or was done by hand, keeps the account from being idle. */
  readonly idle: boolean;
};
export type NoDesk = { readonly ok: false; readonly cause: string };

/** @param executor the Executor that deposited the margin */
export function deskAt(executor: Address | undefined, state: PerpState, lens: Lens, usd: UsdPrices, at: Moment): Desk | NoDesk {
  if (executor === undefined) return { ok: false, cause: 'PERP_EXECUTOR_ADDRESS is not set' };
  const { settlement: token, quote, vault } = state.contracts;
  const price = usd.usd8(token, at);
  if (price === undefined || price.priceUsd8 <= 0n) return { ok: false, cause: `${token} has no USD price` };
  const slot = state.slots.get(executor);
  const account = slot === undefined ? undefined : state.accounts[slot];
  const worth = account === undefined ? undefined : lens.worth(account);
  if (account === undefined || worth === undefined) return { ok: false, cause: `${executor} has deposited nothing` };
  if (typeof worth === 'string') return { ok: false, cause: worth };
  return {
    ok: true,
    freeWad: worth.settledWad + worth.collateralWad,
    idle: account.places.size === 0,
    margin: {
      ...{ executor, credit: quote, creditUsd8: price.priceUsd8, settlement: token, unitWad: state.settlement.unitWad },
      release: (amountRaw) => [
        {
          ...{ kind: 'call', target: vault, valueWei: 0n },
          data: encodeFunctionData({ abi: vaultAbi, functionName: 'withdraw', args: [token, amountRaw] }),
        },
      ],
    },
  };
}
