import { sleep } from '../lib/async.ts';
import type { Head } from '../lib/types.ts';
import type { Endpoint } from './endpoint.ts';
import { asRpcError, RpcError } from './errors.ts';
import { record } from './parse.ts';
import { Socket } from './socket.ts';

/** Heads as one endpoint announces them, until it ends. */
export type Source = {
  readonly endpoint: Endpoint;
  readonly by: 'subscription' | 'polling';
  /** The newest head so far. */
  latest(): Head;
  /** Hands over the newest head and, from then on, every further one. */
  start(take: (head: Head) => void): void;
  /** Resolves with the reason when the source has ended. */
  readonly ended: Promise<RpcError>;
  close(): void;
};

export type SourceOptions = {
  readonly timeoutMs: number;
  /** The usual gap between heads, for polling no more often than that. */
  readonly gapMs: () => number | null;
};

/** Rejects with `RpcError` when the endpoint is not usable, is on another chain, or refuses the subscription. */
export async function openSource(endpoint: Endpoint, options: SourceOptions): Promise<Source> {
  try {
    return await (endpoint.subscribes ? subscribe(endpoint, options) : poll(endpoint, options));
  } catch (error) {
    throw asRpcError(endpoint.host, error);
  }
}

/** The newest head, and whom to tell. */
class Outlet {
  #latest: Head;
  #take: (head: Head) => void = () => {};

  constructor(latest: Head) {
    this.#latest = latest;
  }

  latest = (): Head => this.#latest;

  start = (take: (head: Head) => void): void => {
    this.#take = take;
    take(this.#latest);
  };

  announce(head: Head): void {
    this.#latest = head;
    this.#take(head);
  }
}

async function subscribe(endpoint: Endpoint, { timeoutMs }: SourceOptions): Promise<Source> {
  await endpoint.verify(timeoutMs);
  const { promise: ended, resolve: end } = Promise.withResolvers<RpcError>();
  const early: Head[] = [];
  let announce = (head: Head): void => void early.push(head);
  const onPush = async (_: string, result: unknown) => {
    try {
      const head = await endpoint.announced(result, timeoutMs);
      endpoint.learn(head.hash);
      announce(head);
    } catch (error) {
      end(asRpcError(endpoint.host, error));
      socket.close();
    }
  };
  // A socket of its own: requests on the same one delay the pushes (Nagle's algorithm and delayed acknowledgements).
  const socket = await Socket.open(endpoint.url, { timeoutMs, onEnd: end, onPush });
  try {
    // Behind a gateway this connection may lead elsewhere than the one for calls.
    const chain = record(await socket.send({ jsonrpc: '2.0', id: 0, method: 'eth_chainId', params: [] }, timeoutMs), 'eth_chainId');
    endpoint.mustBeOurs(chain['result']);
    const request = { jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] } as const;
    const answer = record(await socket.send(request, timeoutMs), 'eth_subscribe');
    if (typeof answer['result'] !== 'string') throw new RpcError('unsupported', endpoint.host, 'refuses to announce new heads');
    // After subscribing, so that no block falls in between.
    const outlet = new Outlet(await endpoint.latest(timeoutMs));
    for (const head of early) if (head.number >= outlet.latest().number) outlet.announce(head);
    announce = (head) => outlet.announce(head);
    return { endpoint, by: 'subscription', latest: outlet.latest, start: outlet.start, ended, close: () => socket.close() };
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Until a gap has been seen, and between polls that came too early. */
const FIRST_POLL_MS = 500;
const SHORTEST_POLL_MS = 20;

async function poll(endpoint: Endpoint, { timeoutMs, gapMs }: SourceOptions): Promise<Source> {
  const outlet = new Outlet(await endpoint.latest(timeoutMs));
  const closed = new AbortController();
  const run = async (): Promise<RpcError> => {
    let hitAt = performance.now();
    while (!closed.signal.aborted) {
      const gap = gapMs();
      // One gap after the last new block the next is due: about one call a block.
      const due = gap === null ? 0 : hitAt + gap - performance.now();
      const again = gap === null ? FIRST_POLL_MS : Math.max(gap / 10, SHORTEST_POLL_MS);
      await sleep(due > 0 ? due : again, closed.signal);
      if (closed.signal.aborted) break;
      try {
        const head = await endpoint.latest(timeoutMs);
        if (head.hash === outlet.latest().hash) continue;
        hitAt = performance.now();
        outlet.announce(head);
      } catch (error) {
        return asRpcError(endpoint.host, error);
      }
    }
    return new RpcError('unreachable', endpoint.host, 'closed');
  };
  return { endpoint, by: 'polling', latest: outlet.latest, start: outlet.start, ended: run(), close: () => closed.abort() };
}
