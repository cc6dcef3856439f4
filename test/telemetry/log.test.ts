import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Secret, SecretUrl } from '../../src/lib/secret.ts';
import { createLog, type Level } from '../../src/telemetry/log.ts';

function capture(level: Level = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, format: 'json', stream: 'stdout' }, { write: (line: string) => lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

test('a line is one JSON object with a stable event, a time and its figures', () => {
  const { log, last, lines } = capture();
  log.info('block.processed', { block: 7, lagMs: 12, profitWei: 2n ** 70n, account: `0x${'ab'.repeat(20)}`, nested: { wei: 1n } });
  expect(lines[0]!.endsWith('}\n')).toBe(true);
  expect(last()).toMatchObject({
    level: 'info',
    event: 'block.processed',
    block: 7,
    profitWei: '1180591620717411303424',
    account: '0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB',
    nested: { wei: '1' },
  });
  expect(Date.parse(String(last()['time']))).toBeGreaterThan(Date.now() - 60_000);
});

test('secrets show neither by type nor inside anybody’s text', () => {
  const { log, lines } = capture();
  const key = new Secret(`0x${'5e'.repeat(32)}`);
  const url = new SecretUrl('https://user:hunter2hunter2@rpc.example.org/v3/0123456789abcdef0123?apikey=querysecret');
  log.error('rpc.failed', {
    key,
    url,
    nested: { url },
    error: new Error(`HTTP request failed. URL: ${url.reveal()} key ${key.reveal()}`),
    part: 'GET /v3/0123456789abcdef0123 apikey=querysecret by hunter2hunter2',
    noPrefix: '5E'.repeat(32).toLowerCase(),
  });
  for (const secret of ['5e5e5e', 'hunter2', '0123456789abcdef', 'querysecret']) expect(lines.join()).not.toContain(secret);
  expect(lines.join()).toContain('rpc.example.org');
});

test('each event has its level, and the least one is kept to', () => {
  const { log, lines, last } = capture('warn');
  log.event('block.processed', {});
  expect(lines).toEqual([]);
  log.event('breaker.opened', {});
  expect(last()).toMatchObject({ level: 'error', event: 'breaker.opened' });
});

test('piped, stdout gets every line of a process that ends by itself, as JSON', () => {
  const script = `
    import { createTelemetry } from ${JSON.stringify(fileURLToPath(new URL('../../src/telemetry/telemetry.ts', import.meta.url)))};
    const { log } = createTelemetry({ level: 'info', format: undefined });
    for (let n = 0; n < 2000; n++) log.info('test.line', { n });
    log.flush();
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  expect(stderr).toBe('');
  const numbers = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { n: number }).n);
  expect(numbers).toEqual(Array.from({ length: 2000 }, (_, n) => n));
});
