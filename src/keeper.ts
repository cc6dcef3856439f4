import { Heads } from './chain/heads.ts';
import type { ChainNotice } from './chain/types.ts';
import type { Config } from './config/config.ts';
import { connect } from './connect.ts';
import { Backrunner } from './execution/backrun.ts';
import { executionChain } from './execution/chain.ts';
import { Dispatcher } from './execution/dispatcher.ts';
import { keyLane } from './execution/lane.ts';
import { LaneBook } from './execution/lane-book.ts';
import { flashbotsRelay } from './execution/relays/flashbots.ts';
import { RelayPanel } from './execution/relays/panel.ts';
import { TopUps } from './execution/top-ups.ts';
import { Tracker } from './execution/tracker.ts';
import type { ExecutionChain, Relay } from './execution/types.ts';
import { Repeats } from './guard/repeats.ts';
import { KeeperEyes } from './keeper-eyes.ts';
import {
  backrunLanes,
  checkExecutor,
  expectedTokens,
  goThroughPast,
  numberOf,
  ownAccounts,
  relayKey,
  settingsOf,
  tellLane,
} from './keeper-parts.ts';
import { FIRST_BLOCK, HEAD_BLOCK } from './ledger/facts.ts';
import { openLedger } from './ledger/ledger.ts';
import { lockDataDir } from './ledger/lock.ts';
import { readLedger } from './ledger/reader.ts';
import type { Ledger } from './ledger/types.ts';
import { withTimeout } from './lib/async.ts';
import { ConfigError, explainError } from './lib/errors.ts';
import { restoringFrom, SnapshotService } from './mirror/snapshots/service.ts';
import { SnapshotStore } from './mirror/snapshots/store.ts';
import type { Told } from './mirror/told.ts';
import { PriceUpdates } from './oracles/price-updates.ts';
import { PulledPrices } from './oracles/pull/pulled.ts';
import { approveBy } from './pipeline/approve.ts';
import { CapitalBook } from './pipeline/capital-book.ts';
import { Chronicle } from './pipeline/chronicle.ts';
import { Follower } from './pipeline/follow.ts';
import { Hedger } from './pipeline/hedger.ts';
import { BlockPipeline } from './pipeline/on-block.ts';
import { UpdatePipeline } from './pipeline/on-update.ts';
import { OwnBids } from './pipeline/own-bids.ts';
import { Pace } from './pipeline/pace.ts';
import { RiskDesk } from './pipeline/risk-desk.ts';
import { settleReceipt } from './pipeline/settle.ts';
import { Switchboard } from './pipeline/switchboard.ts';
import { Unwinder } from './pipeline/unwinder.ts';
import { warmUpSending } from './pipeline/warm-sending.ts';
import { warmUp } from './pipeline/warm-up.ts';
import { Watch } from './risk/candidates.ts';
import { startServer } from './server/server.ts';
import { Announcer } from './telemetry/announcer.ts';
import { serveEfficiency } from './telemetry/efficiency.ts';
import { progressTo } from './telemetry/progress.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { tellRelays } from './telemetry/tell-relays.ts';
import { tellSnapshots } from './telemetry/tell-snapshots.ts';
import { UpdateTeller } from './telemetry/tell-updates.ts';
import { Webhook } from './telemetry/webhook.ts';
import { World } from './world.ts';

/** Stand between the keeper and the outside, for those who test it: what is wrapped is what is used. */
export type Wraps = {
  ledger?(ledger: Ledger): Ledger;
  relay?(relay: Relay): Relay;
  chain?(chain: ExecutionChain): ExecutionChain;
};

const RELAY_TIMEOUT_MS = 2_000;
/** Time for some orders to be mined, at any gap between blocks. */
const HEDGE_DEADLINE = { deadlineBlocks: 10, deadlineSeconds: 60 };
/** Inventory: arbitrage restores pools within their fees and a little more, as a rule in some blocks. */
const UNWINDING = { stopLossBps: 500n, recoveredBps: 20n, patienceBlocks: 10, patienceSeconds: 60 };
/** What has been planned and not told yet, when it stops, has so long. */
const TELLING_MS = 2_000;
/** Commands left in the ledger are looked for this often. */
const COMMANDS_EVERY_MS = 250;

/** Runs until the signal aborts; then sends nothing more, settles what it can, and resolves. Throws OperatorError or ConfigError for what an operator has to mend. */
export async function runKeeper(
  config: Config,
  telemetry: Telemetry,
  stop: AbortSignal,
  { told: announced, ...wraps }: Wraps & { readonly told?: readonly Told[] } = {},
): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const lock = lockDataDir(config.dataDir);
  if (lock.kind === 'refused')
    throw new ConfigError([`DATA_DIR ${config.dataDir}: another keeper runs on it (${lock.heldBy}); stop it, or name another folder`]);
  cleanup.defer(() => lock.release());
  const opened = await openLedger(config.dataDir);
  cleanup.defer(() => opened.close());
  const ledger = wraps.ledger?.(opened) ?? opened;
  const reader = await readLedger(config.dataDir);
  cleanup.defer(() => reader.close());

  const announcer = new Announcer(telemetry.log, telemetry.metrics);
  const { emit } = announcer;
  if (config.alertWebhook !== undefined) {
    const webhook = new Webhook(config.alertWebhook, telemetry.log);
    announcer.subscribe(webhook.listener);
    cleanup.defer(() => webhook.close());
  }
  let calls = 0;
  const notify = (notice: ChainNotice) => {
    if (notice.kind === 'call') calls++;
    else if (notice.kind === 'logs-proved' && notice.ok) telemetry.metrics.logProofs.inc();
    else emit('endpoint.changed', { ...notice });
  };
  const { rpc, book } = await connect(config, notify);
  cleanup.defer(() => rpc.close());
  const lane = config.keys.keeper === undefined ? undefined : keyLane(config.keys.keeper.reveal());
  const lanes = lane === undefined ? [] : [lane, ...config.keys.lanes.map((key) => keyLane(key.reveal()))];
  const executor = await checkExecutor(config, rpc, book, lanes);
  const settings = settingsOf(config, book, lanes, executor);

  const tellKept = tellSnapshots(emit);
  const store = new SnapshotStore(config.dataDir);
  const restoring = await restoringFrom(store, rpc, rpc.chainId, tellKept);
  const snapshots = new SnapshotService(store, rpc.chainId, tellKept);
  cleanup.defer(() => snapshots.stop());
  const world = await World.open(
    {
      ...{ restoring, told: announced, discovered: (kept, at) => snapshots.discovered(kept, at) },
      ...(config.inventory !== undefined && { inventory: { account: config.inventory, expected: await expectedTokens(ledger) } }),
      ...{ rpc, book, executor: settings.executor, choices: config.choices, accounts: lanes.map(({ address }) => address) },
      splits: config.relays.publicMempool !== 'only',
      found: ({ token, cause }) => emit(cause === undefined ? 'token.plain' : 'token.odd', { token, cause }),
    },
    progressTo((fields) => emit('sync.progress', fields)),
  );
  emit('sync.done', {
    block: world.head.number,
    hash: world.head.hash,
    positions: world.protocols.reduce((sum, protocol) => sum + protocol.count(), 0),
  });

  const bare = executionChain(rpc, world.rollup);
  const chain = wraps.chain?.(bare) ?? bare;
  const authKey = config.relays.authKey?.reveal() ?? (await relayKey(ledger));
  const panel = new RelayPanel(
    config.relays.urls.map((url) => {
      const relay = flashbotsRelay({ url: url.reveal(), authKey, chainId: rpc.chainId, timeoutMs: RELAY_TIMEOUT_MS });
      return wraps.relay?.(relay) ?? relay;
    }),
    tellRelays(emit, telemetry.metrics),
  );
  const { relays } = panel;
  const { publicMempool } = config.relays;
  const laneBook = new LaneBook({
    lanes,
    chain,
    errands: world.errands,
    tell: tellLane(emit, telemetry.metrics),
    surchargeWei: () => world.surcharge.feeWei,
    mirrored: (address) => world.balanceOf(address),
  });
  const dispatcher = new Dispatcher(
    { lanes: laneBook, relays, chain, ledger },
    { chainId: rpc.chainId, publicMempool, watchOnly: config.mode === 'watch' },
  );
  const switchboard = await Switchboard.restore(ledger, config.limits.maxConsecutiveFailures, emit, Date.now);
  const repeats = new Repeats();
  const approve = approveBy(config.limits, ledger, () => switchboard.state, repeats, config.relays.publicMempool !== 'never', Date.now);
  const capital = new CapitalBook(ledger);
  const tracker = new Tracker({
    ledger,
    chain,
    lanes: lanes.map(({ address }) => address),
    ours: (number) => world.recent.find((head) => head.number === number)?.hash,
    async settleMined(transaction, receipt) {
      const prices = (...asked: Parameters<World['usdAt']>) => world.usdAt(...asked);
      const result = await settleReceipt(transaction, receipt, settings, chain, prices, ownAccounts(world.protocols));
      laneBook.touched();
      capital.mined(ownAccounts(world.protocols), receipt);
      repeats.mined(result);
      return result;
    },
  });
  const ownBids = await OwnBids.open(reader);
  const risks = new RiskDesk(world.priceMoves, publicMempool === 'only' ? 'public' : 'bundle', ownBids);
  const chronicle = new Chronicle(ledger, emit, risks);
  const told = () => withTimeout(chronicle.told(), TELLING_MS, 'telling of the last plans').catch(() => {});
  cleanup.defer(told);
  const watch = new Watch();
  const topUps =
    config.laneTopUpWei === 0n || config.mode === 'watch'
      ? undefined
      : new TopUps({ lanes: laneBook, relays, chain, ledger, wei: config.laneTopUpWei }, { chainId: rpc.chainId, publicMempool });
  const pulled =
    config.pythUrl === undefined || settings.sender === undefined
      ? undefined
      : new PulledPrices({
          ...{ rpc, hermes: config.pythUrl },
          payers: {
            ...{ caller: settings.sender, wrappedNative: book.wrappedNative },
            executors: [settings.executor, config.choices.perpExecutor].filter((one) => one !== undefined),
          },
          feeds: () => world.protocols.flatMap((protocol) => protocol.feeds()),
          feed: (feed) => world.feed(feed),
          pyth: (feed) => world.pyth(feed),
          timestamp: () => world.next().timestamp,
          notify: (notice) => emit('endpoint.changed', { ...notice }),
        });
  await pulled?.onBlock();
  const hedgeRules = { ...HEDGE_DEADLINE, maxInventoryUsd8: config.maxInventoryUsd8 };
  const hedger =
    config.mode === 'live' && lane !== undefined
      ? await Hedger.restore({ ledger, switchboard, emit, rules: hedgeRules, capital })
      : undefined;
  const { holdings } = world;
  const unwinder =
    config.mode === 'live' && holdings !== undefined
      ? await Unwinder.restore({
          ...{ ledger, switchboard, emit, holdings },
          rules: { ...UNWINDING, maxInventoryUsd8: config.maxInventoryUsd8, leastUsd8: config.strategy.minProfitUsd8 },
          elsewhereUsd8: () => hedger?.inventoryUsd8 ?? 0n,
          symbolOf: (token) => world.symbolOf(token),
        })
      : undefined;
  hedger?.sharesWith(() => unwinder?.inventoryUsd8 ?? 0n);
  const pace = new Pace();
  const pipeline = new BlockPipeline({
    settings,
    dispatcher,
    lanes: laneBook,
    topUps,
    approve,
    ownBids,
    repeats,
    pace,
    chronicle,
    watch,
    pulled,
    hedger,
    unwinder,
  });
  const backruns = lane !== undefined && config.mode === 'live' && relays.length > 0 && publicMempool !== 'only';
  const updates = backruns
    ? new UpdatePipeline({
        settings,
        lanes: backrunLanes(laneBook, (lane) => new Backrunner({ lane, relays, chain, ledger }, rpc.chainId)),
        ...{ dispatcher, chain, approve, ownBids, pace, chronicle, watch },
      })
    : undefined;
  warmUp(world, settings, world.head);
  if (lane !== undefined) await warmUpSending();
  const heads = new Heads(rpc, world.recent, { notify });
  cleanup.defer(() => heads.close());
  const takeCalls = () => {
    const taken = calls;
    calls = 0;
    return taken;
  };
  const teller = new UpdateTeller(emit);
  const follower = new Follower({
    world,
    heads,
    tracker,
    pipeline,
    updates,
    switchboard,
    ownBids,
    panel,
    chain,
    emit,
    trusted: () => rpc.distrust === null,
    tips: publicMempool === 'only',
    takeCalls,
    lastBlock: numberOf(await ledger.get(HEAD_BLOCK)),
    followed: (block) => {
      teller.onBlock();
      prices?.onBlock(block);
      // For the block after the next: this one is decided by what is known.
      void pulled?.onBlock();
    },
    remember: (block) => ledger.put(HEAD_BLOCK, String(block)),
  });

  // Worth the traffic where something could be put behind an update.
  const { mevShareUrl } = config.relays;
  const prices =
    mevShareUrl !== undefined || (relays.length > 0 && publicMempool !== 'only')
      ? new PriceUpdates({
          ...{ rpc, rpcUrls: config.chain.rpcUrls, mevShareUrl, book: world.aggregators },
          next: () => ({ block: world.head.number, timestamp: world.next().timestamp }),
          onEvent: (event) => {
            teller.tell(event);
            if (event.kind === 'pending' || event.kind === 'gone')
              follower.onUpdates(prices!.pending, event.kind === 'pending' ? event.update.sighting.seenAtMs : performance.now());
          },
          notify: (notice) => emit('endpoint.changed', { ...notice }),
        })
      : undefined;
  cleanup.defer(() => prices?.close());

  const eyes = new KeeperEyes({
    config,
    book,
    settings,
    world,
    heads,
    rpc,
    follower,
    switchboard,
    reader,
    announcer,
    lanes: laneBook,
    panel,
    risks,
    treasury: executor?.treasury,
  });
  serveEfficiency(telemetry.metrics.registry, () => eyes.efficiency());
  const server = await startServer({ view: eyes, registry: telemetry.metrics.registry, log: telemetry.log, http: config.http });
  cleanup.defer(() => server.close());
  const commands = setInterval(
    () => void switchboard.obeyLedger().catch((error: unknown) => emit('block.failed', { reason: explainError(error) })),
    COMMANDS_EVERY_MS,
  );
  cleanup.defer(() => clearInterval(commands));

  emit('keeper.started', {
    mode: config.mode,
    chainId: rpc.chainId,
    chain: book.name,
    dashboard: server.url,
    executor: settings.executor,
    sender: settings.sender,
    treasury: executor?.treasury,
    relays: relays.map((relay) => relay.name).join(','),
    publicMempool,
    switch: switchboard.state.switch,
  });
  snapshots.start(world.keeper);
  cleanup.defer(goThroughPast(world, emit));
  // The span that `report` speaks of, even where nothing was sent.
  if ((await opened.get(FIRST_BLOCK)) === undefined) await opened.put(FIRST_BLOCK, String(world.head.number));
  const stopping = () => void follower.stop();
  stop.addEventListener('abort', stopping, { once: true });
  if (stop.aborted) stopping();
  await follower.run();
  await told();
  emit('keeper.stopped', { block: world.head.number });
}
