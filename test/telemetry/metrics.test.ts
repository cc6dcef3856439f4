import { expect, test } from 'vitest';
import { createMetrics } from '../../src/telemetry/metrics.ts';

test('the first series are there, with units in their names and without clashes between registries', async () => {
  const [metrics, other] = [createMetrics(), createMetrics()];
  metrics.headBlock.set(123);
  metrics.skips.inc({ reason: 'no-route' });
  metrics.attempts.inc({ outcome: 'included' });
  const text = await metrics.registry.metrics();
  expect(text).toContain('bailiff_head_block 123');
  expect(text).toContain('bailiff_skips_total{reason="no-route"} 1');
  expect(text).toContain('bailiff_attempts_total{outcome="included"} 1');
  expect(await other.registry.metrics()).toContain('bailiff_head_block 0');
});
