import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The series of `/metrics`. Names carry their unit; amounts of money are for graphs, the ledger has them exactly. */
export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
    new Gauge<T>({ name: `bailiff_${name}`, help, labelNames, registers });
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
    new Counter<T>({ name: `bailiff_${name}_total`, help, labelNames, registers });
  return {
    registry,
    headBlock: gauge('head_block', 'Number of the last block processed.'),
    /** From the head's arrival to the end of its processing. */
    lagMs: gauge('block_lag_milliseconds', 'Time from the last head’s arrival until it was processed.'),
    processing: new Histogram({
      name: 'bailiff_block_processing_seconds',
      help: 'Time from a head’s arrival until it was processed.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    sending: new Histogram({
      name: 'bailiff_send_seconds',
      help: 'Time from a head’s arrival until the bundle for the next block was with the relays.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    positions: gauge('positions', 'Positions with debt that are mirrored.'),
    candidates: gauge('candidates', 'Positions judged liquidatable at the next block.'),
    plans: counter('plans', 'Plans made.'),
    skips: counter('skips', 'Candidates that nothing is sent for, by reason; counted when the reason changes.', ['reason']),
    attempts: counter('attempts', 'Attempts by outcome.', ['outcome']),
    rpcCallsPerBlock: gauge('rpc_calls_per_block', 'Calls to endpoints for the last block.'),
    endpointUp: gauge('endpoint_up', '1 while an endpoint answers.', ['host']),
    endpointTrusted: gauge('endpoint_trusted', '0 while an endpoint is not believed.', ['host']),
    endpointFailures: counter('endpoint_failures', 'Times that an endpoint failed and was left alone, by kind.', ['host', 'kind']),
    endpointLies: counter('endpoint_lies', 'Times that an endpoint was shown to tell what is not so, by kind.', ['host', 'lie']),
    noneTrusted: gauge('endpoints_none_trusted', '1 while no endpoint can be trusted: nothing is sent.'),
    logProofs: counter('log_proofs', 'Blocks whose logs were proved right by their receipts.'),
    auditMismatches: counter('audit_mismatches', 'Differences between the mirror and the chain’s own views.', ['market']),
    reorgs: counter('reorgs', 'Reorganisations handled.'),
    switchState: gauge('switch_state', '1 for the state that the switch is in.', ['state']),
    breakerOpen: gauge('breaker_open', '1 while the breaker is open.'),
    alerts: counter('alerts', 'What an operator has to look at, by what it is about.', ['about']),
    inventoryUsd: gauge('inventory_usd', 'Positions of ours at venues that are not closed yet, USD.'),
    keptUsd: gauge('kept_usd', 'Seized collateral that is kept and being sold, USD.'),
    suspended: gauge('market_suspended', '1 while a market is not acted on.', ['market']),
    laneResting: gauge('lane_resting', '1 while a lane is short of gas and given nothing.', ['lane']),
    laneBalance: gauge('lane_balance_native', 'Native tokens that a lane held when last looked at.', ['lane']),
    laneTopUps: counter('lane_top_ups', 'Times that a lane was given gas.', ['lane']),
    relayCalls: counter('relay_calls', 'Calls to relays, by what was asked and what came of it.', ['relay', 'call', 'answer']),
    relayLatency: new Histogram({
      name: 'bailiff_relay_latency_seconds',
      help: 'Time until a relay answered, whatever it answered.',
      labelNames: ['relay', 'call'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    relayResting: gauge('relay_resting', '1 while a relay kept failing at a call and has not answered again.', ['relay', 'call']),
    relayLanded: gauge('relay_landed', 'Mined transactions, since the start, that a relay had accepted.', ['relay']),
    gasSpentUsd: counter('gas_spent_usd', 'Gas of mined transactions, USD, since the start.'),
    profitUsd: gauge('profit_usd', 'Net profit of mined transactions, USD, since the start.'),
  };
}
