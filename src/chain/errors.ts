import type { Hex } from '../lib/types.ts';
import { ShapeError } from './parse.ts';

export type RpcErrorKind =
  /** The endpoint's fault; it rests and another is asked. */
  | 'timeout'
  | 'unreachable'
  | 'rate-limited'
  | 'bad-answer'
  | 'wrong-chain'
  /** It said what is shown to be untrue (`lie` tells what): it is not asked again before it has made good. */
  | 'lied'
  /** None of the endpoints can be trusted. */
  | 'untrusted'
  /** This endpoint cannot, another may. */
  | 'unknown-block'
  | 'unsupported'
  /** Too many results, too wide a range, too large an answer: ask for less. */
  | 'too-much'
  /** An answer: the call reverted (`data` tells why), or the node refuses it. */
  | 'reverted'
  | 'rejected';

/** What an endpoint can be distrusted for: worse than failing, for what it says would be acted on. */
export type Lie = 'wrong-chain' | 'fork' | 'forged-head' | 'wrong-logs';

/** A call that no endpoint answered well. Messages name the host only, never the URL. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly kind: RpcErrorKind;
  readonly host: string;
  /** JSON-RPC error code and revert data, where there were any. */
  readonly code: number | undefined;
  readonly data: Hex | undefined;
  readonly lie: Lie | undefined;
  /** For so long it asked to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: RpcErrorKind, host: string, message: string, detail: Detail = {}) {
    super(`${host}: ${message}`, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.kind = kind;
    this.host = host;
    this.code = detail.code;
    this.data = detail.data;
    this.lie = kind === 'wrong-chain' ? kind : detail.lie;
    this.retryAfterMs = detail.retryAfterMs;
  }

  get endpointAtFault(): boolean {
    return ['timeout', 'unreachable', 'rate-limited', 'bad-answer', 'wrong-chain', 'lied'].includes(this.kind);
  }
}

/** An answer of the wrong shape is the endpoint's fault too. What is neither is a fault of ours, and passes through as it is. */
export function asRpcError(host: string, error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof ShapeError) return new RpcError('bad-answer', host, error.message);
  throw error;
}

type Detail = { code?: number; data?: Hex; cause?: unknown; lie?: Lie; retryAfterMs?: number };

const LONGEST = 200;
/** Codes by which hosted nodes limit the rate, whatever they say with it. */
const RATE_CODES = [429, -32029, -32090, -32097];

/** Turns the `error` member of a JSON-RPC answer into ours. Nodes agree on few codes, so the words decide where the code says nothing. */
export function errorFromAnswer(host: string, method: string, error: unknown): RpcError {
  const { code, message, data } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const number = typeof code === 'number' ? code : undefined;
  const words = typeof message === 'string' ? message.replaceAll(/\s+/g, ' ').slice(0, LONGEST) : 'error without a message';
  const bytes = revertData(data);
  const detail = { ...(number === undefined ? {} : { code: number }), ...(bytes === undefined ? {} : { data: bytes }) };
  return new RpcError(kindOf(number, words.toLowerCase(), bytes), host, `${method}: ${words}`, detail);
}

function kindOf(code: number | undefined, words: string, data: Hex | undefined): RpcErrorKind {
  if (code === 3 || /revert/.test(words) || (data !== undefined && data.length > 2)) return 'reverted';
  if (
    /too many requests|rate.?limit|request limit|compute units|throttl|capacity|quota|request count|requests? per (second|minute|day)/.test(
      words,
    ) ||
    RATE_CODES.includes(code ?? 0)
  )
    return 'rate-limited';
  if (
    /unknown block|\b(header|block)\b.{0,90}not found|resource not found|missing trie node|state .*(unavailable|not available|pruned)|no state available|pruned|pruning|before .*(snapshot|tail)/.test(
      words,
    )
  )
    return 'unknown-block';
  if (/range|too many|more than|exceed|too large|too big|response size|limit/.test(words) && !/gas|balance|fee|nonce/.test(words))
    return 'too-much';
  if (code === -32005) return 'rate-limited';
  if (code === -32601 || code === -32004 || /not supported|unsupported|method .*not (found|available|exist|allowed)/.test(words))
    return 'unsupported';
  // Some nodes report what the EVM does under this code too; the rest of it is trouble of the node's own.
  if (
    (code === -32603 && !/evm|opcode|gas|stack|jump/.test(words)) ||
    /internal (server )?error|unavailable|overloaded|busy|try again/.test(words)
  )
    return 'bad-answer';
  return 'rejected';
}

/** Geth puts the bytes in `data`; others wrap them in an object. */
function revertData(data: unknown): Hex | undefined {
  if (typeof data === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(data)) return data.toLowerCase() as Hex;
  if (typeof data === 'object' && data !== null && 'data' in data) return revertData(data.data);
  return undefined;
}
