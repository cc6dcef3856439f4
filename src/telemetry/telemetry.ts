import type { LogConfig } from '../config/config.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';

export type Telemetry = { readonly log: Log; readonly metrics: Metrics };

/** `stderr` for commands whose stdout belongs to their one JSON document. */
export function createTelemetry(config: LogConfig, stream: 'stdout' | 'stderr' = 'stdout'): Telemetry {
  return { log: createLog({ ...config, stream }), metrics: createMetrics() };
}
