import type { Head, Hex, RawLog } from '../lib/types.ts';
import type { Endpoint } from './endpoint.ts';
import { RpcError } from './errors.ts';
import { parseReceipts } from './receipts.ts';

const TIMEOUT_MS = 10_000;
/** An endpoint whose receipts never make the root of their header is of a chain that hashes more than we know of. */
const MOST_MISFITS = 3;

/** The logs of a block, proved: receipts that make the root in its header cannot lack one, nor hold one that is not there. */
export class LogProver {
  readonly #endpoints: readonly Endpoint[];
  readonly #misfits = new Map<Endpoint, number>();
  #last: { readonly hash: Hex; readonly logs: readonly RawLog[] } | null = null;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
  }

  /** Every log of the block, in order; null when no endpoint has receipts that fit. The accused is asked last. */
  async logs(head: Head, accused?: Endpoint): Promise<readonly RawLog[] | null> {
    if (head.receiptsRoot === undefined) return null;
    if (this.#last?.hash === head.hash) return this.#last.logs;
    const others = this.#endpoints.filter((endpoint) => endpoint !== accused);
    for (const endpoint of accused === undefined ? others : [...others, accused]) {
      if (endpoint.restMs > 0 || (this.#misfits.get(endpoint) ?? 0) >= MOST_MISFITS) continue;
      const logs = await this.#ask(endpoint, head);
      if (logs !== null) return logs;
    }
    return null;
  }

  async #ask(endpoint: Endpoint, head: Head): Promise<readonly RawLog[] | null> {
    try {
      const answer = await endpoint.call({ method: 'eth_getBlockReceipts', params: [`0x${head.number.toString(16)}`] }, TIMEOUT_MS);
      const { root, logs } = answer === null ? { root: null, logs: [] } : parseReceipts(answer, head);
      if (root === head.receiptsRoot) {
        this.#misfits.set(endpoint, 0);
        this.#last = { hash: head.hash, logs };
        return logs;
      }
      if (root !== null) this.#misfits.set(endpoint, (this.#misfits.get(endpoint) ?? 0) + 1);
    } catch (error) {
      // It cannot, and that is no lie; what else is wrong with it shows in the calls that matter.
      if (error instanceof RpcError && error.kind === 'unsupported') this.#misfits.set(endpoint, MOST_MISFITS);
    }
    return null;
  }
}

/** What is wrong with an answer, the proved logs being known; null when nothing is. */
export function differenceOf(proved: readonly RawLog[], answered: readonly RawLog[]): string | null {
  const keyOf = ({ logIndex, address, topics, data }: RawLog) => `${logIndex} ${address} ${topics.join()} ${data}`;
  const told = new Set(answered.map(keyOf));
  const real = new Set(proved.map(keyOf));
  const missing = proved.filter((log) => !told.has(keyOf(log))).length;
  const forged = answered.filter((log) => !real.has(keyOf(log))).length;
  if (missing === 0 && forged === 0) return null;
  return [missing > 0 && `${missing} of ${proved.length} logs left out`, forged > 0 && `${forged} made up`].filter(Boolean).join(', ');
}
