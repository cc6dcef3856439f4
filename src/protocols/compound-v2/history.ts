/** What the logs below the anchor tell: who owes what since which index, and whom governance treats apart; by the contract that says so. */
import { WAD } from '../../lib/math.ts';
import type { Address, RawLog } from '../../lib/types.ts';
import { ifWhole } from '../../lib/words.ts';
import { discoveredIn } from './fold.ts';
import type { Fact } from './kept.ts';
import { type CompoundState, forcedKey, type Holding } from './state.ts';

export type Told = Pick<Holding, 'principal' | 'index'>;

/** A market begins with this index, and says nothing about it. */
const FIRST_INDEX = WAD;

/**
 * NOTE: anybody's contract may log the same events, and which are the deployment's is known from the anchor on. A debt's principal and index stand in no view,
 * and only both together give it to the unit at any later index.
 */
export class History {
  /** By market, by borrower. */
  readonly debts = new Map<Address, Map<Address, Told>>();
  readonly forcedFor = new Map<Address, Set<string>>();
  readonly shielded = new Map<Address, Set<Address>>();
  readonly #indexes = new Map<Address, bigint>();

  /** In the chain's order. */
  take(log: RawLog): void {
    const found = ifWhole(() => discoveredIn(log));
    switch (found?.kind) {
      case 'index':
        this.#indexes.set(log.address, found.index);
        return;
      case 'debt':
        this.#owe(log.address, found.account, { principal: found.principal, index: this.#indexes.get(log.address) ?? FIRST_INDEX });
        return;
      case 'forced':
        toggle(this.forcedFor, log.address, forcedKey(found.account, found.market), found.is);
        return;
      case 'shielded':
        toggle(this.shielded, log.address, found.account, found.is);
    }
  }

  /** What was mirrored since is the newer word. */
  keep(state: CompoundState | undefined): void {
    if (state === undefined) return;
    for (const { address, borrowIndex } of state.markets.values()) this.#indexes.set(address, borrowIndex);
    for (const { address, holdings } of state.accounts)
      for (const { market, principal, index } of holdings.values()) this.#owe(market.address, address, { principal, index });
    this.forcedFor.set(state.comptroller, new Set(state.forcedFor));
    if (state.rules.gate !== undefined) this.shielded.set(state.rules.gate.address, new Set(state.shielded));
  }

  *facts(): Iterable<Fact> {
    for (const [market, index] of this.#indexes) yield { kind: 'index', market, index };
    for (const [market, theirs] of this.debts) for (const [account, told] of theirs) yield { kind: 'debt', market, account, ...told };
    for (const [by, keys] of this.forcedFor) for (const key of keys) yield { kind: 'forced', by, key };
    for (const [by, accounts] of this.shielded) for (const account of accounts) yield { kind: 'shielded', by, account };
  }

  /** What was kept, before anything was taken in. */
  restore(facts: Iterable<Fact>): void {
    for (const fact of facts) {
      if (fact.kind === 'index') this.#indexes.set(fact.market, fact.index);
      else if (fact.kind === 'debt') this.#owe(fact.market, fact.account, { principal: fact.principal, index: fact.index });
      else if (fact.kind === 'forced') toggle(this.forcedFor, fact.by, fact.key, true);
      else toggle(this.shielded, fact.by, fact.account, true);
    }
  }

  /** What other contracts said is of no use once the deployment's are known. */
  forgetOthers({ markets, comptroller, rules }: CompoundState): void {
    for (const address of this.#indexes.keys()) if (!markets.has(address)) this.#indexes.delete(address);
    for (const address of this.debts.keys()) if (!markets.has(address)) this.debts.delete(address);
    for (const address of this.forcedFor.keys()) if (address !== comptroller) this.forcedFor.delete(address);
    for (const address of this.shielded.keys()) if (address !== rules.gate?.address) this.shielded.delete(address);
  }

  #owe(market: Address, account: Address, told: Told): void {
    const theirs = this.debts.get(market) ?? new Map<Address, Told>();
    this.debts.set(market, theirs.set(account, told));
  }
}

function toggle<T>(sets: Map<Address, Set<T>>, address: Address, value: T, is: boolean): void {
  const set = sets.get(address) ?? new Set<T>();
  sets.set(address, set);
  if (is) set.add(value);
  else set.delete(value);
}
