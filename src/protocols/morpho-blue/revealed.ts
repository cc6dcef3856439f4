/** What logs reveal of a deployment below the anchor, and what an earlier anchor knew: whom and what to read at the next one. */
import type { Address, Hex, LogFilter, RawLog } from '../../lib/types.ts';
import { discoveredIn } from './fold.ts';
import type { RestoredDeployment } from './kept.ts';
import { authorisationTopics, factoryTopics, preLogIn } from './pre-state.ts';
import type { BlueState, MarketId, MarketParams, PreLiquidation } from './state.ts';

/** The contracts of a deployment; it may have no factory of pre-liquidations. */
export type Contracts = { readonly morpho: Address; readonly factory: Address | undefined };

/** Logs of Morpho; and, where there is a factory, what it makes and who authorises it. */
export function filtersOf({ morpho, factory }: Contracts, topics0: readonly Hex[]): readonly LogFilter[] {
  if (factory === undefined) return [{ addresses: [morpho], topics0 }];
  return [
    { addresses: [morpho], topics0: [...topics0, ...authorisationTopics] },
    { addresses: [factory], topics0: factoryTopics },
  ];
}

export class Revealed {
  readonly markets = new Map<MarketId, MarketParams>();
  readonly accounts = new Map<MarketId, Set<Address>>();
  readonly irms = new Set<Address>();
  /** By address. */
  readonly preLiquidations = new Map<Address, PreLiquidation>();
  /** By whom an address is authorised. */
  readonly authorised = new Map<Address, Set<Address>>();
  readonly #contracts: Contracts;

  constructor(contracts: Contracts) {
    this.#contracts = contracts;
  }

  /** Logs come in the chain's order. */
  take(log: RawLog): void {
    const { morpho, factory } = this.#contracts;
    const found = log.address === morpho ? discoveredIn(log) : undefined;
    if (found?.kind === 'market') this.markets.set(found.id, found.params);
    if (found?.kind === 'irm') this.irms.add(found.irm);
    if (found?.kind === 'position') added(this.accounts, found.id, found.account);
    const early = preLogIn(log, morpho, factory);
    if (early?.kind === 'contract') this.preLiquidations.set(early.contract.address, early.contract);
    if (early?.kind !== 'authorisation') return;
    if (early.given) added(this.authorised, early.authorized, early.authorizer);
    else this.authorised.get(early.authorized)?.delete(early.authorizer);
  }

  /** Takes over what was kept from an earlier run. */
  restore({ markets, irms, contracts, authorised, accounts }: RestoredDeployment): void {
    for (const [id, params] of markets) this.markets.set(id, params);
    for (const irm of irms) this.irms.add(irm);
    for (const contract of contracts) this.preLiquidations.set(contract.address, contract);
    for (const [authorized, by] of authorised) for (const authorizer of by) added(this.authorised, authorized, authorizer);
    for (const [id, own] of accounts) for (const account of own) added(this.accounts, id, account);
  }

  /** Takes over what was followed since. */
  keep({ markets, positions, preLiquidations, authorised }: BlueState): void {
    for (const market of markets.values()) this.markets.set(market.id, market.params);
    for (const { market, account } of positions) added(this.accounts, market.id, account);
    for (const contracts of preLiquidations.values())
      for (const contract of contracts) this.preLiquidations.set(contract.address, contract);
    for (const [authorized, by] of authorised) for (const authorizer of by) added(this.authorised, authorized, authorizer);
  }
}

function added<K>(sets: Map<K, Set<Address>>, key: K, address: Address): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([address]));
  else set.add(address);
}
