import type { Regime } from '../protocols/types.ts';

/** The share of a regime (1/64) over which the slope at its upper end is felt. */
const SLOPE_SHARE = 64n;
const MAX_STEPS = 64;
/** The optimum is narrowed down to this share of itself. */
const PRECISION = 1_024n;

/**
 * Amount of greatest `value` over the regimes. `value` is taken to be concave within each regime (bonus is linear in the amount, price
 * impact convex; further swaps' gas makes steps too small to matter), so the slope at the upper end tells whether the whole regime pays; otherwise a
 * golden-section search narrows the amount down, whose error counts by its square. `value` answers undefined where the amount cannot be done; such amounts lose.
 */
export function bestAmount<T extends { readonly valueWei: bigint }>(
  regimes: readonly Regime[],
  value: (amountRaw: bigint) => T | undefined,
): T | undefined {
  let best: T | undefined;
  for (const regime of regimes) best = better(best, bestInRegime(regime, value));
  return best;
}

function better<T extends { readonly valueWei: bigint }>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined) return b;
  return b !== undefined && b.valueWei > a.valueWei ? b : a;
}

function bestInRegime<T extends { readonly valueWei: bigint }>(regime: Regime, value: (amountRaw: bigint) => T | undefined): T | undefined {
  const width = regime.maxRaw - regime.minRaw;
  const atMax = value(regime.maxRaw);
  if (width === 0n) return atMax;
  const below = value(regime.maxRaw - (width + SLOPE_SHARE - 1n) / SLOPE_SHARE);
  if (atMax !== undefined && (below === undefined || atMax.valueWei >= below.valueWei)) return atMax;

  let best = better(atMax, below);
  let low = regime.minRaw;
  let high = regime.maxRaw;
  let left = golden(low, high);
  let right = low + high - left;
  let atLeft = value(left);
  let atRight = value(right);
  for (let step = 0; step < MAX_STEPS && high - low > low / PRECISION && left < right; step++) {
    best = better(better(best, atLeft), atRight);
    // An amount that cannot be done is too large: pools run dry from above.
    const goLeft = atRight === undefined || (atLeft !== undefined && atLeft.valueWei >= atRight.valueWei);
    if (goLeft) {
      high = right;
      right = left;
      atRight = atLeft;
      left = golden(low, high);
      atLeft = value(left);
    } else {
      low = left;
      left = right;
      atLeft = atRight;
      right = low + high - left;
      atRight = value(right);
    }
  }
  return better(better(best, atLeft), atRight);
}

/** The lower golden-section point: low + 0.381966 (high - low). */
function golden(low: bigint, high: bigint): bigint {
  return low + ((high - low) * 381_966n) / 1_000_000n;
}
