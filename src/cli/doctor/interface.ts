/** Is a contract there, and does it answer as one of its kind. */
import { getAddress, hexToBigInt, keccak256, numberToHex, size, toBytes } from 'viem';
import { getCode, getStorage } from '../../chain/actions/account.ts';
import { simulate } from '../../chain/actions/simulate.ts';
import type { Rpc } from '../../chain/types.ts';
import type { Address, ViewAnswer } from '../../lib/types.ts';
import { addressesOf, addressOf, toAddress, uintOf, viewCall } from '../../lib/words.ts';
import type { ExpectedView } from '../../protocols/told.ts';

const WORD_BYTES = 32;
/** A longer list is no market's. */
const MOST_LISTED = 256;
/** EIP-1967: where a proxy keeps the address of its implementation. */
const IMPLEMENTATION_SLOT = numberToHex(hexToBigInt(keccak256(toBytes('eip1967.proxy.implementation'))) - 1n, { size: WORD_BYTES });

/** What is wrong with a contract, in a few words; undefined when it answers as it should. Rejects when no endpoint could tell. */
export async function faultOf(rpc: Rpc, address: Address, views: readonly ExpectedView[]): Promise<string | undefined> {
  const missing = await codeFault(rpc, address);
  if (missing !== undefined) return missing;
  for (const expected of views) {
    const fault = await viewFault(rpc, address, expected);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

async function codeFault(rpc: Rpc, address: Address): Promise<string | undefined> {
  if ((await getCode(rpc, address)) === '0x') return `no contract at ${getAddress(address)}`;
  const implementation = toAddress(BigInt.asUintN(160, hexToBigInt(await getStorage(rpc, address, IMPLEMENTATION_SLOT))));
  if (BigInt(implementation) === 0n || (await getCode(rpc, implementation)) !== '0x') return undefined;
  return `${getAddress(address)} is a proxy without an implementation: no contract at ${getAddress(implementation)}`;
}

async function viewFault(rpc: Rpc, address: Address, { view, args = [], answers, whose = [] }: ExpectedView): Promise<string | undefined> {
  const answer = await simulate(rpc, { from: address, ...viewCall(`function ${view}`)(address, ...args) });
  const told = contractsIn(answer, answers);
  if (told === undefined) return `${getAddress(address)} is another kind of contract: ${view} ${described(answer)}`;
  for (const each of told) {
    const fault = await faultOf(rpc, each, whose);
    if (fault !== undefined) return `${view} of ${getAddress(address)}: ${fault}`;
  }
  return undefined;
}

/** The contracts that an answer leads to; undefined where the answer has another shape. */
function contractsIn(answer: ViewAnswer, answers: ExpectedView['answers']): readonly Address[] | undefined {
  if (!answer.ok) return undefined;
  if (answers === 'contracts') {
    const listed = addressesOf(answer, MOST_LISTED);
    return listed === undefined || listed.length === 0 ? undefined : listed;
  }
  if (size(answer.data) !== (typeof answers === 'number' ? answers : 1) * WORD_BYTES) return undefined;
  if (typeof answers === 'number') return [];
  if (answers === 'bool') return uintOf(answer)! <= 1n ? [] : undefined;
  const address = addressOf(answer);
  if (address === undefined) return undefined;
  if (answers === 'contract') return [address];
  return answers === 'address' || answers.is === address ? [] : undefined;
}

function described(answer: ViewAnswer): string {
  if (!answer.ok) return 'reverts';
  if (size(answer.data) !== WORD_BYTES) return `answers ${size(answer.data)} bytes`;
  const address = addressOf(answer);
  return address === undefined ? 'answers a number' : `answers ${getAddress(address)}`;
}
