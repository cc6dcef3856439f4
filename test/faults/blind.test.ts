import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../scripts/devnet/fault-proxy.ts';
import type { Line } from '../support/keeper.ts';
import { TallyChain } from '../support/tally-chain.ts';
import { type FaultStage, Play, setFaultStage } from './scene.ts';

const SENT = ['bundle.sent', 'attempt.sent'];

let stage: FaultStage;
let proxies: readonly [FaultProxy, FaultProxy];
let play: Play;
let foreign: TallyChain;

beforeAll(async () => {
  [stage, foreign] = await Promise.all([setFaultStage(11), TallyChain.start({ chainId: 99 })]);
  await foreign.mineEmpty(stage.before + 20);
  proxies = [await FaultProxy.start(stage.devnet.rpcUrl), await FaultProxy.start(stage.devnet.rpcUrl)];
});
afterEach(() => play.stop());
afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await Promise.all([stage.close(), foreign.stop()]);
});

const said = (kind: string) => (line: Line) => line.event === 'endpoint.changed' && line['kind'] === kind;

async function readiness(): Promise<{ readonly status: number; readonly because: readonly string[] }> {
  const { dashboard } = await play.until(({ event }) => event === 'keeper.started', 'the start');
  const response = await fetch(new URL('/readyz', String(dashboard)));
  const { because = [] } = (await response.json()) as { because?: string[] };
  return { status: response.status, because };
}

describe('a keeper whose endpoints have all gone over to another chain', () => {
  it('sends nothing and says why, and liquidates again when one has made good', async () => {
    const [first, second] = proxies;
    play = await Play.start(stage, { RPC_URLS: `${first.ws},${second.http}` });
    await play.seal();

    for (const proxy of proxies) {
      proxy.fault = { kind: 'elsewhere', node: foreign.http };
      proxy.dropSockets();
    }
    const { reason } = await play.until(said('none-trusted'), 'that none is trusted');
    const from = play.lines.length;
    await stage.market.fall(0.03);
    await stage.devnet.builder.seal();
    expect(reason).toContain(`${first.host}: is on chain 99, not on chain 7777`);
    expect(reason).toContain(`${second.host}: is on chain 99, not on chain 7777`);
    expect(await readiness()).toMatchObject({ status: 503, because: expect.arrayContaining([`no endpoint can be trusted: ${reason}`]) });
    await stage.devnet.builder.seal();
    await stage.devnet.builder.seal();
    expect(play.lines.slice(from).filter(({ event }) => SENT.includes(event))).toEqual([]);

    for (const proxy of proxies) {
      proxy.fault = { kind: 'none' };
      proxy.dropSockets();
    }
    await play.until(said('trusted-again'), 'that one is trusted again');
    await play.seal();
    await play.until(({ event }) => event === 'bundle.sent', 'what has become worth it meanwhile');
    await play.seal();
    expect(await readiness()).toEqual({ status: 200, because: [] });
    const { findings, transactions } = await play.books();
    expect(findings).toEqual([]);
    expect(transactions.some(({ outcome }) => outcome === 'included')).toBe(true);
  });
});
