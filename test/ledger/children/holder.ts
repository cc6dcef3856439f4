// Takes the lock of a folder, collects garbage, says what came of the lock, and lives on until it is ended.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { lockDataDir } from '../../../src/ledger/lock.ts';

const { kind } = lockDataDir(process.argv[2] ?? '');
setInterval(() => undefined, 60_000);
setTimeout(() => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setImmediate(() => process.stdout.write(`${kind}\n`));
}, 0);
