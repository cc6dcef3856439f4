/** Who signed a report. Takes the better part of a millisecond a signature: beside the path from an update to what is sent on it, never in it. */
import { concat, decodeEventLog, keccak256, parseAbi } from 'viem';
import { signerOf } from '../lib/ecdsa.ts';
import type { Address, Hex, LogFilter, RawLog } from '../lib/types.ts';
import { topicOf } from '../lib/words.ts';
import type { SignedReport } from './ocr.ts';

const CONFIG_SET_1 =
  'event ConfigSet(uint32 previousConfigBlockNumber, uint64 configCount, address[] signers, address[] transmitters, uint8 threshold, uint64 encodedConfigVersion, bytes encoded)';
const CONFIG_SET_2 =
  'event ConfigSet(uint32 previousConfigBlockNumber, bytes32 configDigest, uint64 configCount, address[] signers, address[] transmitters, uint8 f, bytes onchainConfig, uint64 offchainConfigVersion, bytes offchainConfig)';
const configSet1 = parseAbi([CONFIG_SET_1]);
const configSet2 = parseAbi([CONFIG_SET_2]);

export const CONFIG_SET_TOPICS: readonly Hex[] = [topicOf(CONFIG_SET_1), topicOf(CONFIG_SET_2)];

/** The oracles that may sign, and how many of them may be faulty. */
export type SignerSet = { readonly signers: ReadonlySet<Address>; readonly f: number };

/** For the block that `latestConfigDetails` names. */
export function configSetFilter(aggregator: Address): LogFilter {
  return { addresses: [aggregator], topics0: CONFIG_SET_TOPICS };
}

/** Of the last of these logs; undefined when none can be read. No view tells who may sign, the event alone does. */
export function signerSetOf(logs: readonly RawLog[]): SignerSet | undefined {
  const log = logs.findLast(({ topics }) => topics[0] !== undefined && CONFIG_SET_TOPICS.includes(topics[0]));
  if (log === undefined) return undefined;
  const topics = log.topics as [Hex, ...Hex[]];
  try {
    if (topics[0] === CONFIG_SET_TOPICS[0]) {
      const { args } = decodeEventLog({ abi: configSet1, data: log.data, topics });
      return setOf(args.signers, args.threshold);
    }
    const { args } = decodeEventLog({ abi: configSet2, data: log.data, topics });
    return setOf(args.signers, args.f);
  } catch {
    return undefined;
  }
}

/** The aggregator's own checks: f + 1 signatures (OCR1: or more), each by another of its signers. */
export function isGenuine(ocr: 1 | 2, signed: SignedReport, { signers, f }: SignerSet): boolean {
  const { rs, ss, vs } = signed;
  if (ocr === 1 ? rs.length <= f : rs.length !== f + 1) return false;
  const hash = signedHash(ocr, signed);
  const seen = new Set<string>();
  for (const [i, r] of rs.entries()) {
    const v = vs[i]!;
    const signer = v === 0 || v === 1 ? signerOf(hash, { r, s: ss[i]!, yParity: v }) : undefined;
    if (signer === undefined || !signers.has(signer) || seen.has(signer)) return false;
    seen.add(signer);
  }
  return true;
}

/** OCR1 signs the report; OCR2 its hash together with the context. */
function signedHash(ocr: 1 | 2, { report, context }: SignedReport): Hex {
  return ocr === 1 ? keccak256(report) : keccak256(concat([keccak256(report), context]));
}

function setOf(signers: readonly Address[], f: number): SignerSet {
  return { signers: new Set(signers.map((signer) => signer.toLowerCase() as Address)), f };
}
