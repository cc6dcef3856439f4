import type { Heads } from './chain/heads.ts';
import type { RpcPool } from './chain/rpc.ts';
import type { AddressBook } from './config/addressBook.ts';
import type { Config } from './config/config.ts';
import type { LaneBook } from './execution/lane-book.ts';
import type { RelayPanel } from './execution/relays/panel.ts';
import { type Efficiency, efficiencyOf } from './ledger/efficiency.ts';
import type { LedgerReader } from './ledger/reader.ts';
import { attemptLines, totalsOf } from './ledger/report.ts';
import type { Address } from './lib/types.ts';
import type { Follower } from './pipeline/follow.ts';
import { positionRows } from './pipeline/positions.ts';
import type { RiskDesk } from './pipeline/risk-desk.ts';
import type { Settings } from './pipeline/settings.ts';
import type { Switchboard } from './pipeline/switchboard.ts';
import type { KeeperStatus, KeeperView, Readiness } from './server/view.ts';
import type { Announcer, Listener } from './telemetry/announcer.ts';
import type { World } from './world.ts';

export type EyesParts = {
  readonly config: Config;
  readonly book: AddressBook;
  readonly settings: Settings;
  readonly world: World;
  readonly heads: Heads;
  readonly rpc: RpcPool;
  readonly follower: Follower;
  readonly switchboard: Switchboard;
  readonly reader: LedgerReader;
  readonly announcer: Announcer;
  readonly lanes: LaneBook;
  readonly panel: RelayPanel;
  readonly risks: RiskDesk;
  readonly treasury: Address | undefined;
};

/** The running keeper as dashboard and API see it. Asks no chain. */
export class KeeperEyes implements KeeperView {
  readonly #parts: EyesParts;
  readonly #startedAt = Date.now();

  constructor(parts: EyesParts) {
    this.#parts = parts;
  }

  async status(): Promise<KeeperStatus> {
    const { config, book, settings, world, rpc, follower, switchboard, reader, treasury, lanes, panel } = this.#parts;
    const { state } = switchboard;
    const candidates = follower.last?.outcome.judged.candidates ?? [];
    const transactions = await reader.transactions({});
    return {
      readiness: this.#readiness(),
      mode: config.mode,
      chainId: book.chainId,
      chainName: book.name,
      head: world.head,
      switch: { state: state.switch, reason: state.reason, breakerOpen: state.openSince !== undefined },
      executor: settings.executor,
      sender: settings.sender,
      treasury,
      lanes: lanes.states.map(({ lane, balanceWei, neededWei, resting }) => ({ lane, balanceWei, neededWei, resting })),
      markets: world.protocols.map((protocol) => ({
        protocol: protocol.name,
        market: protocol.market,
        positions: Array.from(protocol.slots()).length,
        candidates: candidates.filter(({ deployment }) => deployment === protocol.id).length,
        suspended: world.suspended(protocol),
      })),
      past: world.past,
      endpoints: rpc.endpoints.map((endpoint) => ({ host: endpoint.host, up: endpoint.restMs === 0 })),
      relays: panel.figures,
      totals: totalsOf(transactions),
      efficiency: efficiencyOf(attemptLines(transactions)),
      startedAt: this.#startedAt,
    };
  }

  async positions(limit: number) {
    const { world, follower, risks } = this.#parts;
    return positionRows(world.protocols, world.next(), follower.last?.decisions ?? [], (plan) => risks.of(plan), limit);
  }

  async attempts(limit: number) {
    const { reader } = this.#parts;
    const transactions = await reader.transactions({}, limit);
    return attemptLines(transactions, await reader.statedRisks(transactions)).slice(-limit);
  }

  async efficiency(): Promise<Efficiency> {
    return efficiencyOf(attemptLines(await this.#parts.reader.transactions({})));
  }

  subscribe(listener: Listener): () => void {
    return this.#parts.announcer.subscribe(listener);
  }

  command(command: 'pause' | 'resume' | 'kill', afterKill: boolean, by: string) {
    return this.#parts.switchboard.handle({ kind: 'command', command, afterKill, by });
  }

  #readiness(): Readiness {
    const { config, heads, rpc, follower, world, lanes } = this.#parts;
    const because: string[] = [];
    const { fresh, waitedMs, gapMs } = heads.freshness();
    if (!fresh)
      because.push(`no new head for ${Math.round(waitedMs)} ms${gapMs === null ? '' : `, they come every ${Math.round(gapMs)} ms`}`);
    if (rpc.distrust !== null) because.push(`no endpoint can be trusted: ${rpc.distrust}`);
    else if (rpc.endpoints.every((endpoint) => endpoint.restMs > 0)) because.push('no endpoint is up');
    if (follower.last === undefined) because.push('no block has been processed yet');
    if (follower.trouble !== undefined) because.push(follower.trouble);
    const { states } = lanes;
    if (config.mode === 'live' && states.length > 0 && states.every(({ resting }) => resting))
      because.push(`every lane is short of gas: ${states.map(({ lane }) => lane).join(', ')}`);
    for (const protocol of world.protocols) {
      // Whoever starts with known accounts is ready without those that have to wait.
      if (world.past?.awaited.includes(protocol.id)) continue;
      const suspended = world.suspended(protocol);
      if (suspended !== undefined) because.push(`${protocol.id} is suspended: ${suspended}`);
    }
    return because.length > 0 ? { ready: false, because } : { ready: true, block: follower.last!.number, lagMs: follower.last!.lagMs };
  }
}
