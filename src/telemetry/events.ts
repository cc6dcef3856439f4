/** What the keeper tells the outside: one line a happening, the same names in logs, metrics, API and docs. */
export type EventName =
  | 'keeper.started'
  | 'keeper.paused'
  | 'keeper.resumed'
  | 'keeper.killed'
  | 'keeper.stopped'
  | 'sync.progress'
  | 'sync.done'
  | 'block.processed'
  | 'candidate.found'
  | 'plan.made'
  | 'plan.skipped'
  | 'bundle.sent'
  | 'bundle.would-send'
  | 'attempt.sent'
  | 'attempt.included'
  | 'attempt.reverted'
  | 'attempt.missed'
  | 'attempt.replaced'
  | 'attempt.expired'
  | 'nonce.freed'
  | 'lane.resting'
  | 'lane.back'
  | 'lane.topped-up'
  | 'reorg.handled'
  | 'audit.mismatch'
  | 'market.suspended'
  | 'market.resumed'
  | 'token.odd'
  | 'token.plain'
  | 'breaker.opened'
  | 'breaker.closed'
  | 'endpoint.changed'
  | 'block.failed';

/** Values fit for a log line: bigints as decimal strings. */
export type EventFields = Readonly<Record<string, string | number | boolean | undefined>>;
export type Emit = (event: EventName, fields: EventFields) => void;
