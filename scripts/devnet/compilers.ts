/** Threads that compile, no more than two at once; they stay for a while, because the next unit then finds its compiler loaded and warm. */
import { Worker } from 'node:worker_threads';
import type { CompileJob, CompileReply } from './compile.ts';

const MOST = 2;
const TIMEOUT_MS = 300_000;
/** A compiler keeps hundreds of megabytes. */
const IDLE_MS = 20_000;

type Thread = { readonly worker: Worker; idle?: NodeJS.Timeout };

class Compilers {
  readonly #free: Thread[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  /** Rejects when the compiler takes too long or its thread ends. */
  async run(name: string, job: CompileJob): Promise<string> {
    if (this.#busy >= MOST) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy++;
    const thread = this.#take();
    try {
      const reply = await answerOf(name, thread.worker, job);
      this.#keep(thread);
      if (reply.ok) return reply.output;
      throw new Error(reply.message);
    } catch (error) {
      if (!this.#free.includes(thread)) void thread.worker.terminate();
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#busy--;
    }
  }

  #take(): Thread {
    const thread = this.#free.pop() ?? { worker: new Worker(new URL('./compile-worker.ts', import.meta.url)) };
    clearTimeout(thread.idle);
    thread.worker.ref();
    return thread;
  }

  /** Nobody waits for a process because of it. */
  #keep(thread: Thread): void {
    thread.worker.unref();
    thread.idle = setTimeout(() => {
      this.#free.splice(this.#free.indexOf(thread), 1);
      void thread.worker.terminate();
    }, IDLE_MS).unref();
    this.#free.push(thread);
  }
}

export const COMPILERS = new Compilers();

function answerOf(name: string, worker: Worker, job: CompileJob): Promise<CompileReply> {
  return new Promise<CompileReply>((resolve, reject) => {
    const failed = (error: Error) => settle(() => reject(error));
    const ended = (code: number) => failed(new Error(`${name}: the compiler's thread ended early (${code})`));
    const answered = (reply: CompileReply) => settle(() => resolve(reply));
    const timer = setTimeout(() => failed(new Error(`${name}: the compiler took over ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      worker.off('message', answered).off('error', failed).off('exit', ended);
      act();
    };
    worker.on('message', answered).on('error', failed).on('exit', ended);
    worker.postMessage(job);
  });
}
