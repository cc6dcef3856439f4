import { randomBytes } from 'node:crypto';
import { parsePendingTransaction } from '../chain/pending-body.ts';
import { keyLane } from '../execution/lane.ts';
import { authoriser } from '../execution/relays/authorise.ts';
import { bundleBody } from '../execution/relays/bodies.ts';
import { bundleName } from '../execution/sender.ts';
import { signHash } from '../lib/ecdsa.ts';
import { Eip1559Bytes } from '../lib/eip1559.ts';
import { keccak256 } from '../lib/keccak.ts';
import type { Address, Hex } from '../lib/types.ts';

/** Of the first signature in a process, which takes twenty times as long as the later ones, two dozen more are left. */
const TIMES = 25;
const NOBODY: Address = '0x0000000000000000000000000000000000000000';
/** About as much as one liquidation has. */
const CALLDATA_BYTES = 1_200;

/**
 * Reads, signs and writes transactions as an update and the bundle behind it are, with a key that is forgotten: what was never done is slow the first time, and
 * the first update is one that counts. Nothing is handed to anybody.
 */
export async function warmUpSending(): Promise<void> {
  const key: Hex = `0x${randomBytes(32).toString('hex')}`;
  const lane = keyLane(key);
  const authorise = authoriser(key);
  const data: Hex = `0x${'5a'.repeat(CALLDATA_BYTES)}`;
  for (let nonce = 0; nonce < TIMES; nonce++) {
    const transaction = { chainId: 1, nonce, priorityFeeWei: 1n, maxFeeWei: 2n, gasLimit: 3n, to: NOBODY, valueWei: 0n, data };
    const bytes = new Eip1559Bytes({ ...transaction, accessList: [] });
    const { r, s, yParity } = signHash(keccak256(bytes.unsigned), key);
    const { raw, txHash } = await lane.sign(transaction);
    const announced = {
      ...{ hash: txHash, type: '0x2', chainId: '0x1', nonce: `0x${nonce.toString(16)}`, gas: '0x3', value: '0x0', accessList: [] },
      ...{ maxFeePerGas: '0x2', maxPriorityFeePerGas: '0x1', from: lane.address, to: NOBODY, input: data, r, s, v: `0x${yParity}` },
    };
    const { raw: again } = parsePendingTransaction(JSON.parse(JSON.stringify(announced)));
    authorise(Buffer.from(bundleBody(nonce, [again, raw], nonce, bundleName(lane.address, nonce, 0)), 'latin1'));
  }
}
