import { hash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { noteOf, type RelayWord } from '../ledger/relay-notes.ts';
import type { IntendedTransaction, Ledger } from '../ledger/types.ts';
import type { Address, Hex } from '../lib/types.ts';
import { settleUnmined } from './settlement.ts';
import type { Settled } from './tracker.ts';
import type { ExecutionChain, Relay, RelayAnswer, RelayBackrun, RelayBundle, SendResult, Simulation } from './types.ts';

/** What a relay, or the public mempool's endpoint, said. */
export type Answer = RelayWord & { readonly answer: RelayAnswer['kind'] };

/** What left this machine, and what was refused at once and so is settled. */
export type Sent = {
  readonly sent: readonly IntendedTransaction[];
  readonly answers: readonly Answer[];
  readonly settled: readonly Settled[];
};

/** How ours go behind other people's: with them in one bundle, or behind one that only its hash is known of. */
export type Delivery =
  | { readonly kind: 'bundle'; readonly before: readonly Hex[]; readonly uuid: string }
  | { readonly kind: 'behind'; readonly hash: Hex };

/** NOTE: no relay's name has a space in it, which tells them apart in the books. */
const PUBLIC = 'public mempool';

/**
 * The UUID under which relays know a bundle of ours, so that it can be replaced or cancelled; the same for the same block and slot, in every process.
 *
 * @param owner the first lane: keepers may share the key that relays know them by
 * @param slot zero for what goes behind nothing
 */
export function bundleName(owner: Address | undefined, targetBlock: number, slot: number): string {
  const digits = hash('sha256', `${owner} ${targetBlock} ${slot}`);
  const variant = ((Number.parseInt(digits[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

/** Hands out signed transactions, each of them durable in the ledger before. */
export class Sender {
  readonly #owner: Address | undefined;
  readonly #relays: readonly Relay[];
  readonly #chain: ExecutionChain;
  readonly #ledger: Ledger;

  constructor(parts: { owner: Address | undefined; relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger }) {
    this.#owner = parts.owner;
    this.#relays = parts.relays;
    this.#chain = parts.chain;
    this.#ledger = parts.ledger;
  }

  /** By the first relay that can. */
  async simulate(signed: readonly IntendedTransaction[], targetBlock: number, timestamp: number): Promise<Simulation> {
    let last: Simulation = { kind: 'unavailable', reason: 'no relay' };
    for (const relay of this.#relays) {
      last = await relay.simulate({ txs: signed.map((transaction) => transaction.raw), targetBlock, timestamp });
      if (last.kind !== 'unavailable') return last;
    }
    return last;
  }

  /** @param orPublicly where no relay takes it, the public mempool gets it */
  async sendBundle(signed: readonly IntendedTransaction[], targetBlock: number, orPublicly: boolean): Promise<Sent> {
    await Promise.all(signed.map((transaction) => this.#ledger.intend(transaction)));
    const txs = signed.map((transaction) => transaction.raw);
    const replacementUuid = bundleName(this.#owner, targetBlock, 0);
    const answers = await Promise.all(
      this.#relays.map(async (relay) => answerOf(relay.name, await relay.send({ txs, targetBlock, replacementUuid }))),
    );
    await Promise.all(signed.map(({ txHash }) => this.#ledger.sent(txHash, noteOf(answers))));
    if (!orPublicly || answers.some(({ answer }) => answer === 'accepted')) return { sent: signed, answers, settled: [] };
    // From here on they can be mined outside the bundle: written down first.
    for (const { txHash } of signed) await this.#ledger.goPublic(txHash);
    const publicly = await this.#inOrder(signed);
    return { sent: signed, answers: [...answers, ...publicly.answers], settled: publicly.settled };
  }

  /**
   * Each set of transactions in all its deliveries. What is not in the ledger yet is written down; once that is durable the first delivery of each set goes out,
   * and the others when those are on their way.
   *
   * @param underWay called when all of it is written and posted, before anybody has answered
   */
  async sendBackruns(
    sets: readonly { readonly signed: readonly IntendedTransaction[]; readonly deliveries: readonly Delivery[] }[],
    fresh: readonly IntendedTransaction[],
    targetBlock: number,
    underWay: () => void = () => {},
  ): Promise<readonly Answer[]> {
    const durable = Promise.all(fresh.map((transaction) => this.#ledger.intend(transaction)));
    // A rejection is met below; until then it must not count as unhandled.
    durable.catch(() => {});
    // The intents are committed by then, and the disk has them to write while the bodies are hashed and signed here.
    await turn();
    const letters = (which: (place: number) => boolean) =>
      sets.flatMap(({ signed, deliveries }) =>
        deliveries
          .filter((_, place) => which(place))
          .flatMap((delivery) => this.#relays.map((relay) => ({ signed, relay, ...addressed(signed, delivery, targetBlock) }))),
      );
    const first = letters((place) => place === 0);
    for (const { relay, request } of first) relay.prepare(request);
    await durable;
    const post = (all: typeof first) =>
      all.map(async ({ signed, relay, send }) => ({ signed, answer: answerOf(relay.name, await send(relay)) }));
    const answering = post(first);
    // NOTE: a request is on its socket a turn of the event loop after it was made; whoever computes before that holds it back.
    await turn();
    answering.push(...post(letters((place) => place > 0)));
    setImmediate(underWay);
    const answers = await Promise.all(answering);
    const noted = fresh.map((transaction) => {
      const own = answers.filter(({ signed }) => signed.includes(transaction));
      return this.#ledger.sent(transaction.txHash, noteOf(own.map(({ answer }) => answer)));
    });
    await Promise.all(noted);
    return answers.map(({ answer }) => answer);
  }

  /** @param signed each lane's in the order of its nonces; no lane waits for another */
  async sendPublicly(signed: readonly IntendedTransaction[]): Promise<Sent> {
    const lanes = Map.groupBy(signed, ({ lane }) => lane).values();
    const parts = await Promise.all(Array.from(lanes, (own) => this.#inOrder(own, (transaction) => this.#ledger.intend(transaction))));
    return {
      sent: parts.flatMap(({ sent }) => sent),
      answers: parts.flatMap(({ answers }) => answers),
      settled: parts.flatMap(({ settled }) => settled),
    };
  }

  /**
   * What the endpoint does not take first, it would not take next, and what is behind it would wait in the pool for a nonce that nobody sends: so the
   * others go out, all at once, only after the first was taken.
   */
  async #inOrder(
    signed: readonly IntendedTransaction[],
    before: (transaction: IntendedTransaction) => Promise<void> = async () => {},
  ): Promise<Sent> {
    const [first, ...others] = signed;
    if (first === undefined) return { sent: [], answers: [], settled: [] };
    await before(first);
    const outcome = await this.#broadcast(first);
    if (outcome.answer.answer !== 'accepted') return gather([outcome]);
    for (const transaction of others) await before(transaction);
    return gather([outcome, ...(await Promise.all(others.map((transaction) => this.#broadcast(transaction))))]);
  }

  async #broadcast(transaction: IntendedTransaction): Promise<Outcome> {
    const { txHash } = transaction;
    const result = await this.#chain.broadcast(transaction.raw);
    const answer = answerOf(PUBLIC, result.kind === 'accepted' ? { ...result, bundleHash: txHash } : result);
    await this.#ledger.sent(txHash, noteOf([answer]));
    if (result.kind !== 'refused') return { transaction, answer, settled: undefined };
    const open = { ...transaction, status: 'sent' as const };
    const settled = { transaction: open, result: settleUnmined(open, 'missed', `refused: ${result.reason}`) };
    await this.#ledger.settle(settled.result);
    return { transaction, answer, settled };
  }
}

type Letter = { readonly request: RelayBundle | RelayBackrun; readonly send: (relay: Relay) => Promise<RelayAnswer> };
type Outcome = { readonly transaction: IntendedTransaction; readonly answer: Answer; readonly settled: Settled | undefined };

function gather(outcomes: readonly Outcome[]): Sent {
  return {
    sent: outcomes.map(({ transaction }) => transaction),
    answers: outcomes.map(({ answer }) => answer),
    settled: outcomes.flatMap(({ settled }) => settled ?? []),
  };
}

/** One delivery as a relay wants it, and how it goes there. */
function addressed(signed: readonly IntendedTransaction[], delivery: Delivery, targetBlock: number): Letter {
  const own = signed.map(({ raw }) => raw);
  if (delivery.kind === 'bundle') {
    const request = { txs: [...delivery.before, ...own], targetBlock, replacementUuid: delivery.uuid };
    return { request, send: (relay) => relay.send(request) };
  }
  const request = { hash: delivery.hash, tx: own[0]!, targetBlock };
  return { request, send: (relay) => relay.sendBehind(request) };
}

function answerOf(relay: string, result: RelayAnswer | SendResult): Answer {
  return { relay, answer: result.kind, detail: result.kind === 'accepted' ? result.bundleHash : result.reason };
}
