import { scrub } from './secret.ts';

/** An error whose message is meant for the operator: what is wrong and what to do, in one line. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
  /** 1: it failed; 2: bad configuration or usage. */
  readonly exitCode: 1 | 2 = 1;
}

/** Bad configuration or usage: nothing was begun. Each problem names its variable or option and what to do. */
export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError';
  override readonly exitCode = 2;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'name resolution failed',
  ETIMEDOUT: 'timed out',
  EACCES: 'permission denied',
  EADDRINUSE: 'address already in use',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  UND_ERR_CONNECT_TIMEOUT: 'timed out',
};

/** Third parties' messages may hold whole requests; our own say no more than they must. */
const LONGEST_LINE = 500;

/** The one place that explains errors: one line, without secrets, stack or bare objects. */
export function explainError(error: unknown): string {
  const line = scrub(describe(error))
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const foreign = !(error instanceof OperatorError);
  return foreign && line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line || 'unknown error';
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : 'unknown error';
  if (error instanceof OperatorError) return error.message;
  if (error.name === 'AbortError' || error instanceof DOMException) return 'timed out';
  const system = systemReason(error);
  if (system !== undefined) return system;
  const { shortMessage, details } = error as Error & { shortMessage?: unknown; details?: unknown };
  if (typeof shortMessage === 'string')
    return typeof details === 'string' && details !== '' ? `${shortMessage} (${details})` : shortMessage;
  return error.message;
}

/** The reason at the bottom of a chain of causes, when the operating system gave one. */
function systemReason(error: Error): string | undefined {
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < 8; depth++) {
    const { code, path } = at as NodeJS.ErrnoException;
    const reason = code === undefined ? undefined : SYSTEM[code];
    if (reason !== undefined) return path === undefined ? reason : `${path}: ${reason}`;
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return undefined;
}
