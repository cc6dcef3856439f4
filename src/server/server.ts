import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { OperatorError } from '../lib/errors.ts';
import { createApp, type Serving } from './app.ts';

export type Server = {
  /** Where it listens: the port chosen, when HTTP_PORT is 0. */
  readonly url: string;
  /** Lets go of every client. Resolves within a second. */
  close(): Promise<void>;
};

const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const MOST_CONNECTIONS = 256;

/** Throws OperatorError when the address cannot be listened on. */
export async function startServer(serving: Serving): Promise<Server> {
  const { app, hub } = createApp(serving);
  const { host, port } = serving.http;
  const server: ServerType = serve({
    fetch: app.fetch,
    hostname: host.replace(/^\[|\]$/g, ''),
    port,
    serverOptions: { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, maxHeaderSize: 8_192 },
  });
  if ('maxConnections' in server) server.maxConnections = MOST_CONNECTIONS;
  try {
    if (!server.listening) await once(server, 'listening');
  } catch (error) {
    throw new OperatorError(listenProblem(error, host, port));
  }
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    async close() {
      hub.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}

function listenProblem(error: unknown, host: string, port: number): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') return `HTTP_PORT ${port} on ${host} is in use: set another, or 0 for any free one`;
  if (code === 'EACCES') return `HTTP_PORT ${port} needs rights that this user has not: set one above 1023`;
  return `HTTP_HOST ${host} cannot be listened on (${code ?? 'unknown reason'}): set an address of this machine`;
}
