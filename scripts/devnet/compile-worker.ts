/** Runs solc-js: soljson blocks its thread for seconds, so it gets one of its own, and starting it takes one more, so it stays for the next unit. */
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import type { CompileJob, CompileReply } from './compile.ts';

type Compiler = { compile(input: string): string };

const require = createRequire(import.meta.url);
const compilers = new Map<string, Compiler>();

parentPort?.on('message', (job: CompileJob) => {
  let reply: CompileReply;
  try {
    reply = { ok: true, output: compilerOf(job).compile(job.input) };
  } catch (error) {
    reply = { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply);
});

function compilerOf({ soljson, wrapper }: CompileJob): Compiler {
  const known = compilers.get(soljson);
  if (known !== undefined) return known;
  // NOTE: one wrapper drives every compiler version; the wrappers of old packages pull in dependencies that warn on new Nodes.
  const setup: (module: unknown) => Compiler = require(wrapper);
  const compiler = setup(require(soljson));
  compilers.set(soljson, compiler);
  return compiler;
}
