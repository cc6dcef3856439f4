/**
 * The second leg. A position that was taken over and not closed in the same transaction is held from the first leg to the last fill of the second; so is one
 * that was found in our account and that nobody here knows of. Each is closed by its deadline, or the kill switch acts: everything is flattened, nothing opened.
 *
 * Commands are performed in their order, each once the one before is done. What `save` and `forget` write is durable before what follows them, and an alert goes
 * before the `kill` and the `save` that tell of the same: who dies in between gives it again.
 */
import type { Hedge, HedgeBook, HedgeCommand, HedgeEvent, HedgeRules, HedgeStep, Held, Now } from './hedge-types.ts';

/** A child order is no smaller part of a position than this. */
const MOST_PARTS = 64;

export function restoreHedges(rules: HedgeRules, saved: readonly Hedge[], killed: boolean): HedgeBook {
  return { rules, killed, hedges: new Map(saved.map((hedge) => [hedge.id, killed ? urgent(hedge) : hedge])) };
}

export function stepHedges(book: HedgeBook, event: HedgeEvent, now: Now): HedgeStep {
  switch (event.kind) {
    case 'wanted':
      return wanted(book, event, now);
    case 'read':
      return read(book, event, now);
    case 'unread':
      return inTurn(book, ofDeployment(book, event.deployment), (hedge, _, then) => overdue(then, hedge, now));
    case 'switched':
      return switched(book, event.killed);
  }
}

/** What all that is held is worth, a first leg that is under way included. */
export function inventoryUsd8(book: HedgeBook): bigint {
  return [...book.hedges.values()].reduce((sum, { valueUsd8 }) => sum + valueUsd8, 0n);
}

/** How much more may be taken over in two legs now. */
export function roomUsd8(book: HedgeBook): bigint {
  const left = book.rules.maxInventoryUsd8 - inventoryUsd8(book);
  return book.killed || left < 0n ? 0n : left;
}

type Wanted = Extract<HedgeEvent, { kind: 'wanted' }>;
type Read = Extract<HedgeEvent, { kind: 'read' }>;

function wanted(book: HedgeBook, { deployment, market, valueUsd8, lastBlock, keepWad }: Wanted, now: Now): HedgeStep {
  const id = idOf(deployment, market);
  const refuse = (reason: string): HedgeStep => [book, [{ kind: 'refuse', id, reason }]];
  const known = book.hedges.get(id);
  // The same event again.
  if (known?.phase === 'opening' && known.openUntil === lastBlock && known.since.block === now.block) return [book, []];
  if (known !== undefined) return refuse('a position is held there already');
  if (book.killed) return refuse('killed');
  if (valueUsd8 > roomUsd8(book)) return refuse('MAX_INVENTORY_USD');
  const hedge: Hedge = {
    ...{ id, deployment, market, phase: 'opening', openUntil: lastBlock, since: now, sizeRaw: 0n, valueUsd8, keepWad },
    ...{ parts: 1, ordered: undefined },
  };
  return [
    withHedge(book, hedge),
    [
      { kind: 'save', id, hedge },
      { kind: 'open', id },
    ],
  ];
}

function read(book: HedgeBook, event: Read, now: Now): HedgeStep {
  const { deployment, held, busy } = event;
  const found = held.filter(({ sizeRaw, market }) => sizeRaw !== 0n && !book.hedges.has(idOf(deployment, market)));
  const known = ofDeployment(book, deployment);
  const all = [...known, ...found.map(({ market }) => idOf(deployment, market))];
  return inTurn(book, all, (current, id, then) => {
    const position = held.find(({ market }) => idOf(deployment, market) === id);
    const begun = current ?? begin(then, id, deployment, position!, now);
    const alerts: HedgeCommand[] = current === undefined ? [alert(begun, 'found')] : [];
    return follow(then, begun, position, busy, now, alerts);
  });
}

/** A position that no hedge of ours explains: an earlier life's, or somebody's by hand. */
function begin({ killed, rules }: HedgeBook, id: string, deployment: string, position: Held, now: Now): Hedge {
  const { market, sizeRaw, valueUsd8 } = position;
  // More than may ever be held is late from the start.
  const since = valueUsd8 > rules.maxInventoryUsd8 ? before(now, rules) : now;
  return {
    ...{ id, deployment, market, phase: killed ? 'flattening' : 'closing', openUntil: now.block, since, sizeRaw, valueUsd8 },
    ...{ keepWad: undefined, parts: 1, ordered: undefined },
  };
}

/** One hedge against what is held now. */
function follow(
  book: HedgeBook,
  hedge: Hedge,
  position: Held | undefined,
  busy: boolean,
  now: Now,
  alerts: readonly HedgeCommand[],
): HedgeStep {
  const { id } = hedge;
  if (position === undefined || position.sizeRaw === 0n) {
    // A first leg that may still be mined is waited for.
    if (hedge.phase === 'opening' && (busy || now.block < hedge.openUntil)) return [book, []];
    const closed: HedgeCommand[] = hedge.phase === 'opening' ? [] : [{ kind: 'closed', id, hedge }];
    return [withoutHedge(book, id), [...closed, { kind: 'forget', id }]];
  }
  const opened =
    hedge.phase === 'opening' ? { ...hedge, phase: book.killed ? ('flattening' as const) : ('closing' as const), since: now } : hedge;
  const seen = { ...opened, sizeRaw: position.sizeRaw, valueUsd8: position.valueUsd8 };
  const tried = seen.ordered !== undefined && seen.ordered.block !== now.block && !busy ? resized(seen, seen.ordered) : seen;
  const [late, lateCommands] = overdue(book, tried, now);
  const judged = late.hedges.get(id)!;
  const waits = busy || judged.ordered?.block === now.block;
  const next = waits ? judged : { ...judged, ordered: { block: now.block, sizeRaw: judged.sizeRaw } };
  const saves = same(next, hedge) && book.hedges.has(id) ? [] : [{ kind: 'save', id, hedge: next } as const];
  const given = withoutSaves(lateCommands, id);
  return [withHedge(late, next), [...alerts, ...given, ...saves, ...(waits ? [] : [reduce(next)])]];
}

/** After an order that closed nothing the next one is half of it; after one that closed something, twice. In need the whole is tried again after the smallest. */
function resized(hedge: Hedge, ordered: NonNullable<Hedge['ordered']>): Hedge {
  const moved = abs(hedge.sizeRaw) < abs(ordered.sizeRaw);
  const smaller = hedge.parts < MOST_PARTS ? hedge.parts * 2 : hedge.phase === 'flattening' ? 1 : MOST_PARTS;
  return { ...hedge, parts: moved ? Math.max(1, hedge.parts / 2) : smaller, ordered: undefined };
}

/** Past its deadline a position is everybody's concern. */
function overdue(book: HedgeBook, hedge: Hedge | undefined, now: Now): HedgeStep {
  if (hedge === undefined) return [book, []];
  const kept = withHedge(book, hedge);
  if (hedge.phase !== 'closing' || !isLate(book.rules, hedge, now)) return [kept, []];
  const { id } = hedge;
  const [killed, flattened] = switched(kept, true);
  return [killed, [alert(hedge, 'overdue'), { kind: 'kill', id, reason: `${id} is held since block ${hedge.since.block}` }, ...flattened]];
}

/** Killed: whatever is held goes, at any price that the venue takes. A resume brings nothing back: what is being flattened is flattened. */
function switched(book: HedgeBook, killed: boolean): HedgeStep {
  if (!killed) return [{ ...book, killed }, []];
  const held = [...book.hedges.values()].filter(({ phase }) => phase === 'closing');
  const next = held.reduce<HedgeBook>((so, hedge) => withHedge(so, urgent(hedge)), { ...book, killed });
  return [next, held.map((hedge) => ({ kind: 'save', id: hedge.id, hedge: urgent(hedge) }) as const)];
}

function urgent(hedge: Hedge): Hedge {
  return hedge.phase === 'closing' ? { ...hedge, phase: 'flattening', parts: 1 } : hedge;
}

function isLate({ deadlineBlocks, deadlineSeconds }: HedgeRules, { since }: Hedge, now: Now): boolean {
  return now.block >= since.block + deadlineBlocks && now.timestamp >= since.timestamp + deadlineSeconds;
}

function before(now: Now, { deadlineBlocks, deadlineSeconds }: HedgeRules): Now {
  return { block: now.block - deadlineBlocks, timestamp: now.timestamp - deadlineSeconds };
}

function reduce({ id, sizeRaw, parts, phase, keepWad }: Hedge): HedgeCommand {
  const part = abs(sizeRaw) / BigInt(parts);
  return {
    kind: 'reduce',
    id,
    amountRaw: part > 0n ? part : abs(sizeRaw),
    whole: parts === 1,
    atAnyPrice: phase === 'flattening',
    keepWad,
  };
}

function alert({ id, sizeRaw, valueUsd8, since }: Hedge, about: 'found' | 'overdue'): HedgeCommand {
  return { kind: 'alert', id, about, sizeRaw, valueUsd8, sinceBlock: since.block };
}

type Turn = (hedge: Hedge | undefined, id: string, book: HedgeBook) => HedgeStep;

function inTurn(book: HedgeBook, ids: readonly string[], turn: Turn): HedgeStep {
  return ids.reduce<HedgeStep>(
    ([so, commands], id) => {
      const [next, more] = turn(so.hedges.get(id), id, so);
      return [next, [...commands, ...more]];
    },
    [book, []],
  );
}

function idOf(deployment: string, market: string): string {
  return `${deployment} ${market}`;
}

function ofDeployment({ hedges }: HedgeBook, deployment: string): readonly string[] {
  return [...hedges.values()].filter((hedge) => hedge.deployment === deployment).map(({ id }) => id);
}

function withHedge(book: HedgeBook, hedge: Hedge): HedgeBook {
  return { ...book, hedges: new Map([...book.hedges, [hedge.id, hedge]]) };
}

function withoutHedge(book: HedgeBook, id: string): HedgeBook {
  return { ...book, hedges: new Map([...book.hedges].filter(([other]) => other !== id)) };
}

function withoutSaves(commands: readonly HedgeCommand[], id: string): readonly HedgeCommand[] {
  return commands.filter((command) => command.kind !== 'save' || command.id !== id);
}

function same(a: Hedge, b: Hedge): boolean {
  return (
    a.phase === b.phase &&
    a.sizeRaw === b.sizeRaw &&
    a.valueUsd8 === b.valueUsd8 &&
    a.parts === b.parts &&
    a.since.block === b.since.block &&
    a.ordered?.block === b.ordered?.block
  );
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
