/** What has to hold after every trouble: the mirror is that of a fresh sync, the ledger is the chain's, the limits were kept. */
import { survey } from '../../src/cli/survey.ts';
import { loadConfig } from '../../src/config/load.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { positionJson } from '../../src/server/json.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { audit, type Finding } from '../soak/audit.ts';
import { LIMITS } from './limits.ts';
import type { ChaosScene } from './scene.ts';

/** More than a scene has borrowers. */
const ALL_ROWS = 1_000;

/** To be asked while the keeper has processed the head and no slot passes. Says nothing when all is well. */
export async function verdict(scene: ChaosScene): Promise<readonly Finding[]> {
  return [...(await audit(scene.stage.scene)), ...(await mirrorAgainstFreshSync(scene)), ...(await limits(scene))];
}

async function mirrorAgainstFreshSync(scene: ChaosScene): Promise<readonly Finding[]> {
  const { environment, folder, scene: books } = scene.stage;
  const config = await loadConfig('scan', { folder, env: { ...environment, RPC_URLS: books.rpcUrl, LOG_LEVEL: 'error' } });
  const fresh = await survey(config, createTelemetry(config.log, 'stderr'));
  const { body } = await scene.ask(`/api/positions?limit=${ALL_ROWS}`);
  const ours = new Map((body as { positions: Row[] }).positions.map((row) => [keyOf(row), standing(row)]));
  const findings: Finding[] = [];
  for (const row of fresh.positions.map((position) => positionJson(position) as Row)) {
    const [here, there] = [ours.get(keyOf(row)), standing(row)];
    ours.delete(keyOf(row));
    if (here !== there)
      findings.push({
        kind: 'wrong',
        what: `${keyOf(row)} is ${here ?? 'unknown'} in the mirror, ${there} by a fresh sync at ${fresh.block.number}`,
      });
  }
  for (const key of ours.keys())
    findings.push({ kind: 'wrong', what: `${key} is in the mirror and not in a fresh sync at ${fresh.block.number}` });
  return findings;
}

type Row = { readonly protocol: string; readonly market: string; readonly account: string; readonly [field: string]: unknown };

function keyOf({ protocol, market, account }: Row): string {
  return `${protocol}/${market}/${account}`;
}

/** All but what was decided about it. */
function standing({ healthFactorWad, liquidatable, collateral, debt }: Row): string {
  return JSON.stringify({ healthFactorWad, liquidatable, collateral, debt });
}

async function limits(scene: ChaosScene): Promise<readonly Finding[]> {
  const ledger = await readLedger(scene.stage.scene.dataDir);
  const records = await ledger.transactions({}).finally(() => ledger.close());
  const usd8 = (text: string) => BigInt(text) * 10n ** 8n;
  const mined = records.flatMap((record) => record.mined ?? []);
  const gas = mined.reduce((sum, { gasWei, nativeUsd8 }) => sum + (gasWei * nativeUsd8) / 10n ** 18n, 0n);
  const loss = mined.reduce((sum, { netUsd8 }) => sum + (netUsd8 < 0n ? -netUsd8 : 0n), 0n);
  const largest = records.flatMap(({ attempts }) => attempts.map(({ repayUsd8 }) => repayUsd8)).reduce((a, b) => (a > b ? a : b), 0n);
  const beyond: readonly (readonly [name: keyof typeof LIMITS, spent: bigint])[] = [
    ['MAX_GAS_USD_PER_DAY', gas],
    ['MAX_LOSS_USD_PER_DAY', loss],
    ['MAX_POSITION_USD', largest],
  ];
  return beyond.flatMap(([name, spent]): Finding[] =>
    spent <= usd8(LIMITS[name]) ? [] : [{ kind: 'wrong', what: `${name} is ${LIMITS[name]}, and ${spent} (8 decimals) were spent` }],
  );
}
