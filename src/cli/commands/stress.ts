import { writeFile } from 'node:fs/promises';
import { getAddress } from 'viem/utils';
import { loadConfig } from '../../config/load.ts';
import { connect } from '../../connect.ts';
import { ConfigError, explainError } from '../../lib/errors.ts';
import type { Address } from '../../lib/types.ts';
import { usdText } from '../../lib/usd.ts';
import { curve, type Figures, type Impact, type Point, type Round, type Row, stress as stressed } from '../../pipeline/stress.ts';
import { combined, type Moves, PPM, PRESETS, type Shock } from '../../risk/shocks.ts';
import { outside, planJson, skipJson } from '../../server/json.ts';
import { progressTo } from '../../telemetry/progress.ts';
import { createTelemetry } from '../../telemetry/telemetry.ts';
import { World } from '../../world.ts';
import { chartSvg, chartText, type Dot } from '../chart.ts';
import { cents, type OutputOptions, print, table, warn } from '../output.ts';
import { settingsToShow } from '../survey.ts';

const SHOWN = 10;

export type StressOptions = OutputOptions & {
  readonly shock: readonly Shock[];
  readonly preset?: string;
  readonly rounds: number;
  readonly points: number;
  readonly svg?: string;
};

/** A shock, the token it is about, and the feeds that it moves. */
type Applied = Shock & { readonly token: Address; readonly symbol: string; readonly feeds: readonly Address[] };

/** What would become liquidatable, in what sizes, at what profit and bad debt, if prices moved like this. Sends nothing. */
export async function stress(options: StressOptions): Promise<void> {
  const shocks = [...(options.preset === undefined ? [] : PRESETS[options.preset]!), ...options.shock];
  if (shocks.length === 0)
    throw new ConfigError([`give --shock TOKEN=PERCENT%, such as --shock WETH=-20%, or --preset ${Object.keys(PRESETS).join('|')}`]);
  const config = await loadConfig('scan');
  for (const warning of config.warnings) await warn(warning);
  const telemetry = createTelemetry(config.log, 'stderr');
  const { rpc, book } = await connect(config);
  try {
    const world = await World.open(
      { rpc, book, executor: config.executor, choices: config.choices },
      progressTo((fields) => telemetry.log.event('sync.progress', fields)),
    );
    const settings = settingsToShow(config, book);
    const applied = shocks.flatMap((shock) => applyTo(world, shock, options.preset !== undefined));
    const moves = applied.map(movesOf).reduce(combined, new Map());
    if (moves.size === 0) throw new ConfigError([`no feed tells a price of ${shocks.map(({ asset }) => asset).join(', ')} here`]);
    const rounds = stressed(world, settings, moves, options.rounds);
    const points = curve(world, settings, moves, options.points);
    const dots = points.map((point) => dotOf(point, applied[0]!, options.points));
    const title = applied.map(({ symbol, movePpm }) => `${symbol} ${percentOf(movePpm)}`).join(', ');
    if (options.svg !== undefined) await saved(options.svg, chartSvg(`Liquidatable debt and profit on the way to ${title}`, dots));
    const { number, hash, timestamp } = world.head;
    const symbolOf = (token: Address) =>
      world.protocols.map((one) => one.symbolOf(token)).find((symbol) => symbol !== undefined) ?? getAddress(token);
    await print(
      options,
      {
        block: outside({ number, hash, timestamp }),
        shocks: applied.map(({ token, symbol, movePpm, feeds }) => outside({ token, symbol, movePpm, feeds })),
        rounds: rounds.map((round) => roundJson(round, symbolOf)),
        curve: points.map(({ part, liquidatable, debtUsd8, profitUsd8 }) => ({
          ...{ part, parts: options.points, liquidatable },
          ...{ debtUsd: usdText(debtUsd8), profitUsd: usdText(profitUsd8) },
        })),
      },
      () => text(number, title, rounds, dots, symbolOf),
    );
  } finally {
    rpc.close();
    telemetry.log.flush();
  }
}

/** @param optional presets speak of tokens that a chain need not have */
function applyTo(world: World, shock: Shock, optional: boolean): readonly Applied[] {
  const wanted = shock.asset.toLowerCase();
  const named = [...new Set(world.protocols.flatMap((protocol) => protocol.tokens()))].flatMap((token) => {
    const symbol = world.protocols.map((protocol) => protocol.symbolOf(token)).find((known) => known !== undefined) ?? getAddress(token);
    return token === wanted || symbol.toLowerCase() === wanted ? [{ ...shock, token, symbol, feeds: world.feedsOf(token) }] : [];
  });
  const movable = named.filter(({ feeds }) => feeds.length > 0);
  if (movable.length > 0 || optional) return movable;
  if (named.length > 0) throw new ConfigError([`--shock ${shock.asset}: its price is not told by a feed that could be moved`]);
  throw new ConfigError([`--shock ${shock.asset}: no market here has such a token`]);
}

function movesOf({ feeds, movePpm }: Applied): Moves {
  return new Map(feeds.map((feed) => [feed, PPM + BigInt(movePpm)]));
}

async function saved(path: string, picture: string): Promise<void> {
  try {
    await writeFile(path, picture);
  } catch (error) {
    throw new ConfigError([`--svg ${path} cannot be written: ${explainError(error)}`]);
  }
}

function dotOf({ part, debtUsd8, profitUsd8 }: Point, { movePpm }: Shock, parts: number): Dot {
  return { movePercent: (movePpm * part) / parts / 10_000, debtUsd: Number(debtUsd8) / 1e8, profitUsd: Number(profitUsd8) / 1e8 };
}

function roundJson({ figures, rows, impacts }: Round, symbolOf: (token: Address) => string) {
  const { liquidatable, planned, ...sums } = figures;
  const usd = Object.fromEntries(Object.entries(sums).map(([name, usd8]) => [name.replace(/8$/, ''), usdText(usd8 as bigint)]));
  return {
    ...{ liquidatable, planned },
    ...usd,
    skipped: countsOf(rows),
    impacts: impacts.map(({ token, soldRaw, movePpm }) => outside({ token, symbol: symbolOf(token), soldRaw, movePpm: Number(movePpm) })),
    positions: rows.map(({ decision, debtUsd8, collateralUsd8 }) => {
      const { protocol, market, account, healthFactorWad } = decision.kind === 'plan' ? decision.plan.candidate : decision.candidate;
      const verdict = decision.kind === 'plan' ? { plan: planJson(decision.plan) } : { skip: skipJson(decision.skip) };
      return outside({
        protocol,
        market,
        account,
        healthFactorWad,
        debtUsd: usdText(debtUsd8),
        collateralUsd: usdText(collateralUsd8),
        ...verdict,
      });
    }),
  };
}

function countsOf(rows: readonly Row[]): Readonly<Record<string, number>> {
  const reasons = rows.flatMap(({ decision }) => (decision.kind === 'skip' ? [decision.skip.reason] : []));
  return Object.fromEntries(
    Array.from(
      Map.groupBy(reasons, (reason) => reason),
      ([reason, all]) => [reason, all.length],
    ),
  );
}

function text(block: number, title: string, rounds: readonly Round[], dots: readonly Dot[], symbolOf: (token: Address) => string): string {
  const parts = rounds.flatMap(({ figures, rows, impacts }, index) => [
    index === 0 ? `block ${block} under ${title}` : `then, with the prices of what was sold as low as the pools': round ${index + 1}`,
    ...figuresText(figures).map((line) => `  ${line}`),
    ...impacts.map((impact) => `  ${impactText(impact, symbolOf)}`),
    ...Object.entries(countsOf(rows)).map(([reason, count]) => `  left alone   ${count} ${reason}`),
    '',
  ]);
  return [...parts, ...largest(rounds[0]!.rows), '', chartText(dots)].join('\n');
}

function figuresText({
  liquidatable,
  debtUsd8,
  badDebtUsd8,
  planned,
  repayUsd8,
  seizedUsd8,
  gasUsd8,
  bidUsd8,
  profitUsd8,
}: Figures): readonly string[] {
  return [
    `liquidatable ${liquidatable} positions, debt $${cents(debtUsd8)}, not covered by collateral $${cents(badDebtUsd8)}`,
    `worth it     ${planned} in a block: repays $${cents(repayUsd8)}, seizes $${cents(seizedUsd8)}, gas $${cents(gasUsd8)}, bids $${cents(bidUsd8)}, profit $${cents(profitUsd8)}`,
  ];
}

function impactText({ token, movePpm }: Impact, symbolOf: (token: Address) => string): string {
  return `price impact ${symbolOf(token)} ${percentOf(Number(movePpm))} at the pools, all that is seized sold at once`;
}

function largest(rows: readonly Row[]): readonly string[] {
  const shown = rows.toSorted((a, b) => (a.debtUsd8 === b.debtUsd8 ? 0 : a.debtUsd8 > b.debtUsd8 ? -1 : 1)).slice(0, SHOWN);
  if (shown.length === 0) return [];
  const cells = shown.map(({ decision, debtUsd8, collateralUsd8 }) => {
    const { protocol, market, account } = decision.kind === 'plan' ? decision.plan.candidate : decision.candidate;
    const verdict = decision.kind === 'plan' ? `brings $${cents(decision.plan.profitUsd8)}: ${decision.plan.option}` : decision.skip.reason;
    return [getAddress(account), `${protocol}/${market}`, cents(debtUsd8), cents(collateralUsd8), verdict];
  });
  return [table(['account', 'market', 'debt $', 'collateral $', 'liquidating it'], cells, ['debt $', 'collateral $'])];
}

function percentOf(movePpm: number): string {
  return `${movePpm > 0 ? '+' : ''}${(movePpm / 10_000).toFixed(2).replace(/\.?0+$/, '')}%`;
}
