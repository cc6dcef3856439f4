/** The ways in which an endpoint can fail or lie, each the same every time: what becomes of a node's true answers. Pure. */

export type Fault =
  | { kind: 'none' }
  /** Every answer comes so much later. */
  | { kind: 'slow'; ms: number }
  /** Asks the node once this has come to pass; what is subscribed to goes on. */
  | { kind: 'held'; until: Promise<unknown> }
  /** Accepts and never answers. */
  | { kind: 'silent' }
  /** Answers these methods alone, and goes on to tell what is subscribed to. */
  | { kind: 'only'; methods: readonly string[] }
  /** HTTP: this status and body, as a gateway in trouble would. */
  | { kind: 'page'; status: number; body: string; headers?: Readonly<Record<string, string>> }
  /** The JSON ends half way. */
  | { kind: 'truncated' }
  /** A JSON-RPC error to each of these methods. */
  | { kind: 'error'; methods: readonly string[]; code: number; message: string }
  /** These results, by method. */
  | { kind: 'result'; results: Readonly<Record<string, unknown>> }
  /** No `eth_subscription` message gets through, all else does. */
  | { kind: 'mute' }
  /** The gateway leads to another node; open subscriptions stay with the old one until `dropSockets`. */
  | { kind: 'elsewhere'; node: string }
  /** Answers carry the id of another call. */
  | { kind: 'wrong-id' }
  /** Answers to these methods are right, and so many bytes long. */
  | { kind: 'huge'; methods: readonly string[]; bytes: number }
  /** Of logs, the last of each answer is left out. */
  | { kind: 'partial' }
  /** Of logs, no more than so many are answered, and nothing says so. */
  | { kind: 'capped'; logs: number }
  /** Of logs, the last is told of another contract. */
  | { kind: 'forged-logs' }
  /** Headers, asked for and announced, have these fields changed. */
  | { kind: 'forged-heads'; fields: Readonly<Record<string, unknown>> }
  /** Knows nothing of the newest blocks. */
  | { kind: 'lag'; blocks: number };

export type Asked = { readonly id?: number; readonly method?: string; readonly params?: readonly unknown[] };
export type Answer = { readonly id: number; readonly result?: unknown; readonly error?: unknown };
type Log = { readonly address: string };

const FOREIGN_ADDRESS = '0x00000000000000000000000000000000deadbeef';

/** What comes instead of the node's answer. `head`: the node's newest block, told for `lag`. */
export function tamper(fault: Fault, asked: Asked, answer: Answer, head = 0): Answer {
  const { method = '', params = [] } = asked;
  const { id, result } = answer;
  switch (fault.kind) {
    case 'error':
      return fault.methods.includes(method)
        ? { ...answer, result: undefined, error: { code: fault.code, message: fault.message } }
        : answer;
    case 'result':
      return method in fault.results ? { ...answer, error: undefined, result: fault.results[method] } : answer;
    case 'wrong-id':
      return { ...answer, id: id + 1_000_000 };
    case 'huge':
      return fault.methods.includes(method) ? ({ ...answer, padding: ' '.repeat(fault.bytes) } as Answer) : answer;
    case 'partial':
    case 'capped':
    case 'forged-logs':
      return method === 'eth_getLogs' && Array.isArray(result) ? { ...answer, result: logsOf(fault, result) } : answer;
    case 'forged-heads':
      return method.startsWith('eth_getBlockBy') ? { ...answer, result: forgedHead(fault, result) } : answer;
    case 'lag':
      return lagging(method, params, answer, head - fault.blocks);
    default:
      return answer;
  }
}

/** An announced head, as this fault has it; null when it is not let through. */
export function tamperHead(fault: Fault, head: unknown): unknown {
  if (fault.kind === 'mute' || fault.kind === 'silent' || fault.kind === 'lag') return null;
  return fault.kind === 'forged-heads' ? forgedHead(fault, head) : head;
}

function logsOf(fault: Extract<Fault, { kind: 'partial' | 'capped' | 'forged-logs' }>, logs: readonly Log[]): readonly Log[] {
  if (fault.kind === 'partial') return logs.slice(0, -1);
  if (fault.kind === 'capped') return logs.slice(0, fault.logs);
  return logs.map((log, i) => (i === logs.length - 1 ? { ...log, address: FOREIGN_ADDRESS } : log));
}

function forgedHead({ fields }: Extract<Fault, { kind: 'forged-heads' }>, head: unknown): unknown {
  return typeof head === 'object' && head !== null ? { ...head, ...fields } : head;
}

/** NOTE: `latest` is answered by number, see `behind`. */
function lagging(method: string, params: readonly unknown[], answer: Answer, newest: number): Answer {
  const { result } = answer;
  if (method === 'eth_blockNumber') return { ...answer, result: `0x${newest.toString(16)}` };
  const number = typeof result === 'object' && result !== null && 'number' in result ? Number(result.number) : 0;
  if (method.startsWith('eth_getBlockBy')) return number > newest ? { ...answer, result: null } : answer;
  const logs = Array.isArray(result) ? (result as { blockNumber: string }[]) : [];
  if (method === 'eth_getLogs') return { ...answer, result: logs.filter(({ blockNumber }) => Number(blockNumber) <= newest) };
  const atBlock = params.some((param) => typeof param === 'object' && param !== null && 'blockHash' in param);
  return method === 'eth_call' && atBlock ? { ...answer, result: undefined, error: { code: -32000, message: 'header not found' } } : answer;
}

/** What a node that lags is asked instead. */
export function behind(fault: Fault, asked: Asked, head: number): Asked {
  const { method, params = [] } = asked;
  if (fault.kind !== 'lag' || method !== 'eth_getBlockByNumber' || params[0] !== 'latest') return asked;
  return { ...asked, params: [`0x${(head - fault.blocks).toString(16)}`, ...params.slice(1)] };
}
