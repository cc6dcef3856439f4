import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { isLoopback } from '../config/rules.ts';
import type { Secret } from '../lib/secret.ts';

/**
 * Who may ask what. On loopback reading needs no token, but the Host header must be a loopback name too: otherwise a page of somebody else's could read here by
 * pointing its own name at 127.0.0.1. Off loopback everything but /healthz needs the token. Changes always need it.
 */
export function guardAccess(host: string, token: Secret | undefined): MiddlewareHandler {
  const local = isLoopback(host);
  return async (context, next) => {
    const { method, path } = context.req;
    const changes = method !== 'GET' && method !== 'HEAD';
    if (changes && token === undefined) return context.json({ error: 'changes are refused: set HTTP_TOKEN' }, 403);
    const authorised = token !== undefined && carries(context.req.header('authorization'), token);
    if (!authorised && (changes || (!local && path !== '/healthz'))) {
      context.header('WWW-Authenticate', 'Bearer');
      return context.json({ error: 'needs the HTTP_TOKEN as `Authorization: Bearer …`' }, 401);
    }
    if (local && !authorised && !isLoopback(hostName(context.req.header('host'))))
      return context.json({ error: 'unknown Host: ask for 127.0.0.1 or localhost, or send the token' }, 403);
    return next();
  };
}

/** Hashed first: equal lengths, and a time that tells nothing. */
function carries(header: string | undefined, token: Secret): boolean {
  const given = /^Bearer +(.+)$/i.exec(header ?? '')?.[1]?.trim() ?? '';
  return timingSafeEqual(digest(given), digest(token.reveal()));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function hostName(header: string | undefined): string {
  return (header ?? '').replace(/:\d+$/, '').toLowerCase();
}
