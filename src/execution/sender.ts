import { randomUUID } from 'node:crypto';
import type { IntendedTransaction, Ledger } from '../ledger/types.ts';
import type { Hex } from '../lib/types.ts';
import { settleUnmined } from './settlement.ts';
import type { Settled } from './tracker.ts';
import type { ExecutionChain, Relay, SendResult, Simulation } from './types.ts';

/** What a relay, or the public mempool's endpoint, said. */
export type Answer = { readonly relay: string; readonly answer: SendResult['kind']; readonly detail: string };

/** What left this machine, and what was refused at once and so is settled. */
export type Sent = {
  readonly sent: readonly IntendedTransaction[];
  readonly answers: readonly Answer[];
  readonly settled: readonly Settled[];
};

const PUBLIC = 'public mempool';

/** Hands out signed transactions, each of them durable in the ledger before. */
export class Sender {
  readonly #relays: readonly Relay[];
  readonly #chain: ExecutionChain;
  readonly #ledger: Ledger;

  constructor(parts: { relays: readonly Relay[]; chain: ExecutionChain; ledger: Ledger }) {
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
    for (const transaction of signed) await this.#ledger.intend(transaction);
    const txs = signed.map((transaction) => transaction.raw);
    const replacementUuid = randomUUID();
    const answers = await Promise.all(
      this.#relays.map(async (relay) => answerOf(relay.name, await relay.send({ txs, targetBlock, replacementUuid }))),
    );
    const note = Object.fromEntries(answers.map(({ relay, answer, detail }) => [relay, `${answer} ${detail}`]));
    for (const { txHash } of signed) await this.#ledger.sent(txHash, note);
    if (!orPublicly || answers.some(({ answer }) => answer === 'accepted')) return { sent: signed, answers, settled: [] };
    // From here on they can be mined outside the bundle: written down first.
    for (const { txHash } of signed) await this.#ledger.goPublic(txHash);
    const publicly = await this.#inOrder(signed);
    return { sent: signed, answers: [...answers, ...publicly.answers], settled: publicly.settled };
  }

  /** The same transactions in several bundles, each behind other people's: written down once, handed out at once. */
  async sendBackruns(
    signed: readonly IntendedTransaction[],
    targetBlock: number,
    bundles: readonly { readonly before: readonly Hex[]; readonly uuid: string }[],
  ): Promise<readonly Answer[]> {
    for (const transaction of signed) await this.#ledger.intend(transaction);
    const own = signed.map(({ raw }) => raw);
    const answers = await Promise.all(
      bundles.flatMap(({ before, uuid }) =>
        this.#relays.map(async (relay) =>
          answerOf(relay.name, await relay.send({ txs: [...before, ...own], targetBlock, replacementUuid: uuid })),
        ),
      ),
    );
    const note = Object.fromEntries(answers.map(({ relay, answer, detail }, index) => [`${index} ${relay}`, `${answer} ${detail}`]));
    for (const { txHash } of signed) await this.#ledger.sent(txHash, note);
    return answers;
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
    await this.#ledger.sent(txHash, { [PUBLIC]: `${answer.answer} ${answer.detail}` });
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

function answerOf(relay: string, result: SendResult): Answer {
  return { relay, answer: result.kind, detail: result.kind === 'accepted' ? result.bundleHash : result.reason };
}
