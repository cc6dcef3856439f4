/**
 * The end of inventory. What a liquidation seized and no pool took at once is a parent order, which is sold in child orders over blocks: each as large as what
 * pools take at a small loss, the next one once they have recovered from it, and all of it without waiting when the price has fallen too far.
 *
 * Commands are performed in their order, each once the one before is done. What `save` and `forget` write is durable before what follows them, and an alert goes
 * before the `save` that tells of the same: who dies in between gives it again. A switch or breaker stops no child order: each lowers what is at risk.
 */
import type { Now } from './hedge-types.ts';
import type { Stock, Unwind, UnwindBook, UnwindCommand, UnwindEvent, UnwindRules, UnwindStep } from './unwind-types.ts';

/** A child order is no smaller part of what pools take than this. */
const MOST_PARTS = 64;
const BPS = 10_000n;

export function restoreUnwinds(rules: UnwindRules, saved: readonly Unwind[]): UnwindBook {
  return { rules, unwinds: new Map(saved.map((unwind) => [unwind.token, unwind])) };
}

export function stepUnwinds(book: UnwindBook, event: UnwindEvent, now: Now): UnwindStep {
  return event.kind === 'wanted' ? wanted(book, event, now) : read(book, event.stock, now);
}

/** What all inventory is worth, a liquidation that is under way included. */
export function unwindsUsd8({ unwinds }: UnwindBook): bigint {
  return [...unwinds.values()].reduce((sum, { valueUsd8 }) => sum + valueUsd8, 0n);
}

type Wanted = Extract<UnwindEvent, { kind: 'wanted' }>;

function wanted(book: UnwindBook, { token, valueUsd8, priceUsd8, discountBps, lastBlock, origin }: Wanted, now: Now): UnwindStep {
  const refuse = (reason: string): UnwindStep => [book, [{ kind: 'refuse', token, reason }]];
  const known = book.unwinds.get(token);
  // The same event again.
  if (known?.phase === 'opening' && known.openUntil === lastBlock && known.since.block === now.block) return [book, []];
  if (known !== undefined) return refuse('it is held already');
  if (unwindsUsd8(book) + valueUsd8 > book.rules.maxInventoryUsd8) return refuse('MAX_INVENTORY_USD');
  const unwind: Unwind = {
    ...{ token, phase: 'opening', origin, openUntil: lastBlock, since: now, heldRaw: 0n, valueUsd8, entryUsd8: priceUsd8 },
    ...{ parts: 1, ordered: undefined, sold: { now, discountBps } },
  };
  return [
    withUnwind(book, unwind),
    [
      { kind: 'save', token, unwind },
      { kind: 'open', token },
    ],
  ];
}

function read(book: UnwindBook, stock: Stock, now: Now): UnwindStep {
  const { token, busy } = stock;
  const known = book.unwinds.get(token);
  const isDust = stock.valueUsd8 < book.rules.leastUsd8;
  if (known === undefined) {
    if (isDust) return [book, []];
    const found = taken(stock, now);
    return follow(book, undefined, found, stock, now, [{ kind: 'alert', token, about: 'found', unwind: found }]);
  }
  // A liquidation that may still be mined is waited for.
  if (isDust && known.phase === 'opening' && (busy || now.block < known.openUntil)) return [book, []];
  if (isDust) {
    const closed: UnwindCommand[] = known.phase === 'opening' ? [] : [{ kind: 'closed', token, unwind: known }];
    return [withoutUnwind(book, token), [...closed, { kind: 'forget', token }]];
  }
  const held = known.phase === 'opening' ? { ...known, phase: 'selling' as const, since: now } : known;
  return follow(book, known, { ...held, heldRaw: stock.heldRaw, valueUsd8: stock.valueUsd8 }, stock, now, []);
}

/** What no parent order explains: an earlier life's, or somebody's by hand. */
function taken({ token, heldRaw, valueUsd8, priceUsd8 }: Stock, now: Now): Unwind {
  return {
    ...{ token, phase: 'selling', origin: undefined, openUntil: now.block, since: now, heldRaw, valueUsd8, entryUsd8: priceUsd8 },
    ...{ parts: 1, ordered: undefined, sold: undefined },
  };
}

function follow(
  book: UnwindBook,
  before: Unwind | undefined,
  held: Unwind,
  stock: Stock,
  now: Now,
  alerts: readonly UnwindCommand[],
): UnwindStep {
  const { token } = held;
  const { rules } = book;
  const settled = held.ordered !== undefined && held.ordered.now.block !== now.block && !stock.busy ? answered(held, held.ordered) : held;
  const falls = settled.phase === 'selling' && highestUsd8(stock) * BPS <= settled.entryUsd8 * (BPS - rules.stopLossBps);
  const judged: Unwind = falls ? { ...settled, phase: 'stopping', parts: 1 } : settled;
  const stopped: UnwindCommand[] = falls ? [{ kind: 'alert', token, about: 'stopped', unwind: judged }] : [];
  const order = stock.busy || judged.ordered?.now.block === now.block ? undefined : orderOf(judged, stock, rules, now);
  const next: Unwind =
    order?.kind === 'sell' ? { ...judged, ordered: { now, heldRaw: judged.heldRaw, discountBps: stock.discountBps ?? 0n } } : judged;
  const saves: UnwindCommand[] = before !== undefined && same(before, next) ? [] : [{ kind: 'save', token, unwind: next }];
  return [withUnwind(book, next), [...alerts, ...stopped, ...saves, ...(order === undefined ? [] : [order])]];
}

/** NOTE: by the oracle or by the pools: a wrong answer of the one, or somebody's push at the other, stops nothing. */
function highestUsd8({ priceUsd8, discountBps = 0n }: Stock): bigint {
  return discountBps < 0n ? (priceUsd8 * (BPS - discountBps)) / BPS : priceUsd8;
}

/** After an order that sold nothing the next one is half of it; after one that sold something, twice. In need the whole is tried again after the smallest. */
function answered(unwind: Unwind, ordered: NonNullable<Unwind['ordered']>): Unwind {
  const { now, heldRaw, discountBps } = ordered;
  if (unwind.heldRaw < heldRaw) return { ...unwind, parts: Math.max(1, unwind.parts / 2), ordered: undefined, sold: { now, discountBps } };
  const smaller = unwind.parts < MOST_PARTS ? unwind.parts * 2 : unwind.phase === 'stopping' ? 1 : MOST_PARTS;
  return { ...unwind, parts: smaller, ordered: undefined };
}

function orderOf(unwind: Unwind, stock: Stock, rules: UnwindRules, now: Now): Extract<UnwindCommand, { kind: 'sell' | 'wait' }> {
  const { token, phase, heldRaw, parts } = unwind;
  const urgent = phase === 'stopping';
  if (stock.discountBps === undefined) return { kind: 'wait', token, reason: 'no-depth' };
  if (!urgent && !hasRecovered(unwind, stock.discountBps, rules, now)) return { kind: 'wait', token, reason: 'not-recovered' };
  const part = (urgent ? stock.stopClipRaw : stock.clipRaw) / BigInt(parts);
  if (part <= 0n) return { kind: 'wait', token, reason: 'no-depth' };
  return { kind: 'sell', token, amountRaw: part < heldRaw ? part : heldRaw, urgent };
}

function hasRecovered({ sold }: Unwind, discountBps: bigint, rules: UnwindRules, now: Now): boolean {
  if (sold === undefined || discountBps <= sold.discountBps + rules.recoveredBps) return true;
  return now.block >= sold.now.block + rules.patienceBlocks && now.timestamp >= sold.now.timestamp + rules.patienceSeconds;
}

function withUnwind(book: UnwindBook, unwind: Unwind): UnwindBook {
  return { ...book, unwinds: new Map([...book.unwinds, [unwind.token, unwind]]) };
}

function withoutUnwind(book: UnwindBook, token: string): UnwindBook {
  return { ...book, unwinds: new Map([...book.unwinds].filter(([other]) => other !== token)) };
}

function same(a: Unwind, b: Unwind): boolean {
  return (
    a.phase === b.phase &&
    a.heldRaw === b.heldRaw &&
    a.parts === b.parts &&
    a.ordered?.now.block === b.ordered?.now.block &&
    a.sold?.now.block === b.sold?.now.block
  );
}
