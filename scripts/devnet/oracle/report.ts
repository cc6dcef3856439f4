/**
 * An OCR2 report and its signatures: what the oracle network agrees on off chain before one of its nodes transmits it.
 * Wire format: Chainlink's OCR2Base.transmit; report = abi(uint32 time, bytes32 observers, int192[] observations, int192 juelsPerFeeCoin).
 */
import { type Address, concat, encodeAbiParameters, encodeFunctionData, type Hex, keccak256, numberToHex, pad, parseAbi } from 'viem';
import { sign } from 'viem/accounts';

export type Signer = { address: Address; privateKey: Hex };

/** One price feed: plain data, so that it can pass from the process that deploys it to another that updates it. */
export type Feed = {
  name: string;
  decimals: number;
  /** EACAggregatorProxy: what consumers read. */
  proxy: Address;
  aggregator: Address;
  /** AuthorizedForwarder: the aggregator's transmitter. `transmitterKey` may call it. */
  forwarder: Address;
  transmitterKey: Hex;
  configDigest: Hex;
  /** The oracle set, in the aggregator's order; f of them may be faulty. */
  signers: Signer[];
  f: number;
};

export const aggregatorAbi = parseAbi([
  'function transmit(bytes32[3] reportContext, bytes report, bytes32[] rs, bytes32[] ss, bytes32 rawVs)',
  'function latestTransmissionDetails() view returns (bytes32 configDigest, uint32 epoch, uint8 round, int192 latestAnswer_, uint64 latestTimestamp_)',
  'function latestConfigDetails() view returns (uint32 configCount, uint32 blockNumber, bytes32 configDigest)',
]);
export const forwarderAbi = parseAbi(['function forward(address to, bytes data)']);

const REPORT = [{ type: 'uint32' }, { type: 'bytes32' }, { type: 'int192[]' }, { type: 'int192' }] as const;
/** LINK per unit of gas money, as it stands in real reports; the devnet's aggregator pays nobody. */
const JUELS_PER_FEE_COIN = 150n * 10n ** 18n;
/** What one node's observation differs from the agreed one, in millionths; ascending, the fourth oracle's median (index n/2) being 0. */
const SPREAD_PPM = [-60n, -25n, 0n, 40n];

export type ReportInput = {
  /** The answer in the feed's decimals: it becomes the median exactly. */
  answer: bigint;
  /** Unix seconds of the chain. */
  observationsTimestamp: number;
  /** Higher than the last transmitted one. NOTE: OCR2Base keeps 24 bits of it. */
  epoch: number;
};

/** A transaction's target and calldata: `forward(aggregator, transmit(...))`, signed by f + 1 oracles. */
export async function buildTransmit(feed: Feed, input: ReportInput): Promise<{ to: Address; data: Hex; transmitData: Hex }> {
  const transmitData = await encodeTransmit(feed, input);
  return {
    to: feed.forwarder,
    data: encodeFunctionData({ abi: forwarderAbi, functionName: 'forward', args: [feed.aggregator, transmitData] }),
    transmitData,
  };
}

async function encodeTransmit(feed: Feed, { answer, observationsTimestamp, epoch }: ReportInput): Promise<Hex> {
  const observations = SPREAD_PPM.map((ppm) => answer + (answer * ppm) / 1_000_000n);
  const observers = pad(concat(feed.signers.map((_, index) => numberToHex(index, { size: 1 }))), { dir: 'right', size: 32 });
  const report = encodeAbiParameters(REPORT, [observationsTimestamp, observers, observations, JUELS_PER_FEE_COIN]);
  const round = 1;
  const context = [feed.configDigest, numberToHex(epoch * 256 + round, { size: 32 }), pad('0x', { size: 32 })] as const;
  const hash = keccak256(concat([keccak256(report), ...context]));
  const quorum = feed.signers.slice(0, feed.f + 1);
  const signatures = await Promise.all(quorum.map(({ privateKey }) => sign({ hash, privateKey })));
  const rawVs = pad(concat(signatures.map(({ yParity }) => numberToHex(yParity!, { size: 1 }))), { dir: 'right', size: 32 });
  return encodeFunctionData({
    abi: aggregatorAbi,
    functionName: 'transmit',
    args: [context, report, signatures.map(({ r }) => pad(r)), signatures.map(({ s }) => pad(s)), rawVs],
  });
}
