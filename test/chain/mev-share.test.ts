/** MEV-Share's stream: hints through whatever cuts the bytes, and a stream that is opened again. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { EventStreamParser } from '../../src/chain/event-stream.ts';
import { type Hint, type HintNotice, hintsIn, MevShareStream } from '../../src/chain/mev-share.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import { HintStreamDouble } from '../support/hint-stream-double.ts';

const to = `0x${'aa'.repeat(20)}`;
const callData = '0x6fadcf7200';
let hashes = 0;
const hashOf = () => `0x${(++hashes).toString(16).padStart(64, '0')}`;
const hint = (changed: object = {}) => ({
  hash: hashOf(),
  logs: null,
  txs: [{ to, functionSelector: '0x6fadcf72', callData }],
  ...changed,
});

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const work of cleanup.splice(0).toReversed()) await work();
});

async function listen(prepare: (double: HintStreamDouble) => void = () => {}, silenceMs = 60_000) {
  const double = await HintStreamDouble.start();
  cleanup.push(() => double.stop());
  prepare(double);
  const hints: Hint[] = [];
  const notices: HintNotice[] = [];
  let changed = Promise.withResolvers<void>();
  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const stream = new MevShareStream({
    url: new SecretUrl(double.url),
    selectors: new Set(['0x6fadcf72']),
    silenceMs,
    onHint: (one) => {
      hints.push(one);
      change();
    },
    notify: (notice) => {
      notices.push(notice);
      change();
    },
  });
  cleanup.push(() => stream.close());
  const until = async (holds: () => boolean) => {
    while (!holds()) await changed.promise;
  };
  const opened = (times = 1) => until(() => notices.filter(({ kind }) => kind === 'hints-from').length >= times);
  return { double, hints, notices, until, opened };
}

describe('the stream', () => {
  it('hands on each hint of interest once', async () => {
    const { double, hints, until, opened } = await listen();
    await opened();
    const first = hint();
    const last = hint();
    double.write(':ping\n\n');
    for (const one of [first, hint({ txs: [{ to, callData: '0x12345678' }] }), hint({ txs: null }), first, last]) double.tell(one);
    await until(() => hints.length > 1);
    expect(hints).toEqual([first, last].map(({ hash }) => ({ hash, to, data: callData })));
  });

  it('goes on after nonsense', async () => {
    const { double, hints, until, opened } = await listen();
    await opened();
    const nonsense = [
      { ...hint(), hash: '0x12' },
      hint({ txs: [{ to: 'me', callData }] }),
      hint({ txs: [null, { callData }] }),
      ['0x6fadcf72'],
    ];
    for (const one of nonsense) double.tell(one);
    double.write('data: {"0x6fadcf72":\n\n');
    double.write(`data: ${'0x6fadcf72'.repeat(200_000)}\n\n`);
    const genuine = hint();
    double.tell(genuine);
    await until(() => hints.length > 0);
    expect(hints.map(({ hash }) => hash)).toEqual([genuine.hash]);
  });

  it('is opened again when it ends', async () => {
    const { double, hints, notices, until, opened } = await listen();
    await opened();
    double.end();
    await opened(2);
    double.tell(hint());
    await until(() => hints.length > 0);
    expect(notices.map(({ kind }) => kind)).toEqual(['hints-from', 'hints-lost', 'hints-from']);
  });

  it('is opened again when not a byte comes', async () => {
    const { notices, opened } = await listen(() => {}, 50);
    await opened(2);
    expect(notices[1]).toMatchObject({ kind: 'hints-lost', reason: 'silent for too long' });
  });

  it('is opened again after a refusal, another page, or a redirection, which is not followed', async () => {
    const { double, notices, opened } = await listen((one) => {
      one.refusals = [
        { status: 503 },
        { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
        { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      ];
    });
    await opened();
    expect(notices.map(({ kind }) => kind)).toEqual(['hints-lost', 'hints-lost', 'hints-lost', 'hints-from']);
    expect(double.requests).toBe(4);
  });
});

describe('events', () => {
  const all = (pieces: readonly string[], maxChars = 1_000) => {
    const events: string[] = [];
    const parser = new EventStreamParser(maxChars, (data) => events.push(data));
    for (const piece of pieces) parser.push(piece);
    return events;
  };

  it('are the same however their bytes are cut, and whatever ends their lines', () => {
    const line = fc.stringMatching(/^[a-z0-9 :]{0,12}$/);
    const messages = fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 6 });
    fc.assert(
      fc.property(messages, fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(200), { maxLength: 20 }), (lists, end, cuts) => {
        const text = lists.map((lines) => `: comment${end}id: 4${end}${lines.map((one) => `data: ${one}${end}`).join('')}${end}`).join('');
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((place, i) => text.slice(places[i], place));
        expect(all(pieces)).toEqual(lists.map((lines) => lines.join('\n')));
      }),
      { seed: 1 },
    );
  });

  it('that are too long are passed over, those behind them are not', () => {
    expect(all(['data: one\n\n', 'data: ', 'x'.repeat(2_000), '\n\ndata: two\n\n'], 100)).toEqual(['one', 'two']);
    expect(all([`${'data: y\n'.repeat(200)}\n`, 'data: three\n\n'], 100)).toEqual(['three']);
  });
});

it('whatever a hint holds, it never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((txs) => `{"hash":"0x${'11'.repeat(32)}","txs":${txs}}`),
      ),
      (data) => {
        expect(Array.isArray(hintsIn(data))).toBe(true);
      },
    ),
    { seed: 2, numRuns: 500 },
  );
});
