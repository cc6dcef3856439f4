/** Our own account: positions that are left in it, and what closes them, whole or in parts. */
import { encodeFunctionData, parseAbi } from 'viem';
import { MAX_UINT256, mulDivUp } from '../../lib/math.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address, RawLog } from '../../lib/types.ts';
import { dataWord, topicAddress, topicOf } from '../../lib/words.ts';
import type { Moment, UsdPrices } from '../../oracles/types.ts';
import type { FirstLeg, FirstLegLimits, Margin, NoReduction, OwnAccount, OwnPosition, ReduceOrder, Reduction, Slot } from '../types.ts';
import { closeAt, quoteClose } from './close.ts';
import { marginOf } from './desk.ts';
import { closeStep, NO_CODE, REDUCE_GAS } from './exchange.ts';
import type { Lens, MarketNow } from './lens.ts';
import { abs, mulDivToZero, settlementDown, WAD } from './math.ts';
import type { OptionParts } from './options.ts';
import { type Account, type PerpState, type Place, positionOf } from './state.ts';
import { firstLegOf } from './two-legs.ts';

const openAbi = parseAbi([
  'struct OpenPositionParams { address baseToken; bool isBaseToQuote; bool isExactInput; uint256 amount; uint256 oppositeAmountBound; uint256 deadline; uint160 sqrtPriceLimitX96; bytes32 referralCode; }',
  'function openPosition(OpenPositionParams params) returns (uint256 base, uint256 quote)',
]);
const PNL_REALIZED = topicOf('event PnlRealized(address,int256)');
const DEPOSITED = topicOf('event Deposited(address,address,uint256)');
const WITHDRAWN = topicOf('event Withdrawn(address,address,uint256)');

/** Most that a fill may be worse than at the mirrored pool: who traded before us in the block. */
const WORSE_BPS = 100n;
const BPS = 10_000n;
/** A part is halved so often to stay within the market's limits. */
const MOST_HALVINGS = 8;
/** What the venue rounds off. */
const ROUNDING_RAW = 2n;
/** A dollar has 8 decimals, credit 18. */
const CREDIT_PER_USD8 = 10n ** 10n;

export class PerpOwnAccount implements OwnAccount {
  readonly executor: Address;
  readonly #state: () => PerpState;
  readonly #lens: (at: Moment) => Lens;
  readonly #usd: UsdPrices;
  readonly #parts: (at: Moment) => OptionParts;

  constructor(
    executor: Address,
    state: () => PerpState,
    parts: { lens: (at: Moment) => Lens; usd: UsdPrices; options: (at: Moment) => OptionParts },
  ) {
    this.executor = executor;
    this.#state = state;
    this.#lens = parts.lens;
    this.#usd = parts.usd;
    this.#parts = parts.options;
  }

  capitalRaw() {
    const account = this.#account();
    if (account === undefined) return undefined;
    const { contracts, settlement } = this.#state();
    return { token: contracts.settlement, amountRaw: account.balanceRaw + settlementDown(account.owedPnlWad, settlement.unitWad) };
  }

  positions(at: Moment): readonly OwnPosition[] {
    const lens = this.#lens(at);
    return this.#places().map((place) => ({
      ...{ market: place.market.base, symbol: place.market.symbol, sizeRaw: positionOf(place) },
      valueUsd8: worthOf(place, lens.market(place.market)) / CREDIT_PER_USD8,
    }));
  }

  reduce(order: ReduceOrder, at: Moment): Reduction | NoReduction {
    const place = this.#places().find(({ market }) => market.base === order.market);
    if (place === undefined) return { ok: false, reason: 'nothing is held' };
    const margin = marginOf(this.#state(), this.executor, this.#usd, at);
    if (margin === undefined) return { ok: false, reason: 'the settlement token has no USD price' };
    if (place.market.maxTickCrossed === 0) return { ok: false, reason: `market ${place.market.symbol} is paused` };
    const lens = this.#lens(at);
    const now = lens.market(place.market);
    const sizeWad = positionOf(place);
    if (order.whole) return this.#whole(place, now, order, margin, lens);
    if (typeof now === 'string') return { ok: false, reason: now };
    const part = fitting(now, at, sizeWad, order.amountRaw);
    if (part === undefined) return { ok: false, reason: 'the market takes nothing at its limits' };
    const { amountRaw, quoteWad } = part;
    const step = this.#call(openAbi, 'openPosition', {
      ...{ baseToken: order.market, isBaseToQuote: sizeWad > 0n, isExactInput: sizeWad > 0n, amount: amountRaw },
      ...{ oppositeAmountBound: order.atAnyPrice ? 0n : bound(quoteWad, sizeWad), deadline: MAX_UINT256, sqrtPriceLimitX96: 0n },
      referralCode: NO_CODE,
    });
    return this.#reduction(place, now, amountRaw, [step], margin);
  }

  firstLeg(slot: Slot, limits: FirstLegLimits, at: Moment): FirstLeg | undefined {
    const account = this.#state().accounts[slot];
    return account === undefined ? undefined : firstLegOf(account, this.#parts(at), limits);
  }

  changedBy(logs: readonly RawLog[]) {
    const { contracts, settlement } = this.#state();
    let [realizedWad, movedRaw] = [0n, 0n];
    for (const log of logs) {
      const [topic] = log.topics;
      if (log.address === contracts.accountBalance && topic === PNL_REALIZED && topicAddress(log, 1) === this.executor)
        realizedWad += BigInt.asIntN(256, dataWord(log, 0));
      const moved = log.address === contracts.vault && (topic === DEPOSITED || topic === WITHDRAWN);
      if (moved && topicAddress(log, 1) === contracts.settlement && topicAddress(log, 2) === this.executor)
        movedRaw += topic === DEPOSITED ? dataWord(log, 0) : -dataWord(log, 0);
    }
    return { token: contracts.settlement, deltaRaw: settlementDown(realizedWad, settlement.unitWad) + movedRaw };
  }

  /** As much as the market's limits let it, the rest in later blocks. */
  #whole(place: Place, now: MarketNow | string, { atAnyPrice, keepWad }: ReduceOrder, margin: Margin, lens: Lens): Reduction | NoReduction {
    const sizeWad = positionOf(place);
    const { clearingHouse } = this.#state().contracts;
    if (typeof now === 'string') {
      if (!atAnyPrice) return { ok: false, reason: now };
      return this.#reduction(place, now, abs(sizeWad), [closeStep(clearingHouse, place.market.base, 0n)], margin);
    }
    const quoteWad = quoteClose(now, place.market.pool, sizeWad)?.quoteWad;
    if (quoteWad === undefined && !atAnyPrice) return { ok: false, reason: 'the pool is too thin' };
    const limit = atAnyPrice || quoteWad === undefined ? 0n : bound(quoteWad, sizeWad);
    const close = closeAt(now, lens.at.timestamp, place.market.pool, sizeWad);
    const profitRaw = close.ok && keepWad !== undefined ? this.#profitRaw(close.quoteWad, place, keepWad, lens) : 0n;
    const release = profitRaw > 0n ? margin.release(profitRaw) : [];
    return this.#reduction(place, now, abs(sizeWad), [closeStep(clearingHouse, place.market.base, limit), ...release], margin);
  }

  /** What will be in the vault beside what was there before the first leg, if the fill is no worse than quoted. */
  #profitRaw(quoteWad: bigint, place: Place, keepWad: bigint, lens: Lens): bigint {
    const account = this.#account()!;
    const worth = lens.worth(account);
    if (typeof worth === 'string' || account.places.size !== 1) return 0n;
    const paidWad = positionOf(place) > 0n ? quoteWad : -quoteWad;
    const leftWad = worth.settledWad + place.openNotionalWad + paidWad - keepWad;
    return leftWad / this.#state().settlement.unitWad - ROUNDING_RAW;
  }

  #reduction(place: Place, now: MarketNow | string, amountRaw: bigint, steps: readonly Step[], margin: Margin): Reduction {
    const { market } = place;
    const [all, sizeWad] = [worthOf(place, now), positionOf(place)];
    return {
      ...{ ok: true, amountRaw, pools: [market.pool.identity.address], gasUnits: REDUCE_GAS, margin, steps },
      label: `${amountRaw === abs(sizeWad) ? 'close' : 'reduce'} ${sizeWad > 0n ? 'long' : 'short'} ${market.symbol}`,
      valueUsd8: mulDivToZero(all, amountRaw, abs(sizeWad)) / CREDIT_PER_USD8,
    };
  }

  #call(abi: typeof openAbi, functionName: 'openPosition', params: object): Step {
    const data = encodeFunctionData({ abi, functionName, args: [params as never] });
    return { kind: 'call', target: this.#state().contracts.clearingHouse, valueWei: 0n, data };
  }

  #account(): Account | undefined {
    const { slots, accounts } = this.#state();
    const slot = slots.get(this.executor);
    return slot === undefined ? undefined : accounts[slot];
  }

  #places(): readonly Place[] {
    return [...(this.#account()?.places.values() ?? [])].filter((place) => positionOf(place) !== 0n);
  }
}

/** At the mark price; where there is none, what it was opened for. */
function worthOf(place: Place, now: MarketNow | string): bigint {
  return abs(typeof now === 'string' ? place.openNotionalWad : mulDivToZero(positionOf(place), now.markWad, WAD));
}

/** The largest part, of what is asked for or a half of it again and again, that the market lets be closed in one block. */
function fitting(now: MarketNow, at: Moment, sizeWad: bigint, askedRaw: bigint) {
  let amountRaw = askedRaw < abs(sizeWad) ? askedRaw : abs(sizeWad);
  for (let i = 0; i <= MOST_HALVINGS && amountRaw > 0n; i++, amountRaw /= 2n) {
    const close = closeAt(now, at.timestamp, now.market.pool, sizeWad > 0n ? amountRaw : -amountRaw);
    if (close.ok) return { amountRaw, quoteWad: close.quoteWad };
  }
  return undefined;
}

/** Least that is to be received for a long position, most that is to be paid for a short one. */
function bound(quoteWad: bigint, sizeWad: bigint): bigint {
  return sizeWad > 0n ? (quoteWad * (BPS - WORSE_BPS)) / BPS : mulDivUp(quoteWad, BPS + WORSE_BPS, BPS);
}
