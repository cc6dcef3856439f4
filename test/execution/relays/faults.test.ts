import { describe, expect, it } from 'vitest';
import type { RelayFault } from '../../../src/execution/types.ts';
import { deadRelay, json, type Manner, refuses, relayStage, silent, status } from './stage.ts';

const bundle = { txs: ['0x02'], targetBlock: 9, replacementUuid: 'a5f1e1c0-0000-4000-8000-000000000000' } as const;
const simulated = { txs: ['0x02'], targetBlock: 9, timestamp: 1 } as const;

describe('what kept a relay from taking a bundle', () => {
  it.each<{ says: string; manner: Manner; fault: RelayFault; kind: 'refused' | 'unknown' }>([
    { says: 'nothing', manner: silent, fault: 'timeout', kind: 'unknown' },
    { says: 'HTTP 429', manner: status(429), fault: 'rate-limited', kind: 'unknown' },
    { says: 'HTTP 500', manner: status(500), fault: 'malformed', kind: 'unknown' },
    { says: 'HTML', manner: status(200, {}, '<html></html>'), fault: 'malformed', kind: 'unknown' },
    { says: 'another shape', manner: json({ result: { hash: 1 } }), fault: 'malformed', kind: 'unknown' },
    { says: 'too many requests', manner: refuses('too many requests, slow down'), fault: 'rate-limited', kind: 'refused' },
    { says: 'block 8 has passed', manner: refuses('block 8 has passed: 9 is being built'), fault: 'too-late', kind: 'refused' },
    { says: 'a block in the past', manner: refuses('bundle target is in the past'), fault: 'too-late', kind: 'refused' },
    { says: 'bad signature', manner: refuses('signature does not match'), fault: 'refused', kind: 'refused' },
    { says: 'no such method', manner: refuses('method not found', -32601), fault: 'refused', kind: 'refused' },
  ])('$says: $fault', async ({ manner, fault, kind }) => {
    const { relay } = await relayStage(manner, 300);
    expect(await relay.send(bundle)).toMatchObject({ kind, fault });
    expect(await relay.sendBehind({ hash: `0x${'01'.repeat(32)}`, tx: '0x02', targetBlock: 9 })).toMatchObject({ kind, fault });
  });

  it('how long it asks to be left alone is passed on', async () => {
    const { relay } = await relayStage(status(429, { 'retry-after': '7' }));
    expect(await relay.send(bundle)).toMatchObject({ fault: 'rate-limited', retryAfterMs: 7_000 });
  });

  it('nobody listens: unreachable, by every call', async () => {
    const relay = deadRelay();
    expect(await relay.send(bundle)).toMatchObject({ kind: 'unknown', fault: 'unreachable' });
    expect(await relay.simulate(simulated)).toMatchObject({ kind: 'unavailable', fault: 'unreachable' });
    expect(await relay.cancel(bundle.replacementUuid)).toMatchObject({ kind: 'unknown', fault: 'unreachable' });
  });

  it.each<{ says: string; manner: Manner; fault: RelayFault }>([
    { says: 'nothing', manner: silent, fault: 'timeout' },
    { says: 'HTTP 429', manner: status(429), fault: 'rate-limited' },
    { says: 'HTTP 500', manner: status(500), fault: 'malformed' },
    { says: 'HTML', manner: status(200, { 'content-type': 'text/html' }, '<html></html>'), fault: 'malformed' },
    { says: 'block 8 has passed', manner: refuses('block 8 has passed'), fault: 'too-late' },
    { says: 'bad signature', manner: refuses('signature does not match'), fault: 'refused' },
  ])('a simulation: $says: $fault', async ({ manner, fault }) => {
    const { relay } = await relayStage(manner, 300);
    expect(await relay.simulate(simulated)).toMatchObject({ kind: 'unavailable', fault });
  });
});
