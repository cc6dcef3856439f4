/** A keeper without its process: the devnet's world with many more accounts, and all that acts on a pending update, timed at the joints. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { keccak256, toHex } from 'viem';
import { parsePendingTransaction } from '../../src/chain/pending-body.ts';
import { isOfInterest } from '../../src/chain/pending-frame.ts';
import { Backrunner } from '../../src/execution/backrun.ts';
import { Dispatcher } from '../../src/execution/dispatcher.ts';
import { keyLane } from '../../src/execution/lane.ts';
import { LaneBook } from '../../src/execution/lane-book.ts';
import type { Lane } from '../../src/execution/types.ts';
import { Repeats } from '../../src/guard/repeats.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { IntendedTransaction, Ledger } from '../../src/ledger/types.ts';
import { sleep } from '../../src/lib/async.ts';
import { Errands } from '../../src/lib/errands.ts';
import type { Address } from '../../src/lib/types.ts';
import type { FeedId } from '../../src/oracles/types.ts';
import { interestOf, UpdateStream } from '../../src/oracles/update-stream.ts';
import { approveBy } from '../../src/pipeline/approve.ts';
import { Chronicle } from '../../src/pipeline/chronicle.ts';
import { decideBlock } from '../../src/pipeline/decide.ts';
import { UpdatePipeline } from '../../src/pipeline/on-update.ts';
import { Pace } from '../../src/pipeline/pace.ts';
import type { Settings } from '../../src/pipeline/settings.ts';
import { warmUpSending } from '../../src/pipeline/warm-sending.ts';
import { warmUp } from '../../src/pipeline/warm-up.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { emptyBook } from '../../src/strategy/bids/book.ts';
import type { World } from '../../src/world.ts';
import { signTransmit } from '../devnet/oracle/transmit.ts';
import { rpc } from '../devnet/rpc.ts';
import { grow } from './grow.ts';
import { minedLongAgo, onWrite, silentNode, TimedWatch, timed, timedLane, timedLedger, timedRelay } from './hot-parts.ts';
import { Laps } from './laps.ts';
import { mirrored, openScene, type Scene } from './scene.ts';

const CHAIN_ID = 7_777;
const KEY = keccak256(toHex('bench'));
const EXECUTOR: Address = '0x00000000000000000000000000000000000e8ec0';
const FEED = 'ETH / USD';
const USD8 = 10n ** 8n;
/** What the accounts owe that are there to be many, of what would make them as near to liquidation as the real ones. */
const OWED_PERCENT = 70n;
/** A price at which one account is to be liquidated is looked for in steps of a part in so many. */
const STEPS = 4_000n;
const MOST_STEPS = 1_600n;
/** Between a block and the next update. */
const PAUSE_MS = 10;

type Announced = { readonly params: { readonly result: unknown } };

/** Accepts everything, in a thread of its own. */
const RELAY = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { bundleHash: '0x' + 'ab'.repeat(32) } }));
  });
});
server.keepAliveTimeout = 600000;
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address()));
`;

export class HotScene implements AsyncDisposable {
  readonly #scene: Scene;
  readonly #world: World;
  readonly #priceUsd8: bigint;
  readonly #ledger: Ledger;
  readonly #folder: string;
  readonly #relay: Worker;
  readonly #stopListening: () => void;
  readonly #pipeline: UpdatePipeline;
  readonly #lane: Lane;
  #laps = new Laps();
  #nonce = 0;
  readonly #intended: IntendedTransaction[] = [];

  static async open(accounts: number): Promise<HotScene> {
    const scene = await openScene();
    const { world, market } = await mirrored(scene);
    grow(market, accounts, OWED_PERCENT);
    warmUp(world, settings(scene), world.head);
    await warmUpSending();
    const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'));
    const relay = new Worker(RELAY, { eval: true });
    const [{ port }] = (await once(relay, 'message')) as [AddressInfo];
    return new HotScene(scene, world, folder, await openLedger(folder), relay, port);
  }

  private constructor(scene: Scene, world: World, folder: string, ledger: Ledger, relay: Worker, port: number) {
    this.#scene = scene;
    this.#world = world;
    this.#priceUsd8 = priceOfOne(world, settings(scene), feedOf(scene));
    this.#folder = folder;
    this.#ledger = ledger;
    this.#relay = relay;
    this.#lane = keyLane(KEY);
    this.#stopListening = onWrite(port, () => this.#laps.end(this.#laps.has('write') ? 'second write' : 'write'));
    this.#pipeline = this.#build(`http://127.0.0.1:${port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    await this.#relay.terminate();
    await this.#ledger.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** As a node announces them: updates that each make one account liquidatable, all different. */
  async messages(count: number): Promise<readonly string[]> {
    const { rpcUrl } = this.#scene.fixture.anvil;
    const feed = this.#scene.fixture.market.feeds[FEED]!;
    const messages: string[] = [];
    for (let index = 0; index < count; index++) {
      const { raw } = await signTransmit(rpcUrl, feed, this.#priceUsd8 - BigInt(index));
      const hash = await rpc<string>(rpcUrl, 'eth_sendRawTransaction', [raw]);
      const result = await rpc<object>(rpcUrl, 'eth_getTransactionByHash', [hash]);
      await rpc(rpcUrl, 'anvil_dropTransaction', [hash]);
      messages.push(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: '0x1', result } }));
    }
    return messages;
  }

  /** One update, from its message until the bundles behind it are written, and what becomes of them: with the update first, without it second. */
  async play(message: string, turn: number): Promise<Laps> {
    const world = this.#world;
    const { head, aggregators: known } = world;
    // As at the end of a block in which nothing happened.
    this.#laps = new Laps();
    this.#pipeline.forget();
    this.#nonce = turn;
    this.#pipeline.prepare(world, head, { decisions: [], standing: undefined });
    await Promise.all([this.#ledger.open(head.number + 1), this.#ledger.dormant(this.#lane.address)]);
    await sleep(PAUSE_MS);
    const next = () => ({ block: head.number, timestamp: world.next().timestamp });
    let heard = false;
    const stream = new UpdateStream({ rpc: this.#scene.rpc, known, next, onEvent: ({ kind }) => (heard ||= kind === 'pending') });
    const interest = interestOf(known, stream);

    this.#laps = new Laps();
    if (!isOfInterest(message, interest())) throw new Error('the message is passed over');
    stream.seeTransaction(parsePendingTransaction((JSON.parse(message) as Announced).params.result), performance.now());
    if (!heard) throw new Error('the update was rejected');
    this.#laps.end('decode');
    const open = await this.#ledger.open(head.number + 1);
    this.#laps.end('what is under way');
    const backran = await this.#pipeline.onUpdates(world, head, stream.pending, open, new AbortController().signal);
    if (backran?.sent.length !== 1 || backran.relays.some(({ answer }) => answer !== 'accepted'))
      throw new Error(`sent ${backran?.sent.length ?? 0} transactions; ${JSON.stringify(backran?.skipped.map(({ skip }) => skip))}`);
    await stream.close();
    for (const transaction of this.#intended.splice(0)) await this.#ledger.settle(minedLongAgo(transaction));
    return this.#laps;
  }

  #build(relayUrl: string): UpdatePipeline {
    const laps = () => this.#laps;
    const lane = timedLane(this.#lane, laps);
    const relays = [timedRelay(relayUrl, KEY, laps)];
    const ledger = timedLedger(this.#ledger, laps, (transaction) => this.#intended.push(transaction));
    const chain = silentNode(() => this.#nonce);
    const own = settings(this.#scene);
    const watch = new TimedWatch(laps);
    // As at every block.
    watch.judge(this.#world.protocols, this.#world.next(), this.#world.head.number);
    const lanes = new LaneBook({
      ...{ lanes: [lane], chain, errands: new Errands(), tell: () => {} },
      ...{ surchargeWei: () => 0n, mirrored: () => 10n ** 20n },
    });
    const dispatcher = new Dispatcher({ lanes, relays, chain, ledger }, { chainId: CHAIN_ID, publicMempool: 'never', watchOnly: false });
    const backrunner = new Backrunner({ lane, relays, chain, ledger }, CHAIN_ID);
    const approve = approveBy(own.limits, ledger, () => RUNNING, new Repeats(), false, Date.now);
    return new UpdatePipeline({
      ...{
        settings: own,
        chain,
        ownBids: { at: () => emptyBook() },
        pace: new Pace(),
        chronicle: new Chronicle(ledger, () => {}, { state: async () => undefined }),
      },
      lanes: { now: () => ({ lane: lane.address, backrunner }) },
      dispatcher: { standing: timed('plan with sizing', 'what is under way', dispatcher.standing.bind(dispatcher), laps) },
      approve: timed('what is under way', 'guard', approve, laps),
      watch,
    });
  }
}

const RUNNING = { switch: 'running', reason: undefined, consecutiveFailures: 0, maxConsecutiveFailures: 10, openSince: undefined } as const;

function settings({ book }: Scene): Settings {
  return {
    ...{ executor: EXECUTOR, sender: undefined, own: new Set(), wrappedNative: book.wrappedNative },
    ...{ minProfitUsd8: 5n * USD8, bidShare: 9_000 },
    limits: {
      ...{ maxBaseFeeWei: 10n ** 12n, maxGasUsd8PerDay: 10n ** 15n, maxLossUsd8PerDay: 10n ** 15n, maxPositionUsd8: 10n ** 15n },
      ...{ maxConsecutiveFailures: 10, allowTokens: undefined, denyTokens: new Set(), denyMarkets: new Set() },
    },
    oracle: {
      ...{ maxFeedAgeSeconds: 604_800, heartbeatSeconds: {}, maxJumpBps: 9_000n },
      ...{ maxPoolDeviationBps: 9_000n, sequencerGraceSeconds: 3_600 },
    },
  };
}

function feedOf({ fixture }: Scene): FeedId {
  return fixture.market.feeds[FEED]!.proxy.toLowerCase() as FeedId;
}

/** The highest price below the present one at which one account more is worth liquidating, and no other account is to be liquidated. */
function priceOfOne(world: World, own: Settings, feed: FeedId): bigint {
  const now = world.next().answer(feed)!;
  const watch = new Watch();
  const before = watch.judge(world.protocols, world.next(), world.head.number).candidates.length;
  for (let step = 1n; step < MOST_STEPS; step++) {
    const answer = now.answer - (now.answer * step) / STEPS;
    const at = world.next(new Map([[feed, { ...now, answer }]]));
    const { candidates } = watch.foresee(world.protocols, at, world.head.number + 1);
    if (candidates.length > before + 1) break;
    if (candidates.length <= before) continue;
    const { decisions } = decideBlock(world, own, candidates, world.head, at, 0n);
    if (decisions.filter(({ kind }) => kind === 'plan').length === 1) return answer;
  }
  throw new Error('no price makes a single account worth liquidating');
}
