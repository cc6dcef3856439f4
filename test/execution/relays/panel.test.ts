import { keccak256 } from 'viem';
import { describe, expect, it } from 'vitest';
import { type RelayNotice, RelayPanel } from '../../../src/execution/relays/panel.ts';
import { Rest } from '../../../src/execution/relays/rest.ts';
import type { Settled } from '../../../src/execution/tracker.ts';
import type { Relay } from '../../../src/execution/types.ts';
import { type RelayStage, refuses, relayStage, status, takes } from './stage.ts';

const bundle = { txs: ['0x02aa'], targetBlock: 9, replacementUuid: 'a5f1e1c0-0000-4000-8000-000000000000' } as const;
const simulated = { txs: ['0x02aa'], targetBlock: 9, timestamp: 1 } as const;
const SLOT_MS = 12_000;

class Clock {
  ms = 0;
}

function sit(stages: readonly RelayStage[]) {
  const clock = new Clock();
  const notices: RelayNotice[] = [];
  const panel = new RelayPanel(
    stages.map(({ relay }) => relay),
    (notice) => notices.push(notice),
    () => clock.ms,
  );
  const told = () => notices.filter(({ kind }) => kind === 'resting' || kind === 'back').map(({ kind, relay }) => `${relay} ${kind}`);
  return { panel, clock, notices, told, relays: panel.relays as readonly [Relay, Relay] };
}

/** One block's bundle to every relay; what each answered. */
async function block({ panel, clock }: ReturnType<typeof sit>, afterMs = SLOT_MS): Promise<readonly string[]> {
  clock.ms += afterMs;
  return (await Promise.all(panel.relays.map((relay) => relay.send(bundle)))).map(({ kind }) => kind);
}

describe('a relay that keeps failing', () => {
  it('rests from the third time, returns by its first answer, and each is told once', async () => {
    const [bad, good] = [await relayStage(status(500)), await relayStage()];
    const panel = sit([bad, good]);
    for (let times = 0; times < 3; times++) expect(await block(panel)).toEqual(['unknown', 'accepted']);
    expect(panel.panel.figures[0]).toMatchObject({ resting: ['send'] });
    expect(await block(panel, 1)).toEqual(['resting', 'accepted']);
    expect(bad.asked).toHaveLength(3);
    bad.manner = takes;
    expect(await block(panel)).toEqual(['accepted', 'accepted']);
    expect(panel.told()).toEqual([`${bad.relay.name} resting`, `${bad.relay.name} back`]);
    expect(panel.notices.find(({ kind }) => kind === 'resting')).toMatchObject({ fault: 'malformed', restMs: SLOT_MS, stillAsked: false });
    expect(panel.panel.figures[0]).toMatchObject({ resting: [] });
  });

  it('rests twice as long each time, to five minutes', () => {
    const rest = new Rest();
    const rests = Array.from({ length: 9 }, (_, times) => {
      rest.failed(times * 1_000_000, times * 1_000_000);
      return rest.restMs(times * 1_000_000) / 1_000;
    });
    expect(rests).toEqual([0, 0, 12, 24, 48, 96, 192, 300, 300]);
  });

  it('is left alone at once for as long as it asks', async () => {
    const [bad, good] = [await relayStage(status(429, { 'retry-after': '20' })), await relayStage()];
    const panel = sit([bad, good]);
    expect(await block(panel)).toEqual(['unknown', 'accepted']);
    expect(await block(panel, 19_999)).toEqual(['resting', 'accepted']);
    expect(await block(panel, 1)).toEqual(['unknown', 'accepted']);
  });

  it('fails once with all that was under way together', async () => {
    const [bad, good] = [await relayStage(status(500)), await relayStage()];
    const panel = sit([bad, good]);
    await Promise.all(Array.from({ length: 6 }, () => panel.relays[0].send(bundle)));
    panel.clock.ms++;
    expect(await block(panel)).toEqual(['unknown', 'accepted']);
    expect(panel.told()).toEqual([]);
  });

  it('is asked all the same while no other answers', async () => {
    const [one, other] = [await relayStage(status(500)), await relayStage(status(500))];
    const panel = sit([one, other]);
    for (let times = 0; times < 8; times++) expect(await block(panel, 1)).toEqual(['unknown', 'unknown']);
    expect(panel.notices.filter(({ kind }) => kind === 'resting')).toMatchObject([{ stillAsked: false }, { stillAsked: true }]);
    other.manner = takes;
    expect(await block(panel, 1)).toEqual(['unknown', 'accepted']);
    expect(await block(panel, 1)).toEqual(['resting', 'accepted']);
  });

  it('goes on to be asked for what it can do, and to be told of cancellations', async () => {
    const [bad, good] = [
      await relayStage((method, response) => (method === 'eth_callBundle' ? status(500) : takes)(method, response)),
      await relayStage(),
    ];
    const panel = sit([bad, good]);
    for (let times = 0; times < 3; times++) {
      panel.clock.ms++;
      await panel.relays[0].simulate(simulated);
    }
    expect(await panel.relays[0].simulate(simulated)).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('rests') });
    expect(await block(panel, 1)).toEqual(['accepted', 'accepted']);
    bad.manner = status(500);
    for (let times = 0; times < 3; times++) await block(panel, 1);
    expect(await block(panel, 1)).toEqual(['resting', 'accepted']);
    const asked = bad.asked.length;
    await panel.relays[0].cancel(bundle.replacementUuid);
    expect(bad.asked.slice(asked)).toEqual(['eth_cancelBundle']);
  });

  it('is not one that refuses', async () => {
    const [bad, good] = [await relayStage(refuses('bundle reverts')), await relayStage()];
    const panel = sit([bad, good]);
    for (let times = 0; times < 8; times++) expect(await block(panel, 1)).toEqual(['refused', 'accepted']);
    expect(panel.told()).toEqual([]);
  });
});

describe('statistics', () => {
  it('count what each was sent, took, refused, simulated and landed', async () => {
    const [one, other] = [await relayStage(), await relayStage(refuses('no'))];
    const panel = sit([one, other]);
    await block(panel);
    await block(panel);
    const settled = (mined: boolean) =>
      panel.panel.settled([{ transaction: { txHash: keccak256(bundle.txs[0]) }, result: mined ? { mined: {} } : {} } as Settled]);
    settled(true);
    settled(true);
    expect(panel.panel.figures).toMatchObject([
      { relay: one.relay.name, sent: 2, accepted: 2, refused: 0, landed: 1 },
      { relay: other.relay.name, sent: 2, accepted: 0, refused: 2, landed: 0 },
    ]);
    // A reorganisation took it back.
    settled(false);
    expect(panel.panel.figures[0]).toMatchObject({ landed: 0 });
    expect(panel.notices.flatMap((notice) => (notice.kind === 'landed' ? notice.landed : []))).toEqual([1, 0]);
  });

  it('hold how long answers take', async () => {
    const clock = new Clock();
    const slow = await relayStage((method, response) => {
      clock.ms += 40;
      takes(method, response);
    });
    const panel = new RelayPanel(
      [slow.relay],
      () => {},
      () => clock.ms,
    );
    expect(panel.figures[0]).toMatchObject({ latencyMs: undefined });
    for (let times = 0; times < 3; times++) await panel.relays[0]!.send(bundle);
    expect(panel.figures[0]).toMatchObject({ latencyMs: 40 });
  });
});
