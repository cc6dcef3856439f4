import { connect } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ConfigError, explainError, OperatorError } from '../../src/lib/errors.ts';
import { Secret, SecretUrl, scrub } from '../../src/lib/secret.ts';

describe('a secret', () => {
  const secret = new Secret('correct horse battery staple');

  test('prints *** whichever way it is printed', () => {
    for (const text of [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: [secret] }, { depth: 5 }),
    ]) {
      expect(text).toContain('***');
      expect(text).not.toContain('horse');
    }
    expect(Object.values(secret)).toEqual([]);
    expect(secret.reveal()).toBe('correct horse battery staple');
  });

  test('is taken out of other people’s text, a URL down to its host', () => {
    const url = new SecretUrl('wss://scrubbed.example.org:8546/ws/abcdefghijklmnop1234');
    expect(scrub(`failed: ${url.reveal()}, ${secret.reveal()}`)).toBe('failed: wss://scrubbed.example.org:8546/***, ***');
    expect(scrub('path /ws/abcdefghijklmnop1234')).toBe('path /ws/***');
    expect([url.host, url.protocol]).toEqual(['scrubbed.example.org:8546', 'wss:']);
  });

  test('a URL that is none is not repeated', () => {
    expect(() => new SecretUrl('my key 12345')).toThrow(/^not a URL$/);
  });
});

describe('an error in one line', () => {
  test('an operator’s error is its message, whole', () => {
    const problems = Array.from({ length: 40 }, (_, n) => `VARIABLE_${n}: set it`);
    expect(explainError(new ConfigError(problems))).toBe(problems.join('; '));
  });

  test('a system error is said in words, found at the bottom of its causes', async () => {
    const refused = await new Promise<Error>((resolve) => connect({ host: '127.0.0.1', port: 1 }).on('error', resolve));
    expect(explainError(new Error('fetch failed', { cause: refused }))).toBe('connection refused');
    expect(explainError(AbortSignal.abort().reason)).toBe('timed out');
  });

  test('anything else is one short line without secrets', () => {
    const url = new SecretUrl('https://rpc.example.org/v2/0123456789abcdef0123');
    const line = explainError(new Error(`HTTP 500\n  at ${url.reveal()}\n${'x'.repeat(5_000)}`));
    expect(line).not.toContain('\n');
    expect(line).not.toContain('0123456789abcdef');
    expect(line.length).toBeLessThan(600);
    expect(explainError({ not: 'an error' })).toBe('unknown error');
    expect(explainError(new OperatorError(''))).toBe('unknown error');
  });
});
