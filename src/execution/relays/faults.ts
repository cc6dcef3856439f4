import { errorFromAnswer, RpcError } from '../../chain/errors.ts';
import type { RelayFault } from '../types.ts';

/** Relays have no code for it; Flashbots, Titan, beaverbuild and the devnet's builder each have words of their own. */
const TOO_LATE = /\b(has|already|is) (been )?passed\b|in the past|past block|too late|(not|must be) (in the future|a future block)/i;

/** Of a call that brought no JSON-RPC answer. */
export function faultOfCall(error: unknown): { readonly fault: RelayFault; readonly retryAfterMs: number | undefined } {
  const { kind, retryAfterMs } = error instanceof RpcError ? error : { kind: 'bad-answer', retryAfterMs: undefined };
  const fault = kind === 'timeout' || kind === 'unreachable' || kind === 'rate-limited' ? kind : 'malformed';
  return { fault, retryAfterMs };
}

/** Of the `error` in a JSON-RPC answer. */
export function faultOfRefusal(host: string, error: unknown): RelayFault {
  const { kind, message } = errorFromAnswer(host, 'relay', error);
  if (TOO_LATE.test(message)) return 'too-late';
  return kind === 'rate-limited' ? 'rate-limited' : 'refused';
}
