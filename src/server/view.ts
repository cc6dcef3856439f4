import type { RelayFigures } from '../execution/relays/panel.ts';
import type { Switch } from '../guard/types.ts';
import type { Efficiency } from '../ledger/efficiency.ts';
import type { AttemptLine, Totals } from '../ledger/report.ts';
import type { Address, Hex } from '../lib/types.ts';
import type { PastStatus } from '../mirror/past.ts';
import type { PositionRow } from '../pipeline/positions.ts';

/** Whether the keeper is synced, its head fresh, its endpoints up. */
export type Readiness =
  | { readonly ready: true; readonly block: number; readonly lagMs: number }
  | { readonly ready: false; readonly because: readonly string[] };

export type KeeperStatus = {
  readonly readiness: Readiness;
  readonly mode: 'watch' | 'live';
  readonly chainId: number;
  readonly chainName: string;
  readonly head: { readonly number: number; readonly hash: Hex; readonly timestamp: number; readonly baseFeeWei: bigint } | undefined;
  readonly switch: { readonly state: Switch; readonly reason: string | undefined; readonly breakerOpen: boolean };
  readonly executor: Address | undefined;
  readonly sender: Address | undefined;
  readonly treasury: Address | undefined;
  /** The senders, the keeper's own first, as last looked at; one that is short of gas rests. */
  readonly lanes: readonly { readonly lane: Address; readonly balanceWei: bigint; readonly neededWei: bigint; readonly resting: boolean }[];
  readonly markets: readonly {
    readonly protocol: string;
    readonly market: string;
    readonly positions: number;
    readonly candidates: number;
    readonly suspended: string | undefined;
  }[];
  /** Of the history, after a start with `--accounts`: what is not known yet, and of whom. Undefined when all of it is. */
  readonly past: PastStatus | undefined;
  /** Hosts alone. */
  readonly endpoints: readonly { readonly host: string; readonly up: boolean }[];
  readonly relays: readonly RelayFigures[];
  readonly totals: Totals;
  readonly efficiency: Efficiency;
  /** Unix ms of this machine. */
  readonly startedAt: number;
};

/** The same happenings as the log's. */
export type Happening = { readonly at: number; readonly event: string; readonly fields: Readonly<Record<string, unknown>> };

/** The running keeper, seen from outside. Every method answers from memory or the ledger, none asks the chain. */
export interface KeeperView {
  status(): Promise<KeeperStatus>;
  /** Worst health first. */
  positions(limit: number): Promise<readonly PositionRow[]>;
  /** Newest last. */
  attempts(limit: number): Promise<readonly AttemptLine[]>;
  /** Returns how to stop listening. The listener neither throws nor waits. */
  subscribe(listener: (happening: Happening) => void): () => void;
  /** Resolves once it is durable and in force. `done` is false when the switch may not be moved so. */
  command(
    command: 'pause' | 'resume' | 'kill',
    afterKill: boolean,
    by: string,
  ): Promise<{ readonly done: boolean; readonly answer: string }>;
}
