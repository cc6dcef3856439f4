/** Puts a watch on every process of ours that is started from here, and on every answer of our API that is fetched here. */
import childProcess, { type ChildProcess, type SpawnOptions } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { resolve } from 'node:path';
import type { OutputWatch } from './watch.ts';

const OURS = /src\/cli\/(main\.ts|bailiff\.mjs)$|scripts\/(soak\/keeper-process|demo\/main|soak\/main|bench\/main)\.ts$/;
const API = /^\/($|healthz$|readyz$|metrics$|api\/)/;

/** NOTE: a worker runs many files, each with a watch of its own, in one process that is watched once. */
const PLACE = Symbol.for('bailiff: watch on outputs');
type Watched = { [PLACE]?: { watch: OutputWatch } };

export function attach(watch: OutputWatch): void {
  const watched = globalThis as Watched;
  if (watched[PLACE] !== undefined) {
    watched[PLACE].watch = watch;
    return;
  }
  const now = { watch };
  watched[PLACE] = now;
  const spawn = childProcess.spawn as (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
  childProcess.spawn = ((command: string, args: readonly string[] = [], options: SpawnOptions = {}) => {
    const child = spawn(command, args, options);
    if (args.some((arg) => OURS.test(arg))) observe(now.watch, child, args, options);
    return child;
  }) as typeof childProcess.spawn;
  syncBuiltinESMExports();

  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.hostname === '127.0.0.1' && API.test(url.pathname) && isOfApi(init?.method, url) && !isEndless(response)) {
      const text = await response.clone().text();
      now.watch.wrote(`${url.pathname} of the API`, `${JSON.stringify([...response.headers])} ${text}\n`);
    }
    return response;
  };
}

function observe(
  watch: OutputWatch,
  child: ChildProcess,
  args: readonly string[],
  { env = process.env, cwd = process.cwd() }: SpawnOptions,
): void {
  const folder = String(cwd);
  watch.uses(env, folder);
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk) => watch.wrote(`${name} of ${child.pid} (${args.slice(0, 3).join(' ')})`, String(chunk)));
  child.once('close', () => watch.left(resolve(folder, env['DATA_DIR'] ?? 'data')));
}

/** An endpoint is asked by POST to `/`. */
function isOfApi(method: string | undefined, url: URL): boolean {
  return (method ?? 'GET') === 'GET' || url.pathname.startsWith('/api/');
}

/** NOTE: a copy of a stream of events would keep it open when the test lets go of it. */
function isEndless(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}
