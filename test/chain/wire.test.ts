import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { Wire } from '../../src/chain/wire.ts';
import { SecretUrl } from '../../src/lib/secret.ts';

const OPTIONS = { timeoutMs: 2_000, maxBytes: 1_000 };
const ANSWER = JSON.stringify({ jsonrpc: '2.0', id: 1, result: 'taken' });

/** A server, its connections counted, and a wire to it. */
async function stage(
  listener: RequestListener,
  options = OPTIONS,
  onConnection: (socket: Socket) => void = () => {},
): Promise<{ readonly wire: Wire; readonly connections: () => number }> {
  const server = createServer(listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    onConnection(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    wire: new Wire(new SecretUrl(`http://user:pass@127.0.0.1:${port}/path/of-a-key?with=more`), options),
    connections: () => sockets.size,
  };
}

function post(wire: Wire, body = '{}', headers = {}): Promise<unknown> {
  return wire.prepare(Buffer.from(body), headers).send();
}

it('hands over body, headers, path and credentials, on one connection', async () => {
  const heard: unknown[] = [];
  const { wire, connections } = await stage(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization, 'x-flashbots-signature': signature } = request.headers;
    heard.push({ url: request.url, authorization, signature, body: Buffer.concat(chunks).toString() });
    response.end(ANSWER);
  });
  for (const body of ['{"id":1}', '{"id":2,"text":"é"}'])
    expect(await post(wire, body, { 'x-flashbots-signature': 'mine' })).toMatchObject({ result: 'taken' });
  const common = {
    url: '/path/of-a-key?with=more',
    authorization: `Basic ${Buffer.from('user:pass').toString('base64')}`,
    signature: 'mine',
  };
  expect(heard).toEqual([
    { ...common, body: '{"id":1}' },
    { ...common, body: '{"id":2,"text":"é"}' },
  ]);
  expect(connections()).toBe(1);
});

it('tries once more where a connection that was kept turns out to be closed, and not where a new one is', async () => {
  let requests = 0;
  const { wire, connections } = await stage((request, response) => {
    requests++;
    if (requests === 2 || requests > 3) request.socket.resetAndDestroy();
    else response.end(ANSWER);
  });
  await post(wire);
  expect(await post(wire)).toMatchObject({ result: 'taken' });
  expect([requests, connections()]).toEqual([3, 2]);
  await expect(post(wire)).rejects.toMatchObject({ kind: 'unreachable' });
  expect([requests, connections()]).toEqual([5, 3]);
});

it('writes nothing of a request that is only prepared, and gives its connection up when nobody sends it', async () => {
  let requests = 0;
  const bytes: number[] = [];
  const { wire, connections } = await stage(
    (request, response) => {
      requests++;
      bytes.push(request.socket.bytesRead);
      response.end(ANSWER);
    },
    { ...OPTIONS, timeoutMs: 300 },
    (socket) => socket.once('close', () => bytes.push(socket.bytesRead)),
  );
  const unsent = wire.prepare(Buffer.from('{}'), {});
  await expect.poll(() => bytes).toEqual([0]);
  expect([requests, connections()]).toEqual([0, 1]);
  // It can still be sent, over another connection.
  expect(await unsent.send()).toMatchObject({ result: 'taken' });
  expect([requests, connections()]).toEqual([1, 2]);
});

it('sends what was prepared on a connection that was closed meanwhile', async () => {
  const sockets: Socket[] = [];
  const { wire, connections } = await stage(
    (_, response) => void response.end(ANSWER),
    OPTIONS,
    (socket) => sockets.push(socket),
  );
  await post(wire);
  const unsent = wire.prepare(Buffer.from('{}'), {});
  const closed = once(sockets[0]!, 'close');
  sockets[0]!.destroy();
  await closed;
  expect(await unsent.send()).toMatchObject({ result: 'taken' });
  expect(connections()).toBe(2);
});

it.each<[string, RequestListener, object]>([
  ['an answer that is too large', (_, response) => void response.end('x'.repeat(2_000)), { kind: 'too-much' }],
  ['a redirect', (_, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(), { kind: 'bad-answer' }],
  [
    'too many requests',
    (_, response) => void response.writeHead(429, { 'retry-after': '7' }).end(),
    { kind: 'rate-limited', retryAfterMs: 7_000 },
  ],
  ['silence', () => {}, { kind: 'timeout' }],
])('refuses %s', async (_, listener, fault) => {
  const { wire } = await stage(listener, { ...OPTIONS, timeoutMs: 300 });
  await expect(post(wire)).rejects.toMatchObject(fault);
});
