import { restoreUnwinds, stepUnwinds, unwindsUsd8 } from '../guard/unwind.ts';
import type { Origin, Stock, Unwind, UnwindBook, UnwindCommand, UnwindEvent, UnwindRules } from '../guard/unwind-types.ts';
import type { Ledger, OpenTransaction } from '../ledger/types.ts';
import type { Address, Head } from '../lib/types.ts';
import { rawToUsd8Floor, usdText } from '../lib/usd.ts';
import type { Depth, Exchange } from '../liquidity/types.ts';
import type { TokenHoldings } from '../mirror/holdings.ts';
import type { Protocol } from '../protocols/types.ts';
import { INVENTORY } from '../risk/types.ts';
import { CLIP_LOSS_BPS, childPlan, clipOf, discountOf, STOP_LOSS_CLIP_BPS } from '../strategy/clips.ts';
import { type Kept, planKept } from '../strategy/keeping.ts';
import type { Market } from '../strategy/prospect.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Decision, Plan, SkipReason } from '../strategy/types.ts';
import type { Emit } from '../telemetry/events.ts';
import type { HedgeMoment } from './hedger.ts';
import type { Switchboard } from './switchboard.ts';

type Skip = Extract<Decision, { kind: 'skip' }>;
type Sell = Extract<UnwindCommand, { kind: 'sell' }>;
type Sellable = HedgeMoment & { readonly terms: Terms };

/** What cannot be sold at once for enough may bring it over blocks. */
const WORTH_ANOTHER_LOOK: ReadonlySet<SkipReason['reason']> = new Set(['no-route', 'below-min-profit', 'gas-too-high']);
/** Of those that are left out, so many are looked at again in a block. */
const MOST_LOOKED_AT = 8;
/** A child order in the public mempool has so many blocks, and the liquidation that leaves inventory. */
const OPEN_BLOCKS = 8;

export type UnwinderParts = {
  readonly ledger: Ledger;
  readonly switchboard: Switchboard;
  readonly emit: Emit;
  readonly rules: UnwindRules;
  readonly holdings: TokenHoldings;
  /** What is held beside, of the same limit. */
  elsewhereUsd8(): bigint;
  symbolOf(token: Address): string;
};

/** What was decided of a block without inventory, and what it leaves of the pools. */
export type Decided = { readonly whole: readonly Plan[]; readonly skips: readonly Skip[]; readonly after: Depth };

/**
 * Follows what the inventory Executor holds: the reducer's hands and eyes. Balances are read from the mirror, block after block, and depth from the mirrored pools;
 * what the reducer says is performed in its order, and its state counts only once all of that is done.
 */
export class Unwinder {
  readonly #parts: UnwinderParts;
  #book: UnwindBook;
  /** Why an order was not sent, said once. */
  readonly #said = new Map<string, string>();
  #toldUsd8 = 0n;

  private constructor(parts: UnwinderParts, book: UnwindBook) {
    this.#parts = parts;
    this.#book = book;
  }

  /** As the ledger left it. */
  static async restore(parts: UnwinderParts): Promise<Unwinder> {
    return new Unwinder(parts, restoreUnwinds(parts.rules, await parts.ledger.unwinds()));
  }

  get inventoryUsd8(): bigint {
    return unwindsUsd8(this.#book);
  }

  /** The child orders of this block. Nothing where prices or pools are not to be trusted now. */
  async onBlock(market: Market, trusted: boolean, block: HedgeMoment): Promise<readonly Plan[]> {
    const { holdings } = this.#parts;
    const tokens = [...new Set([...(this.#book.unwinds.keys() as Iterable<Address>), ...holdings.held])];
    if (tokens.length === 0) return [];
    const { terms } = block;
    const plans = terms === undefined || !trusted ? [] : await this.#sellAll(tokens, market, { ...block, terms });
    holdings.expect(this.#book.unwinds.keys() as Iterable<Address>);
    this.#tellInventory();
    return plans;
  }

  async #sellAll(tokens: readonly Address[], { venue, usd }: Market, block: Sellable): Promise<readonly Plan[]> {
    const plans: Plan[] = [];
    let depth = venue.depth(block.at);
    for (const token of tokens) {
      const stock = this.#stockOf(token, usd.usd8(token, block.at), venue, depth, block);
      if (stock === undefined) {
        this.#waits(token, 'no-price');
        continue;
      }
      const commands = await this.#step({ kind: 'read', stock }, block.head);
      for (const command of commands) {
        if (command.kind !== 'sell') continue;
        const child = this.#child(command, venue, depth, block.terms);
        if (child === undefined) continue;
        depth = child.after;
        plans.push(child.plan);
      }
    }
    return plans;
  }

  /**
   * A liquidation that keeps what it need not sell, durable before it is returned: of what is left out otherwise, or in the place of the only plan where nothing
   * is bid, if that makes clearly less. One at a time, and none while anything keeps the keeper from sending.
   */
  async open(
    protocols: readonly Protocol[],
    market: Market,
    decided: Decided,
    { head, at, terms }: HedgeMoment,
  ): Promise<Plan | undefined> {
    const { switchboard, rules, holdings, elsewhereUsd8, emit } = this.#parts;
    const { state } = switchboard;
    if (terms === undefined || state.switch !== 'running' || state.openSince !== undefined) return undefined;
    if ([...this.#book.unwinds.values()].some(({ phase }) => phase === 'opening')) return undefined;
    const roomUsd8 = rules.maxInventoryUsd8 - this.inventoryUsd8 - elsewhereUsd8();
    if (roomUsd8 < rules.leastUsd8) return undefined;
    const byId = new Map(protocols.map((protocol) => [protocol.id, protocol]));
    const planned = (candidate: Plan['candidate'], depth: Depth): readonly Kept[] => {
      const options = byId.get(candidate.deployment)?.options(candidate.slot, at) ?? [];
      const free = options.filter(({ collateralAsset }) => !this.#book.unwinds.has(collateralAsset));
      const kept = planKept(candidate, free, market, depth, terms, at, { inventory: holdings.account, roomUsd8 });
      return kept === undefined ? [] : [kept];
    };
    const left = decided.skips.filter(({ skip }) => WORTH_ANOTHER_LOOK.has(skip.reason) && skip.figures['atMost'] === undefined);
    const kept = left.slice(0, MOST_LOOKED_AT).flatMap(({ candidate }) => planned(candidate, decided.after));
    const [only] = decided.whole;
    if (only !== undefined && decided.whole.length === 1 && only.bidWei === 0n && only.margin === undefined) {
      const instead = planned(only.candidate, market.venue.depth(at));
      kept.push(...instead.filter(({ plan }) => plan.profitUsd8 >= only.profitUsd8 + (only.laterUsd8 ?? 0n) + terms.minProfitUsd8));
    }
    const best = kept.reduce<Kept | undefined>((a, b) => (a === undefined || b.plan.profitWei > a.plan.profitWei ? b : a), undefined);
    if (best === undefined) return undefined;
    const { token, valueUsd8, priceUsd8, discountBps, plan } = best;
    const { protocol, market: name, account } = plan.candidate;
    const origin: Origin = { protocol, market: name, account };
    const wanted = { kind: 'wanted', token, valueUsd8, priceUsd8, discountBps, lastBlock: head.number + OPEN_BLOCKS, origin } as const;
    const commands = await this.#step(wanted, head);
    if (!commands.some(({ kind }) => kind === 'open')) return undefined;
    holdings.expect(this.#book.unwinds.keys() as Iterable<Address>);
    emit('unwind.opened', { token, symbol: this.#parts.symbolOf(token), account, protocol, valueUsd: usdText(valueUsd8) });
    this.#tellInventory();
    return plan;
  }

  async #step(event: UnwindEvent, head: Head): Promise<readonly UnwindCommand[]> {
    const [next, commands] = stepUnwinds(this.#book, event, { block: head.number, timestamp: head.timestamp });
    for (const command of commands) await this.#perform(command);
    this.#book = next;
    return commands;
  }

  async #perform(command: UnwindCommand): Promise<void> {
    const { ledger, emit } = this.#parts;
    const { token } = command;
    switch (command.kind) {
      case 'save':
        return ledger.saveUnwind(command.unwind);
      case 'forget':
        this.#said.delete(token);
        return ledger.forgetUnwind(token);
      case 'alert':
        emit('alert.raised', { about: `inventory-${command.about}`, ...this.#figures(command.unwind) });
        return undefined;
      case 'closed':
        emit('unwind.closed', { ...this.#figures(command.unwind), phase: command.unwind.phase });
        return undefined;
      case 'wait':
        this.#waits(token, command.reason);
        return undefined;
      case 'open':
      case 'refuse':
      case 'sell':
        return undefined;
    }
  }

  #figures({ token, heldRaw, valueUsd8, since }: Unwind) {
    const symbol = this.#parts.symbolOf(token as Address);
    return { token, symbol, heldRaw: String(heldRaw), valueUsd: usdText(valueUsd8), sinceBlock: since.block };
  }

  #stockOf(
    token: Address,
    price: { readonly priceUsd8: bigint; readonly decimals: number } | undefined,
    venue: Exchange,
    depth: Depth,
    { terms, open }: Sellable,
  ): Stock | undefined {
    if (price === undefined || price.priceUsd8 <= 0n) return undefined;
    const { holdings } = this.#parts;
    const heldRaw = holdings.of(token);
    const clip = (lossBps: bigint) => clipOf(venue, token, heldRaw, lossBps, depth, terms)?.amountInRaw ?? 0n;
    const spot = heldRaw > 0n ? venue.spot(token, terms.numeraire, depth) : undefined;
    return {
      ...{ token, heldRaw, valueUsd8: rawToUsd8Floor(heldRaw, price), priceUsd8: price.priceUsd8 },
      discountBps: spot ? discountOf(spot, price, terms) : undefined,
      ...{ clipRaw: clip(CLIP_LOSS_BPS), stopClipRaw: clip(STOP_LOSS_CLIP_BPS) },
      busy: open.some((transaction) => concerns(transaction, token, this.#book.unwinds.get(token))),
    };
  }

  #child({ token, amountRaw, urgent }: Sell, venue: Exchange, depth: Depth, terms: Terms) {
    const { holdings, symbolOf } = this.#parts;
    const symbol = symbolOf(token as Address);
    const sinceBlock = this.#book.unwinds.get(token)?.since.block ?? 0;
    const order = { token: token as Address, symbol, amountRaw, urgent, sinceBlock, inventory: holdings.account, held: holdings.held };
    const child = childPlan(order, venue, depth, terms);
    if (child === undefined) this.#waits(token, 'no-depth');
    else this.#said.delete(token);
    return child;
  }

  #waits(token: string, reason: string): void {
    if (this.#said.get(token) !== reason)
      this.#parts.emit('unwind.waiting', { token, symbol: this.#parts.symbolOf(token as Address), reason });
    this.#said.set(token, reason);
  }

  #tellInventory(): void {
    const usd8 = this.inventoryUsd8;
    if (usd8 === this.#toldUsd8) return;
    this.#toldUsd8 = usd8;
    this.#parts.emit('unwind.inventory', { valueUsd: usdText(usd8), tokens: this.#book.unwinds.size });
  }
}

/** Whether a transaction could still change what is held of it. */
function concerns({ attempts }: OpenTransaction, token: Address, unwind: Unwind | undefined): boolean {
  return attempts.some(({ protocol, account }) => (protocol === INVENTORY ? account === token : account === unwind?.origin?.account));
}
