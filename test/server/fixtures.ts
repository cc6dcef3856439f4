import { once } from 'node:events';
import { request } from 'node:http';
import { onTestFinished } from 'vitest';
import type { HttpConfig } from '../../src/config/config.ts';
import { efficiencyOf } from '../../src/ledger/efficiency.ts';
import { totalsOf } from '../../src/ledger/report.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { PositionRow } from '../../src/pipeline/positions.ts';
import { type Server, startServer } from '../../src/server/server.ts';
import type { Happening, KeeperStatus, KeeperView } from '../../src/server/view.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

export const TOKEN = 'a-token-for-the-tests';

const account = `0x${'ab'.repeat(20)}` as const;
const token = `0x${'cd'.repeat(20)}` as const;

export const status: KeeperStatus = {
  readiness: { ready: true, block: 9, lagMs: 3.4 },
  mode: 'live',
  chainId: 7777,
  chainName: 'devnet',
  head: { number: 9, hash: `0x${'01'.repeat(32)}`, timestamp: 5, baseFeeWei: 10n ** 9n },
  switch: { state: 'running', reason: undefined, breakerOpen: false },
  executor: token,
  sender: account,
  treasury: undefined,
  lanes: [{ lane: account, balanceWei: 10n ** 18n, neededWei: 10n ** 15n, resting: false }],
  markets: [{ protocol: 'aave-v3', market: 'core', positions: 200, candidates: 1, suspended: undefined }],
  past: undefined,
  endpoints: [{ host: 'rpc.example.org', up: true }],
  relays: [
    { relay: 'relay.example.org', sent: 5, accepted: 3, refused: 1, simulated: 4, landed: 2, latencyMs: 21.5, resting: ['simulate'] },
  ],
  totals: totalsOf([]),
  efficiency: efficiencyOf([]),
  startedAt: 1,
};

export const position: PositionRow = {
  protocol: 'aave-v3',
  market: 'core',
  healthFactorWad: 999n * 10n ** 15n,
  liquidatable: true,
  view: {
    account,
    collateral: [{ asset: token, symbol: 'WETH', decimals: 18, amountRaw: 2n * 10n ** 18n, valueUsd8: 4_000_12345678n }],
    debt: [{ asset: account, symbol: 'USDC', decimals: 6, amountRaw: 3_000n * 10n ** 6n, valueUsd8: 3_000_00000000n }],
    collateralUsd8: 4_000_12345678n,
    debtUsd8: 3_000_00000000n,
  },
  verdict: { skip: { reason: 'no-route', figures: { tokenIn: token, reason: 'not this' } } },
};

/** Answers fixed figures; remembers commands; lets tests make happenings. */
export class KeeperViewDouble implements KeeperView {
  current: KeeperStatus = status;
  readonly commands: string[] = [];
  readonly listeners = new Set<(happening: Happening) => void>();
  async status() {
    return this.current;
  }
  async positions(limit: number) {
    return Array.from({ length: Math.min(limit, 3) }, () => position);
  }
  async attempts() {
    return [];
  }
  subscribe(listener: (happening: Happening) => void) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  async command(...[command, afterKill]: Parameters<KeeperView['command']>) {
    this.commands.push(`${command}${afterKill ? ' --after-kill' : ''}`);
    const done = command !== 'resume' || afterKill;
    return { done, answer: done ? command : 'killed: only `resume --after-kill` lifts that' };
  }
  happen(event: string, fields: Happening['fields'] = {}) {
    for (const listener of this.listeners) listener({ at: 1, event, fields });
  }
}

export async function serving(http: Partial<HttpConfig> = {}): Promise<{ server: Server; view: KeeperViewDouble; lines: string[] }> {
  const view = new KeeperViewDouble();
  const lines: string[] = [];
  const log = createLog({ level: 'debug', format: 'json', stream: 'stdout' }, { write: (line: string) => lines.push(line) });
  const config: HttpConfig = { host: '127.0.0.1', port: 0, token: undefined, ...http };
  const server = await startServer({ view, registry: createMetrics().registry, log, http: config });
  onTestFinished(() => server.close());
  return { server, view, lines };
}

export const withToken = { host: '127.0.0.1', token: new Secret(TOKEN) };
export const bearer = { Authorization: `Bearer ${TOKEN}` };

/** `fetch` sets the Host header by itself; this does not. */
export async function getAs(url: string, headers: Record<string, string>): Promise<number> {
  const [response] = (await once(request(url, { headers, agent: false }).end(), 'response')) as [
    NodeJS.ReadableStream & { statusCode: number; resume(): void },
  ];
  response.resume();
  return response.statusCode;
}
