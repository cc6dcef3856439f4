/** Loads the configuration, then tells what of it a child process, a worker and a crash report get, and whether the keys were read. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { loadConfig } from '../../../src/config/load.ts';

const before = Object.keys(process.env);
const config = await loadConfig('run');
const { stdout } = spawnSync(process.execPath, ['-e', 'process.stdout.write(JSON.stringify(process.env))'], { encoding: 'utf8' });
const worker = new Worker("require('node:worker_threads').parentPort.postMessage(JSON.stringify(process.env))", { eval: true });
const [ofWorker] = (await once(worker, 'message')) as [string];
const report = JSON.stringify(process.report.getReport());
const keys = [config.keys.keeper, ...config.keys.lanes, config.relays.authKey].filter((key) => key !== undefined).length;
process.stdout.write(JSON.stringify({ before, keys, child: stdout, worker: ofWorker, report }));
