/**
 * Do the endpoints agree about the chain? One that is not announcing heads is looked at every eight heads. Short forks are left to time; where the block 32 below
 * our tip differs, endpoints vote: the branch that we follow keeps its place against as many, and gives way to more, two at least (a sole endpoint is
 * always right). Whoever is on the branch that lost is distrusted.
 */
import type { Head, Hex } from '../lib/types.ts';
import type { Endpoint } from './endpoint.ts';
import { asRpcError } from './errors.ts';
import type { HeadChain } from './headchain.ts';

const LOOK_EVERY = 8;
/** Deeper than honest endpoints ever differ. */
export const SETTLED_DEPTH = 32;
/** More than so many blocks behind is too many. */
const BEHIND = 2;
const BEHIND_REST_MS = 30_000;

export type AgreementParts = {
  readonly endpoints: readonly Endpoint[];
  readonly chain: () => HeadChain;
  readonly timeoutMs: number;
};

type Poll = { readonly ours: Head; readonly winner: Hex; readonly votes: ReadonlyMap<Endpoint, Hex> };

/** The hash that wins, by the hashes that voters have at one height. Pure. */
export function winnerOf(ours: Hex, votes: Iterable<Hex>, configured: number): Hex {
  const counts = new Map<Hex, number>([[ours, 0]]);
  for (const hash of votes) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  const [most] = [...counts].filter(([hash]) => hash !== ours).sort(([, a], [, b]) => b - a);
  if (most === undefined) return ours;
  const [hash, count] = most;
  return count > counts.get(ours)! && (count >= 2 || configured === 1) ? hash : ours;
}

export class Agreement {
  readonly #parts: AgreementParts;
  #heads = 0;
  #turn = 0;
  #looked = 0;

  constructor(parts: AgreementParts) {
    this.#parts = parts;
  }

  advanced(): void {
    this.#heads++;
  }

  /** Another endpoint announces heads: all the others are looked at soon. */
  begin(): void {
    this.#looked = 0;
  }

  /** Looks at another endpoint where it is time to; true when `source` should not announce heads any longer. */
  async look(source: Endpoint): Promise<boolean> {
    const others = this.#parts.endpoints.filter((endpoint) => endpoint !== source && endpoint.restMs === 0);
    if (others.length === 0 || (this.#looked >= others.length && this.#heads < LOOK_EVERY)) return false;
    this.#heads = 0;
    this.#looked++;
    const other = others[this.#turn++ % others.length]!;
    try {
      return await this.#compare(source, other);
    } catch (error) {
      const fault = asRpcError(other.host, error);
      if (fault.endpointAtFault) other.failed(fault);
      return false;
    }
  }

  /** Is this endpoint on the branch that wins? Those that are not are distrusted. */
  async admits(endpoint: Endpoint): Promise<boolean> {
    if (this.#parts.endpoints.length === 1) {
      // Nobody to compare with; but it must not be another chain.
      endpoint.suspect();
      await endpoint.verify(this.#parts.timeoutMs);
      return true;
    }
    const poll = await this.#poll();
    this.#judge(poll);
    return poll.votes.get(endpoint) === poll.winner;
  }

  /** Does its newest block lie on our chain, or follow our tip? Going over to it takes nothing back. */
  async continues(endpoint: Endpoint, head: Head): Promise<boolean> {
    const { tip } = this.#parts.chain();
    if (head.number < tip.number - 1) return false;
    if (this.#parts.chain().isOurs(head) || head.parentHash === tip.hash) return true;
    const same = head.number < tip.number ? null : await endpoint.block(tip.number, this.#parts.timeoutMs).catch(() => null);
    return same?.hash === this.#parts.chain().at(tip.number)?.hash;
  }

  async #compare(source: Endpoint, other: Endpoint): Promise<boolean> {
    const head = await other.latest(this.#parts.timeoutMs);
    const chain = this.#parts.chain();
    const ahead = head.number - chain.tip.number;
    const known = chain.at(head.number);
    if (ahead < -BEHIND) other.fellBehind(-ahead, BEHIND_REST_MS);
    if (known?.hash === head.hash || (known === undefined && ahead > 0 && ahead <= BEHIND)) return false;
    const { tip } = chain;
    if (ahead > BEHIND && (await other.block(tip.number, this.#parts.timeoutMs))?.hash === tip.hash) {
      source.fellBehind(ahead, BEHIND_REST_MS);
      return true;
    }
    this.#judge(await this.#poll(head.number));
    return source.distrust !== null;
  }

  /** At a settled height that is no higher than `atMost`. */
  async #poll(atMost = Number.POSITIVE_INFINITY): Promise<Poll> {
    const { endpoints, chain, timeoutMs } = this.#parts;
    const { lowest, tip } = chain();
    const ours = chain().at(Math.max(lowest, Math.min(tip.number - SETTLED_DEPTH, atMost))) ?? tip;
    const votes = new Map<Endpoint, Hex>();
    const ask = async (endpoint: Endpoint) => {
      try {
        endpoint.suspect();
        const block = await endpoint.block(ours.number, timeoutMs);
        if (block !== null) votes.set(endpoint, block.hash);
      } catch (error) {
        const fault = asRpcError(endpoint.host, error);
        if (fault.endpointAtFault) endpoint.failed(fault);
      }
    };
    await Promise.all(endpoints.filter((endpoint) => endpoint.distrust === null || endpoint.lie === 'fork').map(ask));
    return { ours, votes, winner: winnerOf(ours.hash, votes.values(), endpoints.length) };
  }

  #judge({ ours, winner, votes }: Poll): void {
    for (const [endpoint, hash] of votes) {
      if (hash === winner) continue;
      const reason = `${endpoint.host}: is on another fork, its block ${ours.number} is ${hash} and not ${winner}`;
      endpoint.distrustFor('fork', reason, async () => {
        const now = await this.#poll();
        return now.votes.get(endpoint) === now.winner;
      });
    }
  }
}
