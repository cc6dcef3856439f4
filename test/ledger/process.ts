import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export type Child = {
  readonly process: ChildProcess;
  /** Lines of stdout so far. */
  readonly lines: readonly string[];
  /** The first line, from now or before, that satisfies. */
  line(satisfies: (line: string) => boolean): Promise<string>;
  /** Ends it at once and waits for the end. */
  kill(): Promise<void>;
  ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
};

/** Runs a TypeScript file of test/ledger/children; killed at the end of the test at the latest. */
export function child(file: string, args: readonly string[], shellPrefix?: string): Child {
  const script = fileURLToPath(new URL(`./children/${file}`, import.meta.url));
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const running =
    shellPrefix === undefined
      ? spawn(process.execPath, [script, ...args], { stdio })
      : spawn('bash', ['-c', `${shellPrefix}; exec "$0" "$@"`, process.execPath, script, ...args], { stdio });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let stderr = '';
  running.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const reader = createInterface({ input: running.stdout });
  reader.on('line', (line) => {
    lines.push(line);
    for (const wake of waiting) wake();
  });
  const ended = Promise.all([once(running, 'exit'), once(reader, 'close'), once(running.stderr, 'close')]).then(([[code]]) => ({
    code: code as number | null,
    stderr,
  }));
  const kill = async () => {
    running.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  const line = (satisfies: (line: string) => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find(satisfies);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      ended.then(() => reject(new Error(`it ended first: ${stderr}`)), reject);
      look();
    });
  return { process: running, lines, line, kill, ended };
}
