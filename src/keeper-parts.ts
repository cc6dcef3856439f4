/** What `runKeeper` puts together, one by one. */
import { formatEther } from 'viem';
import { generatePrivateKey } from 'viem/accounts';
import { getBalance } from './chain/actions/account.ts';
import type { RpcPool } from './chain/rpc.ts';
import type { AddressBook } from './config/addressBook.ts';
import type { Config } from './config/config.ts';
import type { Backrunner } from './execution/backrun.ts';
import { type ExecutorState, executorProblems, readExecutor } from './execution/executor-state.ts';
import type { LaneBook, TellLane } from './execution/lane-book.ts';
import type { Lane } from './execution/types.ts';
import { RELAY_AUTH_KEY } from './ledger/facts.ts';
import type { Ledger } from './ledger/types.ts';
import { withTimeout } from './lib/async.ts';
import { explainError, OperatorError } from './lib/errors.ts';
import type { Address, Hex } from './lib/types.ts';
import type { BackrunLanes } from './pipeline/on-update.ts';
import type { Settings } from './pipeline/settings.ts';
import type { OwnAccount, Protocol } from './protocols/types.ts';
import type { Emit } from './telemetry/events.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { World } from './world.ts';

/** A range that is being fetched is not waited for. */
const PAST_STOP_MS = 500;

/** In `live` an Executor that every sender may use, and gas to pay for it. */
export async function checkExecutor(
  config: Config,
  rpc: RpcPool,
  book: AddressBook,
  lanes: readonly Lane[],
): Promise<ExecutorState | undefined> {
  if (config.executor === undefined) return undefined;
  const [first, ...further] = lanes.map(({ address }) => address);
  const senders = [first ?? config.executor, ...further];
  const state = await readExecutor(rpc, config.executor, senders);
  const wanted = { senders, wrappedNative: book.wrappedNative, treasury: config.treasury };
  const problems = [...executorProblems(config.executor, state, wanted)];
  if (first !== undefined) problems.push(...(await perpExecutorProblems(config, rpc, book, senders)));
  if (first !== undefined && config.inventory !== undefined) {
    // What it earns is told by the balance of the same treasury.
    const paying = { ...wanted, treasury: config.treasury ?? state?.treasury };
    const keeps = await readExecutor(rpc, config.inventory, senders);
    problems.push(...executorProblems(config.inventory, keeps, paying, 'INVENTORY_EXECUTOR_ADDRESS'));
  }
  if (first !== undefined && problems.length > 0) throw new OperatorError(problems.join('; '));
  if (config.mode === 'live' && first !== undefined && (await getBalance(rpc, first)) === 0n)
    throw new OperatorError(`the keeper's account ${first} has no gas: send native tokens of chain ${rpc.chainId} there`);
  return state;
}

/** The one with margin at perp venues is used by the same senders. */
async function perpExecutorProblems(
  { choices: { perpExecutor }, treasury }: Config,
  rpc: RpcPool,
  { wrappedNative }: AddressBook,
  senders: readonly Address[],
): Promise<readonly string[]> {
  if (perpExecutor === undefined) return [];
  const state = await readExecutor(rpc, perpExecutor, senders);
  return executorProblems(perpExecutor, state, { senders, wrappedNative, treasury }, 'PERP_EXECUTOR_ADDRESS');
}

/** The first lane that does not rest. */
export function backrunLanes(book: LaneBook, backrunnerOf: (lane: Lane) => Backrunner): BackrunLanes {
  const all = book.lanes.map((lane) => ({ lane: lane.address, backrunner: backrunnerOf(lane) }));
  const rests = (address: Address) => book.states.some(({ lane, resting }) => lane === address && resting);
  return { now: () => all.find(({ lane }) => !rests(lane)) ?? all[0]! };
}

/** Ours at venues. */
export function ownAccounts(protocols: readonly Protocol[]): readonly OwnAccount[] {
  return protocols.flatMap((protocol) => protocol.own?.() ?? []);
}

/** Of inventory that an earlier run knew of. */
export async function expectedTokens(ledger: Ledger): Promise<readonly Address[]> {
  return (await ledger.unwinds()).map(({ token }) => token as Address);
}

export function tellLane(emit: Emit, metrics: Metrics): TellLane {
  return ({ lane, balanceWei, neededWei, resting }, changed) => {
    metrics.laneResting.set({ lane }, resting ? 1 : 0);
    metrics.laneBalance.set({ lane }, Number(formatEther(balanceWei)));
    if (changed) emit(resting ? 'lane.resting' : 'lane.back', { lane, balanceWei: String(balanceWei), neededWei: String(neededWei) });
  };
}

export function settingsOf(config: Config, book: AddressBook, lanes: readonly Lane[], executor: ExecutorState | undefined): Settings {
  const { perpExecutor } = config.choices;
  const own = [config.executor, perpExecutor, config.inventory, ...lanes.map(({ address }) => address), executor?.treasury].filter(
    (address) => address !== undefined,
  );
  return {
    executor: config.executor,
    // Watching without a key, the owner stands in: what it could send is what is shown.
    sender: lanes[0]?.address ?? executor?.owner,
    own: new Set(own),
    inventory: config.inventory,
    wrappedNative: book.wrappedNative,
    minProfitUsd8: config.strategy.minProfitUsd8,
    bidShare: config.strategy.bidShare,
    limits: config.limits,
    oracle: { ...config.oracle, heartbeatSeconds: book.feedHeartbeats },
  };
}

/** What a start with known accounts left out is gone through beside the work, and told. Returns how to end it. */
export function goThroughPast(world: World, emit: Emit): () => Promise<void> {
  const stopped = new AbortController();
  const { past } = world;
  if (past === undefined) return async () => {};
  const { from, to, told, partial, awaited } = past;
  emit('past.unknown', { fromBlock: from, toBlock: to, told, partial: partial.join(','), awaited: awaited.join(',') });
  const going = world
    .goThroughPast(stopped.signal)
    .then(() => {
      if (!stopped.signal.aborted) emit('past.known', { fromBlock: from, toBlock: to });
    })
    .catch((error: unknown) => {
      if (!stopped.signal.aborted) emit('past.failed', { reason: explainError(error) });
    });
  return async () => {
    stopped.abort();
    await withTimeout(going, PAST_STOP_MS, 'the history').catch(() => {});
  };
}

/** Relays know a searcher by this key; it holds no money. Made once. */
export async function relayKey(ledger: Ledger): Promise<Hex> {
  const kept = await ledger.get(RELAY_AUTH_KEY);
  if (kept !== undefined && /^0x[0-9a-f]{64}$/.test(kept)) return kept as Hex;
  const made = generatePrivateKey();
  await ledger.put(RELAY_AUTH_KEY, made);
  return made;
}

export function numberOf(fact: string | undefined): number | undefined {
  return fact === undefined || !/^\d{1,15}$/.test(fact) ? undefined : Number(fact);
}
