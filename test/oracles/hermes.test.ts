import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { SecretUrl } from '../../src/lib/secret.ts';
import { askHermes } from '../../src/oracles/pull/hermes.ts';

const ID = `0x${'ff'.repeat(32)}` as const;
const PRICE = { price: '250012345678', conf: '12345', expo: -8, publish_time: 1_700_000_000 };
const DOCUMENT = { binary: { encoding: 'hex', data: ['504e41'] }, parsed: [{ id: 'ff'.repeat(32), price: PRICE, ema_price: PRICE }] };

async function service(listener: RequestListener): Promise<SecretUrl> {
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new SecretUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hermes/?token=a-key-of-the-service`);
}

const answering = (body: string, status = 200) => service((_, response) => void response.writeHead(status).end(body));

it('asks for the newest update of the prices, under the operator’s path and key', async () => {
  let asked = '';
  const url = await service((request, response) => {
    asked = decodeURIComponent(request.url!);
    response.end(JSON.stringify(DOCUMENT));
  });
  expect(await askHermes(url, [ID])).toEqual({
    blobs: ['0x504e41'],
    prices: new Map([[ID, { priceRaw: 250012345678n, confidenceRaw: 12345n, exponent: -8, publishTime: 1_700_000_000 }]]),
  });
  expect(asked).toBe(`/hermes/v2/updates/price/latest?token=a-key-of-the-service&ids[]=${ID}&encoding=hex`);
});

it.each<[string, string, number?]>([
  ['HTML', '<html></html>'],
  ['an error', JSON.stringify(DOCUMENT), 500],
  ['nothing', ''],
  ['an array', '[]'],
  ['no data', JSON.stringify({ ...DOCUMENT, binary: { data: [] } })],
  ['data that is not hex', JSON.stringify({ ...DOCUMENT, binary: { data: ['xyz'] } })],
  ['a price in words', JSON.stringify({ ...DOCUMENT, parsed: [{ id: ID, price: { ...PRICE, price: 'much' } }] })],
  ['a time with a fraction', JSON.stringify({ ...DOCUMENT, parsed: [{ id: ID, price: { ...PRICE, publish_time: 1.5 } }] })],
  ['more than it should', ' '.repeat(1_000_001)],
])('%s is no update, and no part of the key is told', async (_, body, status) => {
  const error: unknown = await askHermes(await answering(body, status), [ID]).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).not.toContain('a-key-of-the-service');
});

it('a redirection is not followed: it could carry the key elsewhere', async () => {
  const url = await service((_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
  await expect(askHermes(url, [ID])).rejects.toThrow();
});
