import { describe, expect, test } from 'vitest';
import { bearer, getAs, serving, TOKEN, withToken } from './fixtures.ts';

const READS = ['/', '/healthz', '/readyz', '/metrics', '/api/status', '/api/positions', '/api/attempts'];

describe('on loopback', () => {
  test('reading needs no token', async () => {
    const { server } = await serving(withToken);
    for (const path of READS) expect((await fetch(server.url + path)).status, path).toBe(200);
  });

  test.each(['attacker.example.org', 'attacker.example.org:9464', '127.0.0.1.example.org', '10.0.0.1'])(
    'not by the name %j',
    async (host) => {
      const { server } = await serving(withToken);
      for (const path of READS) expect(await getAs(server.url + path, { Host: host }), path).not.toBe(200);
      expect(await getAs(`${server.url}/api/status`, { Host: host, ...bearer })).toBe(200);
    },
  );

  test.each(['localhost', 'localhost:9464', '[::1]:9464', '127.0.0.1'])('by the name %s', async (host) => {
    const { server } = await serving();
    expect(await getAs(`${server.url}/api/status`, { Host: host })).toBe(200);
  });
});

describe('off loopback', () => {
  test('everything but /healthz needs the token', async () => {
    const { server } = await serving({ ...withToken, host: '0.0.0.0' });
    const url = server.url.replace('0.0.0.0', '127.0.0.1');
    for (const path of [...READS, '/api/events', '/nothing']) {
      expect((await fetch(url + path)).status, path).toBe(path === '/healthz' ? 200 : 401);
      const opened = await fetch(url + path, { headers: bearer });
      expect(opened.status, path).toBe(path === '/nothing' ? 404 : 200);
      await opened.body?.cancel();
    }
  });
});

describe('changes', () => {
  const post = (url: string, init: RequestInit = {}) => fetch(url, { method: 'POST', ...init });

  test('without HTTP_TOKEN they are refused, whatever is sent', async () => {
    const { server, view } = await serving();
    for (const command of ['pause', 'resume', 'kill']) {
      expect((await post(`${server.url}/api/${command}`)).status).toBe(403);
      expect((await post(`${server.url}/api/${command}`, { headers: { Authorization: 'Bearer undefined' } })).status).toBe(403);
    }
    expect(view.commands).toEqual([]);
  });

  test.each([
    {},
    { Authorization: TOKEN },
    { Authorization: 'Bearer ' },
    { Authorization: `Bearer ${TOKEN}x` },
    { Authorization: `Bearer ${TOKEN.slice(1)}` },
    { Authorization: `Basic ${TOKEN}` },
  ])('with %j they are refused', async (headers) => {
    const { server, view } = await serving(withToken);
    expect((await post(`${server.url}/api/pause`, { headers: headers as Record<string, string> })).status).toBe(401);
    expect(view.commands).toEqual([]);
  });

  test('with the token they are done, and what may not be is said', async () => {
    const { server, view } = await serving(withToken);
    const send = async (command: string, body = '') => {
      const response = await post(`${server.url}/api/${command}`, { headers: bearer, body });
      return [response.status, await response.json()];
    };
    expect(await send('pause')).toEqual([200, { done: true, answer: 'pause' }]);
    expect(await send('resume')).toEqual([409, { done: false, answer: expect.stringContaining('--after-kill') }]);
    expect(await send('resume', '{"afterKill":true}')).toEqual([200, { done: true, answer: 'resume' }]);
    expect(view.commands).toEqual(['pause', 'resume', 'resume --after-kill']);
  });

  test('a body that is too large or something else is refused', async () => {
    const { server, view } = await serving(withToken);
    const send = async (body: string) => (await post(`${server.url}/api/kill`, { headers: bearer, body })).status;
    expect(await send('x'.repeat(2_000))).toBe(413);
    expect(await send('{"afterKill":"yes"}')).toBe(400);
    expect(await send('{"more":1}')).toBe(400);
    expect(await send('not json')).toBe(400);
    expect(view.commands).toEqual([]);
  });

  test('a change is no GET', async () => {
    const { server, view } = await serving(withToken);
    expect((await fetch(`${server.url}/api/kill`, { headers: bearer })).status).toBe(404);
    expect(view.commands).toEqual([]);
  });
});
