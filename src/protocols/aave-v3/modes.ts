/** Efficiency modes as a release keeps them: who belongs to one, and what it says. */
import type { Address, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { calls, mustAddress, mustUint } from './reads.ts';
import type { EModeCategory, Reserve } from './state.ts';

/** A category as read; its price source, if it has one, is still an asset's name to the oracle. */
export type ModeRead = Omit<EModeCategory, 'source'>;

export type Modes = {
  readonly calls: (pool: Address, id: number) => readonly ViewCall[];
  readonly read: (id: number, answers: readonly ViewAnswer[]) => ModeRead;
  /** Whether the reserve is of the category: as collateral, and where prices are the category's, as debt. */
  readonly covers: (category: EModeCategory, reserve: Reserve) => boolean;
};

export const NO_ADDRESS: Address = `0x${'0'.repeat(40)}`;

/** Before 3.2: a reserve belongs to the one category that its configuration names; a category may have one price for all of its reserves. */
export const NAMED_MODES: Modes = {
  calls: (pool, id) => [calls.modeData(pool, id)],
  // The answer, DataTypes.EModeCategory (ltv, threshold, bonus, price source, label), begins with its own place.
  read: (id, [data]) => ({
    id,
    liquidationThresholdBps: mustUint(data, `efficiency mode ${id}`, 2),
    liquidationBonusBps: mustUint(data, `efficiency mode ${id}`, 3),
    priceKey: mustAddress(data, `efficiency mode ${id}`, 4),
    collateralBitmap: 0n,
  }),
  covers: ({ id }, { config }) => config.eMode === id,
};

/** 3.2 and later: a category lists its collateral; there are no prices of its own. */
export const LISTED_MODES: Modes = {
  calls: (pool, id) => [calls.modeConfig(pool, id), calls.modeBitmap(pool, id)],
  // (ltv, threshold, bonus)
  read: (id, [config, bitmap]) => ({
    id,
    liquidationThresholdBps: mustUint(config, `efficiency mode ${id}`, 1),
    liquidationBonusBps: mustUint(config, `efficiency mode ${id}`, 2),
    priceKey: NO_ADDRESS,
    collateralBitmap: mustUint(bitmap, `efficiency mode ${id}`),
  }),
  covers: ({ collateralBitmap }, { id }) => ((collateralBitmap >> BigInt(id)) & 1n) === 1n,
};
