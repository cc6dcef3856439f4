import { createHash } from 'node:crypto';
import { noteOf, type RelayWord } from '../ledger/relay-notes.ts';
import type { IntendedTransaction, Ledger } from '../ledger/types.ts';
import type { Address, Hex } from '../lib/types.ts';
import { settleUnmined } from './settlement.ts';
import type { Settled } from './tracker.ts';
import type { ExecutionChain, Relay, RelayAnswer, SendResult, Simulation } from './types.ts';

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
  const bytes = createHash('sha256').update(`${owner} ${targetBlock} ${slot}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
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
   * Each set of transactions in all its deliveries: what is not in the ledger yet is written down, then everything goes out at once.
   *
   * @param underWay called when all of it is written and posted, before anybody has answered
   */
  async sendBackruns(
    sets: readonly { readonly signed: readonly IntendedTransaction[]; readonly deliveries: readonly Delivery[] }[],
    fresh: readonly IntendedTransaction[],
    targetBlock: number,
    underWay: () => void = () => {},
  ): Promise<readonly Answer[]> {
    await Promise.all(fresh.map((transaction) => this.#ledger.intend(transaction)));
    const answering = Promise.all(
      sets.flatMap(({ signed, deliveries }) =>
        deliveries.flatMap((delivery) =>
          this.#relays.map(async (relay) => ({
            signed,
            answer: answerOf(relay.name, await deliver(relay, signed, delivery, targetBlock)),
          })),
        ),
      ),
    );
    // NOTE: a request is on its socket a turn of the event loop after it was made; whoever computes before that holds it back.
    setImmediate(underWay);
    const answers = await answering;
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

type Outcome = { readonly transaction: IntendedTransaction; readonly answer: Answer; readonly settled: Settled | undefined };

function gather(outcomes: readonly Outcome[]): Sent {
  return {
    sent: outcomes.map(({ transaction }) => transaction),
    answers: outcomes.map(({ answer }) => answer),
    settled: outcomes.flatMap(({ settled }) => settled ?? []),
  };
}

function deliver(relay: Relay, signed: readonly IntendedTransaction[], delivery: Delivery, targetBlock: number): Promise<RelayAnswer> {
  const own = signed.map(({ raw }) => raw);
  return delivery.kind === 'bundle'
    ? relay.send({ txs: [...delivery.before, ...own], targetBlock, replacementUuid: delivery.uuid })
    : relay.sendBehind({ hash: delivery.hash, tx: own[0]!, targetBlock });
}

function answerOf(relay: string, result: RelayAnswer | SendResult): Answer {
  return { relay, answer: result.kind, detail: result.kind === 'accepted' ? result.bundleHash : result.reason };
}
