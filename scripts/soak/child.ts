/** A keeper in a process of its own, read by its log lines. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Failpoint } from './failpoints.ts';

export type Line = { readonly event: string; readonly [field: string]: unknown };
export type End = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string };
export type Child = {
  readonly pid: number;
  readonly lines: readonly Line[];
  readonly ended: Promise<End>;
  /** The first such line from index `from` on, past or future; undefined when the process ends first. Rejects after three minutes: a machine may be busy. */
  until(wanted: (line: Line) => boolean, what: string, from?: number): Promise<Line | undefined>;
  /** Resolves when the failpoint is set. */
  arm(failpoint: Failpoint): Promise<void>;
  /** The signal, then the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<End>;
};

const TRAPPED = fileURLToPath(new URL('./keeper-process.ts', import.meta.url));
const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const WAIT_MS = 180_000;
const KEPT_STDERR = 4_000;

export type ChildOptions = {
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Set before anything else happens. */
  readonly failpoint?: Failpoint | undefined;
};

/** The keeper with a trap in it. */
export function startTrapped({ environment, cwd, failpoint }: ChildOptions): Child {
  return start([TRAPPED, ...(failpoint === undefined ? [] : [JSON.stringify(failpoint)])], environment, cwd);
}

/** `bailiff run` itself, as an operator starts it. */
export function startRun({ environment, cwd }: ChildOptions): Child {
  return start([CLI, 'run'], environment, cwd);
}

function start(command: readonly string[], environment: Readonly<Record<string, string>>, cwd: string): Child {
  const { PATH, HOME, TMPDIR, LANG, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, TMPDIR, LANG, NODE_COMPILE_CACHE, NODE_NO_WARNINGS: '1', LOG_FORMAT: 'json', ...environment };
  const child = spawn(process.execPath, [...command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR);
  });
  createInterface({ input: child.stdout! }).on('line', (text) => {
    lines.push(JSON.parse(text) as Line);
    for (const look of waiting) look();
  });
  const die = () => child.kill('SIGKILL');
  process.once('exit', die);
  const ended = new Promise<End>((resolve) => {
    child.once('close', (code, signal) => {
      process.removeListener('exit', die);
      resolve({ code, signal, stderr: stderr.trim() });
    });
  });

  return {
    pid: child.pid!,
    lines,
    ended,
    until(wanted, what, from = 0) {
      return new Promise((resolve, reject) => {
        const finish = (work: () => void) => {
          waiting.delete(look);
          clearTimeout(timer);
          work();
        };
        const look = () => {
          const line = lines.slice(from).find(wanted);
          if (line !== undefined) finish(() => resolve(line));
        };
        const timer = setTimeout(() => finish(() => reject(new Error(`never came: ${what}; last: ${tail(lines)}`))), WAIT_MS);
        waiting.add(look);
        ended.then(() => finish(() => resolve(undefined)));
        look();
      });
    },
    async arm(failpoint) {
      const taken = new Promise<void>((resolve) => child.once('message', () => resolve()));
      child.send(failpoint);
      await Promise.race([taken, ended]);
    },
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** The last lines, for messages. */
export function tail(lines: readonly Line[]): string {
  return lines
    .slice(-8)
    .map((line) => `${line.event} ${String(line['reason'] ?? line['block'] ?? '')}`)
    .join('; ');
}
