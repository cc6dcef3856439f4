import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { SecretUrl } from '../../src/lib/secret.ts';
import { Announcer } from '../../src/telemetry/announcer.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { Webhook } from '../../src/telemetry/webhook.ts';

const PATH = '/hook/fake-key-of-the-webhook';

async function hooked(answer: (request: IncomingMessage, response: ServerResponse, bodies: readonly Record<string, unknown>[]) => void) {
  const bodies: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += String(part);
    bodies.push(JSON.parse(text) as Record<string, unknown>);
    answer(request, response, bodies);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json', stream: 'stdout' }, { write: (line: string) => void lines.push(line) });
  const announcer = new Announcer(log, createMetrics());
  const webhook = new Webhook(new SecretUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`), log);
  announcer.subscribe(webhook.listener);
  return { bodies, lines, webhook, emit: announcer.emit };
}

test('alerts are posted in their order, and nothing else', async () => {
  const { bodies, emit, webhook } = await hooked((_, response) => response.end());
  emit('block.failed', { reason: 'of no use to anybody asleep' });
  emit('alert.raised', { about: 'position-found', hedge: 'perp-v2/1' });
  emit('breaker.opened', { reason: 'losses' });
  await webhook.close();
  expect(bodies).toMatchObject([
    { event: 'alert.raised', about: 'position-found', text: 'bailiff: alert.raised about position-found, hedge perp-v2/1' },
    { event: 'breaker.opened', reason: 'losses' },
  ]);
  expect(bodies[0]!['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('one that is refused is tried again', async () => {
  const { bodies, emit, lines } = await hooked((_, response, { length }) => response.writeHead(length < 2 ? 503 : 200).end());
  emit('alert.raised', { about: 'position-deadline' });
  await expect.poll(() => bodies.length).toBe(2);
  expect(lines.join('')).not.toContain('alert.lost');
});

test('what nobody takes is in the log, without the URL, and holds up no end', async () => {
  const { emit, lines, webhook } = await hooked((request) => request.socket.destroy());
  emit('keeper.killed', { by: 'operator' });
  await webhook.close();
  await expect.poll(() => lines.join('')).toContain('alert.lost');
  expect(lines.join('')).toContain('127.0.0.1');
  expect(lines.join('')).not.toContain(PATH);
});
