/**
 * Pyth's prices stand still until somebody pays for a signed update to be written. Formats and rules: IPyth and PythAggregatorV3 of
 * `@pythnetwork/pyth-sdk-solidity`.
 */
import { concat, decodeFunctionResult, encodeFunctionData, keccak256, parseAbi } from 'viem';
import { parseBigQuantity, parseBytes, toQuantity } from '../../chain/parse.ts';
import type { Rpc, RpcAnswer } from '../../chain/types.ts';
import { explainError } from '../../lib/errors.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address, Hex } from '../../lib/types.ts';
import { uintOf, viewCall } from '../../lib/words.ts';
import type { FeedAnswer, FeedId, FeedState } from '../types.ts';

/** A feed that answers with one of Pyth's prices. */
export type PythFeed = { readonly feed: FeedId; readonly pyth: Address; readonly priceId: Hex };

const ADDRESS_DIGITS = 40;

/** One of Pyth's prices that is asked for at Pyth itself, under the name of a feed: no contract has that address. */
export function pythFeedOf(pyth: Address, priceId: Hex): PythFeed {
  return { feed: `0x${keccak256(concat([pyth, priceId])).slice(-ADDRESS_DIGITS)}`, pyth, priceId };
}

/** A price is `priceRaw` x 10^`exponent`, give or take `confidenceRaw` x 10^`exponent`. */
export type PythPrice = {
  readonly priceRaw: bigint;
  readonly confidenceRaw: bigint;
  readonly exponent: number;
  readonly publishTime: number;
};

/** A signed update that the contract itself has read, and would take for `feeWei`. */
export type PythUpdate = {
  readonly pyth: Address;
  readonly blobs: readonly Hex[];
  readonly feeWei: bigint;
  /** Of `updatePriceFeeds` as a transaction of its own. */
  readonly gasUnits: bigint;
  readonly prices: ReadonlyMap<Hex, PythPrice>;
  /** Wrapped native that each Executor holds, as far as it was told. */
  readonly floats: ReadonlyMap<Address, bigint>;
};

/** What a feed will answer once the update is written, or why it is not worth writing. */
export type PythVerdict =
  | { readonly kind: 'carry'; readonly answer: FeedAnswer }
  | {
      readonly kind: 'leave';
      readonly reason: 'absent' | 'not-newer' | 'from-the-future' | 'not-positive' | 'unsure' | 'other-exponent';
      readonly figures: Readonly<Record<string, string>>;
    };

/** What an option carries in its own transaction. `short`: Executors that hold less wrapped native than the fee, with what they hold. */
export type Carried = {
  readonly steps: readonly Step[];
  readonly feeWei: bigint;
  readonly gasUnits: bigint;
  readonly short: ReadonlyMap<Address, bigint>;
};

/** Who is asked what an update costs, and what they have for it. */
export type PythPayers = {
  /** Holds native tokens, so that the contract can be asked what an update says; nothing is spent. */
  readonly caller: Address;
  readonly wrappedNative: Address;
  /** Those that would carry it. */
  readonly executors: readonly Address[];
};

const BPS = 10_000n;
const ANY_TIME = 2n ** 64n - 1n;
/** More than any chain asks for; a contract that asks for more is not paid. */
const MOST_FEE_WEI = 10n ** 16n;

const pythAbi = parseAbi([
  'struct Price { int64 price; uint64 conf; int32 expo; uint256 publishTime; }',
  'struct PriceFeed { bytes32 id; Price price; Price emaPrice; }',
  'function getUpdateFee(bytes[] updateData) view returns (uint256)',
  'function updatePriceFeeds(bytes[] updateData) payable',
  'function parsePriceFeedUpdates(bytes[] updateData, bytes32[] priceIds, uint64 minPublishTime, uint64 maxPublishTime) payable returns (PriceFeed[])',
]);
const wrappedAbi = parseAbi(['function withdraw(uint256 amount)']);
const balanceOf = viewCall('function balanceOf(address)');
/** Of Pyth's contract (PythErrors). */
export const PYTH_ERRORS = [
  'InsufficientFee()',
  'InvalidArgument()',
  'InvalidUpdateData()',
  'InvalidUpdateDataSource()',
  'InvalidWormholeVaa()',
  'NoFreshUpdate()',
  'PriceFeedNotFound()',
  'PriceFeedNotFoundWithinRange()',
  'StalePrice()',
];

/** Has the contract read an update: signatures are verified there, and only what it takes is returned. Three requests. */
export async function readPythUpdate(
  rpc: Rpc,
  pyth: Address,
  blobs: readonly Hex[],
  priceIds: readonly Hex[],
  { caller, wrappedNative, executors }: PythPayers,
): Promise<{ readonly kind: 'read'; readonly update: PythUpdate } | { readonly kind: 'refused'; readonly reason: string }> {
  try {
    const asked = encodeFunctionData({ abi: pythAbi, functionName: 'getUpdateFee', args: [blobs] });
    const views = [{ to: pyth, data: asked }, ...executors.map((executor) => balanceOf(wrappedNative, executor))];
    const [fee, ...held] = await rpc.batch(views.map(({ to, data }) => ({ method: 'eth_call', params: [{ to, data }, 'latest'] })));
    const feeWei = amountIn(fee);
    if (feeWei === undefined) return { kind: 'refused', reason: 'the contract does not tell what it costs' };
    if (feeWei > MOST_FEE_WEI) return { kind: 'refused', reason: `it costs ${feeWei} wei, more than ${MOST_FEE_WEI}` };
    const paying = (data: Hex) => ({ from: caller, to: pyth, value: toQuantity(feeWei), data });
    const parse = encodeFunctionData({ abi: pythAbi, functionName: 'parsePriceFeedUpdates', args: [blobs, priceIds, 0n, ANY_TIME] });
    const read = { method: 'eth_call', params: [paying(parse), 'latest'] };
    const gas = { method: 'eth_estimateGas', params: [paying(updateCall(blobs))] };
    const [feeds, gasUnits] = await Promise.all([
      rpc.ask(read, (result) =>
        decodeFunctionResult({ abi: pythAbi, functionName: 'parsePriceFeedUpdates', data: parseBytes(result, read.method) }),
      ),
      rpc.ask(gas, (result) => parseBigQuantity(result, gas.method)),
    ]);
    const prices = new Map(
      feeds.map(({ id, price: { price, conf, expo, publishTime } }) => [
        id,
        { priceRaw: price, confidenceRaw: conf, exponent: expo, publishTime: Number(publishTime) },
      ]),
    );
    const amounts = executors.map((executor, place) => [executor, amountIn(held[place])] as const);
    const floats = new Map(amounts.flatMap(([executor, heldWei]) => (heldWei === undefined ? [] : [[executor, heldWei] as const])));
    return { kind: 'read', update: { pyth, blobs, feeWei, gasUnits, prices, floats } };
  } catch (error) {
    return { kind: 'refused', reason: explainError(error) };
  }
}

function amountIn(answer: RpcAnswer | undefined): bigint | undefined {
  return answer?.ok === true ? uintOf({ ok: true, data: parseBytes(answer.result, 'eth_call') }) : undefined;
}

/**
 * Judges an update for one feed at the block that would take it. Pure. Age and leaps are judged with everybody else's, by the guards that look at the moment
 * in which the answer holds (guard/oracle.ts).
 *
 * @param mirrored what the feed answers now
 * @param maxConfidenceBps widest band of a price, as a share of it
 */
export function judgePythUpdate(
  { feed, pyth, priceId }: PythFeed,
  update: PythUpdate,
  mirrored: Pick<FeedState, 'answer' | 'decimals'>,
  timestamp: number,
  maxConfidenceBps: bigint,
): PythVerdict {
  const price = update.pyth === pyth ? update.prices.get(priceId) : undefined;
  const leave = (reason: Extract<PythVerdict, { kind: 'leave' }>['reason'], figures: Record<string, string> = {}) =>
    ({ kind: 'leave', reason, figures: { feed, ...figures } }) as const;
  if (price === undefined) return leave('absent');
  const { priceRaw, confidenceRaw, exponent, publishTime } = price;
  const published = { publishTime: String(publishTime) };
  // Pyth keeps the newest: what is not newer changes nothing, and costs its fee all the same.
  if (mirrored.answer !== undefined && publishTime <= mirrored.answer.updatedAt)
    return leave('not-newer', { ...published, updatedAt: String(mirrored.answer.updatedAt) });
  if (publishTime > timestamp) return leave('from-the-future', { ...published, timestamp: String(timestamp) });
  if (priceRaw <= 0n) return leave('not-positive', { price: String(priceRaw) });
  if (confidenceRaw * BPS > priceRaw * maxConfidenceBps)
    return leave('unsure', { price: String(priceRaw), confidence: String(confidenceRaw), limitBps: String(maxConfidenceBps) });
  // PythAggregatorV3.decimals follows the exponent, and who computes with its answers may not.
  if (mirrored.decimals !== undefined && BigInt(-exponent) !== mirrored.decimals)
    return leave('other-exponent', { exponent: String(exponent), decimals: String(mirrored.decimals) });
  // PythAggregatorV3.latestRoundData: the round is the time of publication.
  return { kind: 'carry', answer: { answer: priceRaw, updatedAt: publishTime, roundId: BigInt(publishTime) } };
}

/**
 * The update as steps of our own transaction, before whatever needs the price.
 *
 * NOTE: the Executor takes no native tokens between sequences, and before the liquidation there is no profit to pay with: the fee is unwrapped from what the
 * owner has left there in `wrappedNative`. It is part of what the sequence's profit is counted against.
 */
export function carriedBy({ pyth, blobs, feeWei, gasUnits, floats }: PythUpdate, wrappedNative: Address): Carried {
  const withdraw = encodeFunctionData({ abi: wrappedAbi, functionName: 'withdraw', args: [feeWei] });
  const unwrap: Step = { kind: 'call', target: wrappedNative, valueWei: 0n, data: withdraw };
  const update: Step = { kind: 'call', target: pyth, valueWei: feeWei, data: updateCall(blobs) };
  const short = new Map([...floats].filter(([, heldWei]) => heldWei < feeWei));
  return { steps: feeWei === 0n ? [update] : [unwrap, update], feeWei, gasUnits, short };
}

function updateCall(blobs: readonly Hex[]): Hex {
  return encodeFunctionData({ abi: pythAbi, functionName: 'updatePriceFeeds', args: [blobs] });
}
