import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { status as fixed, serving } from './fixtures.ts';

const json = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('what it answers', () => {
  test('/readyz says ready with the block, or why not', async () => {
    const { server, view } = await serving();
    expect(await json(`${server.url}/readyz`)).toEqual({ status: 200, body: { ready: true, block: 9, lagMs: 3 } });
    view.current = { ...fixed, readiness: { ready: false, because: ['syncing: block 5 of 9'] } };
    expect(await json(`${server.url}/readyz`)).toEqual({ status: 503, body: { ready: false, because: ['syncing: block 5 of 9'] } });
  });

  test('/healthz is about the process alone', async () => {
    const { server, view } = await serving();
    view.status = () => Promise.reject(new Error('broken'));
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  test('/metrics is Prometheus text', async () => {
    const { server } = await serving();
    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('# TYPE bailiff_head_block gauge');
  });

  test('figures are exact decimal strings, addresses have their checksum', async () => {
    const { server } = await serving();
    const { body } = await json(`${server.url}/api/positions?limit=1`);
    expect(body['positions']).toEqual([
      expect.objectContaining({
        account: '0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB',
        healthFactorWad: '999000000000000000',
        collateralUsd: '4000.12345678',
        debtUsd: '3000.00',
        skip: { reason: 'no-route', tokenIn: '0xCdCDCdCdcdcdcdCdcDcDCdcDcDCdCdcdCdcDCDcD' },
      }),
    ]);
    expect((await json(`${server.url}/api/status`)).body).toMatchObject({
      ready: true,
      chainId: 7777,
      head: { number: 9, baseFeeWei: '1000000000' },
      totals: { profitUsd: '0.00', attempts: 0 },
    });
  });

  test.each(['0', '1001', 'many', '-1', '1e2'])('limit=%s is refused', async (limit) => {
    const { server } = await serving();
    expect((await fetch(`${server.url}/api/positions?limit=${limit}`)).status).toBe(400);
    expect((await fetch(`${server.url}/api/attempts?limit=${limit}`)).status).toBe(400);
  });

  test('a failure inside is a 500 without its reason, which the log has', async () => {
    const { server, view, lines } = await serving();
    view.status = () => Promise.reject(new Error('the disk is full'));
    const response = await fetch(`${server.url}/api/status`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('disk');
    expect(lines.join()).toContain('the disk is full');
  });

  test('the dashboard runs nothing but its own script', async () => {
    const { server } = await serving();
    const response = await fetch(server.url);
    const html = await response.text();
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'/);
    expect(html).toContain('<title>Bailiff</title>');
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    expect(html).not.toContain('innerHTML');
  });
});

/** Reads server-sent events until one named `event` comes. */
async function listen(url: string) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(url, { signal: stop.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    status: response.status,
    close: () => stop.abort(),
    async next(event: string): Promise<Record<string, unknown>> {
      for (;;) {
        const match = new RegExp(`event: ${event}\\ndata: (.*)\\n\\n`).exec(text);
        if (match !== null) {
          text = text.slice(match.index + match[0].length);
          return JSON.parse(match[1]!) as Record<string, unknown>;
        }
        const { value, done } = await reader.read();
        if (done) throw new Error('the stream ended');
        text += value;
      }
    },
  };
}

describe('server-sent events', () => {
  test('a listener gets the figures at once, each happening, and new figures after it', async () => {
    const { server, view } = await serving();
    const stream = await listen(`${server.url}/api/events`);
    expect(await stream.next('figures')).toMatchObject({ status: { ready: true }, positions: [{ market: 'core' }, {}, {}], attempts: [] });
    view.current = { ...fixed, readiness: { ready: true, block: 10, lagMs: 1 } };
    view.happen('block.processed', { block: 10, profitWei: 2n ** 64n });
    expect(await stream.next('happening')).toEqual({
      at: 1,
      event: 'block.processed',
      fields: { block: 10, profitWei: '18446744073709551616' },
    });
    expect(await stream.next('figures')).toMatchObject({ status: { block: 10 } });
  });

  test('it stops listening to the keeper when the last one has gone', async () => {
    const { server, view } = await serving();
    const [one, two] = [await listen(`${server.url}/api/events`), await listen(`${server.url}/api/events`)];
    expect(view.listeners.size).toBe(1);
    one.close();
    two.close();
    await expect.poll(() => view.listeners.size).toBe(0);
  });

  test('there are only so many listeners', async () => {
    const { server } = await serving();
    const streams = await Promise.all(Array.from({ length: 32 }, () => listen(`${server.url}/api/events`)));
    expect(streams.every((stream) => stream.status === 200)).toBe(true);
    expect((await fetch(`${server.url}/api/events`)).status).toBe(503);
  });

  test('a listener that does not read is let go, and nobody waits for it', async () => {
    const { server, view } = await serving();
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    await fetch(`${server.url}/api/events`, { signal: stop.signal });
    const filler = 'x'.repeat(100_000);
    await expect
      .poll(() => {
        for (let n = 0; n < 50; n++) view.happen('plan.made', { filler });
        return view.listeners.size;
      })
      .toBe(0);
  });
});

describe('listening', () => {
  test('a port in use is said plainly', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    onTestFinished(() => void blocker.close());
    const { port } = blocker.address() as { port: number };
    await expect(serving({ port })).rejects.toThrow(`HTTP_PORT ${port} on 127.0.0.1 is in use`);
  });

  test('an address of another machine is said plainly', async () => {
    await expect(serving({ host: '203.0.113.1' })).rejects.toThrow('HTTP_HOST 203.0.113.1 cannot be listened on');
  });

  test('closing lets go of listeners at once', async () => {
    const { server } = await serving();
    const stream = await listen(`${server.url}/api/events`);
    await server.close();
    await expect(stream.next('never')).rejects.toThrow();
    await expect(fetch(server.url)).rejects.toThrow();
  });
});
