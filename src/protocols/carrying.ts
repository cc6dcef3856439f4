import type { Carried } from '../oracles/pull/pyth.ts';
import type { Option } from './types.ts';

/**
 * An option of a moment in which a pulled price holds already, with what writes that price before it. The update is mined with the liquidation or not
 * at all, and stands or falls with it.
 */
export function carrying(option: Option, { steps, feeWei, gasUnits }: Carried): Option {
  return {
    ...option,
    gasUnits: option.gasUnits + gasUnits,
    feeWei: (option.feeWei ?? 0n) + feeWei,
    flow: (amountRaw) => option.flow(amountRaw),
    steps: (amountRaw, exchange, executor) => [...steps, ...option.steps(amountRaw, exchange, executor)],
  };
}
