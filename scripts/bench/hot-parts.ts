/** The keeper's parts as they are, each telling the bench's clock where it stands. */
import { Socket } from 'node:net';
import { Wire } from '../../src/chain/wire.ts';
import { authoriser } from '../../src/execution/relays/authorise.ts';
import { signedSends } from '../../src/execution/relays/signed-send.ts';
import type { ExecutionChain, Lane, Relay } from '../../src/execution/types.ts';
import type { IntendedTransaction, Ledger, TransactionResult } from '../../src/ledger/types.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Hex } from '../../src/lib/types.ts';
import { Watch } from '../../src/risk/candidates.ts';
import type { Laps, Stage } from './laps.ts';

type Clock = () => Laps;
const TIMEOUT_MS = 5_000;

/** @param before the stage that went on until it is called; @param stage the one that it is */
export function timed<A extends unknown[], T>(before: Stage, stage: Stage, work: (...args: A) => Promise<T>, laps: Clock) {
  return async (...args: A): Promise<T> => {
    laps().end(before);
    const result = await work(...args);
    laps().end(stage);
    return result;
  };
}

export class TimedWatch extends Watch {
  readonly #laps: Clock;

  constructor(laps: Clock) {
    super();
    this.#laps = laps;
  }

  override foresee(...args: Parameters<Watch['foresee']>): ReturnType<Watch['foresee']> {
    return this.#laps().within('candidates', () => super.foresee(...args));
  }
}

export function timedLane({ address, sign }: Lane, laps: Clock): Lane {
  return { address, sign: timed('encode', 'sign', sign, laps) };
}

export function timedLedger(ledger: Ledger, laps: Clock, note: (transaction: IntendedTransaction) => void): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      if (name === 'intend')
        return async (transaction: IntendedTransaction) => {
          note(transaction);
          laps().end('sign');
          await target.intend(transaction);
          // NOTE: a disk that is quick enough is done before the body is begun.
          laps().end(laps().has('body and auth signature') ? 'intent on the disk' : 'intent committed');
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** It can send; nothing else is asked of it. */
export function timedRelay(url: string, key: Hex, laps: Clock): Relay {
  const target = new SecretUrl(url);
  const wire = new Wire(target, { timeoutMs: TIMEOUT_MS, maxBytes: 1_000_000 });
  const authorise = authoriser(key);
  const signed = (body: Uint8Array) => {
    const header = authorise(body);
    laps().end(laps().has('write') ? 'second body and auth signature' : 'body and auth signature');
    return header;
  };
  const { prepare, ...sends } = signedSends(target.host, signed, (body, headers) => wire.prepare(body, headers));
  return {
    ...{ name: target.host, ...sends },
    prepare(delivery) {
      laps().end('intent committed');
      prepare(delivery);
    },
    simulate: async () => ({ kind: 'unavailable', reason: 'not asked' }),
    cancel: async () => ({ kind: 'accepted', bundleHash: '' }),
  };
}

/** Tells each time that something is written to a port; returns what ends that. */
export function onWrite(port: number, tell: () => void): () => void {
  const { write } = Socket.prototype;
  Socket.prototype.write = function (this: Socket, ...args: unknown[]): boolean {
    const more = Reflect.apply(write, this, args) as boolean;
    if (this.remotePort === port) tell();
    return more;
  } as typeof write;
  return () => {
    Socket.prototype.write = write;
  };
}

/** A node that knows the nonce and answers nothing else. */
export function silentNode(nonce: () => number): ExecutionChain {
  const unknown = async () => {
    throw new Error('nobody is there');
  };
  return {
    ...{ receipt: unknown, accounts: unknown, balanceOf: unknown, explain: unknown, priorityFeeWei: unknown },
    nonceOf: async () => nonce(),
    simulate: async () => ({ kind: 'unavailable', reason: 'not asked' }),
    surcharges: async (transactions) => transactions.map(() => ({ feeWei: 0n, gasUnits: 0n })),
    broadcast: async () => ({ kind: 'refused', reason: 'not asked' }),
  };
}

/** As if it had been mined before anything that is looked at: nothing of it is under way, and its nonce is used. */
export function minedLongAgo({ txHash, attempts }: IntendedTransaction): TransactionResult {
  const nothing = { grossWei: 0n, bidWei: 0n, gasWei: 0n, profitWei: 0n, profitUsd8: 0n };
  return {
    ...{ txHash, outcome: 'included' },
    mined: {
      ...{ block: 0, blockHash: txHash, gasUsed: 0n, gasWei: 0n, bidWei: 0n, netUsd8: 0n, balanceChanges: {}, nativeUsd8: 1n },
    },
    attempts: attempts.map(({ attemptId }) => ({ attemptId, outcome: 'included', reason: undefined, ...nothing })),
  };
}
