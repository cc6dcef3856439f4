/** Runs one solc-js compilation: soljson blocks its thread for seconds, so it gets one of its own. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { CompileJob, CompileReply } from './compile.ts';

const { soljson, wrapper, input }: CompileJob = workerData;
const require = createRequire(import.meta.url);
// NOTE: one wrapper drives every compiler version; the wrappers of old packages pull in dependencies that warn on new Nodes.
const setup: (module: unknown) => { compile(input: string): string } = require(wrapper);

let reply: CompileReply;
try {
  reply = { ok: true, output: setup(require(soljson)).compile(input) };
} catch (error) {
  reply = { ok: false, message: error instanceof Error ? error.message : String(error) };
}
parentPort?.postMessage(reply);
