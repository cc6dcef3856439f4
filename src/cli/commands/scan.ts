import { getAddress } from 'viem/utils';
import { loadConfig } from '../../config/load.ts';
import { wadText } from '../../lib/wad.ts';
import type { PositionRow } from '../../pipeline/positions.ts';
import { outside, positionJson } from '../../server/json.ts';
import type { ExecutionRisk } from '../../strategy/risk.ts';
import { createTelemetry } from '../../telemetry/telemetry.ts';
import { cents, type OutputOptions, print, table, warn } from '../output.ts';
import { survey } from '../survey.ts';

const SHOWN = 40;
const MOST_SHOWN_WAD = 1_000n * 10n ** 18n;

export async function scan(options: OutputOptions & { readonly limit?: number }): Promise<void> {
  const config = await loadConfig('scan');
  for (const warning of config.warnings) await warn(warning);
  const telemetry = createTelemetry(config.log, 'stderr');
  const { block, positions } = await survey(config, telemetry);
  const worst = positions.slice(0, options.limit ?? (options.json ? positions.length : SHOWN));
  await print(options, { block: outside(block), positions: worst.map(positionJson) }, () =>
    scanText(block.number, worst, positions.length),
  );
  telemetry.log.flush();
}

function scanText(block: number, worst: readonly PositionRow[], count: number): string {
  const liquidatable = worst.filter((row) => row.liquidatable).length;
  const rows = worst.map((row) => [
    getAddress(row.view.account),
    `${row.protocol}/${row.market}`,
    healthText(row.healthFactorWad),
    cents(row.view.debtUsd8),
    cents(row.view.collateralUsd8),
    verdictText(row),
  ]);
  return [
    `block ${block}: ${count} positions with debt, ${liquidatable} liquidatable${worst.length < count ? `; the worst ${worst.length}` : ''}`,
    ...(rows.length === 0
      ? []
      : [
          '',
          table(['account', 'market', 'health', 'debt $', 'collateral $', 'liquidating it'], rows, ['health', 'debt $', 'collateral $']),
        ]),
  ].join('\n');
}

/** Four decimals, floored. */
export function healthText(healthFactorWad: bigint | undefined): string {
  if (healthFactorWad === undefined) return 'unknown';
  return healthFactorWad >= MOST_SHOWN_WAD ? '> 1000' : wadText(healthFactorWad);
}

export function verdictText({ verdict }: PositionRow): string {
  if ('plan' in verdict) {
    const { profitUsd8, option, route, told = {} } = verdict.plan;
    const more = Object.entries(told).map(([name, value]) => `${name} ${value}`);
    return [`brings $${cents(profitUsd8)}${riskText(verdict.risk)}: ${option}, ${route}`, ...more].join(', ');
  }
  const { reason, figures } = verdict.skip;
  if (reason === 'healthy') return 'healthy';
  const why = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  return why.length === 0 ? reason : `${reason} (${why.join(', ')})`;
}

function riskText(risk: ExecutionRisk | undefined): string {
  if (risk === undefined) return '';
  const percent = (bps: number) => `${(bps / 100).toFixed(1)}%`;
  const chances = `included ${percent(risk.includedBps)}, reverted ${percent(risk.revertedBps)}`;
  return ` (expected $${cents(risk.expectedProfitUsd8)}, 5% worst $${cents(risk.worstProfitUsd8)}; ${chances})`;
}
