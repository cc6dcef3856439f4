import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
export const LAUNCHER = fileURLToPath(new URL('../../src/cli/bailiff.mjs', import.meta.url));

export type Environment = Readonly<Record<string, string>>;
export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'bailiff-cli-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export type Started = {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The first line of stdout, from now or before, that satisfies. */
  line(satisfies: (line: string) => boolean): Promise<string>;
};

/** Starts the program with nothing but `env` in its environment, in a folder without a `.env`. Killed at the end of the test at the latest. */
export function start(
  args: readonly string[],
  env: Environment = {},
  options: { readonly folder?: string; readonly node?: readonly string[] } = {},
): Started {
  const folder = options.folder ?? temporaryDir();
  const child = spawn(process.execPath, [...(options.node ?? [MAIN]), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (text) => {
    lines.push(text);
    for (const look of waiting) look();
  });
  const ended = Promise.all([once(child, 'exit'), once(child.stdout, 'close'), once(child.stderr, 'close')]).then(
    ([[code, signal]]): Ended => ({ code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr }),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const line = (satisfies: (line: string) => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find(satisfies);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      ended.then(({ code }) => reject(new Error(`it ended first, with ${code}: ${stderr}`)), reject);
      look();
    });
  return { process: child, ended, line };
}

export function bailiff(args: readonly string[], env: Environment = {}, folder?: string): Promise<Ended> {
  return start(args, env, folder === undefined ? {} : { folder }).ended;
}

/** The one document on stdout. */
export function documentOf({ stdout }: Ended): unknown {
  return JSON.parse(stdout);
}
