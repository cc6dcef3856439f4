/** The keeper as an operator runs it: the command line in a process of its own, configured by environment variables, read by its log lines. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const KEPT_STDERR = 4_000;

export type LogLine = { readonly event?: string; readonly [field: string]: unknown };
export type Keeper = {
  readonly pid: number;
  /** Resolves with the exit code and the last of stderr. */
  readonly ended: Promise<{ code: number | null; stderr: string }>;
  /** SIGTERM, then waits. */
  stop(): Promise<{ code: number | null; stderr: string }>;
};

export type Environment = Readonly<Record<string, string>>;

/** Only what a process needs and what is given: nothing of the caller's own configuration leaks in. */
function clean(environment: Environment): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, LANG, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, TMPDIR, LANG, NODE_COMPILE_CACHE, NODE_NO_WARNINGS: '1', ...environment };
}

/** Runs a command to its end and returns its JSON document. Throws with its error line when it fails. */
export async function bailiff(command: readonly string[], environment: Environment, cwd: string): Promise<unknown> {
  const child = spawn(process.execPath, [CLI, ...command, '--json'], { env: clean(environment), cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR);
  });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`bailiff ${command[0]} exited ${code}: ${stderr.trim() || stdout.trim()}`);
  return JSON.parse(stdout);
}

/** Starts `bailiff run`; every line of its log goes to `onLine`. It ends with this process. */
export function startKeeper(environment: Environment, cwd: string, onLine: (line: LogLine) => void): Keeper {
  const child = spawn(process.execPath, [CLI, 'run'], { env: clean(environment), cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR);
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    try {
      onLine(JSON.parse(text) as LogLine);
    } catch {
      onLine({ event: 'not.json', text });
    }
  });
  const die = () => child.kill('SIGKILL');
  process.once('exit', die);
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('close', (code) => {
      process.removeListener('exit', die);
      resolve({ code, stderr: stderr.trim() });
    });
  });
  return {
    pid: child.pid!,
    ended,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
