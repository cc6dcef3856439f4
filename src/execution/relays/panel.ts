import { keccak256 } from '../../lib/keccak.ts';
import type { Hex } from '../../lib/types.ts';
import type { Settled } from '../tracker.ts';
import type { Relay, RelayAnswer, RelayFault, Simulation } from '../types.ts';
import { Rest } from './rest.ts';

/** What is asked of a relay. One that cannot do one of these may do the others, so each has failures and a rest of its own. */
export type RelayCall = RestingCall | 'cancel';
type RestingCall = 'simulate' | 'send' | 'send-behind';

export type RelayNotice =
  /** `ms` is how long the answer took. */
  | {
      readonly kind: 'answered';
      readonly relay: string;
      readonly call: RelayCall;
      readonly answer: 'ok' | RelayFault;
      readonly ms: number;
    }
  /** It keeps failing. `stillAsked`: for now, since no other answers. */
  | {
      readonly kind: 'resting';
      readonly relay: string;
      readonly call: RestingCall;
      readonly fault: RelayFault;
      readonly reason: string;
      readonly restMs: number;
      readonly stillAsked: boolean;
    }
  | { readonly kind: 'back'; readonly relay: string; readonly call: RestingCall }
  | { readonly kind: 'landed'; readonly relay: string; readonly landed: number };

/** Since the start. */
export type RelayFigures = {
  readonly relay: string;
  /** Bundles, each time that they were handed to it; of them it accepted and refused so many, and of the rest nobody knows. */
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  readonly simulated: number;
  /** Transactions in bundles that it had accepted, and that were mined. NOTE: others may have had them too, and nobody tells whose bundle it was. */
  readonly landed: number;
  /** Until it answered what it was sent, at the median of the latest; undefined before the first. */
  readonly latencyMs: number | undefined;
  /** What it is not asked for just now, because that kept failing. */
  readonly resting: readonly RestingCall[];
};

const MOST_LATENCIES = 100;
/** Transactions whose landing is still awaited; of more, the oldest are forgotten. */
const MOST_AWAITED = 4_096;

type Seat = {
  readonly relay: Relay;
  readonly rests: Readonly<Record<RestingCall, Rest>>;
  readonly latencies: number[];
  sent: number;
  accepted: number;
  refused: number;
  simulated: number;
  landed: number;
};

/**
 * The relays behind the same interface, with an eye on each: how it answers is counted, one that keeps failing rests for a bounded time, and returns by the
 * first call that it answers. A relay rests only while another does not fail at the same: the last way out stays open, however bad it is. Cancellations never rest.
 */
export class RelayPanel {
  readonly relays: readonly Relay[];
  readonly #seats: readonly Seat[];
  readonly #tell: (notice: RelayNotice) => void;
  readonly #now: () => number;
  /** By whom a transaction was accepted, and whether it is mined. */
  readonly #awaited = new Map<Hex, { readonly by: Set<Seat>; mined: boolean }>();

  /** @param now monotonic milliseconds */
  constructor(relays: readonly Relay[], tell: (notice: RelayNotice) => void, now: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
    this.#seats = relays.map((relay) => ({
      relay,
      rests: { simulate: new Rest(), send: new Rest(), 'send-behind': new Rest() },
      latencies: [],
      sent: 0,
      accepted: 0,
      refused: 0,
      simulated: 0,
      landed: 0,
    }));
    this.relays = this.#seats.map((seat) => this.#watched(seat));
  }

  get figures(): readonly RelayFigures[] {
    const now = this.#now();
    return this.#seats.map((seat) => {
      const { sent, accepted, refused, simulated, landed, latencies } = seat;
      const resting = CALLS.filter((call) => this.#rests(seat, call, now));
      return { relay: seat.relay.name, sent, accepted, refused, simulated, landed, latencyMs: median(latencies), resting };
    });
  }

  /** What came of transactions, again after each reorganisation. */
  settled(settled: readonly Settled[]): void {
    for (const { transaction, result } of settled) {
      const awaited = this.#awaited.get(transaction.txHash);
      const mined = result.mined !== undefined;
      if (awaited === undefined || awaited.mined === mined) continue;
      awaited.mined = mined;
      for (const seat of awaited.by) {
        seat.landed += mined ? 1 : -1;
        this.#tell({ kind: 'landed', relay: seat.relay.name, landed: seat.landed });
      }
    }
  }

  #watched(seat: Seat): Relay {
    const { relay } = seat;
    return {
      name: relay.name,
      simulate: async (bundle) => {
        if (this.#rests(seat, 'simulate', this.#now())) return { kind: 'unavailable', reason: restingReason(relay) };
        const simulation = await this.#timed(seat, 'simulate', () => relay.simulate(bundle));
        if (simulation.kind !== 'unavailable') seat.simulated++;
        return simulation;
      },
      prepare: (delivery) => {
        if (!this.#rests(seat, 'txs' in delivery ? 'send' : 'send-behind', this.#now())) relay.prepare(delivery);
      },
      send: (bundle) => this.#send(seat, 'send', bundle.txs, () => relay.send(bundle)),
      sendBehind: (bundle) => this.#send(seat, 'send-behind', [bundle.tx], () => relay.sendBehind(bundle)),
      cancel: (replacementUuid) => this.#timed(seat, 'cancel', () => relay.cancel(replacementUuid)),
    };
  }

  async #send(seat: Seat, call: 'send' | 'send-behind', txs: readonly Hex[], work: () => Promise<RelayAnswer>): Promise<RelayAnswer> {
    if (this.#rests(seat, call, this.#now())) return { kind: 'resting', reason: restingReason(seat.relay) };
    seat.sent++;
    const answer = await this.#timed(seat, call, work);
    if (answer.kind === 'refused') seat.refused++;
    if (answer.kind === 'accepted') {
      seat.accepted++;
      for (const raw of txs) this.#await(keccak256(raw), seat);
    }
    return answer;
  }

  async #timed<T extends RelayAnswer | Simulation>(seat: Seat, call: RelayCall, work: () => Promise<T>): Promise<T> {
    const { relay, rests, latencies } = seat;
    const began = this.#now();
    const answer = await work();
    const now = this.#now();
    const fault = 'fault' in answer ? answer.fault : undefined;
    this.#tell({ kind: 'answered', relay: relay.name, call, answer: fault ?? 'ok', ms: now - began });
    if (call === 'cancel') return answer;
    if (call !== 'simulate') {
      latencies.push(now - began);
      if (latencies.length > MOST_LATENCIES) latencies.shift();
    }
    if (fault === undefined || !FAILURES.has(fault)) {
      if (rests[call].succeeded()) this.#tell({ kind: 'back', relay: relay.name, call });
    } else if ('reason' in answer && rests[call].failed(began, now, 'retryAfterMs' in answer ? answer.retryAfterMs : undefined)) {
      const restMs = Math.round(rests[call].restMs(now));
      this.#tell({
        kind: 'resting',
        relay: relay.name,
        call,
        fault,
        reason: answer.reason,
        restMs,
        stillAsked: !this.#rests(seat, call, now),
      });
    }
    return answer;
  }

  #rests(seat: Seat, call: RestingCall, now: number): boolean {
    return seat.rests[call].restMs(now) > 0 && this.#seats.some((other) => other !== seat && !other.rests[call].failing);
  }

  #await(txHash: Hex, seat: Seat): void {
    const awaited = this.#awaited.get(txHash) ?? { by: new Set(), mined: false };
    awaited.by.add(seat);
    this.#awaited.set(txHash, awaited);
    if (this.#awaited.size <= MOST_AWAITED) return;
    const [oldest] = this.#awaited.keys();
    this.#awaited.delete(oldest!);
  }
}

const CALLS: readonly RestingCall[] = ['simulate', 'send', 'send-behind'];
/** A relay that refuses is there, and has its reasons. */
const FAILURES: ReadonlySet<RelayFault> = new Set(['timeout', 'unreachable', 'rate-limited', 'malformed']);

function restingReason({ name }: Relay): string {
  return `${name} kept failing and rests`;
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
