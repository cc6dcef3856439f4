import type { Unsent } from '../../chain/wire.ts';
import { explainError } from '../../lib/errors.ts';
import type { Relay, RelayAnswer, RelayBackrun, RelayBundle } from '../types.ts';
import type { Authorise } from './authorise.ts';
import { behindBody, bundleBody } from './bodies.ts';
import { faultOfCall, faultOfRefusal } from './faults.ts';

/** Lays a request with this body out for the relay (`Wire.prepare`). */
export type Prepare = (body: Uint8Array, headers: Readonly<Record<string, string>>) => Unsent;

/**
 * Bundles on their way to a relay: `eth_sendBundle`, and MEV-Share's `mev_sendBundle`, each with its body signed. Every call is one request. Never throws.
 *
 * NOTE: Flashbots' library decodes, hashes and recovers every transaction of a bundle before it sends it, which takes longer than all else between a price
 * and the relay.
 */
export function signedSends(host: string, authorise: Authorise, prepare: Prepare): Pick<Relay, 'prepare' | 'send' | 'sendBehind'> {
  let id = 1;
  const prepared = new WeakMap<RelayBundle | RelayBackrun, Unsent>();
  const write = (delivery: RelayBundle | RelayBackrun): Unsent => {
    const text =
      'txs' in delivery
        ? bundleBody(id++, delivery.txs, delivery.targetBlock, delivery.replacementUuid)
        : behindBody(id++, delivery.hash, delivery.tx, delivery.targetBlock);
    const body = Buffer.from(text, 'latin1');
    return prepare(body, { 'x-flashbots-signature': authorise(body) });
  };
  const send = async (delivery: RelayBundle | RelayBackrun): Promise<RelayAnswer> => {
    try {
      const unsent = prepared.get(delivery) ?? write(delivery);
      prepared.delete(delivery);
      return read(await unsent.send(), host);
    } catch (error) {
      return { kind: 'unknown', ...faultOfCall(error), reason: explainError(error) };
    }
  };
  return {
    prepare: (delivery) => void prepared.set(delivery, write(delivery)),
    send,
    sendBehind: send,
  };
}

function read(answer: unknown, host: string): RelayAnswer {
  const { error, result } = (answer ?? {}) as { error?: unknown; result?: { bundleHash?: unknown } };
  if (error !== undefined && error !== null) {
    const message = String((error as { message?: unknown }).message);
    return {
      kind: 'refused',
      fault: faultOfRefusal(host, error),
      reason: `${host}: ${message.replaceAll(/[\p{Cc}]+/gu, ' ').slice(0, 200)}`,
    };
  }
  const bundleHash = result?.bundleHash;
  // NOTE: who answers something else may have thrown the bundle away.
  if (typeof bundleHash !== 'string' || !/^0x[0-9a-f]{64}$/i.test(bundleHash))
    return { kind: 'unknown', fault: 'malformed', reason: `${host}: no bundle hash in its answer` };
  return { kind: 'accepted', bundleHash };
}
