/** A price as the oracle manager's nodes make it of feeds: which they are is read once, what they answer at any moment is worked out here. */
import { decodeAbiParameters, decodeFunctionResult, parseAbi } from 'viem';
import type { Address, Hex, ViewAnswer } from '../../lib/types.ts';
import { intOf } from '../../lib/words.ts';
import type { Reading } from '../../mirror/types.ts';
import { type PythFeed, pythFeedOf } from '../../oracles/pull/pyth.ts';
import type { FeedId, Moment } from '../../oracles/types.ts';
import { calls, managerCalls } from './reads.ts';

export type PriceNode =
  | { readonly kind: 'constant'; readonly price: bigint }
  | { readonly kind: 'chainlink'; readonly feed: FeedId; readonly decimals: bigint }
  | { readonly kind: 'pyth'; readonly pyth: PythFeed; readonly exponent: bigint }
  | { readonly kind: 'fresh'; readonly seconds: bigint; readonly first: PriceNode; readonly otherwise: PriceNode | undefined }
  /** Asks for an update (ERC-7412) whenever it is asked itself. */
  | { readonly kind: 'lookup' };

/** What has a price: its nodes, where all of them are known here, and what they answer at the mirrored block. */
export type NodePrice = { readonly node: PriceNode | undefined; read: bigint | undefined };

/** `stale`: what a price would be if its age did not count, and the feeds that are too old. */
export type NodeAnswer =
  | { readonly ok: true; readonly price: bigint; readonly time: bigint }
  | { readonly ok: false; readonly stale: Stale | undefined };
export type Stale = { readonly price: bigint; readonly time: bigint; readonly feeds: readonly FeedId[] };

/** NodeDefinition.NodeType. */
const TYPE = { chainlink: 3, pyth: 5, fresh: 7, constant: 8, lookup: 9 } as const;
/** Deeper trees are not taken apart. */
const MOST_ROUNDS = 6;
const DECIMALS = 18n;
const MOST_DECIMALS = 36n;
const NO_ANSWER: NodeAnswer = { ok: false, stale: undefined };

const nodeAbi = parseAbi([
  'struct Node { uint8 nodeType; bytes parameters; bytes32[] parents; }',
  'function getNode(bytes32 nodeId) view returns (Node)',
]);
type Definition = { readonly nodeType: number; readonly parameters: Hex; readonly parents: readonly Hex[] };

/** The trees below these nodes; undefined for one with a node of a kind that is not known here, which is then read every block. */
export function* readNodes(manager: Address, ids: readonly Hex[]): Reading<Map<Hex, PriceNode | undefined>> {
  const found = new Map<Hex, Definition | undefined>();
  let open = [...new Set(ids)];
  for (let round = 0; round < MOST_ROUNDS && open.length > 0; round++) {
    const answers = yield open.map((id) => managerCalls.node(manager, id));
    for (const [place, id] of open.entries()) found.set(id, definitionOf(answers[place]));
    const parents = open.flatMap((id) => found.get(id)?.parents ?? []);
    open = [...new Set(parents)].filter((id) => !found.has(id));
  }
  const pyths = [...found.values()].flatMap((definition) => (definition?.nodeType === TYPE.pyth ? [pythIn(definition)] : []));
  const known = pyths.filter((pyth) => pyth !== undefined);
  const prices = yield known.map(({ pyth, priceId }) => calls.pythPrice(pyth, BigInt(priceId)));
  const exponents = new Map(known.map(({ feed }, place) => [feed, intOf(prices[place], 2)]));
  return new Map(ids.map((id) => [id, treeOf(id, found, exponents)]));
}

function definitionOf(answer: ViewAnswer | undefined): Definition | undefined {
  if (!answer?.ok) return undefined;
  try {
    return decodeFunctionResult({ abi: nodeAbi, functionName: 'getNode', data: answer.data });
  } catch {
    return undefined;
  }
}

function treeOf(
  id: Hex,
  found: ReadonlyMap<Hex, Definition | undefined>,
  exponents: ReadonlyMap<FeedId, bigint | undefined>,
): PriceNode | undefined {
  const definition = found.get(id);
  if (definition === undefined) return undefined;
  const { nodeType, parameters, parents } = definition;
  const word = (place: number) => intOf({ ok: true, data: parameters }, place);
  if (nodeType === TYPE.constant) {
    const price = word(0);
    return price === undefined ? undefined : { kind: 'constant', price };
  }
  if (nodeType === TYPE.lookup) return { kind: 'lookup' };
  if (nodeType === TYPE.chainlink) {
    const [feed, twapSeconds, decimals] = [addressIn(word(0)), word(1), word(2)];
    // An average over rounds asks for more than the last one.
    if (feed === undefined || twapSeconds !== 0n || decimals === undefined || decimals > MOST_DECIMALS) return undefined;
    return { kind: 'chainlink', feed, decimals };
  }
  if (nodeType === TYPE.pyth) {
    const pyth = pythIn(definition);
    const exponent = pyth && exponents.get(pyth.feed);
    if (pyth === undefined || exponent === undefined || exponent < -MOST_DECIMALS || exponent > MOST_DECIMALS) return undefined;
    return { kind: 'pyth', pyth, exponent };
  }
  if (nodeType !== TYPE.fresh || parents.length === 0 || parents.length > 2) return undefined;
  const [first, otherwise] = parents.map((parent) => treeOf(parent, found, exponents));
  const seconds = word(0);
  if (first === undefined || seconds === undefined || (parents.length === 2 && otherwise === undefined)) return undefined;
  return { kind: 'fresh', seconds, first, otherwise };
}

/** PythNode's parameters: contract, price, and whether its moving average counts instead, which nothing here follows. */
function pythIn({ parameters }: Definition): PythFeed | undefined {
  try {
    const [pyth, priceId, average] = decodeAbiParameters([{ type: 'address' }, { type: 'bytes32' }, { type: 'bool' }], parameters);
    return average ? undefined : pythFeedOf(pyth.toLowerCase() as Address, priceId);
  } catch {
    return undefined;
  }
}

function addressIn(word: bigint | undefined): Address | undefined {
  return word === undefined || word < 0n || word >> 160n !== 0n ? undefined : `0x${word.toString(16).padStart(40, '0')}`;
}

/** @param strictSeconds what the caller tolerates, instead of what the nodes say (the runtime key `stalenessTolerance`) */
export function answerOf(node: PriceNode, at: Moment, strictSeconds: bigint | undefined): NodeAnswer {
  switch (node.kind) {
    case 'constant':
      return { ok: true, price: node.price, time: BigInt(at.timestamp) };
    case 'lookup':
      return NO_ANSWER;
    case 'chainlink':
      return fed(at, node.feed, DECIMALS - node.decimals);
    case 'pyth':
      return fed(at, node.pyth.feed, DECIMALS + node.exponent);
    case 'fresh': {
      const first = answerOf(node.first, at, strictSeconds);
      if (!first.ok || BigInt(at.timestamp) <= first.time + (strictSeconds ?? node.seconds)) return first;
      const second = node.otherwise === undefined ? NO_ANSWER : answerOf(node.otherwise, at, strictSeconds);
      return second.ok ? second : { ok: false, stale: { price: first.price, time: first.time, feeds: feedsOf(node.first) } };
    }
  }
}

/** ChainlinkNode.process and PythNode.process: to 18 decimals. */
function fed(at: Moment, feed: FeedId, places: bigint): NodeAnswer {
  const round = at.answer(feed);
  if (round === undefined || round.answer < 0n) return NO_ANSWER;
  const price = places >= 0n ? round.answer * 10n ** places : round.answer / 10n ** -places;
  return { ok: true, price, time: BigInt(round.updatedAt) };
}

export function feedsOf(node: PriceNode): readonly FeedId[] {
  switch (node.kind) {
    case 'chainlink':
      return [node.feed];
    case 'pyth':
      return [node.pyth.feed];
    case 'fresh':
      return [...new Set([...feedsOf(node.first), ...(node.otherwise === undefined ? [] : feedsOf(node.otherwise))])];
    case 'constant':
    case 'lookup':
      return [];
  }
}

/** What is read of Pyth itself. */
export function pythsOf(node: PriceNode): readonly PythFeed[] {
  switch (node.kind) {
    case 'pyth':
      return [node.pyth];
    case 'fresh':
      return [...pythsOf(node.first), ...(node.otherwise === undefined ? [] : pythsOf(node.otherwise))];
    case 'chainlink':
    case 'constant':
    case 'lookup':
      return [];
  }
}

/** The nodes' answer to who tolerates what they do, as far as it agrees with what they answered at the mirrored block. */
export function believed({ node, read }: NodePrice, mirrored: Moment): PriceNode | undefined {
  if (node === undefined) return undefined;
  const ours = answerOf(node, mirrored, undefined);
  return (ours.ok ? ours.price : undefined) === read ? node : undefined;
}
