/** Our own account at the venue: the margin that positions are taken over against. */
import { encodeAbiParameters, encodeFunctionData, parseAbi, parseAbiParameters } from 'viem';
import type { Address, Hex } from '../../lib/types.ts';
import type { Moment, UsdPrices } from '../../oracles/types.ts';
import type { Margin } from '../types.ts';
import type { Lens } from './lens.ts';
import type { PerpState } from './state.ts';

const vaultAbi = parseAbi([
  'function withdraw(address token, uint256 amount)',
  'function getFreeCollateralByRatio(address trader, uint24 ratio) view returns (int256)',
]);

export type Desk = {
  readonly ok: true;
  readonly margin: Margin;
  /** What it has in the vault; all of it is free while the account is idle. */
  readonly freeWad: bigint;
  /** No position, no order. A takeover is closed in its own transaction, so only what went wrong, or was done by hand, keeps the account from being idle. */
  readonly idle: boolean;
  /** How far its owner lets the meter fall (`Executor.lossAllowance`): what may be taken over in two legs. */
  readonly lossRaw: bigint;
};
export type NoDesk = { readonly ok: false; readonly cause: string };

const METERS = parseAbiParameters('(address target, uint96 divisor, bytes data)[]');
const WHOLE_PIPS = 1_000_000;

/**
 * What `Executor.meters(settlement)` has to answer: beside its tokens it counts what it could withdraw if every position had to be backed in full. A position that
 * stays behind is then no profit, whatever its mark price: as much as it is worth is counted as lost, and the sequence reverts.
 */
export function expectedMeters(vault: Address, executor: Address): Hex {
  const data = encodeFunctionData({ abi: vaultAbi, functionName: 'getFreeCollateralByRatio', args: [executor, WHOLE_PIPS] });
  return encodeAbiParameters(METERS, [[{ target: vault, divisor: 1n, data }]]);
}

export function deskAt(state: PerpState, lens: Lens, usd: UsdPrices, at: Moment): Desk | NoDesk {
  const { executor, counts } = state.desk;
  if (executor === undefined) return { ok: false, cause: 'PERP_EXECUTOR_ADDRESS is not set' };
  const { settlement: token } = state.contracts;
  if (!counts)
    return {
      ok: false,
      cause: `${executor} does not count its margin: register ${token} with Vault.getFreeCollateralByRatio as its meter`,
    };
  const margin = marginOf(state, executor, usd, at);
  if (margin === undefined) return { ok: false, cause: `${token} has no USD price` };
  const slot = state.slots.get(executor);
  const account = slot === undefined ? undefined : state.accounts[slot];
  const worth = account === undefined ? undefined : lens.worth(account);
  if (account === undefined || worth === undefined) return { ok: false, cause: `${executor} has deposited nothing` };
  if (typeof worth === 'string') return { ok: false, cause: worth };
  return {
    ok: true,
    freeWad: worth.settledWad + worth.collateralWad,
    idle: account.places.size === 0,
    margin,
    lossRaw: state.desk.lossRaw,
  };
}

/** Undefined where the settlement token has no price. */
export function marginOf({ contracts, settlement }: PerpState, executor: Address, usd: UsdPrices, at: Moment): Margin | undefined {
  const { settlement: token, quote: credit, vault } = contracts;
  const price = usd.usd8(token, at);
  if (price === undefined || price.priceUsd8 <= 0n) return undefined;
  return {
    ...{ executor, credit, creditUsd8: price.priceUsd8, settlement: token, unitWad: settlement.unitWad },
    release: (amountRaw) => [
      {
        ...{ kind: 'call', target: vault, valueWei: 0n },
        data: encodeFunctionData({ abi: vaultAbi, functionName: 'withdraw', args: [token, amountRaw] }),
      },
    ],
  };
}
