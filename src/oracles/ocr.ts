/**
 * Chainlink's transmissions as calldata: what an oracle network signed, found in a transaction that is not mined yet. Anybody may send such
 * calldata, so nothing here throws and nothing is sized by what it claims: only the encoding that nodes produce is read, to the byte.
 *
 * Sources: OCR1 OffchainAggregator.transmit, OCR2Aggregator.transmit, DualAggregator.transmitSecondary, AuthorizedForwarder.forward.
 */
import { toFunctionSelector } from 'viem';
import type { Address, Hex } from '../lib/types.ts';

const FORWARD = toFunctionSelector('function forward(address,bytes)');
const TRANSMIT_1 = toFunctionSelector('function transmit(bytes,bytes32[],bytes32[],bytes32)');
const TRANSMIT_2 = toFunctionSelector('function transmit(bytes32[3],bytes,bytes32[],bytes32[],bytes32)');
const TRANSMIT_SECONDARY = toFunctionSelector('function transmitSecondary(bytes32[3],bytes,bytes32[],bytes32[],bytes32)');

/** What calldata of a transmission begins with. */
export const TRANSMISSION_SELECTORS: ReadonlySet<string> = new Set([FORWARD, TRANSMIT_1, TRANSMIT_2, TRANSMIT_SECONDARY]);

/** `maxNumOracles` of every version. */
const MAX_ORACLES = 31;
/** In hex digits: forward, and in it a report of 31 observations with 31 signatures. */
const LONGEST = 2 * (4 + 32 * (3 + 10 + 5 + 3 * MAX_ORACLES + 1)) + 2;
const WORD = 64;
/** Before a word's last four bytes. */
const ZEROS = '0'.repeat(56);
const BYTES = /^0x[0-9a-f]*$/;

export type Transmission = {
  readonly ocr: 1 | 2;
  /** `transmitSecondary`: of a DualAggregator, for consumers behind the auctioned proxy. */
  readonly secondary: boolean;
  readonly aggregator: Address;
  /** The forwarder that calls the aggregator; undefined when the sender itself does. */
  readonly forwarder: Address | undefined;
  /** 32 bytes; OCR1's 16 are padded on the right, as `latestConfigDetails` answers them. */
  readonly configDigest: Hex;
  /** Epoch in the upper 32 bits, round in the lower 8: what an aggregator compares. */
  readonly epochAndRound: number;
  /** Unix seconds; OCR1 reports none. */
  readonly observationsTimestamp: number | undefined;
  readonly observations: readonly bigint[];
  /** observations[n/2]: the answer, in the feed's decimals. */
  readonly median: bigint;
  readonly signed: SignedReport;
};

/** What the oracles signed, and how. */
export type SignedReport = {
  readonly report: Hex;
  /** OCR2's three words; empty for OCR1, whose report holds its context. */
  readonly context: Hex;
  readonly rs: readonly Hex[];
  readonly ss: readonly Hex[];
  /** One byte each, 0 or 1 in what signs well. */
  readonly vs: readonly number[];
};

/** Undefined when this is no transmission, or not one as nodes encode it. `to` in lowercase; `data` in any case. */
export function decodeTransmission(to: Address, data: Hex): Transmission | undefined {
  if (data.length > LONGEST || data.length < 10) return undefined;
  const lower = data.toLowerCase() as Hex;
  if (!BYTES.test(lower)) return undefined;
  if (!lower.startsWith(FORWARD)) return decodeTransmit(to, undefined, lower);
  const inner = forwarded(lower);
  return inner && decodeTransmit(inner.to, to, inner.data);
}

function forwarded(data: Hex): { readonly to: Address; readonly data: Hex } | undefined {
  const words = data.slice(10);
  const to = words.slice(0, WORD);
  const length = smallAt(words, 2);
  if (smallAt(words, 1) !== 64 || length === undefined || !to.startsWith('0'.repeat(24))) return undefined;
  if (words.length !== WORD * (3 + Math.ceil(length / 32))) return undefined;
  return { to: `0x${to.slice(24)}`, data: `0x${words.slice(3 * WORD, 3 * WORD + 2 * length)}` };
}

function decodeTransmit(aggregator: Address, forwarder: Address | undefined, data: Hex): Transmission | undefined {
  const selector = data.slice(0, 10);
  const secondary = selector === TRANSMIT_SECONDARY;
  const ocr = selector === TRANSMIT_1 ? 1 : secondary || selector === TRANSMIT_2 ? 2 : undefined;
  if (ocr === undefined) return undefined;
  const signed = signedReport(data.slice(10), ocr === 1 ? 0 : 3);
  const read = signed && (ocr === 1 ? readReport1(signed.report.slice(2)) : readReport2(signed));
  if (!signed || !read) return undefined;
  const median = read.observations[read.observations.length >> 1]!;
  return { ocr, secondary, aggregator, forwarder, ...read, median, signed };
}

/** The arguments (context,) report, rs, ss, rawVs, one after the other without a gap, and nothing behind: aggregators check the length. */
function signedReport(words: string, contextWords: number): SignedReport | undefined {
  const head = contextWords + 4;
  const reportBytes = smallAt(words, head);
  if (smallAt(words, contextWords) !== 32 * head || reportBytes === undefined || reportBytes % 32 !== 0) return undefined;
  const rsAt = head + 1 + reportBytes / 32;
  const count = smallAt(words, rsAt);
  if (smallAt(words, contextWords + 1) !== 32 * rsAt || count === undefined || count === 0 || count > MAX_ORACLES) return undefined;
  const ssAt = rsAt + 1 + count;
  if (smallAt(words, contextWords + 2) !== 32 * ssAt || smallAt(words, ssAt) !== count) return undefined;
  if (words.length !== WORD * (ssAt + 1 + count)) return undefined;
  const rawVs = wordAt(words, contextWords + 3);
  return {
    report: `0x${words.slice((head + 1) * WORD, rsAt * WORD)}`,
    context: `0x${words.slice(0, contextWords * WORD)}`,
    rs: Array.from({ length: count }, (_, i): Hex => `0x${wordAt(words, rsAt + 1 + i)}`),
    ss: Array.from({ length: count }, (_, i): Hex => `0x${wordAt(words, ssAt + 1 + i)}`),
    vs: Array.from({ length: count }, (_, i) => Number.parseInt(rawVs.slice(2 * i, 2 * i + 2), 16)),
  };
}

type Report = Pick<Transmission, 'configDigest' | 'epochAndRound' | 'observationsTimestamp' | 'observations'>;

/** (bytes32 rawReportContext, bytes32 rawObservers, int192[] observations); the context: 11 bytes of padding, digest, epoch, round. */
function readReport1(words: string): Report | undefined {
  const observations = observationsAt(words, 2, 3);
  if (observations === undefined) return undefined;
  const context = wordAt(words, 0);
  const configDigest: Hex = `0x${context.slice(22, 54).padEnd(WORD, '0')}`;
  return { configDigest, epochAndRound: lastFiveBytes(context), observationsTimestamp: undefined, observations };
}

/** (uint32 observationsTimestamp, bytes32 rawObservers, int192[] observations, int192 juelsPerFeeCoin). */
function readReport2({ report, context }: SignedReport): Report | undefined {
  const words = report.slice(2);
  const observations = observationsAt(words, 2, 4);
  const observationsTimestamp = smallAt(words, 0);
  if (observations === undefined || observationsTimestamp === undefined || int192At(words, 3) === undefined) return undefined;
  const configDigest: Hex = `0x${wordAt(context.slice(2), 0)}`;
  return { configDigest, epochAndRound: lastFiveBytes(wordAt(context.slice(2), 1)), observationsTimestamp, observations };
}

/** The list whose offset stands in word `index`; it is the last thing of its report, right behind the `head` words. */
function observationsAt(words: string, index: number, head: number): readonly bigint[] | undefined {
  const count = smallAt(words, head);
  if (smallAt(words, index) !== 32 * head || count === undefined || count === 0 || count > MAX_ORACLES) return undefined;
  if (words.length !== WORD * (head + 1 + count)) return undefined;
  const observations: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const value = int192At(words, head + 1 + i);
    if (value === undefined) return undefined;
    observations.push(value);
  }
  return observations;
}

function int192At(words: string, index: number): bigint | undefined {
  const word = wordAt(words, index);
  if (word.length !== WORD) return undefined;
  const value = BigInt.asIntN(256, BigInt(`0x${word}`));
  return BigInt.asIntN(192, value) === value ? value : undefined;
}

/** A word below 2^32: a length, an offset, a time. */
function smallAt(words: string, index: number): number | undefined {
  const word = wordAt(words, index);
  return word.length === WORD && word.startsWith(ZEROS) ? Number.parseInt(word.slice(ZEROS.length), 16) : undefined;
}

function lastFiveBytes(word: string): number {
  return Number.parseInt(word.slice(-10), 16);
}

function wordAt(words: string, index: number): string {
  return words.slice(index * WORD, (index + 1) * WORD);
}
