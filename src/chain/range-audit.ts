/**
 * Samples of what was answered for a range of blocks: the bloom filters of three of them, one proof by receipts now and then, and the first of eight ranges
 * that an endpoint answers for a filter asked from a second endpoint too. What a liar leaves out of a long range is found with luck only; one that cuts off
 * its answers does so again and again.
 */
import type { Head, LogFilter, RawLog } from '../lib/types.ts';
import { getHeadsAt } from './actions/getHead.ts';
import { excluded, fullness, mayHoldMore, silentAddress } from './bloom.ts';
import type { Endpoint } from './endpoint.ts';
import type { LogAudit } from './log-audit.ts';
import { differenceOf } from './log-proof.ts';
import { parseLogs, toQuantity } from './parse.ts';
import type { RangeAnswer, Rpc } from './types.ts';

const SECOND_OPINION_EVERY = 8;
const PROOF_EVERY = 8;
const SPARSE = 0.3;
const TIMEOUT_MS = 20_000;

export type RangeAuditParts = {
  readonly rpc: Rpc;
  readonly endpoints: readonly Endpoint[];
  readonly audit: LogAudit;
  /** In [0, 1): which blocks are looked at. */
  readonly random?: () => number;
};

export class RangeAudit {
  readonly #parts: RangeAuditParts;
  readonly #random: () => number;
  /** Ranges answered so far, by endpoint and filter: a liar must not be spared because others answered first. */
  readonly #ranges = new WeakMap<object, WeakMap<LogFilter, number>>();

  constructor(parts: RangeAuditParts) {
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
  }

  /** Resolves with false when the answer was shown to be wrong. What cannot be looked at is let pass. */
  async vouch(answer: RangeAnswer): Promise<boolean> {
    const turn = this.#turn(answer);
    try {
      const disputed = turn % SECOND_OPINION_EVERY === 0 ? await this.#secondOpinion(answer) : undefined;
      const numbers = disputed === undefined ? this.#pick(answer) : [disputed];
      const heads = await getHeadsAt(this.#parts.rpc, numbers, { timeoutMs: TIMEOUT_MS });
      const doubtful = heads.filter((head) => doubt(head, answer) > 0).sort((a, b) => doubt(b, answer) - doubt(a, answer));
      const [worst] = disputed === undefined ? doubtful : heads;
      if (worst === undefined) return true;
      if (disputed === undefined && doubt(worst, answer) < SURE && turn % PROOF_EVERY !== 0) return true;
      return !(await this.#parts.audit.examine({ ...answer, head: worst, logs: logsIn(answer.logs, worst.number) }));
    } catch {
      return true;
    }
  }

  #turn({ from, filter }: RangeAnswer): number {
    const answered = this.#ranges.get(from) ?? new WeakMap<LogFilter, number>();
    const turn = answered.get(filter) ?? 0;
    this.#ranges.set(from, answered.set(filter, turn + 1));
    return turn;
  }

  /** The last block, one after the last log (answers are cut off at the end), and any. */
  #pick({ range: { from, to }, logs }: RangeAnswer): number[] {
    const within = (low: number) => low + Math.floor(this.#random() * (to - low + 1));
    return [...new Set([to, within(Math.min((logs.at(-1)?.blockNumber ?? from) + 1, to)), within(from)])];
  }

  /** The first block that two endpoints tell different logs of. */
  async #secondOpinion({ range, filter, logs, from }: RangeAnswer): Promise<number | undefined> {
    const other = this.#parts.endpoints.find((endpoint) => endpoint !== from && endpoint.restMs === 0);
    if (other === undefined) return undefined;
    const theirs = await other
      .call({ method: 'eth_getLogs', params: [rangeParams(range, filter)] }, TIMEOUT_MS)
      .then(parseLogs, () => null);
    if (theirs === null || differenceOf(theirs, logs) === null) return undefined;
    const numbers = [...new Set([...theirs, ...logs].map(({ blockNumber }) => blockNumber))].sort((a, b) => a - b);
    const disputed = numbers.find((number) => differenceOf(logsIn(theirs, number), logsIn(logs, number)) !== null);
    if (disputed === undefined) return undefined;
    // Who of the two is wrong, receipts tell, where both speak of the same block; here the other is held against them.
    const [head] = await getHeadsAt(this.#parts.rpc, [disputed], { timeoutMs: TIMEOUT_MS });
    if ((await other.block(disputed, TIMEOUT_MS))?.hash !== head?.hash) return undefined;
    await this.#parts.audit.examine({ head: head!, filter, logs: logsIn(theirs, disputed), from: other });
    return disputed;
  }
}

const SURE = 2;

/** 0: nothing can be missing; 1: it could; 2: something all but must. */
function doubt(head: Head, { filter, logs }: RangeAnswer): number {
  const { logsBloom: bloom } = head;
  if (bloom === undefined) return 0;
  const own = logsIn(logs, head.number);
  if (excluded(bloom, own) !== undefined) return SURE;
  if (!mayHoldMore(bloom, filter, own)) return 0;
  return fullness(bloom) < SPARSE && silentAddress(bloom, filter, own) !== undefined ? SURE : 1;
}

function logsIn(logs: readonly RawLog[], number: number): readonly RawLog[] {
  return logs.filter(({ blockNumber }) => blockNumber === number);
}

function rangeParams({ from, to }: RangeAnswer['range'], { addresses, topics0 }: LogFilter): object {
  const range = { fromBlock: toQuantity(from), toBlock: toQuantity(to), topics: [topics0] };
  return addresses === undefined ? range : { ...range, address: addresses };
}
