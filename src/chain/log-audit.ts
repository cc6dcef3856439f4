/**
 * Are log answers whole? A header's bloom filter tells at no cost what cannot be there, and proves most empty answers. What it leaves open is proved by
 * the block's receipts and the root in its header, beside the hot path and no more often than one block in eight on average.
 */
import { sleep } from '../lib/async.ts';
import type { Head, Hex, LogFilter, RawLog } from '../lib/types.ts';
import { excluded, fullness, mayHoldMore, silentAddress } from './bloom.ts';
import type { Endpoint } from './endpoint.ts';
import { router } from './filters.ts';
import { differenceOf, type LogProver } from './log-proof.ts';
import { parseLogs, toQuantity } from './parse.ts';
import type { Answerer, LogAnswer, Notify } from './types.ts';

const BLOCKS_PER_PROOF = 8;
const MOST_SAVED = 4;
/** Kept for answers that the bloom filter all but contradicts. */
const RESERVED = 2;
const MOST_WAITING = 8;
/** As many as can be taken back. */
const MOST_HEARD = 128;
/** A filter with fewer bits set than this admits little by accident. */
const SPARSE = 0.3;
/** By then the block has been decided. */
const DELAY_MS = 250;
const TIMEOUT_MS = 5_000;

export type LogAuditParts = {
  readonly endpoints: readonly Endpoint[];
  readonly prover: LogProver;
  readonly notify: Notify;
  /** What was folded from these blocks' logs may be wrong. */
  readonly refuted: (heads: readonly Head[]) => void;
};

export class LogAudit {
  readonly #parts: LogAuditParts;
  readonly #waiting: LogAnswer[] = [];
  readonly #heard: LogAnswer[] = [];
  readonly #closed = new AbortController();
  #saved = MOST_SAVED;
  #savedAt = 0;
  #lastHash: Hex | null = null;
  #working = false;

  constructor(parts: LogAuditParts) {
    this.#parts = parts;
  }

  heard(answer: LogAnswer): void {
    const { head, filter, logs } = answer;
    const { logsBloom: bloom } = head;
    this.#heard.push(answer);
    if (this.#heard.length > MOST_HEARD) this.#heard.shift();
    if (bloom === undefined || head.receiptsRoot === undefined) return;
    this.#save(head.number);
    const open = mayHoldMore(bloom, filter, logs);
    if (!open && logs.length === 0) return;
    const suspicious =
      excluded(bloom, logs) !== undefined || (fullness(bloom) < SPARSE && silentAddress(bloom, filter, logs) !== undefined);
    if (this.#saved < (suspicious ? 1 : 1 + RESERVED)) return;
    // Two filters over one block share its proof.
    if (head.hash !== this.#lastHash) this.#saved--;
    this.#lastHash = head.hash;
    this.#waiting.push(answer);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    if (!this.#working) void this.#work();
  }

  /** Holds an answer about one block against its receipts; null when it cannot be proved, else what is wrong with it ('' for nothing). */
  async examine({ head, filter, logs, from }: LogAnswer): Promise<string | null> {
    const { endpoints, prover, notify } = this.#parts;
    const accused = endpoints.find((endpoint) => endpoint === from);
    const all = await prover.logs(head, accused);
    // Of another branch: not what receipts can tell.
    if (all === null || logs.some(({ blockHash }) => blockHash !== head.hash)) return null;
    const proved = all.filter(router([filter]));
    const difference = differenceOf(proved, logs);
    const reason = difference === null ? {} : { reason: `block ${head.number}: ${difference}` };
    notify({ kind: 'logs-proved', host: from.host, block: head.number, ok: difference === null, ...reason });
    if (difference !== null) this.#accuse(from, head, filter, proved, `${from.host}: logs of block ${head.number}: ${difference}`);
    return difference ?? '';
  }

  /** An endpoint of this host was shown to lie about logs: whatever it told before is not believed either. */
  forsake(host: string): void {
    const before = this.#heard.filter(({ from }) => from.host === host);
    this.#heard.splice(0, this.#heard.length, ...this.#heard.filter(({ from }) => from.host !== host));
    this.#parts.refuted(before.map(({ head }) => head));
  }

  close(): void {
    this.#closed.abort();
  }

  #accuse(from: Answerer, head: Head, filter: LogFilter, proved: readonly RawLog[], reason: string): void {
    const endpoint = this.#parts.endpoints.find((one) => one === from);
    const { addresses, topics0 } = filter;
    const number = toQuantity(head.number);
    const params = [{ fromBlock: number, toBlock: number, topics: [topics0], ...(addresses === undefined ? {} : { address: addresses }) }];
    endpoint?.distrustFor('wrong-logs', reason, async () => {
      // The block may be gone from the chain; then there is nothing left to make good.
      if ((await endpoint.block(head.number, TIMEOUT_MS))?.hash !== head.hash) return true;
      return differenceOf(proved, parseLogs(await endpoint.call({ method: 'eth_getLogs', params }, TIMEOUT_MS))) === null;
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    const { signal } = this.#closed;
    for (let answer = this.#waiting[0]; answer !== undefined && !signal.aborted; answer = this.#waiting[0]) {
      await sleep(DELAY_MS, signal);
      this.#waiting.shift();
      if (!signal.aborted) await this.examine(answer);
    }
    this.#working = false;
  }

  #save(block: number): void {
    const blocks = Math.max(block - this.#savedAt, 0);
    this.#saved = Math.min(this.#saved + blocks / BLOCKS_PER_PROOF, MOST_SAVED);
    this.#savedAt = Math.max(this.#savedAt, block);
  }
}
