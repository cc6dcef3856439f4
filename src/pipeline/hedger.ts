import { parseTransaction } from 'viem';
import { inventoryUsd8, restoreHedges, roomUsd8, stepHedges } from '../guard/hedge.ts';
import type { HedgeBook, HedgeCommand, HedgeEvent, HedgeRules, Now } from '../guard/hedge-types.ts';
import type { Ledger, OpenTransaction } from '../ledger/types.ts';
import { explainError } from '../lib/errors.ts';
import type { Address, Head } from '../lib/types.ts';
import { usd8ToWeiUp, usdText, weiToUsd8Floor } from '../lib/usd.ts';
import type { Moment } from '../oracles/types.ts';
import type { FirstLeg, FirstLegLimits, OwnAccount, Protocol, Reduction } from '../protocols/types.ts';
import { byProfit } from '../strategy/block.ts';
import { unbidGasWeiOf } from '../strategy/evaluate.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Decision, Plan, SkipReason } from '../strategy/types.ts';
import type { Emit } from '../telemetry/events.ts';
import type { CapitalBook } from './capital-book.ts';
import type { Switchboard } from './switchboard.ts';

type Reduce = Extract<HedgeCommand, { kind: 'reduce' }>;
type Skip = Extract<Decision, { kind: 'skip' }>;
type Venue = { readonly protocol: Protocol; readonly own: OwnAccount };

/** What one transaction cannot make pay, two may. */
const WORTH_ANOTHER_LOOK: ReadonlySet<SkipReason['reason']> = new Set(['no-route', 'below-min-profit', 'gas-too-high']);

/** A block, as far as hedging needs it. `terms` undefined: nothing can be sent in it. */
export type HedgeMoment = {
  readonly head: Head;
  readonly at: Moment;
  readonly terms: Terms | undefined;
  readonly open: readonly OpenTransaction[];
};

export type HedgerParts = {
  readonly ledger: Ledger;
  readonly switchboard: Switchboard;
  readonly emit: Emit;
  readonly rules: HedgeRules;
  readonly capital: CapitalBook;
};

/**
 * Follows what we hold at venues: the reducer's hands and eyes. What is held is read from the mirror, block after block; what the reducer says is performed in its
 * order, and its state counts only once all of that is done.
 */
export class Hedger {
  readonly #parts: HedgerParts;
  #book: HedgeBook;
  /** Why an order was not sent, said once. */
  readonly #said = new Map<string, string>();
  #toldUsd8 = 0n;
  #elsewhereUsd8 = () => 0n;

  private constructor(parts: HedgerParts, book: HedgeBook) {
    this.#parts = parts;
    this.#book = book;
  }

  /** As the ledger left it. */
  static async restore(parts: HedgerParts): Promise<Hedger> {
    const killed = parts.switchboard.state.switch === 'killed';
    return new Hedger(parts, restoreHedges(parts.rules, await parts.ledger.hedges(), killed));
  }

  get book(): HedgeBook {
    return this.#book;
  }

  get inventoryUsd8(): bigint {
    return inventoryUsd8(this.#book);
  }

  /** What is held beside, of the same limit. */
  sharesWith(elsewhereUsd8: () => bigint): void {
    this.#elsewhereUsd8 = elsewhereUsd8;
  }

  /** The second legs to be sent in this block. */
  async onBlock(
    protocols: readonly Protocol[],
    suspended: (protocol: Protocol) => string | undefined,
    block: HedgeMoment,
  ): Promise<readonly Plan[]> {
    const now = { block: block.head.number, timestamp: block.head.timestamp };
    const killed = this.#parts.switchboard.state.switch === 'killed';
    if (killed !== this.#book.killed) await this.#step({ kind: 'switched', killed }, now);
    const venues = new Map(protocols.flatMap((protocol) => venueOf(protocol)).map((venue) => [venue.protocol.id, venue]));
    for (const { protocol, own } of venues.values()) await this.#parts.capital.onBlock(protocol.id, own, block.head.number);
    const orders: Reduce[] = [];
    for (const deployment of new Set([...venues.keys(), ...Array.from(this.#book.hedges.values(), (hedge) => hedge.deployment)])) {
      const venue = venues.get(deployment);
      const event = venue === undefined || suspended(venue.protocol) !== undefined ? undefined : readingOf(venue, block);
      orders.push(...(await this.#step(event ?? { kind: 'unread', deployment }, now)));
    }
    this.#tellInventory();
    return orders.flatMap((order) => this.#planned(order, venues, block));
  }

  #tellInventory(): void {
    const usd8 = inventoryUsd8(this.#book);
    if (usd8 === this.#toldUsd8) return;
    this.#toldUsd8 = usd8;
    this.#parts.emit('hedge.inventory', { valueUsd: usdText(usd8), hedges: this.#book.hedges.size });
  }

  /**
   * The first leg of a takeover that no single transaction would close, of what is left out otherwise; durable before it is returned. One position at a time, and
   * none while anything keeps the keeper from sending.
   */
  async open(protocols: readonly Protocol[], skips: readonly Skip[], { head, at, terms }: HedgeMoment): Promise<Plan | undefined> {
    const { state } = this.#parts.switchboard;
    if (terms === undefined || this.#book.hedges.size > 0 || state.switch !== 'running' || state.openSince !== undefined) return undefined;
    const venues = new Map(protocols.flatMap((protocol) => venueOf(protocol)).map((venue) => [venue.protocol.id, venue]));
    const legs = skips.flatMap(({ candidate, skip }) => {
      const venue = venues.get(candidate.deployment);
      if (venue === undefined || !WORTH_ANOTHER_LOOK.has(skip.reason)) return [];
      const leg = firstLegOf(venue.own, candidate, { roomUsd8: roomUsd8(this.#book) - this.#elsewhereUsd8() }, at);
      return leg === undefined ? [] : [firstLeg(candidate, leg, terms)];
    });
    const [best] = legs.filter(({ plan }) => plan.profitUsd8 >= terms.minProfitUsd8).toSorted((a, b) => byProfit(a.plan, b.plan));
    if (best === undefined) return undefined;
    const { market, valueUsd8, margin } = best.leg;
    const now = { block: head.number, timestamp: head.timestamp };
    const { deployment } = best.plan.candidate;
    // What earlier ones left there is no capital of the owner's: the last order pays it out as well.
    const leftRaw = this.#parts.capital.leftRaw(deployment);
    const keepWad = best.leg.keepWad - (leftRaw > 0n ? leftRaw * margin.unitWad : 0n);
    const wanted = { kind: 'wanted', deployment, market, valueUsd8, lastBlock: head.number + 1, keepWad } as const;
    const commands = await this.#commands(wanted, now);
    return commands.some(({ kind }) => kind === 'open') ? best.plan : undefined;
  }

  async #step(event: HedgeEvent, now: Now): Promise<readonly Reduce[]> {
    return (await this.#commands(event, now)).filter((command) => command.kind === 'reduce');
  }

  async #commands(event: HedgeEvent, now: Now): Promise<readonly HedgeCommand[]> {
    const [next, commands] = stepHedges(this.#book, event, now);
    for (const command of commands) await this.#perform(command);
    this.#book = next;
    return commands;
  }

  async #perform(command: HedgeCommand): Promise<void> {
    const { ledger, switchboard, emit } = this.#parts;
    switch (command.kind) {
      case 'save':
        return ledger.saveHedge(command.hedge);
      case 'forget':
        this.#said.delete(command.id);
        return ledger.forgetHedge(command.id);
      case 'kill':
        await switchboard.handle({ kind: 'command', command: 'kill', afterKill: false, by: `the hedge: ${command.reason}` });
        return undefined;
      case 'alert': {
        const { id, about, sizeRaw, valueUsd8, sinceBlock } = command;
        emit('alert.raised', { about: `position-${about}`, hedge: id, sizeRaw: String(sizeRaw), valueUsd: usdText(valueUsd8), sinceBlock });
        return undefined;
      }
      case 'closed':
        emit('hedge.closed', { hedge: command.id, sinceBlock: command.hedge.since.block, phase: command.hedge.phase });
        return undefined;
      case 'open':
        emit('hedge.opened', { hedge: command.id });
        return undefined;
      case 'refuse':
      case 'reduce':
        return undefined;
    }
  }

  #planned(order: Reduce, venues: ReadonlyMap<string, Venue>, { at, terms }: HedgeMoment): readonly Plan[] {
    const { id } = order;
    const hedge = this.#book.hedges.get(id);
    const venue = hedge === undefined ? undefined : venues.get(hedge.deployment);
    if (hedge === undefined || venue === undefined) return [];
    if (terms === undefined) return this.#waits(id, 'the native token has no USD price');
    const reduction = reductionOf(venue.own, { ...order, market: hedge.market as Address }, at);
    if (!reduction.ok) return this.#waits(id, reduction.reason);
    this.#said.delete(id);
    return [secondLeg(venue, reduction, hedge.market as Address, hedge.since.block, terms)];
  }

  #waits(id: string, reason: string): readonly Plan[] {
    if (this.#said.get(id) !== reason) this.#parts.emit('hedge.waiting', { hedge: id, reason });
    this.#said.set(id, reason);
    return [];
  }
}

function venueOf(protocol: Protocol): readonly Venue[] {
  const own = protocol.own?.();
  return own === undefined ? [] : [{ protocol, own }];
}

/** Undefined where it cannot be read: a market that was never synced throws. */
function readingOf({ protocol, own }: Venue, { at, open }: HedgeMoment): HedgeEvent | undefined {
  try {
    const busy = open.some(({ raw }) => parseTransaction(raw).to?.toLowerCase() === own.executor);
    return { kind: 'read', deployment: protocol.id, held: own.positions(at), busy };
  } catch {
    return undefined;
  }
}

/** A position whose figures no arithmetic can take is nobody's to take over. */
function firstLegOf(own: OwnAccount, { slot }: Plan['candidate'], limits: FirstLegLimits, at: Moment): FirstLeg | undefined {
  try {
    return own.firstLeg(slot, limits, at);
  } catch {
    return undefined;
  }
}

function reductionOf(own: OwnAccount, order: Parameters<OwnAccount['reduce']>[0], at: Moment): ReturnType<OwnAccount['reduce']> {
  try {
    return own.reduce(order, at);
  } catch (error) {
    return { ok: false, reason: explainError(error) };
  }
}

/** With the gas of both legs, and what both are expected to make. */
function firstLeg(candidate: Plan['candidate'], leg: FirstLeg, terms: Terms): { readonly leg: FirstLeg; readonly plan: Plan } {
  const { label, market, amountRaw, valueUsd8, profitWad, gasUnits, laterGasUnits, margin, mostLossRaw, pools, steps } = leg;
  const grossWei = (profitWad * margin.creditUsd8) / terms.numeraireUsd8;
  const gasWei = unbidGasWeiOf(gasUnits, terms) + unbidGasWeiOf(laterGasUnits, terms);
  const profitWei = grossWei - gasWei;
  const plan: Plan = {
    ...{ candidate, option: label, debtAsset: margin.credit, collateralAsset: market, repayRaw: amountRaw, seizedRaw: amountRaw },
    ...{ route: 'in later blocks', pools, flash: 'none', flashFeeRaw: 0n, steps, margin, sweep: [], repayUsd8: valueUsd8 },
    leg: { kind: 'first', leastRaw: -mostLossRaw },
    ...{ grossWei, gasUnits, gasWei, bidWei: 0n, profitWei, profitUsd8: weiToUsd8Floor(profitWei, terms.numeraireUsd8) },
  };
  return { leg, plan };
}

/** NOTE: the venue's meter counts a position as lost, so whatever closes one makes it rise: nothing that lets it fall is sent. */
function secondLeg({ protocol, own }: Venue, reduction: Reduction, base: Address, sinceBlock: number, terms: Terms): Plan {
  const { label, amountRaw, valueUsd8, pools, gasUnits, margin, steps } = reduction;
  return {
    candidate: {
      ...{ protocol: protocol.name, market: protocol.market, aliases: [], deployment: protocol.id, slot: OURS },
      ...{ account: own.executor, healthFactorWad: 0n, sinceBlock },
    },
    ...{ option: label, debtAsset: base, collateralAsset: margin.credit, repayRaw: amountRaw, seizedRaw: 0n },
    ...{ route: label, pools, flash: 'none', flashFeeRaw: 0n, steps, margin, sweep: [] },
    leg: { kind: 'second', leastRaw: 0n },
    grossWei: usd8ToWeiUp(valueUsd8, terms.numeraireUsd8),
    ...{ gasUnits, gasWei: unbidGasWeiOf(gasUnits, terms), bidWei: 0n, profitWei: 0n, profitUsd8: 0n, repayUsd8: valueUsd8 },
  };
}

/** No slot of the protocol's: our own account is no candidate of anybody's. */
const OURS = -1;
