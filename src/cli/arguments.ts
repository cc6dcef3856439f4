import { InvalidArgumentError } from 'commander';
import { parseShock, type Shock } from '../risk/shocks.ts';

/** Reads options; what is wrong with one ends the command with exit code 2 before anything is begun. */

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** A part of the ledger: from a block, or from a time of this machine's clock (by which the ledger notes what it does; the chain's may lie years off). */
export type Since = { readonly sinceBlock: number } | { readonly sinceMs: number };

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export function since(text: string): Since {
  if (/^\d{1,15}$/.test(text)) return { sinceBlock: Number(text) };
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return { sinceMs: Date.now() - Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS] };
  const date = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z?)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date))
    throw new InvalidArgumentError('It is neither a block number, nor a time back (90m, 24h, 7d), nor a date (2026-01-31).');
  return { sinceMs: date };
}

export function shock(text: string, before: readonly Shock[]): readonly Shock[] {
  const parsed = parseShock(text);
  if (parsed === undefined)
    throw new InvalidArgumentError('It must be TOKEN=PERCENT% with a percentage above -100 and up to 1000, such as WETH=-20%.');
  return [...before, parsed];
}

export function oneOf(names: readonly string[]): (text: string) => string {
  return (text) => {
    if (!names.includes(text)) throw new InvalidArgumentError(`It must be one of ${names.join(', ')}.`);
    return text;
  };
}
