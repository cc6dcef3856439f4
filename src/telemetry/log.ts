import { type DestinationStream, type LoggerOptions, pino } from 'pino';
import pretty from 'pino-pretty';
import { getAddress } from 'viem/utils';
import { scrub } from '../lib/secret.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, unknown>>;

/** One line a happening: a stable `event`, its figures, and no secret. Never throws, never waits for whoever reads the lines. */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** At the level that its name deserves. */
  event(event: string, fields?: Fields): void;
  /** Puts what is still buffered on its way, before the process ends. */
  flush(): void;
}

export type LogOptions = {
  readonly level: Level;
  /** Undefined: pretty on a terminal, otherwise json. */
  readonly format: 'json' | 'pretty' | undefined;
  readonly stream: 'stdout' | 'stderr';
};

/** Events that an operator should see even when only warnings are kept. */
const LEVELS: Readonly<Record<string, Level>> = {
  'attempt.reverted': 'warn',
  'audit.mismatch': 'warn',
  'market.suspended': 'warn',
  'endpoint.changed': 'warn',
  'relay.resting': 'warn',
  'hedge.waiting': 'warn',
  'alert.raised': 'error',
  'breaker.opened': 'error',
  'keeper.killed': 'warn',
  'keeper.paused': 'warn',
};

/** Lines that nobody reads are dropped beyond this, the newest first: a stalled reader must not take the memory. */
const MOST_BUFFERED_BYTES = 16_000_000;

export function createLog({ level, format, stream }: LogOptions, destination = destinationOf(format, stream)): Log {
  const options: LoggerOptions = {
    level,
    base: null,
    messageKey: 'event',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    // NOTE: by value too, not only by type: third parties' error messages repeat URLs.
    hooks: { streamWrite: scrub },
  };
  const logger = pino(options, destination);
  const write = (at: Level, event: string, fields: Fields) => {
    if (logger.isLevelEnabled(at)) logger[at](shown(fields), event);
  };
  return {
    debug: (event, fields = {}) => write('debug', event, fields),
    info: (event, fields = {}) => write('info', event, fields),
    warn: (event, fields = {}) => write('warn', event, fields),
    error: (event, fields = {}) => write('error', event, fields),
    event: (event, fields = {}) => write(LEVELS[event] ?? 'info', event, fields),
    flush: () => logger.flush(),
  };
}

/** Integers that may pass 2^53 as decimal strings, addresses with their checksum, errors by their message. Two levels deep. */
function shown(fields: Fields, depth = 0): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'bigint') out[name] = String(value);
    else if (typeof value === 'string') out[name] = ADDRESS.test(value) ? getAddress(value) : value;
    else if (value instanceof Error) out[name] = value.message;
    else if (depth === 0 && isRecord(value)) out[name] = shown(value, 1);
    else out[name] = value;
  }
  return out;
}

const ADDRESS = /^0x[0-9a-f]{40}$/;

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function destinationOf(format: LogOptions['format'], stream: LogOptions['stream']): DestinationStream {
  const { fd, isTTY } = process[stream];
  if ((format ?? (isTTY ? 'pretty' : 'json')) === 'pretty')
    return pretty({ destination: fd, sync: true, colorize: isTTY, messageKey: 'event', timestampKey: 'time', translateTime: 'HH:MM:ss.l' });
  return pino.destination({ dest: fd, sync: false, maxLength: MOST_BUFFERED_BYTES });
}
