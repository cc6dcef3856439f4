import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { flashbotsRelay } from '../../../src/execution/relays/flashbots.ts';
import type { Relay } from '../../../src/execution/types.ts';

/** How the relay at the other end answers a request; nothing: never. */
export type Manner = (method: string, response: ServerResponse) => void;

export const json =
  (body: object): Manner =>
  (_, response) =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }));
export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Manner =>
  (_, response) =>
    void response.writeHead(code, headers).end(body);
export const silent: Manner = () => {};
export const takes = json({ result: { bundleHash: `0x${'ab'.repeat(32)}` } });
export const refuses = (message: string, code = -32000) => json({ error: { code, message } });

export type RelayStage = {
  readonly relay: Relay;
  /** The methods that it was asked, oldest first. */
  readonly asked: readonly string[];
  manner: Manner;
};

/** A relay of the keeper's own kind, before a real server that answers as it is told to. */
export async function relayStage(manner: Manner = takes, timeoutMs = 2_000): Promise<RelayStage> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method } = JSON.parse(Buffer.concat(chunks).toString()) as { method: string };
    asked.push(method);
    stage.manner(method, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stage = { relay: flashbotsRelay({ url, authKey: `0x${'11'.repeat(32)}`, chainId: 7777, timeoutMs }), asked, manner };
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return stage;
}

/** Nothing listens there. */
export function deadRelay(): Relay {
  return flashbotsRelay({ url: 'http://127.0.0.1:1', authKey: `0x${'11'.repeat(32)}`, chainId: 7777, timeoutMs: 2_000 });
}
