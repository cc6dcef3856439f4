/** The local chain's process. One anvil, on loopback, killed when it is stopped or when this process ends, however that happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CHAIN_ID = 7777;
/** Chain seconds per block: Ethereum's slot. */
export const SLOT_SECONDS = 12;
/** What Ethereum's validators signal since Fusaka. */
export const BLOCK_GAS_LIMIT = 60_000_000;
/** NOTE: fixed, so that one seed gives one chain, hashes included. The chain's clock has nothing to do with the machine's. */
export const GENESIS_TIMESTAMP = 1_760_000_000;

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 3_000;
const STDERR_KEPT = 4_000;

export type Anvil = {
  rpcUrl: string;
  wsUrl: string;
  pid: number;
  /** Resolves with the last lines of its stderr if the process ends by itself; never after `stop`. */
  died: Promise<string>;
  stop(): Promise<void>;
};

export type AnvilOptions = {
  /** 0: any free port. */
  port?: number;
  /** Flags added to, or overriding, the devnet's own. */
  flags?: readonly string[];
};

/** Throws when anvil is missing, ends early, or does not listen in 20 s. */
export function startAnvil({ port = 0, flags = [] }: AnvilOptions = {}): Promise<Anvil> {
  return spawnAnvil([
    ...['--port', String(port), '--chain-id', String(CHAIN_ID), '--accounts', '0', '--hardfork', 'prague'],
    ...['--no-mining', '--order', 'fifo', '--gas-limit', String(BLOCK_GAS_LIMIT), '--timestamp', String(GENESIS_TIMESTAMP)],
    ...flags,
  ]);
}

/** An anvil with nothing but the given flags, for chains of another kind; the same promises as `startAnvil`. */
export async function spawnAnvil(flags: readonly string[]): Promise<Anvil> {
  // NOTE: old states, some megabytes a block, go to a folder that anvil leaves behind whenever it is killed.
  const states = await mkdtemp(join(tmpdir(), 'bailiff-anvil-'));
  // A group of its own: Ctrl-C reaches this process alone, which then stops things in order.
  const child = spawn(anvilBinary(), [...flags, '--cache-path', states], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const release = killWithUs(child, states);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  let stopping = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`anvil ended (${signal ?? code})${stderr ? `: ${stderr.trim()}` : ''}`));
  }).finally(async () => {
    await rm(states, { recursive: true, force: true });
    release();
  });
  const died = new Promise<string>((resolve) => {
    ended.then((why) => stopping || resolve(why));
  });
  const stop = async () => {
    stopping = true;
    await kill(child, ended);
  };
  try {
    const listening = await Promise.race([listeningPort(child), ended.then((why) => Promise.reject(new Error(why)))]);
    return { rpcUrl: `http://127.0.0.1:${listening}`, wsUrl: `ws://127.0.0.1:${listening}`, pid: child.pid!, died, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The npm package's binary where there is one (Linux), else `anvil` on the PATH. */
export function anvilBinary(): string {
  try {
    return createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/bin/anvil');
  } catch {
    return 'anvil';
  }
}

/** A shell that outlives us for a moment: when its input ends, by whatever death we died, it kills the child and removes its states. Returns how to dismiss it. */
function killWithUs(child: ChildProcess, states: string): () => void {
  if (child.pid === undefined) return () => {};
  const command = ['-c', 'read -r _; kill -9 "$0"; rm -rf "$1"', String(child.pid), states];
  const watch = spawn('sh', command, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watch.unref();
  (watch.stdin as Socket).unref();
  return () => watch.kill('SIGKILL');
}

function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`anvil did not listen within ${START_TIMEOUT_MS / 1000} s`)), START_TIMEOUT_MS);
    let seen = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      // NOTE: once it listens, its output is only drained (it logs every request), or the pipe would fill and block it.
      if (seen === 'done') return;
      seen += text;
      const match = /Listening on [^\s]*:(\d+)/.exec(seen);
      if (!match) return;
      seen = 'done';
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
    child.once('exit', () => clearTimeout(timer));
    child.once('error', () => clearTimeout(timer));
  });
}

async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
