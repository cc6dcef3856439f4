/**
 * For tests, the devnet and the demo: starts the builder as a process of its own, and speaks its control API.
 *
 *   const builder = await startBuilder({ rpcUrl: anvil.rpcUrl, slotMs: 200, hold: true });
 *   const block = await builder.seal();            // one block, now
 *   await builder.fault({ kind: 'http429', method: 'eth_sendBundle', count: 2 });
 *   await builder.resume();                        // slots pass on the wall clock from here on
 *   await builder.waitForBlock(20);
 *   await builder.stop();
 *
 * `controlBuilder(url)` gives the same functions for a builder that somebody else started. Everything is described in protocol.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BundleState, Command, Fault, Reorged, ReorgTransactions, SealedBlock, Status } from './protocol.ts';

export type { BundleState, Fault, Reorged, ReorgTransactions, SealedBlock, Status } from './protocol.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 30_000;
const KEPT_LINES = 200;

export type BuilderControl = {
  /** The relay's URL. */
  url: string;
  status(): Promise<Status>;
  /** Seals one block now, and answers with it. */
  seal(): Promise<SealedBlock>;
  /** Stops the slot clock; returns when no block is being sealed any more. */
  hold(): Promise<Status>;
  resume(): Promise<Status>;
  missSlots(count: number): Promise<Status>;
  warp(seconds: number): Promise<Status>;
  fault(fault: Fault): Promise<Status>;
  clearFaults(): Promise<Status>;
  blocks(from: number): Promise<SealedBlock[]>;
  /** The first block with this number or a later one, as soon as it is sealed; throws after `timeoutMs` (30 s). */
  waitForBlock(number: number, timeoutMs?: number): Promise<SealedBlock>;
  bundles(number: number): Promise<BundleState[]>;
  reorg(depth: number, transactions: ReorgTransactions): Promise<Reorged>;
};

export type RunningBuilder = BuilderControl & {
  pid: number;
  /** Each line of its standard output from now on, as an object with `event`. */
  onEvent(listener: (event: BuilderEvent) => void): void;
  /** Events that should not happen (anything but blocks and missed slots), of the last 200 lines. */
  complaints(): BuilderEvent[];
  /** Resolves with why, if it ends by itself; never after `stop`. */
  died: Promise<string>;
  stop(): Promise<void>;
};

export type BuilderEvent = { event: string; [field: string]: unknown };

export type StartOptions = {
  rpcUrl: string;
  /** Default 1000. */
  slotMs?: number;
  coinbase?: string;
  /** Start with the slot clock stopped. */
  hold?: boolean;
  /** Default 0: any free port. */
  port?: number;
};

/** Throws when it does not listen within 20 s, with what it wrote to standard error. It ends with this process. */
export async function startBuilder({ rpcUrl, slotMs = 1_000, coinbase, hold = false, port = 0 }: StartOptions): Promise<RunningBuilder> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const flags = ['--rpc', rpcUrl, '--slot-ms', String(slotMs), '--port', String(port), '--with-parent'];
  if (coinbase) flags.push('--coinbase', coinbase);
  if (hold) flags.push('--hold');
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  let stopping = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`the builder ended (${signal ?? code})${stderr ? `: ${stderr.trim()}` : ''}`));
  });
  const died = new Promise<string>((resolve) => {
    ended.then((why) => stopping || resolve(why));
  });
  const stop = async () => {
    stopping = true;
    await end(child, ended);
  };
  const events = readEvents(child);
  try {
    const url = await events.listening(ended);
    return { ...controlBuilder(url), pid: child.pid!, onEvent: events.onEvent, complaints: events.complaints, died, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function controlBuilder(url: string): BuilderControl {
  const send = <T>(command: Command, timeoutMs = ANSWER_TIMEOUT_MS) => post<T>(url, command, timeoutMs);
  return {
    url,
    status: () => send({ cmd: 'status' }),
    seal: () => send({ cmd: 'seal' }),
    hold: () => send({ cmd: 'hold' }),
    resume: () => send({ cmd: 'resume' }),
    missSlots: (count) => send({ cmd: 'missSlots', count }),
    warp: (seconds) => send({ cmd: 'warp', seconds }),
    fault: (fault) => send({ cmd: 'fault', fault }),
    clearFaults: () => send({ cmd: 'clearFaults' }),
    blocks: (from) => send({ cmd: 'blocks', from }),
    waitForBlock: (number, timeoutMs = 30_000) => send({ cmd: 'waitForBlock', number, timeoutMs }, timeoutMs + 5_000),
    bundles: (number) => send({ cmd: 'bundles', number }),
    reorg: (depth, transactions) => send({ cmd: 'reorg', depth, transactions }),
  };
}

async function post<T>(url: string, command: Command, timeoutMs: number): Promise<T> {
  const response = await fetch(`${url}/control`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(command),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = (await response.json()) as { ok: true; result: T } | { ok: false; error: string };
  if (!answer.ok) throw new Error(`builder: ${command.cmd}: ${answer.error}`);
  return answer.result;
}

const ORDINARY = new Set(['builder.listening', 'block.sealed', 'slot.missed', 'chain.reorged', 'private.waiting']);

function readEvents(child: ChildProcess) {
  const recent: BuilderEvent[] = [];
  const listeners: ((event: BuilderEvent) => void)[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const event = JSON.parse(line) as BuilderEvent;
    recent.push(event);
    if (recent.length > KEPT_LINES) recent.shift();
    for (const listener of listeners) listener(event);
  });
  const onEvent = (listener: (event: BuilderEvent) => void) => {
    listeners.push(listener);
  };
  const listening = (ended: Promise<string>) =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the builder did not listen within ${START_TIMEOUT_MS / 1000} s`)), START_TIMEOUT_MS);
      ended.then((why) => {
        clearTimeout(timer);
        reject(new Error(why));
      });
      onEvent(({ event, url }) => {
        if (event !== 'builder.listening') return;
        clearTimeout(timer);
        resolve(url as string);
      });
    });
  return { onEvent, listening, complaints: () => recent.filter(({ event }) => !ORDINARY.has(event)) };
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
