import { formatUnits, getAddress, isAddress } from 'viem/utils';
import { loadConfig } from '../../config/load.ts';
import { LedgerError } from '../../ledger/database.ts';
import { type DecisionRecord, readLedger } from '../../ledger/reader.ts';
import { ConfigError } from '../../lib/errors.ts';
import type { Address } from '../../lib/types.ts';
import type { PositionRow } from '../../pipeline/positions.ts';
import type { Holding } from '../../protocols/types.ts';
import { outside, positionJson } from '../../server/json.ts';
import { createTelemetry } from '../../telemetry/telemetry.ts';
import { cents, type OutputOptions, print, warn } from '../output.ts';
import { survey } from '../survey.ts';
import { healthText, verdictText } from './scan.ts';

const REMEMBERED = 20;
const WAD = 10n ** 18n;

export async function explain(text: string, options: OutputOptions): Promise<void> {
  const account = accountOf(text);
  const config = await loadConfig('scan');
  for (const warning of config.warnings) await warn(warning);
  const telemetry = createTelemetry(config.log, 'stderr');
  const { block, positions: all } = await survey(config, telemetry);
  const positions = all.filter((row) => row.view.account === account);
  const decisions = await decisionsOf(config.dataDir, account);
  const document = {
    block: outside(block),
    account: getAddress(account),
    positions: positions.map(positionJson),
    decisions: decisions.map(({ account: _, ...decision }) => decision),
  };
  await print(options, document, () => explainText(block.number, account, positions, decisions));
  telemetry.log.flush();
}

/** What a keeper on this folder decided; none when no keeper ever ran there. */
async function decisionsOf(dataDir: string, account: Address): Promise<readonly DecisionRecord[]> {
  try {
    const reader = await readLedger(dataDir);
    try {
      return await reader.decisions({ account }, REMEMBERED);
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (error instanceof LedgerError) return [];
    throw error;
  }
}

function explainText(block: number, account: Address, positions: readonly PositionRow[], decisions: readonly DecisionRecord[]): string {
  if (positions.length === 0) return `${getAddress(account)} has no position with debt at block ${block}`;
  const parts = positions.map((row) =>
    [
      `${row.protocol}/${row.market} at block ${block}`,
      `  health      ${healthText(row.healthFactorWad)}${standingText(row)}`,
      `  collateral  $${cents(row.view.collateralUsd8)}${holdingsText(row.view.collateral)}`,
      `  debt        $${cents(row.view.debtUsd8)}${holdingsText(row.view.debt)}`,
      `  decision    ${verdictText(row)}`,
    ].join('\n'),
  );
  const before = decisions.map((decision) => `  block ${decision.block}  ${decision.kind}  ${decision.detail}`);
  return [getAddress(account), ...parts, ...(before.length === 0 ? [] : ['decided before, newest first', ...before])].join('\n');
}

/** An owner may have let others liquidate the position while it is healthy. */
function standingText({ liquidatable, healthFactorWad = 0n }: PositionRow): string {
  if (!liquidatable) return '';
  return healthFactorWad < WAD ? ', liquidatable' : ', may be liquidated early';
}

function holdingsText(holdings: readonly Holding[]): string {
  return holdings
    .map(
      ({ symbol, amountRaw, decimals, valueUsd8 }) => `\n              ${formatUnits(amountRaw, decimals)} ${symbol}, $${cents(valueUsd8)}`,
    )
    .join('');
}

function accountOf(text: string): Address {
  if (!isAddress(text)) throw new ConfigError(['the account must be an address with a right checksum, or in lower case']);
  return text.toLowerCase() as Address;
}
