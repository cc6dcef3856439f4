// Writes transactions without end and tells of each, once it is committed, on stdout.
import { openLedger } from '../../../src/ledger/ledger.ts';
import { explainError } from '../../../src/lib/errors.ts';
import { result, transaction } from '../fixtures-plain.ts';

const [dir = '', start = '0'] = process.argv.slice(2);
try {
  const ledger = await openLedger(dir);
  for (let n = Number(start); ; n++) {
    const intent = transaction(n);
    await ledger.intend(intent);
    process.stdout.write(`intended ${n}\n`);
    await ledger.sent(intent.txHash, { relay: 'relay.test' });
    await ledger.settle(result(intent, n % 3 === 0 ? 'reverted' : 'missed'));
    process.stdout.write(`settled ${n}\n`);
  }
} catch (error) {
  process.stderr.write(`error: ${explainError(error)}\n`);
  process.exitCode = 1;
}
