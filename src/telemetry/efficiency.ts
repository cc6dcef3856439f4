import { Gauge, type Registry } from 'prom-client';
import type { Efficiency } from '../ledger/efficiency.ts';

const USD8 = 1e8;

/** The ledger's figures of efficiency as series of `/metrics`, under the names that `report` and the API have; read when they are asked for. NaN: nothing to take a share of. */
export function serveEfficiency(registry: Registry, read: () => Promise<Efficiency>): void {
  let reading: Promise<Efficiency> | undefined;
  const current = () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const gauge = (name: string, help: string, value: (figures: Efficiency) => number | undefined) =>
    new Gauge({
      name: `bailiff_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(value(await current()) ?? Number.NaN);
      },
    });
  gauge('tried', 'Positions that were tried, each once for every time that it became liquidatable.', ({ tried }) => tried);
  gauge('won', 'Of the positions tried, those that were won.', ({ won }) => won);
  gauge('capture_rate_bps', 'Profit won, of that and what the lost ones were expected to bring.', ({ captureRateBps }) => captureRateBps);
  gauge('slippage_bps', 'What was realised less than planned, of what was planned.', ({ slippageBps }) => slippageBps);
  gauge('revert_rate_bps', 'Reverted, of all that was mined.', ({ revertRateBps }) => revertRateBps);
  gauge('bid_share_bps', 'Bids, of gross profit less gas.', ({ bidShareBps }) => bidShareBps);
  gauge('gas_share_bps', 'Gas, of gross profit.', ({ gasShareBps }) => gasShareBps);
  gauge('residual_debt_usd', 'Debt that was tried and left to others, USD.', (figures) => Number(figures.residualDebtUsd8) / USD8);
  new Gauge({
    name: 'bailiff_blocks_to_liquidate',
    help: 'Blocks from the one that made a position liquidatable to ours, of those won.',
    labelNames: ['part'],
    registers: [registry],
    async collect() {
      this.reset();
      const { blocksToLiquidate } = await current();
      for (const [part, blocks] of Object.entries(blocksToLiquidate ?? {})) this.set({ part }, blocks);
    },
  });
  new Gauge({
    name: 'bailiff_missed_profit_usd',
    help: 'What the lost ones were expected to bring, USD, by what became of the last try.',
    labelNames: ['cause'],
    registers: [registry],
    async collect() {
      this.reset();
      const { missedProfitUsd8 } = await current();
      for (const [cause, usd8] of Object.entries(missedProfitUsd8)) this.set({ cause }, Number(usd8) / USD8);
    },
  });
}
