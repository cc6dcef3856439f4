/** From the message that announces a transmission to what its feeds will answer; and what the rest of the mempool costs meanwhile. */
import { decodeAbiParameters, decodeFunctionData, formatTransaction, type RpcTransaction } from 'viem';
import { parsePendingTransaction } from '../../src/chain/pending-body.ts';
import { isOfInterest } from '../../src/chain/pending-frame.ts';
import type { Address } from '../../src/lib/types.ts';
import { Mirror } from '../../src/mirror/mirror.ts';
import { Feeds } from '../../src/oracles/feeds.ts';
import { TRANSMISSION_SELECTORS } from '../../src/oracles/ocr.ts';
import { OcrAggregators } from '../../src/oracles/ocr-aggregators.ts';
import { judgeSighting, type Known } from '../../src/oracles/updates.ts';
import { aggregatorAbi, forwarderAbi } from '../devnet/oracle/report.ts';
import { signTransmit } from '../devnet/oracle/transmit.ts';
import { rpc } from '../devnet/rpc.ts';
import { type Bench, medianMs, type Result } from './result.ts';
import { openScene, type Scene } from './scene.ts';

const RUNS = 200;
const WARM_UP = 50;
/** Messages in a run: one alone is too short to be timed. */
const MEMPOOL = 1_000;
const REPORT = [{ type: 'uint32' }, { type: 'bytes32' }, { type: 'int192[]' }, { type: 'int192' }] as const;

type Message = { readonly params: { readonly result: RpcTransaction } };

async function run(): Promise<Result[]> {
  const scene = await openScene();
  const known = await aggregators(scene);
  const message = await announced(scene);
  const interest = { to: known.targets(), selectors: TRANSMISSION_SELECTORS, from: new Set<Address>() };
  const decoded = await medianMs(RUNS, () => ours(message, interest, known), WARM_UP);
  const plain = await medianMs(RUNS, () => withViem(message), WARM_UP);
  const other = message.replaceAll(/"to":"0x[0-9a-f]{40}"/g, `"to":"0x${'5a'.repeat(20)}"`);
  const mempool = Array.from({ length: MEMPOOL }, () => other);
  const passed = await medianMs(21, () => mempool.filter((one) => isOfInterest(one, interest)).length);
  const parsed = await medianMs(21, () => mempool.filter((one) => (JSON.parse(one) as Message).params.result.to === null).length);
  return [
    {
      name: 'pending message to feed answers',
      ours: decoded * 1_000,
      unit: 'µs',
      peers: [{ name: 'viem, decoded alone', value: plain * 1_000 }],
      notes: 'ours also puts the signed bytes together, hashes them and judges the report; signatures are recovered beside',
    },
    {
      name: 'mempool looked through',
      ours: (MEMPOOL / passed) * 1_000,
      unit: 'messages/s',
      peers: [{ name: 'JSON.parse', value: (MEMPOOL / parsed) * 1_000 }],
      notes: `messages of ${other.length} characters that are of no interest`,
    },
  ];
}

function ours(message: string, interest: Parameters<typeof isOfInterest>[1], known: Known): void {
  if (!isOfInterest(message, interest)) throw new Error('the message is passed over');
  const { to, ...transaction } = parsePendingTransaction((JSON.parse(message) as Message).params.result);
  const judgement = judgeSighting({ kind: 'public', ...transaction, to: to!, seenAtMs: 0 }, known, 0);
  if (judgement.kind === 'rejected') throw new Error(`rejected: ${judgement.rejected.reason}`);
}

/** What a keeper does without any of this: parse, decode the three layers, take the median. */
function withViem(message: string): bigint {
  const { input } = formatTransaction((JSON.parse(message) as Message).params.result);
  const [, data] = decodeFunctionData({ abi: forwarderAbi, data: input }).args;
  const { args } = decodeFunctionData({ abi: aggregatorAbi, data });
  const [, observations] = [args?.[0], decodeAbiParameters(REPORT, args![1]!)[2]];
  return observations[observations.length >> 1]!;
}

async function aggregators({ rpc: pool, book, fixture }: Scene): Promise<OcrAggregators> {
  const feeds = new Feeds();
  feeds.want(Object.values(fixture.market.feeds).map(({ proxy }) => proxy.toLowerCase() as Address));
  const known = new OcrAggregators(feeds);
  const mirror = await Mirror.sync(pool, [feeds], { auditLimit: 0, ...(book.multicall3 && { multicall3: book.multicall3 }) });
  await mirror.add([known]);
  return known;
}

/** As the node announces it over its WebSocket. */
async function announced({ fixture }: Scene): Promise<string> {
  const { rpcUrl } = fixture.anvil;
  const feed = fixture.market.feeds['ETH / USD']!;
  const { raw } = await signTransmit(rpcUrl, feed, (await fixtureAnswer(fixture)) + 1n);
  const hash = await rpc<string>(rpcUrl, 'eth_sendRawTransaction', [raw]);
  const result = await rpc<object>(rpcUrl, 'eth_getTransactionByHash', [hash]);
  await rpc(rpcUrl, 'anvil_dropTransaction', [hash]);
  return JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: '0x1', result } });
}

function fixtureAnswer({ chain, market }: Scene['fixture']): Promise<bigint> {
  const abi = [{ type: 'function', name: 'latestAnswer', stateMutability: 'view', inputs: [], outputs: [{ type: 'int256' }] }] as const;
  return chain.read<bigint>(market.feeds['ETH / USD']!.aggregator, abi, 'latestAnswer');
}

export const updates: Bench = { name: 'updates', about: 'a pending price update, from message to answers', run };
