/** What of a market is held against the pool's own views, at the mirrored block. */
import type { Address, ViewAnswer } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import type { ViewCheck } from '../../mirror/types.ts';
import { sourceCheck } from '../../oracles/audit.ts';
import type { Slot } from '../types.ts';
import { standingOf } from './health.ts';
import type { Lens } from './lens.ts';
import { calls } from './reads.ts';
import type { EModeCategory, MarketState } from './state.ts';

/** Every how many checks one goes to a reserve instead of an account. */
const RESERVE_EVERY = 4;
const MOST_SUSPECTS = 64;

/** What differed when it was last compared: compared first from then on, until it agrees. Outlives the state, which is read anew then. */
export class Suspects {
  readonly accounts = new Set<Address>();
  readonly turns = new Set<number>();

  /** The comparison, with its outcome remembered in one of the sets. */
  static watch<T>(set: Set<T>, suspect: T, check: ViewCheck): ViewCheck {
    const compare = (answer: ViewAnswer) => {
      const difference = check.compare(answer);
      if (difference === null) set.delete(suspect);
      else if (set.size < MOST_SUSPECTS) set.add(suspect);
      return difference;
    };
    return { ...check, compare };
  }
}
/** Kinds of a reserve's checks: its source, its price, and its two indexes. */
const KINDS = 4;

/**
 * @param nearest slots to check first, the least healthy first
 * @param lens the mirrored block itself; made when the first comparison asks, after the block has been ingested
 * @param suspects what differed before
 * @param refuted told when a price source was found to answer otherwise than its formula: a lens made before is worthless
 */
export function auditChecks(
  state: MarketState,
  lens: () => Lens,
  refuted: () => void,
  nearest: readonly Slot[],
  limit: number,
  seed: number,
  suspects: Suspects,
): ViewCheck[] {
  const reserveIds = [...state.reserves.keys()];
  const shared = [...state.categories.values()].filter(({ source }) => source !== undefined);
  // Consecutive over blocks, so that every price and index has its turn; those of efficiency modes come after those of reserves.
  const allTurns = reserveIds.length * KINDS + shared.length;
  const forReserves = Math.min(allTurns, Math.ceil(limit / RESERVE_EVERY));
  const turns = new Set([...suspects.turns].filter((turn) => turn < allTurns).slice(0, forReserves));
  for (let i = 0; turns.size < forReserves; i++) turns.add((seed * forReserves + i) % allTurns);
  const total = state.accounts.length;
  const accounts = Math.min(total, limit - turns.size);
  const suspected = [...suspects.accounts].flatMap((address) => state.accounts.slotOf(address) ?? []);
  const slots = new Set([...suspected, ...nearest].slice(0, Math.ceil(accounts / 2)));
  const others = accounts - slots.size;
  // The rest in turn too: over the blocks every account is checked, those that nobody expects anything of included.
  for (let i = 0; slots.size < accounts && i < total; i++) slots.add((seed * others + i) % total);
  return [
    ...[...turns].map((turn) => {
      const category = shared[turn - reserveIds.length * KINDS];
      const check =
        category === undefined ? reserveCheck(state, lens, refuted, reserveIds, turn) : categoryCheck(state, lens, refuted, category);
      return Suspects.watch(suspects.turns, turn, check);
    }),
    ...[...slots].map((slot) => Suspects.watch(suspects.accounts, state.accounts.addressOf(slot), accountCheck(state, lens, slot))),
  ];
}

/** Pool.getUserAccountData answers (collateral, debt, available, threshold, ltv, health factor). */
function accountCheck(state: MarketState, lens: () => Lens, slot: Slot): ViewCheck {
  const address = state.accounts.addressOf(slot);
  return {
    subject: `account ${address} health`,
    call: calls.userAccountData(state.addresses.pool, address),
    compare: (answer) => {
      const standing = standingOf(state.accounts, slot, lens());
      const ours = standing.ok ? `${standing.collateralBase}/${standing.debtBase}/${standing.healthFactorWad}` : 'unknown';
      const theirs = answer.ok ? `${uintOf(answer, 0)}/${uintOf(answer, 1)}/${uintOf(answer, 5)}` : 'unknown';
      return ours === theirs ? null : { ours: standing.ok ? ours : standing.reason, theirs: answer.ok ? theirs : 'reverts' };
    },
  };
}

function reserveCheck(state: MarketState, lens: () => Lens, refuted: () => void, ids: readonly number[], turn: number): ViewCheck {
  const id = ids[Math.floor(turn / KINDS) % ids.length]!;
  const { asset, symbol, source } = state.reserves.get(id)!;
  const { pool, oracle } = state.addresses;
  const now = () => lens().reserve(id);
  const price: ViewCheck = { subject: `price of ${symbol}`, call: calls.assetPrice(oracle, asset), compare: same(() => now()?.price) };
  switch (turn % KINDS) {
    case 0:
      return sourceCheck(symbol, source, () => lens().at, refuted) ?? price;
    case 1:
      return price;
    case 2:
      return {
        subject: `income index of ${symbol}`,
        call: calls.normalizedIncome(pool, asset),
        compare: same(() => now()?.incomeIndexRay),
      };
    default:
      return { subject: `debt index of ${symbol}`, call: calls.normalizedDebt(pool, asset), compare: same(() => now()?.debtIndexRay) };
  }
}

function categoryCheck(state: MarketState, lens: () => Lens, refuted: () => void, { id, priceKey, source }: EModeCategory): ViewCheck {
  const name = `efficiency mode ${id}`;
  const own = source === undefined ? undefined : sourceCheck(name, source, () => lens().at, refuted);
  const call = calls.assetPrice(state.addresses.oracle, priceKey);
  return own ?? { subject: `price of ${name}`, call, compare: same(() => lens().mode(id)?.price) };
}

/** An unknown value agrees with a call that reverts. */
function same(value: () => bigint | undefined): (answer: ViewAnswer) => { ours: string; theirs: string } | null {
  return (answer) => {
    const ours = value();
    const theirs = uintOf(answer);
    return ours === theirs ? null : { ours: String(ours), theirs: String(theirs) };
  };
}
