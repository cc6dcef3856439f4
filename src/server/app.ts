import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import type { HttpConfig } from '../config/config.ts';
import { explainError } from '../lib/errors.ts';
import type { Log } from '../telemetry/log.ts';
import { guardAccess } from './access.ts';
import { type Dashboard, loadDashboard } from './dashboard.ts';
import { EventHub } from './hub.ts';
import { attemptJson, positionJson, readinessJson, statusJson } from './json.ts';
import type { KeeperView } from './view.ts';

const LARGEST_BODY_BYTES = 1_024;
const MOST_ROWS = 1_000;
const USUAL_ROWS = 100;

export type Serving = { readonly view: KeeperView; readonly registry: Registry; readonly log: Log; readonly http: HttpConfig };

/** Dashboard, API and metrics over the keeper's view; the paths are a contract with operators. */
export function createApp({ view, registry, log, http }: Serving): { readonly app: Hono; readonly hub: EventHub } {
  const app = new Hono();
  const hub = new EventHub(view, log);
  const page: Dashboard = loadDashboard();

  app.use(secureHeaders({ crossOriginResourcePolicy: 'same-origin', xFrameOptions: 'DENY', strictTransportSecurity: false }));
  app.use(guardAccess(http.host, http.token));
  app.use(bodyLimit({ maxSize: LARGEST_BODY_BYTES, onError: (context) => context.json({ error: 'the body is too large' }, 413) }));
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
  });

  app.get('/', (context) => {
    context.header('Content-Security-Policy', page.policy);
    return context.html(page.html);
  });
  app.get('/healthz', (context) => context.json({ alive: true }));
  app.get('/readyz', async (context) => {
    const { readiness } = await view.status();
    return context.json(readinessJson(readiness), readiness.ready ? 200 : 503);
  });
  app.get('/metrics', async (context) => context.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType }));

  app.get('/api/status', async (context) => context.json(statusJson(await view.status())));
  app.get('/api/positions', async (context) => {
    const limit = rows(context.req.query('limit'));
    if (limit === undefined) return context.json({ error: LIMIT_HELP }, 400);
    return context.json({ positions: (await view.positions(limit)).map(positionJson) });
  });
  app.get('/api/attempts', async (context) => {
    const limit = rows(context.req.query('limit'));
    if (limit === undefined) return context.json({ error: LIMIT_HELP }, 400);
    return context.json({ attempts: (await view.attempts(limit)).map(attemptJson) });
  });
  app.get('/api/events', (context) => {
    const body = hub.open();
    if (body === undefined) return context.json({ error: 'too many listeners' }, 503);
    return context.body(body, 200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
  });

  for (const command of ['pause', 'resume', 'kill'] as const) {
    app.post(`/api/${command}`, async (context) => {
      const order = orderOf(await context.req.text());
      if (order === undefined) return context.json({ error: 'the body must be empty or {"afterKill":true}' }, 400);
      const { done, answer } = await view.command(command, order.afterKill, 'HTTP API');
      return context.json({ done, answer }, done ? 200 : 409);
    });
  }

  app.notFound((context) => context.json({ error: 'nothing here' }, 404));
  app.onError((error, context) => {
    log.warn('server.failed', { path: context.req.path, error: explainError(error) });
    return context.json({ error: 'failed; the log says why' }, 500);
  });
  return { app, hub };
}

const LIMIT_HELP = `limit must be a whole number from 1 to ${MOST_ROWS}`;

function rows(text: string | undefined): number | undefined {
  if (text === undefined) return USUAL_ROWS;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= MOST_ROWS ? limit : undefined;
}

const order = z.strictObject({ afterKill: z.boolean().default(false) });

function orderOf(body: string): z.output<typeof order> | undefined {
  if (body.trim() === '') return { afterKill: false };
  try {
    return order.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
